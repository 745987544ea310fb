"""A method's sentences, out to a translator and back with their slots."""

from __future__ import annotations

import pytest

from engine.languages.wording import closed, opened

SAID = {"fact": "The code of “{key}” is {value}.", "none": "none"}


def test_slots_go_out_as_sentinels() -> None:
    assert opened(SAID) == {"fact": "The code of “⟦0⟧” is ⟦1⟧.", "none": "none"}


def test_slots_come_back_wherever_the_language_puts_them() -> None:
    found, why = closed({"fact": "⟦ 1 ⟧は「⟦0⟧」の\n暗号。", "none": "なし"}, SAID, "ja")
    assert found == {"fact": "{value}は「{key}」の 暗号。", "none": "なし"} and not why


@pytest.mark.parametrize(
    ("fact", "none", "language", "why"),
    [
        ("Code „⟦0⟧“.", "keen", "lb", "lost_placeholder"),
        ("⟦0⟧ ⟦0⟧ ⟦1⟧", "keen", "lb", "doubled_placeholder"),
        ("⟦0⟧ ass ⟦1⟧ ⟦2⟧", "keen", "lb", "invented_placeholder"),
        ("⟦0⟧ ass ⟦1⟧", "", "lb", "broken_sentence"),
        ("⟦0⟧ ass {⟦1⟧}", "keen", "lb", "broken_sentence"),
        ("⟦0⟧ ass ⟦1⟧", "none", "lb", "untranslated"),
        ("⟦0⟧ is ⟦1⟧", "ไม่มี", "th", "untranslated"),
    ],
)
def test_what_will_not_do_is_named(fact: str, none: str, language: str, why: str) -> None:
    assert closed({"fact": fact, "none": none}, SAID, language) == ({}, why)


def test_a_sentence_that_is_missing_is_no_translation() -> None:
    assert closed({"none": "keen"}, SAID, "lb")[1] == "lost_placeholder"
    assert closed({}, {}, "lb") == ({}, "")
