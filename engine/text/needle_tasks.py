"""Seven tasks over a long text: what is hidden, what is asked, and what the answer is.

Five hide codes in a haystack: of one word, of another word than the one that is asked for, of
several words, several of one word, or several are asked for at once. Two ask which words of a
numbered list come most often. Nothing here is measured: a ``Row`` can be written in any size, and
``fitting`` says which of them fits.

Source: Kim et al., "One ruler to measure them all: Benchmarking multilingual long-context language
models", 2025, arXiv:2503.01996.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, Field

from engine.core import Message
from engine.text.fitting import Fit
from engine.text.haystacks import (
    BEFORE,
    BEHIND,
    DEPTHS,
    Haystack,
    Needle,
    Numbered,
    Straw,
    folded,
    vocabulary,
)
from engine.text.needle_scores import Due
from engine.text.needle_words import Wording

Task = Literal[
    "single", "none", "multi_key", "multi_value", "multi_query", "common_easy", "common_hard"
]
TASKS: tuple[Task, ...] = get_args(Task)
LISTS = ("common_easy", "common_hard")
Budget = Annotated[int, Field(ge=100, le=10_000_000)]
COMMON = 10
"""Words that come more often, and others at least."""
DRAWN = 40
"""Words that are looked for in the haystack before the rarest are taken."""
SHORT = "the documents have too few words or sentences; give more of them, or `wording` with nouns"
BYTES = 32
"""More than a token has on average in any language: where a haystack need not go on."""


class Asked(BaseModel, extra="forbid"):
    """What is hidden and asked."""

    tasks: list[Task] = Field(default=list(TASKS), min_length=1)
    """Which tasks; every haystack gives a row for each, in each budget."""
    budgets: list[Budget] = Field(default=[8192, 32768, 65536, 131072], min_length=1)
    """Tokens of a prompt at most, as the server that plays ``counter`` counts them."""
    values: Literal["numbers", "words"] = "numbers"
    """What a code is: a number of seven digits, or a word."""
    keys: int = Field(default=4, ge=1, le=10)
    """Words with a code in ``multi_key``, where one is asked for, and in ``none``."""
    values_of_key: int = Field(default=2, ge=2, le=10)
    """Codes of the one word in ``multi_value``."""
    queries: int = Field(default=2, ge=2, le=10)
    """Words that are asked for at once in ``multi_query``."""
    once_until: int = Field(default=8192, ge=0)
    """Budget in tokens up to which the other words of ``common_hard`` come once and the common
    ones 10 times; 3 and 30 times above."""
    left_open: bool = False
    """Leave the answer out, so that the next step has a model give one; the verifier ``needles``
    holds it against the right one either way."""
    min_fill: float = Field(default=0.9, ge=0, le=1)
    """Share (0..1) of its budget that a list has to fill; for want of words it may not."""

    def repeats(self, task: Task, budget: int) -> tuple[int, int]:
        """How often a common and another word of a list come."""
        if task == "common_easy":
            return 20, 10
        return (10, 1) if budget <= self.once_until else (30, 3)


@dataclass(frozen=True, slots=True)
class Row:
    """One task, to be written in any size."""

    task: Task
    fit: Fit
    head: str
    tail: str
    stuff: Straw | Numbered
    asked: tuple[str, ...]
    """The words whose codes are asked for, as the question has them."""
    due: Due
    answer: str
    counted_by: str = ""
    """The model whose tokens were counted."""

    def prompt(self, size: int) -> str:
        """What is asked, in this size."""
        return "\n".join([self.head, "", BEFORE, self.stuff.text(size), BEHIND, "", self.tail])

    def turns(self, *, left_open: bool) -> tuple[Message, ...]:
        """The question in the size that fits, with the right answer unless it is left open."""
        asked = Message("user", self.prompt(self.fit.fits))
        return (asked,) if left_open else (asked, Message("assistant", self.answer))

    def fault(self, min_fill: float) -> tuple[str, str]:
        """Why it cannot be written, as the reason of a drop and its particulars; empty: it can."""
        fit, task = self.fit, self.task
        if fit.fits < 0:
            return "small_budget", f"{task}: {fit.over_cost} tokens at least, not {fit.budget}"
        filled = fit.cost / fit.budget
        if isinstance(self.stuff, Numbered) and fit.fits == fit.most and filled < min_fill:
            return "too_few_words", f"{task}: {fit.fits} fill {filled:.0%} of {fit.budget} tokens"
        return "", ""

    def facts(self) -> dict[str, Any]:
        """What it is, for the record."""
        size, stuff = self.fit.fits, self.stuff
        found: dict[str, Any] = {"task": self.task, "budget": self.fit.budget}
        found |= {"tokens": self.fit.cost, "counted_by": self.counted_by, "counts": self.fit.tries}
        if isinstance(stuff, Numbered):
            found |= {"others": size, "repeats": list(stuff.repeats)}
        else:
            different = min(size, len(stuff.haystack.sentences))
            found |= {"sentences": size, "different": different, "asked": list(self.asked)}
            found |= {"planted": [each.facts(size) for each in stuff.needles]}
        return {"long": found, "needles": self.due.model_dump()}


@dataclass(frozen=True)
class Given:
    """What rows are made of: the sentences, and what both languages say."""

    haystack: Haystack
    here: Wording
    """Of the haystack's language."""
    asking: Wording
    """Of the question's."""

    @cached_property
    def found(self) -> list[str]:
        """The words of the documents; read once for all rows."""
        return vocabulary(self.haystack.sentences)

    def pairs(self) -> list[tuple[str, str]]:
        """Words that may be keys, here and as the question has them; the best ones first."""
        if len(self.here.nouns) == len(self.asking.nouns) > 0:
            return list(zip(self.here.nouns, self.asking.nouns, strict=True))
        words = self.here.nouns or self.found
        return [(word, word) for word in words]

    def words(self) -> list[str]:
        """Every word there is for a list: the listed, and those of the documents."""
        there = (*self.found, *self.here.nouns, *self.here.more)
        return list({folded(word): word for word in there}.values())


def drawn(ask: Asked, given: Given, named: Callable[..., random.Random]) -> list[Row | Task]:
    """A row for each task in each budget; where words or sentences do not suffice, the task.

    ``named`` gives the random numbers of that name.
    """
    found: list[Row | Task] = []
    for budget in ask.budgets:
        for task in ask.tasks:
            make = _counted if task in LISTS else _searched
            found.append(make(task, budget, given, ask, named(task, budget)) or task)
    return found


def _searched(task: Task, budget: int, given: Given, ask: Asked, rng: random.Random) -> Row | None:
    """A row that hides codes."""
    size = ask.keys if task in ("none", "multi_key") else 1
    size = ask.queries if task == "multi_query" else size
    each, words = ask.values_of_key if task == "multi_value" else 1, ask.values == "words"
    wanted = size + (task == "none") + size * each * words
    chosen = _drawn(given, wanted, rng)
    straw = given.haystack.without(here for here, _ in chosen)
    if len(chosen) < wanted or not straw.sentences:
        return None
    keys, absent, others = chosen[:size], chosen[size:][: task == "none"], chosen[-size * each :]
    values = [here for here, _ in others] if words else _numbers(size * each, straw, rng)
    needles = _hidden(given.here, [here for here, _ in keys for _ in range(each)], values, rng)
    asked = absent or rng.sample(keys, size if task == "multi_query" else 1)
    found = [n.value for here, _ in asked for n in needles if n.key == here]
    due = _due(ask.values, found, given)
    question = tuple(as_asked for _, as_asked in asked)
    stuff = Straw(straw, needles, given.here.space)
    weights = stuff.weights(budget)
    weights = weights[: max(2, bisect_right(weights, budget * BYTES))]
    asking = given.asking
    answer = asking.comma.join(due.expected)
    tail = asking.ask.format(keys=asking.comma.join(question), none=asking.none)
    return Row(task, Fit(budget, weights, 1), asking.read, tail, stuff, question, due, answer)


def _counted(task: Task, budget: int, given: Given, ask: Asked, rng: random.Random) -> Row | None:
    """A row that asks for the words that come most often."""
    words = given.words()
    rng.shuffle(words)
    whole = "\n".join(map(folded, words))
    apart = (word for word in words if whole.count(folded(word)) == 1)
    common = list(islice(apart, COMMON))  # not all: each is looked for in the whole of them
    often, seldom = ask.repeats(task, budget)
    others = [word for word in words if word not in common][: budget // seldom]
    if len(common) < COMMON or len(others) < COMMON:
        return None
    ranks = tuple(rng.random() for _ in range(COMMON * often + len(others) * seldom))
    stuff = Numbered(tuple(common), tuple(others), (often, seldom), ranks)
    asking, due = given.asking, _due("common", common, given)
    tail = asking.common.format(count=COMMON)
    fit = Fit(budget, stuff.weights(len(others)), COMMON)
    return Row(task, fit, asking.listed, tail, stuff, (), due, asking.comma.join(common))


def _drawn(given: Given, wanted: int, rng: random.Random) -> list[tuple[str, str]]:
    """Words that no sentence of ours holds and no other of them; rare in the haystack.

    Nor does one hold the word for "no code": an answer with it would deny that there is one.
    """
    pairs = given.pairs()[: DRAWN * 5]
    pairs = rng.sample(pairs, min(len(pairs), DRAWN))
    ours = folded(" ".join([*given.here.sentences.values(), *given.asking.sentences.values()]))
    denials = {folded(given.here.none), folded(given.asking.none)}
    chosen: list[tuple[str, str]] = []
    for pair in sorted(pairs, key=lambda pair: given.haystack.holding(pair[0])):
        plain, others = folded(pair[0]), [folded(here) for here, _ in chosen]
        if plain in ours or any(none in plain for none in denials):
            continue
        if not any(plain in word or word in plain for word in others):
            chosen.append(pair)
    return chosen[:wanted]


def _numbers(wanted: int, straw: Haystack, rng: random.Random) -> list[str]:
    """Numbers of seven digits that are not in the haystack."""
    found: list[str] = []
    while len(found) < wanted:
        number = str(rng.randrange(10**6, 10**7))
        if number not in found and not straw.holding(number):
            found.append(number)
    return found


def _hidden(
    here: Wording, keys: Sequence[str], values: Sequence[str], rng: random.Random
) -> tuple[Needle, ...]:
    """The needles, the least deep first; which of them that is, is drawn."""
    both = list(zip(keys, values, strict=True))
    rng.shuffle(both)
    depths = sorted(rng.sample(range(DEPTHS), len(both)))
    return tuple(
        Needle(key, value, depth, here.fact.format(key=key, value=value))
        for depth, (key, value) in zip(depths, both, strict=True)
    )


def _due(kind: Literal["numbers", "words", "common"], found: Sequence[str], given: Given) -> Due:
    """What the answer is; nothing found is the question's word for it."""
    none = list(dict.fromkeys([given.asking.none, given.here.none]))
    return Due(kind=kind if found else "none", expected=list(found) or none[:1], none=none)
