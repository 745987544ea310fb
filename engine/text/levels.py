"""Levels of difficulty: which constraints each adds, and whether their instructions can be such."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence

from engine.text.lengths import words
from engine.text.sameness import bare

PER_LEVEL, LEAST, MOST = 2, 2, 3
"""Categories that a level takes at most; constraints that it takes, where it has as many."""


def by_category(listed: Iterable[tuple[str, Sequence[str]]]) -> dict[str, list[str]]:
    """Category -> its constraints, each once; without what is blank. The last of a name counts."""
    found = {name: dict.fromkeys(filter(None, map(str.strip, values))) for name, values in listed}
    return {name: list(values) for name, values in found.items() if values}


def spread(
    categories: Mapping[str, Sequence[str]], levels: int, rng: random.Random
) -> list[list[str]]:
    """For each level, from easy to hard, the constraints that it adds.

    Args:
        categories: name -> constraints of that kind; as many as there are levels, or more.
        levels: how many.
        rng: decides; every level adds one or two categories of its own and something of each.
    """
    names = rng.sample(list(categories), min(len(categories), PER_LEVEL * levels))
    more = rng.sample(range(levels), len(names) - levels)
    own = [[names.pop(), *([names.pop()] if level in more else [])] for level in range(levels)]
    return [_some([categories[name] for name in each], rng) for each in own]


def _some(groups: Sequence[Sequence[str]], rng: random.Random) -> list[str]:
    first = [rng.choice(group) for group in groups]
    rest = [value for group in groups for value in group if value not in first]
    wanted = max(0, rng.randint(LEAST, MOST) - len(first))
    return [*first, *rng.sample(rest, min(wanted, len(rest)))]


def levels_fault(question: str, instructions: Sequence[str]) -> str:
    """What is wrong with the levels of a question, as a slug, or ``""``."""
    if not all(map(str.strip, instructions)):
        return "empty_level"
    if len({bare(question), *map(bare, instructions)}) <= len(instructions):
        return "same_level"
    return "" if words(instructions[-1]) > words(instructions[0]) else "levels_do_not_grow"
