"""Tables come from a folder again and again, each turn in another order."""

from itertools import islice

import pytest

from engine.core import JobError
from engine.kit import Well
from engine.shipped import JOBS
from engine.sources.tables import SOURCE
from engine.symbolic.renderings import words_for
from engine.symbolic.tables import read as table
from tests.conftest import read


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "de-berge.csv").write_text('\ufeffBerg,Höhe\nEiger,3967\n"Mönch, der",4110\n')
    (tmp_path / "zh-茶.tsv").write_text("茶\t价\n白茶\t30\n")
    (tmp_path / "notes.txt").write_text("no table")
    return tmp_path


def test_every_table_comes_once_in_each_turn(folder):
    found = list(islice(read(SOURCE, folder, path=".", licence="MIT"), 8))
    titles = [record.facts["title"] for record in found]
    assert all(set(titles[at : at + 2]) == {"de-berge", "zh-茶"} for at in range(0, 8, 2))
    assert len({record.id for record in found}) == 8
    [berge] = {str(r.facts["table"]) for r in found if r.language == "de"}
    assert "Mönch, der" in berge
    assert {r.language for r in found} == {"de", "zh"} and found[0].facts["licence"] == "MIT"


def test_a_later_round_goes_on_where_the_last_one_stopped(folder):
    params = SOURCE.params.model_validate({"path": "."}, context={"base": folder})
    whole = list(islice(SOURCE.read(Well(params, "s", 0, "1", lambda step: iter(()))), 9))
    rest = SOURCE.read(Well(params, "s", 1, "1", lambda step: iter(()), start=3))
    assert whole[3:] == list(islice(rest, 6))


def test_one_file_can_be_named_with_its_language(folder):
    [record] = islice(read(SOURCE, folder, path="zh-茶.tsv", language="zh-Hans"), 1)
    assert record.language == "zh-Hans" and record.facts["table"]["columns"] == ["茶", "价"]


@pytest.mark.parametrize(
    ("name", "held", "why"),
    [
        ("de-a.csv", "a,b\n1\n", "row 1 has 1 cells, not 2"),
        ("de-a.csv", "", "a column and a row"),
        ("de-a.csv", "a\n", "a column and a row"),
        ("berge von uns.csv", "a\n1\n", "does not begin with a language tag"),
        ("de-a.csv", "a\n" + "1\n" * 1001, "more than max_rows"),
        ("a.txt", "a", "no table"),
    ],
)
def test_what_is_no_table_ends_the_job_with_its_name(tmp_path, name, held, why):
    (tmp_path / name).write_text(held)
    with pytest.raises(JobError, match=why):
        next(read(SOURCE, tmp_path, path="."))


def test_a_file_in_another_encoding_is_named(tmp_path):
    (tmp_path / "de-a.csv").write_bytes("Höhe\n1\n".encode("latin-1"))
    with pytest.raises(JobError, match=r"de-a\.csv: not a table in UTF-8"):
        next(read(SOURCE, tmp_path, path="."))


def test_the_shipped_tables_can_be_asked_about_in_their_languages():
    files = sorted((JOBS / "tables").glob("*.csv"))
    found = list(islice(read(SOURCE, JOBS, path="tables"), len(files)))
    assert len({record.language for record in found}) >= 8
    for record in found:
        held = table(record.facts["table"])
        assert words_for(record.language) and len(held.rows) >= 5
        assert sum(map(held.is_number, held.columns)) >= 2, record.facts["title"]
