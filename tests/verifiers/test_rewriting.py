from __future__ import annotations

from typing import Any

import pytest

from engine.core import Drop, Outcome, Record
from engine.verifiers.rewriting import VERIFIER
from tests.conftest import Bind, seed

ASKED = "Ersetze das erste „ab“ durch „c“: xabab"


async def judged(bind: Bind, response: str, asked: str = ASKED, **facts: Any) -> Outcome:
    known = {"rules": [["ab", "c"]], "string": "xabab", "mode": "one", "max_steps": 12}
    step, _ = bind(VERIFIER)
    [outcome] = await step(seed(asked, "de", response, **(known | facts)))
    return outcome


async def test_the_right_result_passes(bind: Bind) -> None:
    assert isinstance(await judged(bind, "xcab"), Record)


@pytest.mark.parametrize("response", ["xabc", "xcc", "xabab", "", "xcab ", "XCAB"])
async def test_any_other_does_not(bind: Bind, response: str) -> None:
    drop = await judged(bind, response)
    assert isinstance(drop, Drop) and drop.reason == "wrong_answer" and "xcab" in drop.detail


@pytest.mark.parametrize(
    ("rules", "mode", "string", "due"),
    [
        ([["z", "x"], ["ก", "ข"]], "step", "งกก", "งขก"),
        ([["木", "山"], ["山", ""]], "repeat", "木水山", "水"),
        ([["(.", "]"]], "one", "a(.b", "a]b"),
        ([["ت", "ث"]], "one", "ابج", "ابج"),
    ],
)
async def test_lists_are_applied_in_order_and_signs_stand_for_themselves(
    bind: Bind, rules: list[list[str]], mode: str, string: str, due: str
) -> None:
    asked = f"{string} {rules}"
    found = await judged(bind, due, asked, rules=rules, mode=mode, string=string)
    assert isinstance(found, Record), found


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"rules": None}, "no_rules"),
        ({"rules": [["", "c"]]}, "no_rules"),
        ({"string": None}, "no_rules"),
        ({"mode": "twice"}, "no_rules"),
        ({"rule_id": "0" * 16}, "wrong_rule_id"),
        ({"rules": [["a", "aa"]], "mode": "repeat"}, "no_end"),
    ],
)
async def test_facts_that_say_nothing_never_pass(
    bind: Bind, facts: dict[str, Any], reason: str
) -> None:
    drop = await judged(bind, "xcab", **facts)
    assert isinstance(drop, Drop) and drop.reason == reason


async def test_an_instruction_that_hides_the_string_is_incomplete(bind: Bind) -> None:
    drop = await judged(bind, "xcab", asked="Ersetze „ab“ durch „c“.")
    assert isinstance(drop, Drop) and drop.reason == "question_incomplete"
