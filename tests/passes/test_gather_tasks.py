from __future__ import annotations

import json
from typing import Any

from engine.core import Drop, Message, Record
from engine.passes.gather_tasks import PASS
from tests.conftest import SHARED, needs_shared, settle


def row(id_: str, task: str = "", output: str = "", **facts: Any) -> Record:
    turns = (Message("user", f"Tu {task}"), Message("assistant", output or f" out {id_}\n"))
    known = {
        "instruction": f"Tu {task}",
        "input": f"in {id_}",
        **({"task_id": task} if task else {}),
    }
    return Record(id_, "de", turns, {**known, **facts})


def test_there_is_one_record_for_each_task_with_all_its_instances() -> None:
    rows = [row(f"{task}{n}", task) for n in range(5) for task in "ab"]
    outcomes = settle(PASS, rows, examples=2)
    kept = [each for each in outcomes if isinstance(each, Record)]
    assert [each.facts["task_id"] for each in kept] == ["a", "b"] and len(outcomes) == 10
    assert [each["output"] for each in kept[0].facts["examples"]] == [" out a0\n", " out a1\n"]
    assert [each["input"] for each in kept[0].facts["instances"]] == ["in a2", "in a3", "in a4"]
    assert {e.detail for e in outcomes if isinstance(e, Drop)} == {"a0", "b0"}


def test_a_tasks_own_examples_spare_its_instances() -> None:
    own = [{"input": "x", "output": ["y", "z"], "explanation": "w"}, {"input": "no output"}]
    [kept] = settle(PASS, [row("a0", "a", examples=own)])
    assert isinstance(kept, Record) and len(kept.facts["instances"]) == 1
    assert kept.facts["examples"] == [{"input": "x", "explanation": "w", "output": "y"}]


def test_rows_without_a_task_id_belong_together_if_they_instruct_alike() -> None:
    rows = [row("a"), row("b", instruction="tu "), row("c", instruction="Anders")]
    kept = [e for e in settle(PASS, rows, examples=0) if isinstance(e, Record)]
    assert [len(each.facts["instances"]) for each in kept] == [2, 1]


def test_a_task_of_an_earlier_round_gets_no_second_list() -> None:
    [before] = settle(PASS, [row("a0", "a")], examples=0)
    assert isinstance(before, Record)
    [drop] = settle(PASS, [row("a9", "a")], [before], examples=0)
    assert isinstance(drop, Drop) and drop.reason == "late_row"


def test_a_task_whose_rows_are_all_examples_drops_and_the_bound_holds() -> None:
    [drop] = settle(PASS, [row("a0", "a")], examples=1)
    assert isinstance(drop, Drop) and drop.reason == "no_instance"
    found = settle(PASS, [row(f"a{n}", "a") for n in range(9)], examples=1, instances=3)
    assert isinstance(found[0], Record) and len(found[0].facts["instances"]) == 3


@needs_shared
def test_the_public_seed_tasks_come_with_their_instances_in_one_row() -> None:
    lines = (SHARED / "self_instruct_seed_tasks.jsonl").read_text(encoding="utf-8").splitlines()
    tasks = [json.loads(line) for line in lines]
    rows = [
        Record(
            t["id"],
            "en",
            facts={"task_id": t["id"], "definition": t["instruction"], "instances": t["instances"]},
        )
        for t in tasks
    ]
    kept = [e for e in settle(PASS, rows, examples=0) if isinstance(e, Record)]
    assert len(kept) == 175
    given = [i["output"] for t in tasks for i in t["instances"] if i["output"]]
    assert [i["output"] for each in kept for i in each.facts["instances"]] == given
