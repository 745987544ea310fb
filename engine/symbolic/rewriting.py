"""Rewriting rules on strings (Markov's): what a rule does, and rules and strings to show it.

A rule replaces the first occurrence of its left side by its right side; where there is none it
does nothing. Of a list the first rule that applies is applied, once or again and again until none
does. Letters are single characters of one alphabet, so that "first" means the same to the program
and to a reader, in any script.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from engine.core import Json, stable_id

Mode = Literal["one", "step", "repeat"]
"""``one`` rule; the first that applies of several, once; or again until none applies."""
TRIES = 200
"""Strings drawn for one that fits."""
DRAWS = 20
"""Rules drawn for each that is wanted, for each family, before a family counts as used up."""


class RuleError(ValueError):
    """A value that is no list of rules."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Replace the first ``left`` by ``right``."""

    left: str
    right: str


def listed(value: Json) -> tuple[Rule, ...]:
    """The rules in a fact: pairs of texts, the left one not empty.

    Raises:
        RuleError: they are none.
    """
    if not isinstance(value, list | tuple) or not value:
        raise RuleError("want a list of pairs")
    for pair in value:
        if not (isinstance(pair, list | tuple) and len(pair) == 2):
            raise RuleError(f"{str(pair)[:60]!r} is no pair")
        if not (all(isinstance(side, str) for side in pair) and pair[0]):
            raise RuleError("both sides are text, the left one not empty")
    return tuple(Rule(*pair) for pair in value)


def rewrite(rules: Sequence[Rule], text: str, mode: Mode, most_steps: int = 1) -> str | None:
    """What the rules make of the text; ``None`` where they do not come to an end in time."""
    for _ in range(most_steps if mode == "repeat" else 1):
        rule = next((rule for rule in rules if rule.left in text), None)
        if rule is None:
            return text
        text = text.replace(rule.left, rule.right, 1)
    ended = mode != "repeat" or not any(rule.left in text for rule in rules)
    return text if ended else None


def rule_id(rules: Sequence[Rule], mode: Mode) -> str:
    """The same for the same rules in the same order, wherever they were drawn."""
    return stable_id(mode, *(side for rule in rules for side in (rule.left, rule.right)))


def family(rule: Rule, families: int) -> int:
    """Which of so many families a rule belongs to; decided by its left side alone."""
    return int(stable_id("family", rule.left), 16) % families


@dataclass(frozen=True, slots=True)
class Shape:
    """How long the parts of a task are, in letters."""

    left: tuple[int, int]
    right: tuple[int, int]
    string: tuple[int, int]
    fold: int
    """Each letter of a rule stands there so many times in a row."""
    families: int


def draw_rules(
    alphabet: Sequence[str], count: int, shape: Shape, rng: random.Random
) -> tuple[Rule, ...]:
    """Different rules of one family, none of which says nothing.

    Fewer where the family has no more, which a small alphabet can cause.
    """
    found: dict[str, Rule] = {}
    kin = -1
    for _ in range(DRAWS * shape.families * count):
        left, right = (_side(alphabet, n, shape.fold, rng) for n in (shape.left, shape.right))
        rule = Rule(left, right)
        if left == right or left in found or kin not in (-1, family(rule, shape.families)):
            continue
        found[left], kin = rule, family(rule, shape.families)
        if len(found) == count:
            break
    return tuple(found.values())


def with_rule(
    rules: Sequence[Rule], alphabet: Sequence[str], shape: Shape, rng: random.Random
) -> str | None:
    """A string in which one of the rules, drawn, applies first where it was planted."""
    for _ in range(TRIES):
        rule, length = rng.choice(rules), rng.randint(*shape.string)
        around = [rng.choice(alphabet) for _ in range(length - len(rule.left))]
        at = rng.randint(0, len(around))
        text = "".join(around[:at]) + rule.left + "".join(around[at:])
        if text.find(rule.left) == at:
            return text
    return None


def without_rules(
    rules: Sequence[Rule], alphabet: Sequence[str], shape: Shape, rng: random.Random
) -> str | None:
    """A string to which none of the rules applies."""
    for _ in range(TRIES):
        text = "".join(rng.choice(alphabet) for _ in range(rng.randint(*shape.string)))
        if not any(rule.left in text for rule in rules):
            return text
    return None


def _side(alphabet: Sequence[str], length: tuple[int, int], fold: int, rng: random.Random) -> str:
    return "".join(rng.choice(alphabet) * fold for _ in range(rng.randint(*length)))
