"""Selective translation, first part: what of a row has to stay as it is when it is translated.

A question about the spelling of an English word makes no sense once the word is translated, nor
does a task to translate a sentence whose sentence is gone. So before a row goes into any language
it is decided, once for all of them, what kind of task it is and what stays: whole fields (the
answer to a translation task) and spans within others (the sentence to be corrected, a quotation, a
title). A rule decides where it is certain, else a model; whatever it names has to stand in the row
letter by letter, and something has to be left to translate. What is in code, formulas and links
stays anyway (``engine.languages.masking``).

The decision goes into the fact ``untranslated``, which flags what is not translated by design. The
generator ``translate`` behind this one masks it, refuses a translation in which it is not there
again, asks again what came back malformed or untranslated, and drops what stays so.

Source: Ahuja et al., "sPhinX: Sample Efficient Multilingual Instruction Fine-Tuning Through N-shot
Guided Prompting", 2024, arXiv:2407.09879 (selective translation by GPT-4, one call a language).
Differs: the decision is a type and is made once, not left to each translation; what stays is masked
and checked, not asked for.
"""

from __future__ import annotations

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Json
from engine.kit import Flow, Generator, Kit
from engine.languages.staying import Kind, Row, amiss, emptied, ruled, stays
from engine.prompting import Prompt
from engine.translating import UNTRANSLATED


class Decision(BaseModel, extra="forbid"):
    """What the model says of a row."""

    reason: str
    """Said first, so that what follows is thought of."""
    kind: Kind
    input: Literal["translate", "keep"]
    response: Literal["translate", "keep"]
    kept_spans: list[str]
    """Texts of the instruction, or of a field that is translated, which stay as they are."""


DECIDE = Prompt("selective_translation/decide", reply=Decision)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    rules: bool = True
    """Whether rules decide what is certain without a call; else the model decides everything."""
    takes: int = Field(default=2, ge=1, le=10)
    """How often the model is asked about a row, at most."""
    max_characters: int = Field(default=12_000, ge=100)
    """Characters of a row, at most; longer ones drop."""


class State(Flow, total=False):
    """What the nodes pass on."""

    row: Row
    by: Literal["rule", "model"]
    kind: Kind
    fields: list[str]
    """Names of the fields that stay as a whole."""
    spans: list[str]
    take: int
    """How often the model has been asked."""
    fault: str
    """Why row or decision will not do, as a slug; empty where it will."""
    detail: str


Run = Runtime[Kit[Params]]


async def open_row(state: State, runtime: Run) -> State:
    """Take the row apart; decide by rule where that is certain."""
    record, params = state["record"], runtime.context.params
    asked = [turn for turn in record.messages if turn.role == "user"]
    row = Row.of(record)
    fault = "" if row.instruction.strip() else "no_instruction"
    fault = fault or ("several_turns" if len(asked) > 1 else "")
    fault = fault or ("too_long" if len("".join(row)) > params.max_characters else "")
    found: State = {"row": row, "by": "model", "take": 0, "spans": [], "fault": fault, "detail": ""}
    certain = ruled(row, record.language) if params.rules and not fault else None
    return found | {"by": "rule", "kind": certain[0], "fields": certain[1]} if certain else found


async def decide(state: State, runtime: Run) -> State:
    """Ask what kind of task it is, and what stays."""
    kit, row, take = runtime.context, state["row"], state["take"]
    texts = {"instruction": row.instruction, "input": row.input, "response": row.response}
    wrong = f"{state['fault'].replace('_', ' ')}: {state['detail']}" if state["fault"] else ""
    said = await kit.ask(DECIDE, take=take, fault=wrong, **texts)
    there = {"input": row.input, "response": row.response}
    stay = {"input": said.input == "keep", "response": said.response == "keep"}
    fields = [name for name, text in there.items() if text and stay[name]]
    return {"kind": said.kind, "fields": fields, "spans": said.kept_spans, "take": take + 1}


async def check(state: State) -> State:
    """Find every span where it stands, and see that it can be taken out there."""
    row, fields = state["row"], state["fields"]
    spans, fault, detail = stays(row, fields, state["spans"])
    fields = [*fields, *emptied(row, fields, spans)]
    if not fault:
        fault, detail = amiss(state["kind"], row, fields, spans)
    return {"fields": fields, "spans": spans, "fault": fault, "detail": detail}


async def flag(state: State) -> State:
    """Note on the record what stays, by whose decision."""
    noted: dict[str, Json] = {"kind": state["kind"], "by": state["by"]}
    fields = dict.fromkeys([*state["fields"], *state["row"].wordless()])
    noted |= {"fields": [*fields], "texts": [*state["spans"]]}
    return {"out": [state["record"].with_facts(**{UNTRANSLATED: noted})]}


async def give_up(state: State) -> State:
    """Drop the row, with what was wrong with the last decision."""
    return {"out": [Drop(state["record"], state["fault"], state["detail"])]}


def after_open(state: State) -> Literal["decide", "check", "give_up"]:
    """Ask where no rule is certain."""
    if state["fault"]:
        return "give_up"
    return "check" if state["by"] == "rule" else "decide"


def after_check(state: State, runtime: Run) -> Literal["flag", "decide", "give_up"]:
    """Ask once more while there are takes left."""
    if not state["fault"]:
        return "flag"
    more = state["by"] == "model" and state["take"] < runtime.context.params.takes
    return "decide" if more else "give_up"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``open_row -> (decide -> check)* -> flag | give_up``; a rule needs no ``decide``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (open_row, decide, check, flag, give_up):
        g.add_node(node)
    g.add_edge(START, "open_row")
    g.add_conditional_edges("open_row", after_open)
    g.add_edge("decide", "check")
    g.add_conditional_edges("check", after_check)
    g.add_edge("flag", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=(DECIDE,))
