"""Translation chain: the response shows the way from the user's language to a pivot and back.

The instruction is somebody's, in any language. It is translated into the pivot language, answered
there, and the answer is translated back; the response lists all three steps under fixed headings
(those of pivot blocks, ``taxonomies/pivot.yaml``), and a model tuned on it translates for itself.
``pivot`` begins with rows that are answered in the pivot language; here the question comes first.

Source: Upadhayay, Behzadan, "TaCo: Enhancing Cross-Lingual Transfer for Low-Resource Languages in
LLMs through Translation-Assisted Chain-of-Thought Processes", 2023, arXiv:2311.10797, section 3.
Differs: any pivot; the answer is a model's of the job, not one of a ready set; a step that was
cut, left empty, copied or written in another script ends the chain; headings are ours.
"""

from __future__ import annotations

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Json, Message
from engine.fields import Tag
from engine.kit import Flow, Generator, Kit
from engine.languages.identify import identify
from engine.languages.names import english_name
from engine.prompting import Prompt
from engine.text.leftovers import opens_sorry, unwrapped
from engine.text.pivots import Row, composed, headings
from engine.text.scripts import share_in_script
from engine.text.tokens import tokens

TO_PIVOT = Prompt("translation_chain/to_pivot", reply=str)
ANSWER = Prompt("translation_chain/answer", reply=str)
FROM_PIVOT = Prompt("translation_chain/from_pivot", reply=str)
LONG = 3
"""Words up to which a translation may well be the same: a number, a name."""


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    pivot: Tag = "en"
    """BCP-47 tag of the language to answer in first."""
    max_characters: int = Field(default=4000, ge=50)
    """Characters of an instruction, at most; longer ones drop."""


class State(Flow, total=False):
    """What the nodes pass on."""

    asked: str
    """The instruction in the pivot language."""
    answered: str
    """The answer in the pivot language."""
    answer: str
    """The answer in the record's language."""
    fault: str
    """Why a step will not do, as a slug; empty where it will."""


Run = Runtime[Kit[Params]]


async def open_instruction(state: State, runtime: Run) -> State:
    """See that there is something to ask, in a language that is not the pivot."""
    record, params = state["record"], runtime.context.params
    text = record.last("user")
    fault = "" if text.strip() else "no_instruction"
    fault = fault or ("too_long" if len(text) > params.max_characters else "")
    worded = headings(params.pivot, record.language) is not None
    return {"fault": fault or ("" if worded else "no_headings")}


async def to_pivot(state: State, runtime: Run) -> State:
    """Translate the instruction into the pivot language."""
    kit, text, pivot = runtime.context, state["record"].last("user"), runtime.context.params.pivot
    reply = await kit.ask(TO_PIVOT, language=pivot, instruction=text, origin=kit.language)
    return {
        "asked": unwrapped(reply),
        "fault": _fault(reply, text, (state["record"].language, pivot)),
    }


async def answer(state: State, runtime: Run) -> State:
    """Answer it there."""
    kit, pivot = runtime.context, runtime.context.params.pivot
    reply = await kit.ask(ANSWER, language=pivot, instruction=state["asked"])
    fault = _fault(reply, state["asked"], (pivot, pivot))
    sorry = opens_sorry(reply, pivot)
    return {"answered": reply.strip(), "fault": fault or ("refused" if sorry else "")}


async def from_pivot(state: State, runtime: Run) -> State:
    """Translate the answer into the language of the question."""
    kit, text, own = runtime.context, state["answered"], state["record"].language
    question, origin = state["record"].last("user"), english_name(kit.params.pivot)
    reply = await kit.ask(FROM_PIVOT, question=question, response=text, origin=origin)
    return {"answer": unwrapped(reply), "fault": _fault(reply, text, (kit.params.pivot, own))}


async def chain(state: State, runtime: Run) -> State:
    """Put the three steps under their headings, so that they can be told apart again."""
    record, pivot = state["record"], runtime.context.params.pivot
    heads = headings(pivot, record.language)
    assert heads is not None, "open_instruction has seen to it"
    text = composed(Row(state["asked"], state["answered"], state["answer"]), heads)
    facts: dict[str, Json] = {"pivot": pivot, "pivot_instruction": state["asked"]}
    facts |= {"pivot_response": state["answered"], "response": state["answer"]}
    facts |= {"provenance": {"instruction": "native", "response": "translated"}}
    turns = (*(m for m in record.messages if m.role != "assistant"), Message("assistant", text))
    made = record.child(0, messages=turns, facts=facts)
    return {"out": [made if text else Drop(record, "holds_heading")]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop the instruction, with the last step as evidence."""
    said = state.get("answer") or state.get("answered") or state.get("asked", "")
    return {"out": [Drop(state["record"], state["fault"], said[:1000])]}


def after_open(state: State) -> Literal["to_pivot", "give_up"]:
    """Begin the chain."""
    return "give_up" if state["fault"] else "to_pivot"


def after_to_pivot(state: State) -> Literal["answer", "give_up"]:
    """Answer what was translated."""
    return "give_up" if state["fault"] else "answer"


def after_answer(state: State) -> Literal["from_pivot", "give_up"]:
    """Translate what was answered."""
    return "give_up" if state["fault"] else "from_pivot"


def after_from_pivot(state: State) -> Literal["chain", "give_up"]:
    """Close the chain."""
    return "give_up" if state["fault"] else "chain"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``open_instruction -> to_pivot -> answer -> from_pivot -> chain``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (open_instruction, to_pivot, answer, from_pivot, chain, give_up):
        g.add_node(node)
    g.add_edge(START, "open_instruction")
    g.add_conditional_edges("open_instruction", after_open)
    g.add_conditional_edges("to_pivot", after_to_pivot)
    g.add_conditional_edges("answer", after_answer)
    g.add_conditional_edges("from_pivot", after_from_pivot)
    g.add_edge("chain", END)
    g.add_edge("give_up", END)
    return g


def _fault(reply: str, given: str, pair: tuple[str, str]) -> str:
    """Why a step from one language into another will not do, as a slug, or ``""``."""
    if getattr(reply, "truncated", False):
        return "cut_step"
    if not reply.strip():
        return "empty_step"
    if share_in_script(reply, pair[1]) < 0.5:
        return "wrong_script"
    source, target = (tag.split("-")[0] for tag in pair)
    left = source != target and identify(reply).tag.split("-")[0] == source
    copied = unwrapped(reply) == given.strip() and len(tokens(given)) > LONG
    return "not_translated" if left or copied else ""


GENERATOR = Generator(graph, Params, prompts=(TO_PIVOT, ANSWER, FROM_PIVOT))
