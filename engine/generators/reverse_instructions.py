"""Reverse instructions: a text by people is the response, a model finds what it answers.

The instruction is asked for in one of three styles (formal instruction, chat message, search
query); sometimes a hint at the length is added, counted from the text. The response is the
document byte for byte, also where the model was shown only its head and tail. Which documents are
worth the calls the passes ``k_means`` (the paper's: as many clusters as wanted records, the
document nearest each centre) and ``k_center`` say; tables whose rows already are question and
answer, or title and steps, need no model (``structured_corpus``).

Source: Köksal et al., "LongForm: Effective Instruction Tuning with Reverse Instructions", 2023,
arXiv:2304.08460, section 3.
Differs: works in the document's own language, where the original is English and MURI translates
to and fro; a length hint counts by the script's own rules; an instruction that quotes the opening,
points at a text its reader does not see or is no instruction at all is asked for once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field, field_validator

from engine.core import Drop, Json
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.text.reversal import (
    document_fault,
    length_hint,
    paired,
    request,
    request_fault,
    shown,
)

Style = Literal["instruction", "chat", "search"]
ASK = {style: Prompt(f"reverse_instructions/{style}", reply=str) for style in get_args(Style)}
TAKES = 2


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    styles: dict[Style, float] = Field(default={"instruction": 1, "chat": 1, "search": 1})
    """Weight of each style, 0 and up; a style that is not named is not used."""
    length_hint: float = Field(default=0.5, ge=0, le=1)
    """Share (0..1) of records whose instruction says how long the answer is to be."""
    min_words: int = Field(default=30, ge=1)
    """Shorter documents drop; in scripts without spaces, characters' worth in words."""
    max_document_chars: int = Field(default=8000, ge=200)
    """Characters the model is shown at most: three quarters of them head, the rest tail."""
    max_shared_words: int = Field(default=7, ge=1)
    """Longest run of words an instruction may share with the document's opening."""

    @field_validator("styles")
    @classmethod
    def _some_weight(cls, styles: dict[Style, float]) -> dict[Style, float]:
        if min(styles.values(), default=0) < 0 or not sum(styles.values()):
            raise ValueError("weights are 0 or more, and one of them is more")
        return styles


class State(Flow, total=False):
    """What the nodes pass on."""

    document: str
    style: Style
    instruction: str
    take: int
    """How often the instruction has been asked for."""
    fault: str
    """Why the document or the instruction will not do, as a slug; empty where it will."""
    hint: Mapping[str, Json] | None
    """Unit and count that the instruction now ends with."""


Run = Runtime[Kit[Params]]


async def open_document(state: State, runtime: Run) -> State:
    """Take the document as it is; one that is missing or too short ends here."""
    document = str(state["record"].facts.get("document") or "")
    fault = document_fault(document, runtime.context.params.min_words)
    return {"document": document, "fault": fault, "take": 0, "instruction": ""}


async def choose_style(state: State, runtime: Run) -> State:
    """Draw how the person who wanted this text would have asked."""
    styles = runtime.context.params.styles
    draw = runtime.context.random("style")
    return {"style": draw.choices(list(styles), weights=list(styles.values()))[0]}


async def reverse(state: State, runtime: Run) -> State:
    """Ask which instruction the document answers."""
    kit, take = runtime.context, state["take"]
    part = shown(state["document"], kit.params.max_document_chars)
    title = str(kit.record.facts.get("title") or "")
    reply = await kit.ask(ASK[state["style"]], take=take, document=part, title=title)
    return {"instruction": request(reply), "take": take + 1}


async def check(state: State, runtime: Run) -> State:
    """See that the instruction is one, and gives nothing of the document away."""
    asked, document, params = state["instruction"], state["document"], runtime.context.params
    language = state["record"].language
    return {"fault": request_fault(asked, document, language, params.max_shared_words)}


async def add_hint(state: State, runtime: Run) -> State:
    """End some instructions with how long the document is, in one of its units."""
    draw = runtime.context.random("length_hint")
    if draw.random() >= runtime.context.params.length_hint:
        return {"hint": None}
    sentence, hint = length_hint(state["document"], state["record"].language, draw)
    return {"hint": hint, "instruction": f"{state['instruction']}\n{sentence}".strip()}


async def pair(state: State, runtime: Run) -> State:
    """Set instruction and document against each other; the document leaves the facts."""
    facts = {"subset": "raw", "style": state["style"], "length_hint": state["hint"]}
    return {"out": [paired(state["record"], state["instruction"], **facts)]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop the document, with the last instruction as evidence."""
    return {"out": [Drop(state["record"], state["fault"], state["instruction"])]}


def after_open(state: State, runtime: Run) -> Literal["choose_style", "give_up"]:
    """Go on with a document that will do."""
    return "give_up" if state["fault"] else "choose_style"


def after_check(state: State, runtime: Run) -> Literal["add_hint", "reverse", "give_up"]:
    """Ask once more where the instruction will not do."""
    if not state["fault"]:
        return "add_hint"
    return "reverse" if state["take"] < TAKES else "give_up"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``open_document -> choose_style -> (reverse -> check)* -> add_hint -> pair | give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (open_document, choose_style, reverse, check, add_hint, pair, give_up):
        g.add_node(node)
    g.add_edge(START, "open_document")
    g.add_conditional_edges("open_document", after_open)
    g.add_edge("choose_style", "reverse")
    g.add_edge("reverse", "check")
    g.add_conditional_edges("check", after_check)
    g.add_edge("add_hint", "pair")
    g.add_edge("pair", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=tuple(ASK.values()))
