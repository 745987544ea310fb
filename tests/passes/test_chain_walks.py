from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

from engine.core import Drop, Record
from engine.passes.chain_walks import PASS
from tests.conftest import settle

LINKS = {"a": "bc", "b": "cd", "c": "a", "d": "", "e": "d"}


def pool(links: dict[str, str] = LINKS, labels: str = "d", **more: str) -> list[Record]:
    def named(ids: str) -> list[dict[str, Any]]:
        return [{"id": i, "task": f"do {i}", "leads": i not in labels} for i in ids]

    return [
        Record(
            id_,
            "de",
            facts={
                "task": f"do {id_}",
                "leads": id_ not in labels,
                "followers": named(after),
                "strangers": named(more.get(id_, "")),
            },
        )
        for id_, after in links.items()
    ]


def walked(outcomes: Any) -> dict[str, list[str]]:
    return {
        each.id: ["".join(t["id"] for t in c["tasks"]) for c in each.facts["chains"]]
        for each in outcomes
        if isinstance(each, Record)
    }


def test_chains_of_two_and_three_are_all_the_valid_pairs_extended() -> None:
    found = walked(settle(PASS, pool(), per_task=100))
    assert {id_: sorted(chains) for id_, chains in found.items()} == {
        "a": ["ab", "abc", "abd", "ac"],
        "b": ["bc", "bca", "bd"],
        "c": ["ca", "cab"],
        "e": ["ed"],
    }


def test_every_step_of_a_chain_is_an_edge_and_no_task_comes_twice() -> None:
    links = {f"{n}": "".join(str((n * k + 1) % 10) for k in range(1, 4)) for n in range(10)}
    for chains in walked(settle(PASS, pool(links, labels=""), per_task=9, lengths=(4,))).values():
        for chain in chains:
            assert len(set(chain)) == 4
            assert all(b in links[a] for a, b in pairwise(chain))


def test_a_task_with_a_label_like_output_is_never_first_nor_in_the_middle() -> None:
    links = {"a": "d", "d": "a", "b": ""}
    outcomes = settle(PASS, pool(links), per_task=9)
    assert walked(outcomes) == {"a": ["ad"]}
    reasons = {e.record.id: e.reason for e in outcomes if isinstance(e, Drop)}
    assert reasons == {"d": "cannot_lead", "b": "no_follower"}


def test_tasks_that_were_used_least_come_first() -> None:
    links = {f"{n}": "xyz" for n in range(30)}
    found = walked(settle(PASS, pool(links, labels=""), per_task=1, lengths=(2,)))
    counts = Counter(chains[0][-1] for chains in found.values())
    assert counts == {"x": 10, "y": 10, "z": 10}


def test_irrelevant_chains_are_of_strangers_and_say_so() -> None:
    outcomes = settle(
        PASS,
        pool({"a": "b", "b": "c", "c": ""}, labels="", a="c", c="b"),
        irrelevant=1,
        lengths=(2, 3),
    )
    by_kind = {
        each.id: [
            ("".join(t["id"] for t in c["tasks"]), c["relevant"]) for c in each.facts["chains"]
        ]
        for each in outcomes
        if isinstance(each, Record)
    }
    assert by_kind["a"] == [("ab", True), ("abc", True), ("ac", False), ("acb", False)]
    assert by_kind["c"] == [("cb", False)]


def test_links_of_earlier_rounds_can_be_walked_on() -> None:
    new, *old = pool({"a": "b", "b": "c"}, labels="")
    assert "abc" in walked(settle(PASS, [new], old))["a"]
