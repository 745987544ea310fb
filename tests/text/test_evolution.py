from __future__ import annotations

import pytest

from engine.core import Drop, JobError
from engine.text.elimination import RULES, answer_fault, rewrite_fault
from engine.text.evolution import answered, bare_task, evolved, family, row_number
from tests.conftest import seed


def test_an_instruction_is_told_apart_from_its_input() -> None:
    facts = bare_task(seed("Fasse zusammen.\n\nDer Bus kam.", input="Der Bus kam.")).facts
    assert (facts["instruction"], facts["input"]) == ("Fasse zusammen.", "Der Bus kam.")
    given = bare_task(
        seed("说出河流。\n\n长江", "zh", input="长江", instruction="说出河流。")
    ).facts
    assert given["instruction"] == "说出河流。"
    assert bare_task(seed("")).facts["instruction"] == ""
    assert len(bare_task(seed("河" * 100_000, "zh")).facts["instruction"]) == 100_000


def test_a_child_says_what_it_was_made_from_and_how_far_it_grew() -> None:
    parent = bare_task(seed("Nenne Flüsse."))
    child = evolved(parent, 3, parent, "Nenne drei lange Flüsse.", "Donau", operator="deepen")
    assert child.last("user") == "Nenne drei lange Flüsse.\n\nDonau"
    assert child.facts["growth_words"] == 2 and child.facts["operator"] == "deepen"
    assert child.id == parent.child(3).id


def test_a_family_without_survivors_is_a_drop_that_says_why() -> None:
    [barren] = family(seed("Nenne Flüsse."), [], [])
    [nothing] = family(seed(""), [], [])
    assert isinstance(barren, Drop) and barren.reason == "no_rewrite_survived"
    assert isinstance(nothing, Drop) and nothing.reason == "no_instruction"


def test_row_numbers_are_whole_and_not_negative() -> None:
    assert row_number(seed(row=7), "row", 2) == 7 and row_number(seed(), "", 2) == 2
    with pytest.raises(JobError, match="'row' of the record seed is no row number: 'x'"):
        row_number(seed(row="x"), "row", 2)


def test_what_is_left_out_of_the_rules_is_not_looked_for() -> None:
    assert rewrite_fault("Given prompt: sorry", ["Hi"], "en") == "label_leak"
    assert rewrite_fault("Given prompt: sorry", ["Hi"], "en", {"apology"}) == "apology"
    assert rewrite_fault("Given prompt: sorry", ["Hi"], "en", ()) == ""
    assert rewrite_fault("", ["Hi"], "en", ()) == "empty_rewrite"
    assert answer_fault("的。", "问", "zh", 80, RULES) == "empty_answer"
    assert answer_fault("的。", "问", "zh", 80, ()) == ""


def test_a_cut_answer_is_a_fault_whatever_it_says() -> None:
    from engine.prompting import Text

    cut = Text("很好的回答")
    cut.truncated = True
    child, fault = answered(seed("问题", "zh"), cut, 80)
    assert fault == "cut_answer" and child.last("assistant") == "很好的回答"
