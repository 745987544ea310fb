"""Code-switching: pieces of an instruction in another language, its answer untouched.

No model. Where a row has aligned segments (fact ``segments``: a list of ``{"text": ..., "de":
...}``), whole segments are swapped; else words and phrases that a lexicon knows are, but never
numbers, names, code, formulas or addresses. One language a text, drawn for each row and epoch by a
name that says both, so that an epoch can be made again, alone. Each place is swapped with the same
probability; every swap is in the record (``swaps``: where, and what stood there), so that the text
can be put back letter by letter.

Source: Chai et al., "xCoT: Cross-lingual Instruction Tuning for Cross-lingual Chain-of-Thought
Reasoning", 2024, arXiv:2401.07037, section 3 (segments); Zhang et al., "LinguaLIFT: An Effective
Two-stage Instruction Tuning Framework for Low-Resource Language Reasoning", 2024,
arXiv:2412.12499, section 3 (lexicons).
Differs: rates and languages are the job's, as the papers' are not known; the code-switched texts
are rows of their own, and may be taken as demonstrations for xCoT's contexts; a lexicon of single
words or phrases, the senses all alike likely.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, Literal

from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field, field_validator, model_validator

from engine.core import Drop, Message
from engine.fields import tag
from engine.kit import Flow, Generator, InputPath, Kit
from engine.languages.answers import provenance
from engine.languages.lexicons import check, lexicon
from engine.languages.switching import Chance, in_lexicon, in_segments, switched


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    languages: list[str] = Field(min_length=1)
    """BCP-47 tags of the languages to switch to; a row's own is left out."""
    lexicons: InputPath | None = None
    """A folder of lexicons, ``en-sw.tsv``: a word, a tab, a translation. Not needed for rows with
    segments."""
    rate: float = Field(default=0.3, gt=0, le=1)
    """Probability (0..1) with which each word or segment that can be swapped is."""
    epochs: int = Field(default=1, ge=1, le=100)
    """Records of each row, each with a draw of its own."""
    keep: list[str] = Field(default_factory=list)
    """Words that are never swapped, such as terms of a trade."""

    @field_validator("languages")
    @classmethod
    def _tags(cls, given: list[str]) -> list[str]:
        return list(dict.fromkeys(map(tag, given)))

    @model_validator(mode="after")
    def _readable(self) -> Params:
        if self.lexicons is not None:
            check(self.lexicons, self.languages)
        return self


class State(Flow, total=False):
    """What the nodes pass on."""

    epoch: int
    """The epoch at work, from 0."""
    into: str
    """Tag of the language to switch to."""
    chances: Sequence[Chance] | None
    """Places that can be swapped; ``None`` where segments are not those of the text."""


Run = Runtime[Kit[Params]]


async def draw_language(state: State, runtime: Run) -> State:
    """Draw this epoch's language."""
    kit, epoch = runtime.context, state.get("epoch", 0)
    others = [each for each in kit.params.languages if each != state["record"].language]
    into = kit.random("language", epoch).choice(others) if others else ""
    return {"epoch": epoch, "into": into, "chances": []}


async def by_segments(state: State, runtime: Run) -> State:
    """Every aligned segment of the instruction is a chance."""
    record, into = state["record"], state["into"]
    pairs = [(str(s.get("text", "")), str(s.get(into, ""))) for s in _segments(state)]
    known = [pair for pair in pairs if pair[1].strip()]
    return {"chances": in_segments(record.last("user"), known)}


async def by_lexicon(state: State, runtime: Run) -> State:
    """Every word that the lexicon knows is a chance; a missing lexicon has none."""
    record, params = state["record"], runtime.context.params
    if params.lexicons is None:
        return {"chances": []}
    known = lexicon(params.lexicons, record.language, state["into"])
    return {
        "chances": in_lexicon(
            record.last("user"), known, (record.language, state["into"]), params.keep
        )
    }


async def switch(state: State, runtime: Run) -> State:
    """Swap as the draw says; the answer stays as it is."""
    kit, record, epoch = runtime.context, state["record"], state["epoch"]
    chances = state["chances"] or ()
    draw = kit.random("swap", epoch)
    text, swaps = switched(record.last("user"), chances, kit.params.rate, draw)
    at = max(n for n, turn in enumerate(record.messages) if turn.role == "user")
    turns = (*record.messages[:at], Message("user", text), *record.messages[at + 1 :])
    facts: dict[str, Any] = {"switched_into": state["into"], "epoch": epoch}
    facts |= {"chances": len(chances), "swaps": [asdict(swap) for swap in swaps]}
    facts |= {"provenance": provenance(record, instruction="switched")}
    if record.facts.get("input"):  # told apart no longer
        facts |= {"instruction": text, "input": ""}
    child = record.child(epoch, facts=facts)
    kept = {name: fact for name, fact in child.facts.items() if name != "segments"}
    made = replace(child, messages=turns, facts=kept)
    return {"out": [*state.get("out", []), made], "epoch": epoch + 1}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a row in which nothing can be swapped, in this epoch."""
    epoch, into = state["epoch"], state["into"]
    reason = "not_aligned" if state["chances"] is None else "nothing_to_switch"
    lost = Drop(state["record"].child(epoch), reason if into else "no_other_language", into)
    return {"out": [*state.get("out", []), lost], "epoch": epoch + 1}


def after_draw(state: State) -> Literal["by_segments", "by_lexicon", "give_up"]:
    """Segments first: their alignment is surer than a lexicon's."""
    if not state["into"]:
        return "give_up"
    return "by_segments" if _segments(state) else "by_lexicon"


def after_chances(state: State) -> Literal["switch", "give_up"]:
    """Go on where there is something to swap."""
    return "switch" if state["chances"] else "give_up"


def after_epoch(state: State, runtime: Run) -> Literal["draw_language", "__end__"]:
    """The next epoch, or the end."""
    return "draw_language" if state["epoch"] < runtime.context.params.epochs else "__end__"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``(draw_language -> by_segments | by_lexicon -> switch | give_up)*``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (draw_language, by_segments, by_lexicon, switch, give_up):
        g.add_node(node)
    g.add_edge(START, "draw_language")
    g.add_conditional_edges("draw_language", after_draw)
    g.add_conditional_edges("by_segments", after_chances)
    g.add_conditional_edges("by_lexicon", after_chances)
    g.add_conditional_edges("switch", after_epoch)
    g.add_conditional_edges("give_up", after_epoch)
    return g


def _segments(state: State) -> list[dict[str, Any]]:
    given = state["record"].facts.get("segments")
    return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []


GENERATOR = Generator(graph, Params, prompts=())
