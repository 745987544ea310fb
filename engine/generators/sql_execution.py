"""SQL execution: a table and a query on it; the answer is what SQLite says.

A query is drawn for the table of the seed: a template that the table has columns for, filled in
with names of its columns and with its own cells. SQLite runs it. What fails, returns nothing or
NULL, is too long to learn from or depends on the order of rows is drawn again, a bounded number of
times. The table is written in one of several ways below the query, in the record's language. No
model is asked, and the verifier ``sql_answer`` can run every row again.

Source: Liu, Zhou, Jiang, Dou, Lin, "From Zero to Hero: Examining the Power of Symbolic Tasks in
Instruction Tuning", 2023, arXiv:2304.07995 (templates after Squall, Shi et al., 2020,
arXiv:2010.11246).
Differs: our own templates, in any language there are words for; several renderings instead of the
one that did best; a query whose answer hangs on unsaid order is not used; a table is cut before
the query runs, never after. Mixing with other instruction data is the job's business.
"""

from __future__ import annotations

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field, field_validator

from engine.core import Drop, Message, Outcome
from engine.kit import Flow, Generator, Kit
from engine.symbolic.queries import Query, answer, draw, joined, kinds, templates
from engine.symbolic.renderings import Style, instruction, rendered, words_for
from engine.symbolic.tables import QueryError, Table, TableError, read


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    queries: int = Field(default=1, ge=1, le=1000)
    """Different queries drawn for a seed, at most; each is a record of its own."""
    tries: int = Field(default=8, ge=1, le=1000)
    """Draws for each of them, before it is given up."""
    kinds: tuple[str, ...] = Field(default_factory=kinds, min_length=1)
    """What is asked for, with equal odds; all kinds of templates by default."""
    styles: tuple[Style, ...] = Field(default=("indexed", "markdown", "sentences"), min_length=1)
    """How tables are written, with equal odds."""
    max_rows: int = Field(default=20, ge=1, le=1000)
    """Rows of a table; of a longer one the first so many are all there is."""
    max_values: int = Field(default=12, ge=1, le=1000)
    """Values of an answer, at most."""
    max_answer: int = Field(default=300, ge=1)
    """Characters of an answer, at most."""
    max_table: int = Field(default=6000, ge=1)
    """Characters of a table as it is written, at most; a longer one drops."""
    lowercase: bool = False
    """Whether tables are put in small letters first, and so everything."""

    @field_validator("kinds")
    @classmethod
    def _known(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(given) - set(kinds())):
            raise ValueError(f"no template is of the kind {unknown[0]!r}: {', '.join(kinds())}")
        return given


class State(Flow, total=False):
    """What the nodes pass on."""

    table: Table
    draws: int
    query: Query | None
    asked: list[tuple[Query, list[list[str]]]]
    """Queries with a usable answer, and its rows."""
    reason: str
    """Why nothing came of it: of the table, or of the last draw; empty while all is well."""


Run = Runtime[Kit[Params]]


async def look(state: State, runtime: Run) -> State:
    """Read the table; see that there are words for the language."""
    params, record = runtime.context.params, state["record"]
    start: State = {"draws": 0, "asked": [], "reason": ""}
    if words_for(record.language) is None:
        return {**start, "reason": f"unworded_language: {record.language}"}
    try:
        value = record.facts.get("table")
        table = read(value, most_rows=params.max_rows, lowercase=params.lowercase)
    except TableError as error:
        return {**start, "reason": f"no_table: {error}"}
    return {**start, "table": table}


async def choose(state: State, runtime: Run) -> State:
    """Draw a template and fill it in."""
    kit, n = runtime.context, state["draws"]
    among = [template for template in templates() if template.kind in kit.params.kinds]
    return {"query": draw(state["table"], among, kit.random("query", n)), "draws": n + 1}


async def execute(state: State, runtime: Run) -> State:
    """Run the query; keep it where the answer is one to learn from and it is not there yet."""
    params, query, asked = runtime.context.params, state["query"], state["asked"]
    if query is None or any(query.sql == other.sql for other, _ in asked):
        return {"reason": "repeated" if query else "no_template_fits"}
    try:
        rows = answer(state["table"], query.sql)
        text = joined(rows)
    except QueryError as error:
        return {"reason": str(error)}
    if len(text) > params.max_answer or sum(map(len, rows)) > params.max_values:
        return {"reason": "too_long"}
    return {"asked": [*asked, (query, rows)], "reason": ""}


async def render(state: State, runtime: Run) -> State:
    """Write instruction, table and answer: a record for each query."""
    kit, record, table, out = runtime.context, state["record"], state["table"], list[Outcome]()
    words = words_for(record.language)
    assert words is not None  # look has seen to it
    for n, (query, rows) in enumerate(state["asked"]):
        style = kit.random("style", n).choice(kit.params.styles)
        told = rendered(table, style, words)
        if len(told) > kit.params.max_table:
            out.append(Drop(record, "table_too_long", f"{style}: {len(told)} characters"))
            continue
        ask = instruction(query.sql, len(rows[0]), words, kit.random("wording", n))
        turns = (Message("user", f"{ask}\n\n{told}"), Message("assistant", joined(rows)))
        facts = {"instruction": ask, "input": told, "table": table.dump(), "rendering": style}
        facts |= {"sql": query.sql, "template": query.template, "kind": query.kind}
        out.append(record.child(n, messages=turns, facts=facts))
    return {"out": out}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a seed that nothing can be asked about."""
    reason, _, detail = state["reason"].partition(": ")
    if state["draws"]:
        reason, detail = "no_usable_query", f"{state['draws']} draws, the last: {state['reason']}"
    return {"out": [Drop(state["record"], reason, detail)]}


def after_look(state: State) -> Literal["choose", "give_up"]:
    """Go on where there is a table and a language to ask in."""
    return "give_up" if state["reason"] else "choose"


def after_execute(state: State, runtime: Run) -> Literal["choose", "render", "give_up"]:
    """Draw again while queries are missing and tries are left."""
    params, asked = runtime.context.params, len(state["asked"])
    if asked < params.queries and state["draws"] < params.queries * params.tries:
        return "choose"
    return "render" if asked else "give_up"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``look -> (choose -> execute)* -> render``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (look, choose, execute, render, give_up):
        g.add_node(node)
    g.add_edge(START, "look")
    g.add_conditional_edges("look", after_look)
    g.add_edge("choose", "execute")
    g.add_conditional_edges("execute", after_execute)
    g.add_edge("render", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=())
