"""Cultural facts: a document of an office or of a culture becomes the facts that it states.

First half of the method, ``cultural`` is the second. The model lists statements, each with the
words of the document that say it, a domain and whether it holds anywhere or only there. The words
have to be in the document, white space apart; what is stored is cut out of it, with its place, so
that a reviewer can look. A fact is a record; one whose words are not there, or that repeats
another's, has a number that they have not or a domain nobody knows, drops for itself alone.

Source: Laiyk et al., "Instruction Tuning on Public Government and Cultural Data for Low-Resource
Language: a Case Study in Kazakh", 2025, arXiv:2502.13647, section 3 (facts first, then an
instruction for each); Zhang et al., "Chinese Open Instruction Generalist: A Preliminary Release",
2023, arXiv:2304.07987 (shared values and regional ones kept apart).
Differs: any language; a fact has a quotation, which is checked; facts and instructions are two
steps, so that a lost call costs one of them; domains are a taxonomy that a job may bring.
"""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field, field_validator

from engine.core import Drop, Json, Outcome
from engine.kit import Flow, Generator, InputPath, Kit
from engine.prompting import Prompt
from engine.text.culture_words import taxonomy
from engine.text.grounding import Place, begins, invented_numbers, place
from engine.text.reversal import document_fault, shown

TAKES = 2


class Statement(BaseModel, extra="forbid"):
    """A fact, and the words that state it."""

    statement: str
    quote: str
    domain: str
    scope: Literal["shared", "regional"]


class Statements(BaseModel, extra="forbid"):
    """What a document states."""

    statements: list[Statement]


LIST = Prompt("cultural_facts/list", reply=Statements)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    facts: int = Field(default=5, ge=1, le=12)
    """Facts of a document, at most."""
    taxonomy: InputPath | None = None
    """A file of domains and tasks (see ``taxonomies/cultural.yaml``, which is used by default)."""
    min_words: int = Field(default=30, ge=1)
    """A shorter document drops; in scripts without spaces, characters' worth in words."""
    max_document_chars: int = Field(default=6000, ge=200)
    """Characters of a document that are shown at most: three quarters head, the rest tail."""

    @field_validator("taxonomy")
    @classmethod
    def _readable(cls, path: Path | None) -> Path | None:
        taxonomy(path)
        return path


class State(Flow, total=False):
    """What the nodes pass on."""

    document: str
    listed: list[Statement]
    places: list[Place | None]
    """Where the words of each statement stand."""
    take: int
    """How often the model has been asked."""
    fault: str
    """Why the document gives no fact; empty where it does."""


Run = Runtime[Kit[Params]]


async def open_document(state: State, runtime: Run) -> State:
    """Take the document; one that is too short ends here."""
    document = str(state["record"].facts.get("document") or "")
    fault = document_fault(document, runtime.context.params.min_words)
    return {"document": document, "take": 0, "listed": [], "fault": fault}


async def list_facts(state: State, runtime: Run) -> State:
    """Ask for what the document states."""
    kit, domains = runtime.context, taxonomy(runtime.context.params.taxonomy).domains
    reply = await kit.ask(
        LIST,
        take=state["take"],
        document=shown(state["document"], kit.params.max_document_chars),
        title=str(state["record"].facts.get("title") or ""),
        count=kit.params.facts,
        categories=[*domains],
        meanings=[{"name": name, "means": means} for name, means in domains.items()],
    )
    return {"listed": reply.statements[: kit.params.facts], "take": state["take"] + 1}


async def locate(state: State, runtime: Run) -> State:
    """Find the words of each statement in the document."""
    places = [place(each.quote, state["document"]) for each in state["listed"]]
    return {"places": places, "fault": "" if any(places) else "no_grounded_fact"}


async def hand_out(state: State, runtime: Run) -> State:
    """Make a record of each fact, and a drop of what is none."""
    record, names = state["record"], taxonomy(runtime.context.params.taxonomy).by_folded
    offset = begins(record.facts)
    seen: set[Place] = set()
    out: list[Outcome] = []
    for at, (each, where) in enumerate(zip(state["listed"], state["places"], strict=True)):
        quote = state["document"][slice(*where)] if where else ""
        domain = names.get(each.domain.strip().casefold(), "")
        fault = _fault(each, where, seen, domain)
        if not fault and invented_numbers(each.statement, quote, record.language):
            fault = "invented_number"
        facts: dict[str, Json] = {"document_id": record.id, "statement": each.statement.strip()}
        facts |= {"domain": domain, "value_scope": each.scope}
        if where is not None:
            seen.add(where)
            facts |= {"quote": quote, "quote_span": [offset + index for index in where]}
        made = record.child(at, facts=facts)
        out.append(Drop(made, fault, each.model_dump_json()[:1000]) if fault else made)
    return {"out": out}


async def give_up(state: State, runtime: Run) -> State:
    """Drop the document, with what was listed as evidence."""
    said = Statements(statements=state["listed"]).model_dump_json()
    return {"out": [Drop(state["record"], state["fault"], said[:1000])]}


def after_open(state: State) -> Literal["list_facts", "give_up"]:
    """Ask about a document that will do."""
    return "give_up" if state["fault"] else "list_facts"


def after_locate(state: State) -> Literal["hand_out", "list_facts", "give_up"]:
    """Ask once more where nothing of the list is in the document."""
    if not state["fault"]:
        return "hand_out"
    return "list_facts" if state["take"] < TAKES else "give_up"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``open_document -> (list_facts -> locate)* -> hand_out | give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (open_document, list_facts, locate, hand_out, give_up):
        g.add_node(node)
    g.add_edge(START, "open_document")
    g.add_conditional_edges("open_document", after_open)
    g.add_edge("list_facts", "locate")
    g.add_conditional_edges("locate", after_locate)
    g.add_edge("hand_out", END)
    g.add_edge("give_up", END)
    return g


def _fault(each: Statement, where: Place | None, seen: Set[Place], domain: str) -> str:
    """Why a statement is no fact to go on with, as a slug; empty where it is one."""
    if where is None:
        return "quote_not_in_document"
    if not each.statement.strip():
        return "empty_statement"
    if where in seen:
        return "same_quote"
    return "" if domain else "unknown_domain"


GENERATOR = Generator(graph, Params, prompts=(LIST,))
