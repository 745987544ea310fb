from __future__ import annotations

import zipfile

import pytest

from engine.text.numbered_parts import counted, numbered_parts
from tests.conftest import SHARED, needs_shared


@pytest.mark.parametrize(
    ("signs", "number"),
    [("12", 12), ("१२", 12), ("١٢", 12), ("十二", 12), ("二十一", 21), ("三十", 30), ("百二", 102),
     ("፲፪", 12), ("፳፩", 21), ("፴", 30), ("XII", 12), ("XIX", 19), ("IV", 4), ("Ⅻ", 12), ("", 0)],
)  # fmt: skip
def test_number_signs_of_many_scripts_are_read(signs: str, number: int) -> None:
    assert counted(signs) == number


def test_a_text_is_cut_at_headings_that_count_up() -> None:
    text = "Law\nRule 1\nBe kind.\n\nRule 2.\n  Be brief,\n  or 3 times late.\nRule 3\nEnd."
    wanted = {1: "Be kind.", 2: "Be brief,\nor 3 times late.", 3: "End."}
    assert numbered_parts(text) == wanted
    chinese = "法\n第一条\n要善良。\n第二条\n要简短，\n迟到3次。\n第三条\n完。"
    assert numbered_parts(chinese) == {1: "要善良。", 2: "要简短，\n迟到3次。", 3: "完。"}


def test_a_misspelt_heading_still_begins_a_part() -> None:
    text = "Article 1\na\nArtcle 2\nb\nArt. 3:\nc"
    assert numbered_parts(text) == {1: "a", 2: "b", 3: "c"}


def test_where_a_heading_is_missing_the_part_that_holds_two_is_left_out() -> None:
    text = "Article 1\na\nArticle 2\nb\nthird\nc\nArticle 4\nd\nArticle 5\ne"
    assert numbered_parts(text) == {1: "a", 4: "d", 5: "e"}


def test_a_first_heading_in_words_costs_the_first_part_only() -> None:
    text = "Article premier\na\nArticle 2\nb\nArticle 3\nc\nArticle 4\nd"
    assert numbered_parts(text) == {2: "b", 3: "c", 4: "d"}


def test_numbers_alone_on_their_lines_serve_where_no_word_stands_with_them() -> None:
    assert numbered_parts("1\na\n2.\nb\n(3)\nc") == {1: "a", 2: "b", 3: "c"}
    lists = "Article 1\n1.\na\n2.\nb\nArticle 2\n1.\nc\nArticle 3\nd"
    assert numbered_parts(lists) == {1: "1.\na\n2.\nb", 2: "1.\nc", 3: "d"}


@pytest.mark.parametrize("text", ["", "No number here.\n" * 9, "Article 1\na\nArticle 2\nb"])
def test_a_text_without_three_headings_has_no_numbered_parts(text: str) -> None:
    assert numbered_parts(text) == {}


def test_a_very_long_text_is_no_trouble() -> None:
    text = "".join(f"Verse {n}\n{'la ' * 50}\n" for n in range(1, 5000))
    assert len(numbered_parts(text)) == 4999


@needs_shared
def test_most_declarations_have_their_thirty_articles() -> None:
    with zipfile.ZipFile(SHARED / "udhr2.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".txt")]
        found = [len(numbered_parts(archive.read(name).decode())) for name in names]
    assert len(found) == 388 and max(found) == 30
    assert sum(count == 30 for count in found) == 316 and sum(count >= 28 for count in found) == 336
