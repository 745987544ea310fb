from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from engine.core import Drop, Outcome, Record
from engine.generators.step_by_step import GENERATOR
from engine.text.sizes import estimated_tokens
from tests.conftest import Bind, seed

STEPS = ["Lies.", "Denke nach.", "Antworte."]
OUTPUTS = ["  zwei\n\n Zeilen\t", "二", "ثلاثة\u200f "]
ALL = ("none", "steps", "shuffled", "reversed", "deleted", "repeated", "other")


def task(**facts: Any) -> Record:
    known = {
        "task_id": "t1",
        "definition": "Tu es.",
        "steps": STEPS,
        "examples": [{"input": f"e{n}" * 40, "output": "o", "explanation": ""} for n in range(2)],
        "instances": [{"input": f"i{n}", "output": out} for n, out in enumerate(OUTPUTS)],
        "other_steps": {"task_id": "t2", "steps": ["Anders."]},
    }
    return seed(language="de", **{**known, **facts})


def kept(outcomes: Any) -> list[Record]:
    return [each for each in outcomes if isinstance(each, Record)]


def reasons(outcomes: list[Outcome]) -> list[str]:
    return [each.reason for each in outcomes if isinstance(each, Drop)]


async def test_targets_are_byte_identical_and_steps_the_same_for_all_instances(bind: Bind) -> None:
    step, chat = bind(GENERATOR, variants=ALL)
    records = kept(await step(task()))
    assert len(records) == 21 and not chat.asked and len({r.id for r in records}) == 21
    for variant in ALL:
        own = [r for r in records if r.facts["variant"] == variant]
        assert [r.messages[1].content for r in own] == OUTPUTS
        assert len({tuple(r.facts["steps"]) for r in own}) == 1, variant
        assert {r.facts["task_id"] for r in own} == {"t1"}


async def test_each_variant_has_its_steps_in_the_prompt(bind: Bind) -> None:
    step, _ = bind(GENERATOR, variants=ALL)
    by_variant = {r.facts["variant"]: r for r in kept(await step(task()))}
    shuffled = by_variant["shuffled"].facts["steps"]
    assert Counter(shuffled) == Counter(STEPS) and shuffled != STEPS
    assert by_variant["reversed"].facts["steps"] == STEPS[::-1]
    assert by_variant["other"].facts["steps"] == ["Anders."]
    assert "Schritte:" not in by_variant["none"].last("user")
    text = by_variant["steps"].last("user")
    assert text.startswith(
        "Tu es.\n\nSchritte:\n1. Lies.\n2. Denke nach.\n3. Antworte.\n\nBeispiel 1:"
    )
    assert text.endswith("Eingabe: i2\nAusgabe:")


@pytest.mark.parametrize(("budget", "shown"), [(500, 2), (60, 1), (35, 0)])
async def test_examples_give_way_to_the_budget_and_steps_never(
    budget: int, shown: int, bind: Bind
) -> None:
    step, _ = bind(GENERATOR, max_tokens=budget)
    for record in kept(await step(task())):
        assert estimated_tokens(record.last("user")) <= budget
        assert record.facts["examples_shown"] == shown and "3. Antworte." in record.last("user")


async def test_what_is_too_long_without_examples_drops_alone(bind: Bind) -> None:
    step, _ = bind(GENERATOR, max_tokens=35)
    long = [{"input": "x" * 500, "output": "y"}, {"input": "i", "output": "z"}]
    outcomes = list(await step(task(instances=long)))
    assert reasons(outcomes) == ["over_budget"] and len(kept(outcomes)) == 1


async def test_a_variant_that_cannot_be_made_is_counted(bind: Bind) -> None:
    step, _ = bind(GENERATOR, variants=("steps", "shuffled", "other"))
    outcomes = list(await step(task(steps=["Nur einer."], other_steps=None)))
    assert len(kept(outcomes)) == 3 and reasons(outcomes) == ["no_variant", "no_variant"]


async def test_without_a_procedure_or_labels_a_task_drops(bind: Bind) -> None:
    step, _ = bind(GENERATOR)
    assert reasons(list(await step(task(steps=None)))) == ["no_procedure"]
    assert reasons(list(await step(Record("x", "yo", facts=task().facts)))) == ["unworded_language"]
