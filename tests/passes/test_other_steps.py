from __future__ import annotations

from typing import Any

from engine.core import Record
from engine.passes.other_steps import PASS
from tests.conftest import settle


def task(id_: str, language: str = "de") -> Record:
    return Record(id_, language, facts={"task_id": id_, "steps": [f"step of {id_}"]})


def drawn(outcome: Any) -> Any:
    return outcome.facts["other_steps"]


def test_every_task_gets_the_steps_of_another_of_its_language() -> None:
    for outcome in settle(PASS, [task(f"t{n}") for n in range(8)]):
        assert isinstance(outcome, Record)
        other = drawn(outcome)
        assert other["task_id"] != outcome.id and other["steps"] == [f"step of {other['task_id']}"]


def test_a_task_alone_in_its_language_gets_none_and_earlier_rounds_count() -> None:
    assert [drawn(each) for each in settle(PASS, [task("a"), task("b", "sw")])] == [None, None]
    assert drawn(settle(PASS, [task("a")], [task("old")])[0])["task_id"] == "old"
