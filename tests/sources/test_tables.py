"""CSV, parquet and ``datasets`` say the same of the same rows."""

import datetime

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from pydantic import ValidationError

from engine.core import JobError
from engine.kit import Well
from engine.sources import csv, hub, parquet
from tests.conftest import read

ROWS = {
    "instruction": ["Zähle bis drei.", "数到三。", 'Say "one,\ntwo".'],
    "output": ["eins zwei drei", "", "one two"],
    "when": ["2024-01-05", "2024-01-06", "007"],
}


def table(tmp_path, kind):
    path = tmp_path / f"seeds.{kind}"
    if kind == "csv":
        pyarrow.csv.write_csv(pa.table(ROWS), path)
    else:
        pyarrow.parquet.write_table(pa.table(ROWS), path, row_group_size=2)
    return path.name


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (csv.SOURCE, "csv"),
        (parquet.SOURCE, "parquet"),
        (hub.SOURCE, "csv"),
        (hub.SOURCE, "parquet"),
    ],
)
def test_a_table_gives_a_seed_a_row(tmp_path, source, kind):
    settings = {"language": "und", "response": "output"}
    found = list(read(source, tmp_path, path=table(tmp_path, kind), **settings))
    assert [r.last("user") for r in found] == ROWS["instruction"]
    assert [r.last("assistant") for r in found] == ROWS["output"]
    assert [len(r.messages) for r in found] == [2, 1, 2]
    again = read(source, tmp_path, path=table(tmp_path, kind), **settings)
    assert [r.id for r in found] == [r.id for r in again]


def test_csv_values_stay_the_text_they_are(tmp_path):
    found = list(
        read(csv.SOURCE, tmp_path, path=table(tmp_path, "csv"), language="de", keep=["when"])
    )
    assert [r.facts["when"] for r in found] == ROWS["when"]


def test_csv_may_have_another_delimiter_and_a_byte_order_mark(tmp_path):
    (tmp_path / "s.csv").write_bytes("\ufeffinstruction;n\nätsch;1\n".encode())
    (found,) = read(csv.SOURCE, tmp_path, path="s.csv", language="de", delimiter=";")
    assert found.last("user") == "ätsch"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"text,n\na,1\n", "no column 'instruction'; there are n, text"),
        (b"instruction,n\na,1\nb\n", "Expected 2 columns, got 1"),
        ("instruction\nä\n".encode("latin-1"), "invalid UTF8"),
        (b"", "Empty CSV"),
    ],
)
def test_a_bad_csv_is_one_line(tmp_path, raw, said):
    (tmp_path / "s.csv").write_bytes(raw)
    with pytest.raises(JobError, match=said) as caught:
        list(read(csv.SOURCE, tmp_path, path="s.csv", language="de"))
    assert "\n" not in str(caught.value)


def test_parquet_facts_become_json(tmp_path):
    day = datetime.date(2024, 2, 29)
    rows = {"instruction": ["a"], "day": [day], "tags": [["x", "y"]], "meta": [{"n": float("nan")}]}
    pyarrow.parquet.write_table(pa.table(rows), tmp_path / "s.parquet")
    keep = ["day", "tags", "meta", "meta.n"]
    (found,) = read(parquet.SOURCE, tmp_path, path="s.parquet", language="de", keep=keep)
    facts = {name: found.facts[name] for name in keep}
    assert facts == {"day": "2024-02-29", "tags": ["x", "y"], "meta": {"n": None}, "meta.n": None}


def test_bytes_are_no_fact(tmp_path):
    rows = {"instruction": ["a"], "image": [b"\x00"]}
    pyarrow.parquet.write_table(pa.table(rows), tmp_path / "s.parquet")
    with pytest.raises(JobError, match="row 1: 'image' holds a value that JSON has no form for"):
        list(read(parquet.SOURCE, tmp_path, path="s.parquet", language="de", keep=["image"]))


def test_a_file_that_is_no_parquet_is_one_line(tmp_path):
    (tmp_path / "s.parquet").write_text("no parquet at all")
    with pytest.raises(JobError, match=r"s\.parquet"):
        list(read(parquet.SOURCE, tmp_path, path="s.parquet", language="de"))


def test_a_null_instruction_names_its_row(tmp_path):
    pyarrow.parquet.write_table(pa.table({"instruction": ["a", None]}), tmp_path / "s.parquet")
    with pytest.raises(JobError, match="row 2: 'instruction' is null"):
        list(read(parquet.SOURCE, tmp_path, path="s.parquet", language="de"))


def test_a_folder_saved_by_datasets_is_read(tmp_path):
    import datasets

    datasets.Dataset.from_dict(ROWS).save_to_disk(tmp_path / "saved")
    found = list(read(hub.SOURCE, tmp_path, path="saved", language="de"))
    assert [r.last("user") for r in found] == ROWS["instruction"]


def test_a_missing_split_is_one_line(tmp_path):
    name = table(tmp_path, "parquet")
    with pytest.raises(
        JobError, match=r"dataset .*s\.parquet.* cannot be read: .*validation"
    ) as caught:
        list(read(hub.SOURCE, tmp_path, path=name, language="de", split="validation"))
    assert "\n" not in str(caught.value)


def test_a_missing_column_names_those_there_are(tmp_path):
    name = table(tmp_path, "parquet")
    with pytest.raises(JobError, match="no column 'question'; there are instruction, output, when"):
        list(read(hub.SOURCE, tmp_path, path=name, language="de", text="question"))


def test_a_hub_that_cannot_be_reached_is_one_line(tmp_path):
    def unreachable(params):
        raise ConnectionError("no route\nto the hub")

    params = hub.Params(path="owner/name", language="de")
    well = Well(params, "source", 0, "1", lambda step: iter(()))
    with pytest.raises(JobError, match="dataset 'owner/name' cannot be read: no route to the hub"):
        list(hub.seeds(well, unreachable))


def test_a_local_path_that_is_missing_is_not_taken_for_a_hub_name(tmp_path):
    for path in ("./data", "seeds.parquet", "a/b/c"):
        with pytest.raises(ValidationError, match="there is no"):
            read(hub.SOURCE, tmp_path, path=path, language="de")
    assert hub.Params(path="owner/name", language="de").path == "owner/name"
