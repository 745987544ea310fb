"""Cross-lingual spans: asked in a widely spoken language, answered in the words of a native text.

A model reads a text in a language that it writes badly, picks a span of it that could stand alone
as an answer, and writes the instruction that the span answers, in a language that it writes well.
Only the instruction is the model's. The span has to be in the text, white space apart; what is
stored is cut out of the text, with its place, so that no letter of the answer is a model's or a
translator's. The record is in the language of its answer; ``instruction_language`` says in which
it is asked.

Source: Philippy et al., "LuxInstruct: A Cross-Lingual Instruction Tuning Dataset For
Luxembourgish", 2025, arXiv:2510.07074, section 3 (the part made from Wikipedia).
Differs: any languages; a span that is not in the text, too short or too long, or an instruction
that quotes it, points at it or is in another language, is asked for once more; the fixed forms for
news and dictionaries are in ``cross_lingual_forms``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field, field_validator

from engine.core import Drop, Message
from engine.fields import tag
from engine.kit import Flow, Generator, Kit
from engine.languages.identify import identify
from engine.prompting import Prompt
from engine.text.leftovers import unwrapped
from engine.text.lengths import words
from engine.text.quoting import located
from engine.text.reversal import document_fault, request, request_fault, shown
from engine.text.scripts import share_in_script

Weight = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Found(BaseModel, extra="forbid"):
    """A span and what it answers."""

    span: str
    instruction: str


EXTRACT = Prompt("cross_lingual_span/extract", reply=Found)
TAKES = 2


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    languages: dict[str, Weight] = Field(default={"en": 1.0, "fr": 1.0, "de": 1.0}, min_length=1)
    """BCP-47 tags of the languages to ask in, each with a relative weight; a text's own is never
    drawn for it."""
    min_words: int = Field(default=15, ge=1)
    """Words of a span, at least; in scripts without spaces, characters' worth in words."""
    max_words: int = Field(default=300, ge=1)
    """Words of a span, at most."""
    max_document_chars: int = Field(default=6000, ge=200)
    """Characters of a document that are shown at most: three quarters head, the rest tail."""
    max_shared_words: int = Field(default=7, ge=1)
    """Longest run of words an instruction may share with the span."""

    @field_validator("languages")
    @classmethod
    def _tags(cls, given: dict[str, float]) -> dict[str, float]:
        return {tag(name): weight for name, weight in given.items()}


class State(Flow, total=False):
    """What the nodes pass on."""

    document: str
    asked_in: str
    """Tag of the language of the instruction."""
    found: Found
    span: tuple[int, int]
    """Where the answer stands in the document."""
    take: int
    """How often the model has been asked."""
    fault: str
    """Why the document, the span or the instruction will not do; empty where it will."""


Run = Runtime[Kit[Params]]


async def open_document(state: State, runtime: Run) -> State:
    """Draw the language to ask in; a document that is too short ends here."""
    kit, record = runtime.context, state["record"]
    document = str(record.facts.get("document") or "")
    own = record.language.split("-")[0]
    others = {tag: w for tag, w in kit.params.languages.items() if tag.split("-")[0] != own}
    fault = document_fault(document, kit.params.min_words)
    fault = fault or ("" if others else "no_other_language")
    drawn = kit.random("asked_in").choices([*others], [*others.values()]) if others else [""]
    return {"document": document, "asked_in": drawn[0], "take": 0, "fault": fault}


async def extract(state: State, runtime: Run) -> State:
    """Ask for a span of the document and for the instruction that it answers."""
    kit, take, params = runtime.context, state["take"], runtime.context.params
    found = await kit.ask(
        EXTRACT,
        take=take,
        language=state["asked_in"],
        document=shown(state["document"], params.max_document_chars),
        origin=kit.language,
        fewest=params.min_words,
        most=params.max_words,
    )
    asked = request(found.instruction, "Instruction")
    return {"found": Found(span=found.span, instruction=asked), "take": take + 1}


async def locate(state: State, runtime: Run) -> State:
    """Find the span in the document, letter by letter; white space may differ."""
    quote, document = state["found"].span, state["document"]
    place = located(quote, document) or located(unwrapped(quote), document)
    if place is None:
        return {"fault": "not_in_document"}
    size, params = words(document[slice(*place)]), runtime.context.params
    short, long = size < params.min_words, size > params.max_words
    fault = "span_too_short" if short else "span_too_long" if long else ""
    return {"span": place, "fault": fault}


async def check(state: State, runtime: Run) -> State:
    """See that the instruction is one, in its language, and gives nothing of the span away."""
    text, asked_in = state["found"].instruction, state["asked_in"]
    most, answer = runtime.context.params.max_shared_words, state["document"][slice(*state["span"])]
    fault = request_fault(text, answer, asked_in, most)
    return {"fault": fault or ("" if _is_in(text, asked_in) else "wrong_language")}


async def pair(state: State, runtime: Run) -> State:
    """Set instruction and span against each other; places count from the file's beginning."""
    record, (start, end) = state["record"], state["span"]
    kept = {name: fact for name, fact in record.facts.items() if name != "document"}
    offset = (record.facts.get("span") or [0])[0]
    kept |= {"instruction_language": state["asked_in"], "output_language": record.language}
    kept |= {"task_type": "span", "span": [offset + start, offset + end]}
    kept |= {"provenance": {"instruction": "model", "response": "native"}}
    asked, answer = state["found"].instruction, state["document"][start:end]
    turns = (Message("user", asked), Message("assistant", answer))
    return {"out": [replace(record.child(0), messages=turns, facts=kept)]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop the document, with the last reply as evidence."""
    said = state["found"].model_dump_json() if "found" in state else ""
    return {"out": [Drop(state["record"], state["fault"], said[:1000])]}


def after_open(state: State) -> Literal["extract", "give_up"]:
    """Ask about a document that will do."""
    return "give_up" if state["fault"] else "extract"


def after_locate(state: State) -> Literal["check", "extract", "give_up"]:
    """Go on with a span that is there."""
    return _again(state) if state["fault"] else "check"


def after_check(state: State) -> Literal["pair", "extract", "give_up"]:
    """Keep what will do; ask once more otherwise."""
    return _again(state) if state["fault"] else "pair"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``open_document -> (extract -> locate -> check)* -> pair | give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (open_document, extract, locate, check, pair, give_up):
        g.add_node(node)
    g.add_edge(START, "open_document")
    g.add_conditional_edges("open_document", after_open)
    g.add_edge("extract", "locate")
    g.add_conditional_edges("locate", after_locate)
    g.add_conditional_edges("check", after_check)
    g.add_edge("pair", END)
    g.add_edge("give_up", END)
    return g


def _again(state: State) -> Literal["extract", "give_up"]:
    return "extract" if state["take"] < TAKES else "give_up"


def _is_in(text: str, language: str) -> bool:
    """In the script, and not surely in another language."""
    told = identify(text).tag.split("-")[0]
    return share_in_script(text, language) >= 0.5 and told in ("und", language.split("-")[0])


GENERATOR = Generator(graph, Params, prompts=(EXTRACT,))
