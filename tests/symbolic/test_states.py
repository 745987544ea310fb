from __future__ import annotations

import random
from collections import Counter, deque
from itertools import pairwise

import pytest

from engine.symbolic.states import Constraint, Limits, State, constraints_in, explore, neighbours

A, B = Constraint("style", "friendly"), Constraint("number", "80 words")
C, D = Constraint("style", "formal"), Constraint("format", "as a list")
GIVEN, THEIRS = Constraint("input", "the letter below"), Constraint("input", "the table below")
ALL = Limits(hops=3, least=1, most=3)


def named(states: list[State]) -> dict[str, int]:
    letters = {A: "A", B: "B", C: "C", D: "D", GIVEN: "I", THEIRS: "T"}
    return {"".join(sorted(letters[c] for c in each.constraints)): each.hop for each in states}


def found(*start: Constraint, pool: list[Constraint], limits: Limits = ALL) -> list[State]:
    return explore(start, pool, limits, random.Random(1))


def test_a_toy_space_is_found_whole_each_state_once_and_by_its_fewest_steps() -> None:
    states = found(A, B, pool=[C, D])
    assert named(states) == {
        "AB": 0,
        "ABC": 1, "ABD": 1, "A": 1, "B": 1, "BC": 1,
        "AC": 2, "AD": 2, "BCD": 2, "BD": 2, "C": 2,
        "ACD": 3, "CD": 3, "D": 3,
    }  # fmt: skip
    assert len({each.keys for each in states}) == len(states)
    assert [each.hop for each in states] == sorted(each.hop for each in states)


def test_the_distances_are_those_of_a_graph_search_of_its_own() -> None:
    def steps(now: frozenset[Constraint]) -> list[frozenset[Constraint]]:
        more = {A, B, C, D} - now
        out = [now | {each} for each in more] if len(now) < 3 else []
        out += [now - {each} for each in now] if len(now) > 1 else []
        swaps = ((old, new) for old in now for new in more if old.kind == new.kind)
        return out + [(now - {old}) | {new} for old, new in swaps]

    distance, queue = {frozenset({A, B}): 0}, deque([frozenset({A, B})])
    while queue:
        now = queue.popleft()
        for then in steps(now):
            if then not in distance:
                distance[then] = distance[now] + 1
                queue.append(then)
    states = found(A, B, pool=[A, B, C, D], limits=Limits(9, None, 1, 3))
    assert {frozenset(each.constraints): each.hop for each in states} == distance


@pytest.mark.parametrize("branches", [None, 1, 2, 5])
def test_a_child_differs_from_its_parent_by_exactly_one_operation(branches: int | None) -> None:
    pool = [C, D, *(Constraint("content", f"Punkt {n}") for n in range(5))]
    states = found(A, B, pool=pool, limits=Limits(3, branches, 1, 4))[1:]
    assert states
    for each in states:
        assert each.parent
        gone, come = each.parent.keys - each.keys, each.keys - each.parent.keys
        expected = {"add": (0, 1), "remove": (1, 0), "replace": (1, 1)}[str(each.operation)]
        assert (len(gone), len(come)) == expected
        assert come == ({each.added.key} if each.added else set())
        assert gone == ({each.removed.key} if each.removed else set())
        same, both = each.keys & each.parent.keys, each.keys | each.parent.keys
        assert len(same) / len(both) == (len(both) - sum(expected)) / len(both)  # Jaccard
        assert each.hop == each.parent.hop + 1


def test_only_one_of_its_kind_replaces_a_constraint() -> None:
    swaps = [e for e in neighbours(State((A, B)), [C, D], ALL) if e.operation == "replace"]
    assert [(e.removed, e.added) for e in swaps] == [(A, C)]
    assert swaps[0].constraints == (C, B), "in its place"


def test_material_stays_and_is_not_taken_from_others() -> None:
    for each in found(GIVEN, A, pool=[THEIRS, C, D], limits=Limits(5, None, 0, 4)):
        assert GIVEN in each.constraints and THEIRS not in each.constraints


def test_the_bounds_on_the_number_of_constraints_hold() -> None:
    sizes = {len(e.constraints) for e in found(A, pool=[B, C, D], limits=Limits(9, None, 1, 2))}
    assert sizes == {1, 2}
    assert named(found(pool=[A], limits=Limits(1, None, 0, 2))) == {"": 0, "A": 1}
    many = found(A, B, C, D, pool=[GIVEN], limits=Limits(1, None, 1, 2))
    assert {len(each.constraints) for each in many[1:]} == {3}, "too many can only be removed"


def test_a_few_branches_take_the_operations_in_turn() -> None:
    pool = [Constraint("style", f"Stil {n}") for n in range(40)]
    count: Counter[str] = Counter()
    for seed in range(60):
        limits = Limits(1, 3, 1, 4)
        for each in explore((A, B), pool, limits, random.Random(seed))[1:]:
            count[str(each.operation)] += 1
    assert count == {"add": 60, "remove": 60, "replace": 60}
    once = found(A, B, pool=pool, limits=Limits(3, 2, 1, 4))
    hops = Counter(each.hop for each in once)
    assert all(later <= 2 * earlier for earlier, later in pairwise(hops[n] for n in range(4)))


def test_the_same_set_is_the_same_state_whatever_its_order_or_spelling() -> None:
    again = Constraint("style", " FRIENDLY! ")
    assert State((A, B)).id == State((B, again)).id != State((A,)).id


@pytest.mark.parametrize("text", ["不超过八十字", "بأسلوب ودّي", "x" * 100_000])
def test_constraints_in_any_script_are_read_each_once(text: str) -> None:
    listed = [{"kind": "style", "text": text}, {"kind": "style", "text": f" {text}. "}]
    assert constraints_in(listed) == [Constraint("style", text)]


@pytest.mark.parametrize("listed", [None, "kurz", [], ["kurz"], [{"text": ""}], [{"text": 3}]])
def test_what_is_no_constraint_is_passed_over(listed: object) -> None:
    assert constraints_in(listed) == []
