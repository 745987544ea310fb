from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from engine.core import Drop, Record
from engine.generators.task_centric_states import GENERATOR
from tests.conftest import Bind, seed

OWN = [{"kind": "style", "text": "freundlich"}, {"kind": "number", "text": "80 Wörter"}]
POOL = [{"kind": kind, "text": f"{kind} {n}"} for kind in ("style", "format") for n in range(4)]
TASK: dict[str, Any] = {"task": "E-Mail", "query": "Sag, dass zu ist.", "constraints": OWN}


def texts(listed: Any) -> set[str]:
    return {each["text"] for each in listed}


async def states(bind: Bind, **params: Any) -> list[Record]:
    step, chat = bind(GENERATOR, **params)
    outcomes = await step(seed("E-Mail", pool=POOL, embedding={"model": "m"}, **TASK))
    assert not chat.asked, "no model is needed"
    return [each for each in outcomes if isinstance(each, Record)]


async def test_as_many_states_are_drawn_at_each_distance_and_none_twice(bind: Bind) -> None:
    found = await states(bind, hops=3, per_hop=2)
    assert Counter(each.facts["hop"] for each in found) == {1: 2, 2: 2, 3: 2}
    assert len({each.facts["state"] for each in found}) == len({each.id for each in found}) == 6
    assert [each.facts["hop"] for each in found] == [1, 1, 2, 2, 3, 3]


async def test_a_state_tells_the_step_that_led_to_it(bind: Bind) -> None:
    for each in await states(bind, per_hop=20, branches=4):
        now, before = (texts(each.facts[n]) for n in ("constraints", "parent_constraints"))
        step = each.facts["step"]
        assert now - before == {step["added"]} if "added" in step else now < before
        assert before - now == ({step["removed"]} if "removed" in step else set())
        assert step["operation"] in ("add", "remove", "replace")
        assert each.facts["state"] != each.facts["parent_state"]
        assert now <= texts(OWN) | texts(POOL)
        assert each.facts["query"] == TASK["query"] and each.facts["task"] == TASK["task"]
        assert not {"pool", "embedding"} & set(each.facts), "neither holds for what is to come"


async def test_far_states_come_of_states_that_were_found(bind: Bind) -> None:
    found = await states(bind, hops=2, per_hop=99)
    known = {each.facts["state"] for each in found if each.facts["hop"] == 1}
    assert all(e.facts["parent_state"] in known for e in found if e.facts["hop"] == 2)


async def test_the_same_task_gives_the_same_states(bind: Bind) -> None:
    assert await states(bind) == await states(bind)


async def test_without_a_pool_constraints_can_still_be_removed(bind: Bind) -> None:
    step, _ = bind(GENERATOR)
    found = await step(seed("E-Mail", **TASK))
    assert {e.facts["step"]["operation"] for e in found if isinstance(e, Record)} == {"remove"}


@pytest.mark.parametrize("listed", [None, [], [{"kind": "input", "text": "der Brief unten"}]])
async def test_a_task_that_has_nowhere_to_go_drops(listed: Any, bind: Bind) -> None:
    step, _ = bind(GENERATOR)
    [drop] = await step(seed("E-Mail", task="E-Mail", query="Sag es.", constraints=listed))
    assert isinstance(drop, Drop) and drop.reason == "no_other_constraints"
