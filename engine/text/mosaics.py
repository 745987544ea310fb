"""Several instructions in one: how they are laid out, and which are answered, in which order.

All that is random about a mosaic is drawn once, as a ``Plan``; the texts follow from it. Only
orders and masks that a reader can carry out without doubt are drawn: not "the longest first"
where two are as long, nor what the language has no words for. A mask never takes all.

Source: Li et al., "Mosaic-IT: Cost-Free Compositional Data Synthesis for Instruction Tuning",
2024, arXiv:2405.13326 (its strategies and their kinds; the wording is ours).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import regex
from pydantic import BaseModel

from engine.text.collation import alphabetical
from engine.text.mosaic_words import Words
from engine.text.wording import word_count

Strategy = Literal["format", "order", "mask"]

LAYOUTS = (
    "{meta}\n\n{rows}",
    "{rows}\n\n{meta}",
    "{meta}\n\n---\n\n{rows}\n\n---",
    "---\n\n{rows}\n\n---\n\n{meta}",
)
"""Where the sentences about the instructions stand; without words, so in every language."""
NUMBERS = ("{}", "({})", "[{}]", "<{}>", "{{{}}}", "#{}", "|{}|", "<<{}>>", "**{}**", "№{}")
STOPS = (".", ":", ")")
"""How the number of an answer may be written, and what follows it."""
WRAPPERS = (
    *("[{}]", "<{}>", "({})", "{{{}}}", "|{}|", "<<{}>>", "[[{}]]", "(({}))", "{{{{{}}}}}"),
    *("*{}*", "**{}**", "_{}_", "__{}__", "#{}#", "##{}##", "~{}~", "~~{}~~", "={}=", "=={}=="),
    *("-{}-", "--{}--", "/{}/", "//{}//", "<|{}|>", "[|{}|]", "«{}»", "<!--{}-->"),
)
"""What stands around the words that open and close an answer."""
ODDS = 0.5
"""How often answers are numbered, and how often they have tags."""
SHARES = (0.1, 0.5)
"""Least and greatest share of instructions that are masked by number or by length."""
_CLUSTER = regex.compile(r"\X")


class Rule(BaseModel, extra="forbid", frozen=True):
    """Which instructions are answered, and in which order; all in theirs where ``kind`` is empty.

    ``numbers`` count from 1 and are what is spelled out: an order, or what is masked by number.
    """

    kind: str = ""
    numbers: tuple[int, ...] = ()
    amount: int = 0
    """How many are masked by length."""


class Plan(BaseModel, extra="forbid", frozen=True):
    """What was drawn for a mosaic."""

    strategy: Strategy
    rule: Rule
    meta: str
    """The sentences about the instructions."""
    layout: int
    """Which of ``LAYOUTS``."""
    number: str = ""
    """How the number of an answer is written, ``{}`` for the number; empty: it is not."""
    above: bool = False
    """Whether that number has a line of its own."""
    tags: tuple[str, str] = ("", "")
    """What opens and closes an answer."""


def plan(
    instructions: Sequence[str], words: Words, strategies: Sequence[Strategy], rng: random.Random
) -> Plan:
    """Draw a mosaic of one instruction or more; with one there is nothing to order or to mask.

    Where a drawn strategy has no kind that fits, the format alone is said.
    """
    strategy = rng.choice(strategies) if len(instructions) > 1 else "format"
    kinds = _kinds(words, strategy)
    rules = [rule for rule in _rules(kinds, instructions, rng) if _is_plain(rule, instructions)]
    rule, said = rng.choice(rules or [Rule()]), _format(len(instructions), words, rng)
    if rule.kind:
        numbers = words.comma.join(map(str, rule.numbers))
        sentence = rng.choice(kinds[rule.kind]).format(numbers=numbers, amount=rule.amount)
        meta = words.between.join([said.meta, sentence])
        said = said.model_copy(update={"meta": meta, "strategy": strategy})
    return said.model_copy(update={"rule": rule, "layout": rng.randrange(len(LAYOUTS))})


def answered(rule: Rule, instructions: Sequence[str]) -> list[int]:
    """The numbers of the instructions that are answered, in the order of the answers; from 1."""
    everyone = list(range(1, len(instructions) + 1))
    odd, even = everyone[::2], everyone[1::2]
    given: dict[str, list[int]] = {
        "": everyone,
        "fixed": list(rule.numbers),
        "reverse": everyone[::-1],
        "odd_even": odd + even,
        "even_odd": even + odd,
        "listed": [n for n in everyone if n not in rule.numbers],
        "odd": even,
        "even": odd,
    }
    if rule.kind in given:
        return given[rule.kind]
    keys = _keys(rule.kind, instructions)
    ranked = sorted(everyone, key=lambda n: keys[n - 1])
    if rule.kind.startswith(("longest_", "shortest_")):
        masked = ranked[-rule.amount :] if rule.kind[0] == "l" else ranked[: rule.amount]
        return [n for n in everyone if n not in masked]
    return ranked[::-1] if rule.kind.startswith("reverse_") else ranked


def _kinds(words: Words, strategy: Strategy) -> dict[str, Sequence[str]]:
    """Kind -> sentences that ask for it; none for the format alone."""
    if strategy == "order":
        return {str(kind): said for kind, said in words.orders.items()}
    return {str(kind): said for kind, said in words.masks.items()} if strategy == "mask" else {}


def _rules(
    kinds: Mapping[str, Sequence[str]], instructions: Sequence[str], rng: random.Random
) -> Iterator[Rule]:
    """A rule of each kind, with numbers and amounts drawn."""
    everyone = range(1, len(instructions) + 1)
    for kind in kinds:
        amount = max(1, int(len(everyone) * rng.uniform(*SHARES)))
        if kind == "fixed":
            yield Rule(kind=kind, numbers=tuple(rng.sample(everyone, len(everyone))))
        elif kind == "listed":
            yield Rule(kind=kind, numbers=tuple(sorted(rng.sample(everyone, amount))))
        elif kind.startswith(("longest_", "shortest_")):
            yield Rule(kind=kind, amount=amount)
        else:
            yield Rule(kind=kind)


def _is_plain(rule: Rule, instructions: Sequence[str]) -> bool:
    """Whether no two instructions could change places, or sides, without breaking the rule."""
    if rule.kind.rpartition("_")[2] not in _MEASURES:
        return True
    keys = sorted(_keys(rule.kind, instructions))
    if rule.kind.startswith(("longest_", "shortest_")):
        at = len(keys) - rule.amount if rule.kind[0] == "l" else rule.amount
        return bool(keys[at - 1] != keys[at])
    return len(set(keys)) == len(keys)


def _keys(kind: str, instructions: Sequence[str]) -> list[Any]:
    """What the instructions are compared by."""
    return [_MEASURES[kind.rpartition("_")[2]](text) for text in instructions]


def asked(chosen: Plan, instructions: Sequence[str]) -> str:
    """What the user says."""
    rows = "\n\n".join(f"[{n}] {text.strip()}" for n, text in enumerate(instructions, start=1))
    # not str.format: an instruction may have braces
    return LAYOUTS[chosen.layout].replace("{meta}", chosen.meta, 1).replace("{rows}", rows, 1)


def replied(chosen: Plan, responses: Sequence[str], order: Sequence[int]) -> str:
    """The response: the answers with these numbers, in this order."""
    return "\n\n".join(_dressed(chosen, number, responses[number - 1]) for number in order)


def _dressed(chosen: Plan, number: int, response: str) -> str:
    opening, closing = chosen.tags
    inner = "\n".join(filter(None, (opening, response.strip(), closing)))
    if not chosen.number:
        return inner
    return _numbered(chosen.number, number) + ("\n" if chosen.above else " ") + inner


def _numbered(written: str, number: int) -> str:
    return written.replace("{}", str(number))


def _format(count: int, words: Words, rng: random.Random) -> Plan:
    """How many instructions there are, and how their answers are marked."""
    meta = [rng.choice(words.format if count > 1 else words.single).format(count=count)]
    number, above, tags = "", False, ("", "")
    if rng.random() < ODDS:
        number, above = rng.choice(NUMBERS).format("{}") + rng.choice(STOPS), rng.random() < ODDS
        sentence = rng.choice(words.numbered_above if above else words.numbered)
        meta.append(sentence.replace("{example}", _numbered(number, 1)))
    if rng.random() < ODDS:
        wrapper, lower = rng.choice(WRAPPERS), rng.random() < ODDS
        begin, end = (wrapper.format(t.lower() if lower else t) for t in rng.choice(words.tags))
        meta.append(rng.choice(words.tagged).replace("{begin}", begin).replace("{end}", end))
        tags = (begin, end)
    return Plan(
        strategy="format",
        rule=Rule(),
        meta=words.between.join(meta),
        layout=0,
        number=number,
        above=above,
        tags=tags,
    )


def _characters(text: str) -> int:
    return len(_CLUSTER.findall(text.strip()))


_MEASURES: Mapping[str, Callable[[str], Any]] = {
    "alphabetical": alphabetical,
    "words": word_count,
    "characters": _characters,
}
