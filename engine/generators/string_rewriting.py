"""String rewriting: replace the first occurrence; rules and strings without end, and no model.

A seed is a language and nothing more (the source ``blank``). A rule, or an ordered list of them, is
drawn over the letters of its script, and strings to apply it to: in most of them a rule applies
where it was planted, in a share none does and the string stays as it is. Rules belong to families,
by their left sides, and all rules of a record are of one: ``split`` with ``group: rule_family``
never shows in training a rule that it tests.

Source: Zhang, Wang, Charton, "Instruction Diversity Drives Generalization To Unseen Tasks", 2024,
arXiv:2402.10891; Zhang, Wang, Charton, "Only-IF: Revealing the Decisive Effect of Instruction
Diversity on Generalization", 2024, arXiv:2410.04717.
Differs: any script, in its language; "leftmost" is said as "first", for readers from right to left;
ordered lists; what is held out is cut by family, so that rules within lists count, too. One left
side may still be a part of another.
"""

from __future__ import annotations

from itertools import islice
from typing import Literal, Self

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field, model_validator

from engine.core import Drop, Json, Message, Outcome
from engine.kit import Flow, Generator, Kit
from engine.symbolic.rewriting import (
    Mode,
    Rule,
    Shape,
    draw_rules,
    family,
    rewrite,
    rule_id,
    with_rule,
    without_rules,
)
from engine.symbolic.worded import alphabet_for, given, instructions, words_for

Bounds = tuple[int, int]
PLANTINGS = 4
"""Strings made for each that is wanted: a list that is repeated need not come to an end."""


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    strings: int = Field(default=1, ge=1, le=10_000)
    """Strings for a rule or a list, at most, each a record: fewer strings, more rules."""
    modes: tuple[Mode, ...] = Field(default=("one", "step", "repeat"), min_length=1)
    """``one`` rule; the first of several that applies, once (``step``); or until none applies
    (``repeat``); with equal odds."""
    rules: Bounds = (2, 4)
    """Fewest and most rules of a list."""
    left: Bounds = (1, 3)
    """Fewest and most letters of what is replaced, 1 or more."""
    right: Bounds = (1, 3)
    """Fewest and most letters of what replaces it, 0 or more."""
    string: Bounds = (8, 24)
    """Fewest and most letters of a string."""
    fold: int = Field(default=1, ge=1, le=10)
    """How often in a row each letter of a rule stands: above 1, rules of a narrower kind."""
    no_op_share: float = Field(default=0.2, ge=0, le=1)
    """Share (0..1) of strings to which no rule applies."""
    max_steps: int = Field(default=12, ge=1, le=1000)
    """Steps in which a list that is repeated has to come to its end."""
    families: int = Field(default=100, ge=1, le=100_000)
    """Families that rules are sorted into by their left sides; the grain of a split by them."""
    alphabet: str = ""
    """Letters to use in every language; those of its script where empty."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        least = {"rules": 1, "left": 1, "right": 0, "string": self.left[1] * self.fold}
        for name, low in least.items():
            bounds: Bounds = getattr(self, name)
            if not low <= bounds[0] <= bounds[1]:
                raise ValueError(f"{name}: want [fewest, most] from {low} up, found {list(bounds)}")
        return self


class State(Flow, total=False):
    """What the nodes pass on."""

    mode: Mode
    rules: tuple[Rule, ...]
    strings: list[list[str]]
    """For each string that is wanted, several to choose from; all of them no-ops, or none."""
    pairs: list[tuple[str, str]]
    """Strings and what becomes of them."""
    reason: str
    """Why it ends without a record; empty while it goes on."""


Run = Runtime[Kit[Params]]


async def draw(state: State, runtime: Run) -> State:
    """Draw a rule, or a list of one family."""
    kit, tag = runtime.context, state["record"].language
    letters = kit.params.alphabet or alphabet_for(tag)
    if not letters or words_for(tag) is None:
        return {"reason": "unworded_language"}
    rng = kit.random("rules")
    mode = rng.choice(kit.params.modes)
    count = 1 if mode == "one" else rng.randint(*kit.params.rules)
    rules = draw_rules(letters, count, _shape(kit.params), rng)
    return {"mode": mode, "rules": rules, "reason": "" if len(rules) == count else "too_few_rules"}


async def plant(state: State, runtime: Run) -> State:
    """Make strings in which a rule applies, and a share in which none does."""
    kit, params, rules = runtime.context, runtime.context.params, state["rules"]
    letters = params.alphabet or alphabet_for(state["record"].language)
    strings: list[list[str]] = []
    for n in range(params.strings):
        rng = kit.random("string", n)
        make = without_rules if rng.random() < params.no_op_share else with_rule
        made = (make(rules, letters, _shape(params), rng) for _ in range(PLANTINGS))
        strings.append([string for string in made if string])
    return {"strings": strings}


async def apply(state: State, runtime: Run) -> State:
    """Rewrite the strings; those that come to no end are left out."""
    most, pairs = runtime.context.params.max_steps, dict[str, str]()
    for strings in state["strings"]:
        ends = ((each, rewrite(state["rules"], each, state["mode"], most)) for each in strings)
        new = ((each, end) for each, end in ends if end and each not in pairs)
        pairs |= dict(islice(new, 1))
    return {"pairs": list(pairs.items()), "reason": "" if pairs else "no_string_ends"}


async def word(state: State, runtime: Run) -> State:
    """Put the task into words, a record for each string."""
    kit, record, rules, mode = runtime.context, state["record"], state["rules"], state["mode"]
    words = words_for(record.language)
    assert words is not None  # draw has seen to it
    out: list[Outcome] = []
    for n, (string, end) in enumerate(state["pairs"]):
        ask = kit.random("wording", n).choice(instructions(rules, mode, words))
        below = given(string, words)
        turns = (Message("user", f"{ask}\n\n{below}"), Message("assistant", end))
        facts: dict[str, Json] = {"string": string, "mode": mode, "no_op": string == end}
        facts |= {"instruction": ask, "input": below, "rules": [[r.left, r.right] for r in rules]}
        facts |= {"rule_id": rule_id(rules, mode), "max_steps": kit.params.max_steps}
        facts["rule_family"] = family(rules[0], kit.params.families)
        out.append(record.child(n, messages=turns, facts=facts))
    return {"out": out}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a seed of which nothing can be made."""
    return {"out": [Drop(state["record"], state["reason"], state["record"].language)]}


def after_draw(state: State) -> Literal["plant", "give_up"]:
    """Go on where there are rules."""
    return "give_up" if state["reason"] else "plant"


def after_apply(state: State) -> Literal["word", "give_up"]:
    """Go on where a string came to an end."""
    return "give_up" if state["reason"] else "word"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``draw -> plant -> apply -> word``, or ``give_up`` on the way."""
    g = StateGraph(State, context_schema=Kit)
    for node in (draw, plant, apply, word, give_up):
        g.add_node(node)
    g.add_edge(START, "draw")
    g.add_conditional_edges("draw", after_draw)
    g.add_edge("plant", "apply")
    g.add_conditional_edges("apply", after_apply)
    g.add_edge("word", END)
    g.add_edge("give_up", END)
    return g


def _shape(params: Params) -> Shape:
    return Shape(params.left, params.right, params.string, params.fold, params.families)


GENERATOR = Generator(graph, Params, prompts=())
