from __future__ import annotations

from typing import Any

from engine.core import Drop, Message, Record
from engine.passes.chain_partners import PASS
from tests.conftest import settle


def task(id_: str, language: str = "de", **facts: Any) -> Record:
    known = {"task": f"Aufgabe {id_}", "leads": True, "follows": True, "input": "e" * 900, **facts}
    turns = (Message("user", "x"), Message("assistant", f"Ausgabe {id_}"))
    return Record(id_, language, turns, known)


def partners(outcome: Any) -> list[str]:
    return [each["id"] for each in outcome.facts["partners"]]


def test_each_leader_draws_different_tasks_of_its_language_that_take_an_input() -> None:
    pool = [task(f"t{n}") for n in range(9)] + [task("s1", "sw"), task("s2", "sw")]
    pool += [task("quiet", follows=False), task("label", leads=False)]
    found = {each.id: each for each in settle(PASS, pool, partners=4) if isinstance(each, Record)}
    assert partners(found["label"]) == [] and partners(found["s1"]) == ["s2"]
    for id_ in ("t0", "t5", "quiet"):
        drawn = partners(found[id_])
        assert len(set(drawn)) == 4 and id_ not in drawn
        assert not {"quiet", "s1", "s2"} & set(drawn)
    example = found["s1"].facts["partners"][0]
    assert len(example["input"]) == 400 and example["output"] == "Ausgabe s2"


def test_the_same_sentence_is_no_partner_and_is_drawn_once() -> None:
    pool = [task("a", task="Kürze!"), task("b", task="kürze!"), task("c", task="Zähle!")]
    found = settle(PASS, pool)
    assert [partners(each) for each in found] == [["c"], ["c"], ["a"]]


def test_tasks_of_earlier_rounds_can_follow() -> None:
    [record] = settle(PASS, [task("new")], [task("old")])
    assert partners(record) == ["old"]


def test_a_task_that_can_be_nowhere_drops() -> None:
    [drop] = settle(PASS, [task("a", leads=False, follows=False)])
    assert isinstance(drop, Drop) and drop.reason == "no_place_in_a_chain"
