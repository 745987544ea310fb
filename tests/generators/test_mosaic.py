from __future__ import annotations

import json
from typing import Any

import pytest

from engine.core import Drop, Message, Record
from engine.generators.mosaic import GENERATOR
from engine.passes.mosaic_rows import PASS
from tests.conftest import SHARED, Bind, needs_shared, seed, settle


def leader(asks: list[str], kind: str, strategy: str, **rule: Any) -> Record:
    rows = [{"id": f"r{n}", "instruction": a, "response": f"<{a}>"} for n, a in enumerate(asks, 1)]
    plan = {
        "strategy": strategy,
        "rule": {"kind": kind, **rule},
        "meta": "META",
        "layout": 0,
        "number": "({}):",
    }
    return seed("r1", mosaics=[{"epoch": 2, "plan": plan, "rows": rows}], input="old", licence="X")


@pytest.mark.parametrize(
    ("strategy", "kind", "rule", "order"),
    [
        ("format", "", {}, [1, 2, 3]),
        ("order", "reverse", {}, [3, 2, 1]),
        ("order", "fixed", {"numbers": [2, 3, 1]}, [2, 3, 1]),
        ("mask", "odd", {}, [2]),
        ("mask", "longest_words", {"amount": 1}, [1, 3]),
    ],
)
async def test_the_answers_are_arranged_as_was_asked(
    strategy: str, kind: str, rule: dict[str, Any], order: list[int], bind: Bind
) -> None:
    step, chat = bind(GENERATOR)
    [record] = await step(leader(["eins", "zwei drei", "vier"], kind, strategy, **rule))
    assert isinstance(record, Record) and not chat.asked
    assert record.messages[0].content == "META\n\n[1] eins\n\n[2] zwei drei\n\n[3] vier"
    answers = {1: "(1): <eins>", 2: "(2): <zwei drei>", 3: "(3): <vier>"}
    assert record.last("assistant") == "\n\n".join(answers[n] for n in order)
    assert record.facts["count"] == 3 and record.facts["answered"] == order
    assert record.facts["strategy"] == strategy and record.facts["kind"] == kind
    assert record.facts["rows"] == ["r1", "r2", "r3"] and record.facts["epoch"] == 2
    assert record.facts["input"] == "" and record.facts["licence"] == "X"


async def test_a_row_that_leads_several_mosaics_gives_a_record_of_each(bind: Bind) -> None:
    one, two = leader(["a", "b"], "", "format"), leader(["a", "b"], "reverse", "order")
    both = one.with_facts(mosaics=one.facts["mosaics"] + two.facts["mosaics"])
    step, _ = bind(GENERATOR)
    records = await step(both)
    assert [r.facts["answered"] for r in records if isinstance(r, Record)] == [[1, 2], [2, 1]]
    assert len({r.id for r in records if isinstance(r, Record)}) == 2


async def test_a_row_without_a_mosaic_drops(bind: Bind) -> None:
    step, _ = bind(GENERATOR)
    [drop] = await step(seed("x", response="y"))
    assert isinstance(drop, Drop) and drop.reason == "no_mosaic"


@needs_shared
async def test_the_public_seed_tasks_become_mosaics_that_use_each_once_an_epoch(bind: Bind) -> None:
    lines = (SHARED / "self_instruct_seed_tasks.jsonl").read_text(encoding="utf-8").splitlines()
    rows = []
    for task in map(json.loads, lines):
        first = task["instances"][0]
        asked = "\n\n".join(filter(None, (task["instruction"], first["input"])))
        turns = (Message("user", asked), Message("assistant", first["output"]))
        rows.append(Record(task["id"], "en", turns))
    step, _ = bind(GENERATOR)
    used: list[str] = []
    for outcome in settle(PASS, rows, epochs=1):
        if isinstance(outcome, Record):
            for record in await step(outcome):
                assert isinstance(record, Record)
                used += record.facts["rows"]
    assert sorted(used) == sorted(record.id for record in rows) and len(rows) == 175
