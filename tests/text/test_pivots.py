from __future__ import annotations

import random

import pytest
import yaml

from engine.text.pivots import Read, Row, composed, headings, parsed
from tests.conftest import ROOT

BOOK = yaml.safe_load((ROOT / "taxonomies/pivot.yaml").read_text(encoding="utf-8"))
ROW = Row("Why is the sky blue?", "Air scatters blue light most.", "Hewa hutawanya bluu zaidi.")
HEADS = headings("en", "sw") or ("", "", "")
PIECES = [
    "a",
    " ",
    "\n",
    "\n\n",
    "水",
    "# x",
    "- y",
    "ไทย",
    "**b**",
    ":",
    "Response",
    "عربي",
    "```",
    "\t",
]


def test_there_are_headings_for_the_papers_languages_and_many_more() -> None:
    assert {"en", "zh", "ko", "it", "es"} <= set(BOOK) and len(BOOK) >= 30
    for tag, said in BOOK.items():
        assert set(said) == {"instruction", "response"}, tag
    assert len({said["response"] for said in BOOK.values()}) == len(BOOK)


def test_a_variant_has_its_own_headings_or_those_of_its_language() -> None:
    assert headings("en", "zh-Hant") != headings("en", "zh-Hans") == headings("en", "zh")
    assert headings("en", "de-AT") == headings("en", "de")
    assert headings("en", "xx") is None and headings("xx", "en") is None
    assert headings("en", "en-GB") is None, "the last block could not be told from the second"


@pytest.mark.parametrize("tag", sorted(set(BOOK) - {"en"}))
def test_what_is_composed_is_read_again_in_every_language(tag: str) -> None:
    for pair in (("en", tag), (tag, "en")):
        heads = headings(*pair)
        assert heads and parsed(composed(ROW, heads), heads) == Read("ok", ROW)


def test_every_row_that_is_composed_is_read_again_letter_by_letter() -> None:
    draw, refused = random.Random(5), 0
    for _ in range(2000):
        blocks = ("".join(draw.choices([*PIECES, *HEADS], k=draw.randint(1, 12))) for _ in range(3))
        row = Row(*blocks)
        text = composed(row, HEADS)
        refused += not text
        assert not text or parsed(text, HEADS) == Read("ok", row)
    assert 0 < refused < 1500, "some hold a heading, or nothing; most are composed"


@pytest.mark.parametrize(
    "row",
    [Row("", "b", "c"), Row("a", "b", " \n"), Row("a", "b\nJibu kwa Kiswahili:\nx", "c"),
     Row("a\n\nResponse in English:\nno", "b", "c")],
)  # fmt: skip
def test_blocks_that_could_not_be_told_apart_are_not_composed(row: Row) -> None:
    text = composed(row, HEADS)
    assert text == "" or parsed(text, HEADS).row == row


@pytest.mark.parametrize(
    "text",
    [
        "{0}: Why?\n\n{1}: Air.\n\n{2}: Hewa.",
        "**{0}:**\nWhy?\n**{1}:**\nAir.\n**{2}:**\nHewa.",
        "### {0}\nWhy?\n\n### {1}\nAir.\n\n### {2}\nHewa.",
        "Of course!\n\n{0}：Why?\n{1}：Air.\n{2}：Hewa.",
    ],
)
def test_headings_are_found_as_models_dress_them_up(text: str) -> None:
    read = parsed(text.format(*map(str.upper, HEADS)), HEADS)
    assert read.code == "ok"
    said = (read.row.instruction, read.row.pivot_response, read.row.response)
    assert tuple(map(str.strip, said)) == ("Why?", "Air.", "Hewa.")


def test_there_are_three_outcomes() -> None:
    assert parsed("Hewa hutawanya bluu.", HEADS) == Read(
        "monolingual", Row("", "", "Hewa hutawanya bluu.")
    )
    stopped = parsed("Instruction in English:\nWhy?\n\nResponse in English:\nAir.", HEADS)
    assert stopped == Read("not_found", Row("Why?", "Air.", ""))
    assert parsed("Jibu kwa Kiswahili:\n", HEADS).code == "not_found"
    assert parsed("Jibu kwa Kiswahili:\nHewa.", HEADS) == Read("ok", Row("", "", "Hewa."))
    assert parsed("", HEADS).code == "monolingual"


def test_a_heading_within_a_sentence_is_none() -> None:
    assert parsed("I was asked for a Response in English: no.", HEADS).code == "monolingual"


def test_a_very_long_response_is_read() -> None:
    row = Row("a", "b", "neno " * 200_000)
    assert parsed(composed(row, HEADS), HEADS).row == row
