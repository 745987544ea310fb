from __future__ import annotations

import pytest

from engine.core import Message, Record
from engine.text.crossing import Pair, Side, crossed, listed, sentences_for, side, translated
from engine.text.scripts import share_in_script
from tests.conftest import seed

EN = Side(id="e1", language="en", instruction="Add up.", input="3, 4", output="seven")
ZH = Side(id="z1", language="zh", instruction="相加。", input="3，4", output="七")


def pair(asks: Side, answers: Side, form: str = "answer", request: str = "sentence") -> Pair:
    return Pair(form=form, request=request, asks=asks, answers=answers)


@pytest.mark.parametrize("tag", listed())
def test_every_request_is_in_the_language_it_asks_for(tag):
    words = sentences_for(tag)
    assert words is not None
    for sentence in (*words.answer, *words.translate):
        assert share_in_script(sentence, tag) == 1, sentence


def test_many_languages_in_many_scripts_can_be_asked_for():
    assert {"ar", "am", "bn", "el", "en", "eu", "fa", "he", "hi", "ja", "ko", "ru"} <= set(listed())
    assert {"sw", "th", "tr", "ur", "vi", "zh", "zh-Hant"} <= set(listed())


def test_a_script_that_is_not_listed_is_not_taken_for_one_that_is():
    assert sentences_for("zh-Hans") == sentences_for("zh") == sentences_for("zh-CN")
    assert sentences_for("zh-TW") != sentences_for("zh")
    assert sentences_for("ru-Latn") is None and sentences_for("") is None


def test_the_request_stands_below_the_instruction_and_before_the_input():
    made = crossed(pair(EN, ZH), 0)
    assert made[:3] == (f"Add up.\n{listed()['zh'].answer[0]}", "3, 4", "七")
    assert len({crossed(pair(EN, ZH), n).instruction for n in range(9)}) == len(
        listed()["zh"].answer
    )


def test_within_one_language_nothing_is_asked_for():
    assert crossed(pair(EN, EN), 5)[:3] == ("Add up.", "3, 4", "seven")
    assert crossed(pair(ZH, ZH, request="tag"), 5)[:3] == ("相加。", "3，4", "七")


@pytest.mark.parametrize(
    "asks, answers, expected",
    [
        (EN, ZH, ("Add up.", "3, 4\n[zh]", "七")),
        (ZH, EN, ("相加。", "3，4\n[en]", "seven")),
        (EN.model_copy(update={"input": ""}), ZH, ("Add up.", "\n[zh]", "七")),
    ],
)
def test_with_its_tag_rows_are_those_of_crossin_to_the_byte(asks, answers, expected):
    """Modes 1 and 2 of its ``build_dataset_with_alignment.py``."""
    assert crossed(pair(asks, answers, request="tag"), 3)[:3] == expected


def test_a_translation_has_one_task_as_text_and_the_other_as_answer():
    made = translated(pair(ZH, EN, "translation"), 1)
    assert made[:3] == (listed()["en"].translate[1], "相加。", "Add up.")


def test_each_field_keeps_its_provenance():
    asks = EN.model_copy(update={"provenance": {"instruction": "native", "response": "native"}})
    answers = ZH.model_copy(update={"provenance": {"instruction": "x", "response": "translated"}})
    assert crossed(pair(asks, answers), 0).provenance == {
        "instruction": "native",
        "response": "translated",
    }
    assert translated(pair(asks, answers, "translation"), 0).provenance == {
        "input": "native",
        "response": "x",
    }
    assert crossed(pair(EN, ZH), 0).provenance == {}


def test_a_side_is_a_question_with_its_answer():
    found = side(
        seed("a\n\nb", response="c", instruction="a", input="b", provenance={"input": "x"})
    )
    assert found is not None
    assert (found.instruction, found.input, found.output) == ("a", "b", "c")
    assert found.provenance == {"input": "x"}
    rewritten = side(seed("A B", response="c", instruction="a", input="b"))
    assert rewritten is not None and (rewritten.instruction, rewritten.input) == ("A B", "")
    assert side(seed("a")) is None and side(seed("", response="c")) is None
    assert side(seed(" ", response="c")) is None
    long = [Message(role, "ถาม") for role in ("user", "assistant", "user", "assistant")]
    assert side(Record("x", "th", tuple(long))) is None
    assert side(seed("字" * 100_000, "zh", "x" * 100_000)) is not None
