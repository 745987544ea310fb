from __future__ import annotations

import random
from typing import Any

import numpy as np

from engine.core import Record
from engine.passes.constraint_pool import PASS
from tests.conftest import seed, settle
from tests.passes.choosing import row


def task(
    id_: str, vector: Any, *texts: str, task: str = "", language: str = "de", kind: str = "style"
) -> Record:
    constraints = [{"kind": kind, "text": text} for text in texts]
    return row(id_, vector, language, task=task, constraints=constraints)


def pools(outcomes: Any) -> dict[str, list[str]]:
    return {each.id: [c["text"] for c in each.facts["pool"]] for each in outcomes}


def test_only_tasks_that_are_alike_or_of_the_same_type_give() -> None:
    fresh = [
        task("a", [1, 0, 0], "kurz", task="E-Mail schreiben"),
        task("b", [1, 0.1, 0], "in Reimen", task="Dichten"),
        task("c", [0, 0, 1], "mit Quellen", task="e-mail SCHREIBEN"),
        task("d", [0, 1, 0], "als Tabelle", task="Rechnen"),
        task("e", [-1, -1, -1], "ohne Zahlen"),
    ]
    assert pools(settle(PASS, fresh, min_cosine=0.9)) == {
        "a": ["in Reimen", "mit Quellen"],  # near in vectors; of the same type
        "b": ["kurz"],
        "c": ["kurz"],
        "d": [],
        "e": [],  # that neither has a type makes nobody alike
    }


def test_the_nearest_come_first_and_equals_go_by_id() -> None:
    fresh = [task("m", [1, 0])]
    fresh += [task(f"n{n}", [1, 0.1 * n], f"von {n}") for n in (3, 1, 2)]
    fresh += [task("z", [1, 0.1], "von z"), task("k", [1, 0.1], "von k")]
    found = pools(settle(PASS, fresh, min_cosine=0.5, neighbours=4))["m"]
    assert found == ["von k", "von 1", "von z", "von 2"]


def test_a_pool_has_each_once_none_of_its_own_and_so_many_at_most() -> None:
    fresh = [
        task("a", [1, 0], "kurz"),
        task("b", [1, 0.01], "Kurz!", "freundlich", "1", "2"),
        task("c", [1, 0.02], "Freundlich.", "3", "4"),
    ]
    assert pools(settle(PASS, fresh))["a"] == ["freundlich", "1", "2", "3", "4"]
    assert pools(settle(PASS, fresh, size=2))["a"] == ["freundlich", "1"]


def test_neither_material_nor_another_language_is_taken_over() -> None:
    fresh = [
        task("a", [1, 0], "kurz", task="x"),
        task("b", [1, 0], "der Brief unten", task="x", kind="input"),
        task("c", [1, 0], "fupi", task="x", language="sw"),
    ]
    assert pools(settle(PASS, fresh)) == {"a": [], "b": ["kurz"], "c": []}


def test_what_earlier_rounds_kept_gives_and_is_not_given_back() -> None:
    old = [task("old", [1, 0], "aus früherer Runde")]
    found = settle(PASS, [task("a", [1, 0], "kurz")], old)
    assert pools(found) == {"a": ["aus früherer Runde"]}


def test_the_order_in_which_tasks_arrive_decides_nothing() -> None:
    rng = np.random.default_rng(3)
    fresh = [
        task(f"t{n:02}", rng.normal(size=4), f"Punkt {n}", f"Sache {n % 7}", task=f"Art {n % 5}")
        for n in range(40)
    ]
    mixed = random.Random(1).sample(fresh, 40)
    assert pools(settle(PASS, mixed)) == pools(settle(PASS, fresh))


def test_nothing_and_a_task_without_a_text() -> None:
    assert settle(PASS, []) == []
    assert pools(settle(PASS, [seed(""), task("a", [1, 0], "kurz")])) == {"seed": [], "a": []}
