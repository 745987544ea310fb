from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.core import Drop, Message, Outcome, Record
from engine.passes.human_instructions import PASS
from tests.conftest import settle


def row(number: int, *turns: str, language: str = "en", **facts: object) -> Record:
    roles = ("user", "assistant")
    said = tuple(Message(roles[n % 2], text) for n, text in enumerate(turns))  # type: ignore[arg-type]
    return Record(f"r{number:02}", language, said, facts)


def dropped(outcomes: list[Outcome]) -> Iterator[tuple[str, str, object]]:
    for each in outcomes:
        if isinstance(each, Drop):
            yield each.record.id, each.reason, each.record.facts.get("duplicate_of")


def test_only_the_first_turn_of_a_conversation_stays():
    system = Record("s", "de", (Message("system", "Sei nett."), Message("user", "Hallo, wer da?")))
    found = settle(PASS, [row(1, "Wie spät?", "Drei.", "Danke"), system])
    assert [[m.content for m in each.messages] for each in found] == [
        ["Wie spät?"],
        ["Hallo, wer da?"],
    ]


@pytest.mark.parametrize("blank", ["", " \n\t", "\u200b\ufeff", "\u00a0"])
def test_a_blank_first_turn_drops(blank: str):
    assert list(dropped(settle(PASS, [row(1, blank), Record("none", "th")]))) == [
        ("r01", "empty_instruction", None),
        ("none", "empty_instruction", None),
    ]


def test_every_copy_points_to_the_first_and_never_to_another_copy():
    texts = ["नमस्ते, कैसे हो?", "你好吗", "नमस्ते,  कैसे हो?", "你好吗", "नमस्ते, कैसे हो?"]
    found = settle(PASS, [row(n, text) for n, text in enumerate(texts, 1)])
    assert list(dropped(found)) == [
        ("r03", "duplicate_instruction", "r01"),
        ("r04", "duplicate_instruction", "r02"),
        ("r05", "duplicate_instruction", "r01"),
    ]


def test_a_copy_of_what_an_earlier_round_kept_points_there():
    kept = [row(1, "Wo ist der Bahnhof?")]
    found = settle(PASS, [row(2, "wo ist der Bahnhof?"), row(3, "Wo?")], kept)
    assert list(dropped(found)) == [("r02", "duplicate_instruction", "r01")]


def test_the_first_is_named_by_a_fact_where_the_job_says_so():
    rows = [row(1, "a?", conversation_id="c9"), row(2, "A?", conversation_id="c4"), row(3, "a?")]
    found = settle(PASS, rows, id_fact="conversation_id")
    assert [pointed for *_, pointed in dropped(found)] == ["c9", "c9"]


def test_blank_rows_are_no_copies_of_each_other():
    assert [reason for _, reason, _ in dropped(settle(PASS, [row(1, ""), row(2, "")]))] == [
        "empty_instruction",
        "empty_instruction",
    ]


def flagged(outcomes: list[Outcome]) -> list[object]:
    return [each.facts["template"] for each in outcomes if isinstance(each, Record)]


def test_many_different_instructions_with_one_opening_are_a_template():
    opening = "Act as a travel guide"
    rows = [row(n, f"{opening} for the city of Town{n}") for n in range(3)] + [row(9, "Hi there")]
    assert flagged(settle(PASS, rows, template_words=5, template_count=3)) == [
        "act as a travel guide"
    ] * 3 + [None]
    assert flagged(settle(PASS, rows, template_words=5, template_count=4)) == [None] * 4
    gone = list(
        dropped(settle(PASS, rows, template_words=5, template_count=3, drop_templates=True))
    )
    assert [reason for _, reason, _ in gone] == ["template_instruction"] * 3


def test_copies_do_not_make_a_template_and_earlier_rounds_count():
    same = [row(n, "Act as a travel guide for Lima") for n in range(5)]
    assert flagged(settle(PASS, same, template_words=5, template_count=2)) == [None]
    kept = [row(8, "Act as a travel guide for Kobe")]
    assert flagged(settle(PASS, same, kept, template_words=5, template_count=2)) == [
        "act as a travel guide"
    ]


def test_an_opening_is_as_long_in_scripts_without_spaces_and_a_short_text_has_none():
    rows = [row(n, f"请你扮演一位经验丰富的导游介绍第{n}座城市", language="zh") for n in range(3)]
    assert None not in flagged(settle(PASS, rows, template_words=4, template_count=3))
    short = [row(n, "请你扮演" + "导" * n, language="zh") for n in range(3)]
    assert flagged(settle(PASS, short, template_words=12, template_count=2)) == [None] * 3


def test_a_very_long_instruction_is_one_pass():
    rows = [row(n, "ab " * 300_000 + str(n)) for n in range(2)]
    found = settle(PASS, rows, template_words=12, template_count=2)
    assert flagged(found) == [" ".join(["ab"] * 12)] * 2
