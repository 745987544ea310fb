"""MURI: a document in any language, its instruction found by way of a pivot language.

The document is translated into a language the model is good at, there it finds the instruction
that the document answers, and the instruction alone is translated back. The response is the
document in its own language, byte for byte: what the pivot knows of it is thrown away. Two calls
of the role ``translator`` stand in each record's lineage; a document in the pivot language needs
none.

Source: Köksal et al., "MURI: High-Quality Instruction Tuning Datasets for Low-Resource Languages
via Reverse Instructions", 2024, arXiv:2409.12958, section 3.
Differs: the translator may be a chat model (there MADLAD-400-3B), is shown no more of a long
document than its head and tail, and on the way back a piece of its end, for the spelling; an
instruction that quotes the document, points at it, or comes back in the pivot language is asked for
once more; languages are told apart by their script or by comparing the instruction with the
document and its translation (``engine.text.nearer``), without an identifier.
"""

from __future__ import annotations

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Json
from engine.fields import Tag
from engine.kit import Flow, Generator, Kit
from engine.languages.names import english_name
from engine.prompting import Prompt
from engine.text.nearer import nearer
from engine.text.reversal import document_fault, paired, request, request_fault, sample, shown
from engine.text.scripts import share_in_script

TO_PIVOT = Prompt("muri/to_pivot", reply=str)
REVERSE = Prompt("muri/reverse", reply=str)
FROM_PIVOT = Prompt("muri/from_pivot", reply=str)
TAKES = 2


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    pivot: Tag = "en"
    """BCP-47 tag of the language in which instructions are found."""
    min_words: int = Field(default=30, ge=1)
    """Shorter documents drop; in scripts without spaces, characters' worth in words."""
    max_document_chars: int = Field(default=4000, ge=200)
    """Characters that are translated at most: three quarters of them head, the rest tail."""
    max_shared_words: int = Field(default=7, ge=1)
    """Longest run of words an instruction may share with the document's opening."""


class State(Flow, total=False):
    """What the nodes pass on."""

    document: str
    translation: str
    """The document in the pivot language, as far as it was shown."""
    found: str
    """The instruction in the pivot language."""
    instruction: str
    """The instruction in the document's language."""
    take: int
    """How often the instruction has been asked for."""
    fault: str
    """Why the document, its translation or the instruction will not do; empty where it will."""


Run = Runtime[Kit[Params]]


async def open_document(state: State, runtime: Run) -> State:
    """Take the document as it is; one that is missing or too short ends here."""
    document, kit = str(state["record"].facts.get("document") or ""), runtime.context
    opened: State = {"document": document, "take": 0, "found": "", "instruction": ""}
    opened["translation"] = shown(document, kit.params.max_document_chars)
    return {**opened, "fault": document_fault(document, kit.params.min_words)}


async def to_pivot(state: State, runtime: Run) -> State:
    """Translate what is shown of the document; it serves to find the instruction only."""
    kit, part, pivot = runtime.context, state["translation"], runtime.context.params.pivot
    reply = await kit.ask(TO_PIVOT, language=pivot, document=part, origin=kit.language)
    fault = "cut_translation" if getattr(reply, "truncated", False) else ""
    foreign = share_in_script(reply, pivot) < 0.5 or reply.strip() in ("", part.strip())
    return {"translation": str(reply), "fault": fault or ("not_translated" if foreign else "")}


async def reverse(state: State, runtime: Run) -> State:
    """Ask, in the pivot language, which instruction the document answers."""
    kit, take, pivot = runtime.context, state["take"], runtime.context.params.pivot
    reply = await kit.ask(REVERSE, take=take, language=pivot, document=state["translation"])
    text, most = request(reply, "Instruction"), kit.params.max_shared_words
    fault = request_fault(text, state["translation"], pivot, most)
    return {"found": text, "instruction": text, "take": take + 1, "fault": fault}


async def from_pivot(state: State, runtime: Run) -> State:
    """Translate the instruction into the document's language."""
    kit, take, pivot = runtime.context, state["take"] - 1, runtime.context.params.pivot
    origin = english_name(pivot)
    own = sample(state["document"])
    reply = await kit.ask(
        FROM_PIVOT, take=take, instruction=state["found"], origin=origin, sample=own
    )
    return {"instruction": request(reply)}


async def check(state: State, runtime: Run) -> State:
    """See that the instruction is one, in the document's language, and gives nothing away."""
    text, document, language = state["instruction"], state["document"], state["record"].language
    most = runtime.context.params.max_shared_words
    fault = request_fault(text, document, language, most)
    other = share_in_script(text, runtime.context.params.pivot) < 0.5
    own = share_in_script(text, language) >= 0.5
    own = own and (other or nearer(text, document, state["translation"]))
    return {"fault": fault or ("" if own else "wrong_language")}


async def pair(state: State, runtime: Run) -> State:
    """Set instruction and document against each other; the translation is thrown away."""
    facts = {"pivot": runtime.context.params.pivot, "pivot_instruction": state["found"]}
    made = "model" if _at_home(runtime) else "translated"
    origins: dict[str, Json] = {"instruction": made, "response": "native"}
    return {"out": [paired(state["record"], state["instruction"], provenance=origins, **facts)]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop the document, with the last instruction as evidence."""
    return {"out": [Drop(state["record"], state["fault"], state["instruction"])]}


def after_open(state: State, runtime: Run) -> Literal["to_pivot", "reverse", "give_up"]:
    """Translate what is not in the pivot language."""
    return "give_up" if state["fault"] else "reverse" if _at_home(runtime) else "to_pivot"


def after_to_pivot(state: State) -> Literal["reverse", "give_up"]:
    """Go on with a whole translation."""
    return "give_up" if state["fault"] else "reverse"


def after_reverse(
    state: State, runtime: Run
) -> Literal["from_pivot", "reverse", "pair", "give_up"]:
    """Translate back; ask once more where the instruction will not do."""
    if state["fault"]:
        return "reverse" if state["take"] < TAKES else "give_up"
    return "pair" if _at_home(runtime) else "from_pivot"


def after_check(state: State) -> Literal["pair", "reverse", "give_up"]:
    """Begin once more with the instruction where its translation will not do."""
    if not state["fault"]:
        return "pair"
    return "reverse" if state["take"] < TAKES else "give_up"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``open_document -> to_pivot -> (reverse -> from_pivot -> check)* -> pair | give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (open_document, to_pivot, reverse, from_pivot, check, pair, give_up):
        g.add_node(node)
    g.add_edge(START, "open_document")
    g.add_conditional_edges("open_document", after_open)
    g.add_conditional_edges("to_pivot", after_to_pivot)
    g.add_conditional_edges("reverse", after_reverse)
    g.add_edge("from_pivot", "check")
    g.add_conditional_edges("check", after_check)
    g.add_edge("pair", END)
    g.add_edge("give_up", END)
    return g


def _at_home(runtime: Run) -> bool:
    """Whether the document is in the pivot language."""
    kit = runtime.context
    return kit.record.language.split("-")[0] == kit.params.pivot.split("-")[0]


GENERATOR = Generator(graph, Params, prompts=(TO_PIVOT, REVERSE, FROM_PIVOT))
