from __future__ import annotations

import pytest

from engine.text.slots import filled, formulation, slot_fault


@pytest.mark.parametrize(
    "text", ["", "a", "{INPUT}", "{{INPUT}} {0} %s \\1 $&", "多\n行", "ค่า\u200d"]
)
def test_what_is_put_in_stays_as_it_is(text: str):
    assert filled("前 {INPUT} 后", text) == f"前 {text} 后"


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ("Zähle {INPUT}!", ""),
        ("{INPUT} को गिनिए", ""),
        ("", "no_slot"),
        ("Zähle {input}", "no_slot"),
        ("Zähle {{INPUT}}", "no_slot"),
        ("Zähle {INPUT}}", "no_slot"),
        ("{INPUT} und {INPUT}", "several_slots"),
        ("{INPUT} und {{INPUT}}", "no_slot"),
        ("{INPUT}", "no_instruction"),
        ("¿{INPUT}?", "no_instruction"),
        ("zähle die vokale: {INPUT}", "same_formulation"),
    ],
)
def test_a_formulation_has_exactly_one_slot_and_says_something_else(form: str, fault: str):
    assert slot_fault(form, "Zähle die Vokale.") == fault


def test_a_very_long_formulation_is_one_pass():
    assert slot_fault("{INPUT} " * 100_000, "x") == "several_slots"
    assert slot_fault("字{" * 300_000 + "{INPUT", "x") == "no_slot"
    assert filled("ab " * 300_000 + "{INPUT}", "c").endswith(" c")


def test_a_fence_or_quotation_marks_around_all_are_taken_off():
    assert formulation("```\nZähle {INPUT}\n```") == "Zähle {INPUT}"
    assert formulation("«{INPUT} गिनिए»") == "{INPUT} गिनिए"
