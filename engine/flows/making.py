"""A declared graph as the LangGraph that a Python generator would be.

A node asks or checks, and adds what came back to the state under its name; the edges that leave
it are one route, which takes the first that holds. ``keep`` makes the record and ``drop`` says
why there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypedDict, cast

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from engine.asking import Kit
from engine.core import Drop, Message, Record, Role
from engine.declared import Found
from engine.flows import expressions
from engine.flows.checking import Draft
from engine.flows.shapes import DROP, ENDS, KEEP, EdgePart
from engine.kit import part_name
from engine.languages.names import english_name
from engine.prompting import Prompt
from engine.text.numbered import items
from engine.verdicts import Checking, Policy, version

Values = dict[str, Any]
Node = Callable[[Values, Runtime[Kit[Any]]], Any]


@dataclass(frozen=True, slots=True)
class Parts:
    """A draft with all that it names, found."""

    draft: Draft
    prompts: Mapping[str, Prompt[Any]]
    """Node -> its question."""
    checks: Mapping[str, Found]
    """Node -> its check."""


def graph(parts: Parts) -> StateGraph[Any, Any, Any, Any]:
    """The graph: what was declared, and the two ends."""
    draft = parts.draft
    state = cast(Any, TypedDict)("State", _state(draft), total=False)
    g: Any = StateGraph(state, context_schema=Kit)
    keeping = _keeping(draft)
    for name in draft.nodes:
        asks = name in parts.prompts
        g.add_node(name, _asking(parts, name) if asks else _looking(parts, keeping, name))
    g.add_edge(START, draft.first)
    for name in draft.nodes:
        edges = draft.leaving(name)
        if len(edges) == 1:
            g.add_edge(name, edges[0].end)
        else:
            ends = list(dict.fromkeys(edge.end for edge in edges))
            g.add_conditional_edges(name, _route(draft, edges), ends)
    for end, edge in {edge.end: edge for edge in draft.edges if edge.to in ENDS}.items():
        g.add_node(end, partial(_keep, keeping) if edge.to == KEEP else partial(_drop, draft, edge))
        g.add_edge(end, END)
    return cast(StateGraph[Any, Any, Any, Any], g)


def _state(draft: Draft) -> dict[str, Any]:
    added = {draft.adds(name): Any for name in draft.nodes}
    return {"record": Record, "out": list, "visits": dict, "at": str, **added}


def _values(draft: Draft, state: Mapping[str, Any]) -> Values:
    """What templates and conditions may speak of."""
    record: Record = state["record"]
    added = {name: state[name] for name in map(draft.adds, draft.nodes) if name in state}
    return {
        "instruction": record.last("user"),
        "response": record.last("assistant"),
        "facts": dict(record.facts),
        "language": english_name(record.language),
        "tag": record.language,
        "visits": {name: state.get("visits", {}).get(name, 0) for name in draft.nodes},
        **added,
    }


def _came(state: Mapping[str, Any], name: str, adds: str, value: object) -> Values:
    visits = state.get("visits", {})
    return {adds: value, "visits": {**visits, name: visits.get(name, 0) + 1}, "at": name}


def _asking(parts: Parts, name: str) -> Node:
    draft, prompt, reply = parts.draft, parts.prompts[name], parts.draft.nodes[name].reply

    async def ask(state: Values, runtime: Runtime[Kit[Any]]) -> Values:
        kit, values = runtime.context, _values(draft, state)
        inputs = {used: values[used] for used in draft.uses[name] - {"language"}}
        take = values["visits"][name]
        if isinstance(reply, list):
            found: Any = await kit.choose(prompt, reply, take=take, **inputs)
        else:
            found = await kit.ask(prompt, take=take, **inputs)
        return _came(state, name, draft.adds(name), items(found) if reply == "list" else found)

    return ask


def _looking(parts: Parts, keeping: Keeping, name: str) -> Node:
    draft, (kind, params) = parts.draft, parts.checks[name]
    told = part_name(kind.check)
    checking = Checking(kind.check, told, version(kind, params), Policy())

    async def look(state: Values, runtime: Runtime[Kit[Any]]) -> Values:
        record = keeping.record(state, facts=False)
        kit = replace(runtime.context, params=params, record=record)  # the same list of calls
        found = await checking.look(record, kit)
        verdict = {
            "passed": found.verdict in ("pass", "skipped"),
            "verdict": found.verdict,
            "reason": found.reason,
            "evidence": found.evidence,
        }
        return _came(state, name, draft.adds(name), verdict)

    return look


def _route(draft: Draft, edges: Sequence[EdgePart]) -> Callable[[Values], str]:
    whens = [expressions.condition(edge.when or "true", _edge(edge)) for edge in edges]

    def after(state: Values) -> str:
        values = _values(draft, state)
        return next(
            edge.end
            for edge, when in zip(edges, whens, strict=True)
            if _open(draft, edge, values["visits"]) and when(values)
        )

    return after


def _open(draft: Draft, edge: EdgePart, visits: Mapping[str, int]) -> bool:
    bound = draft.nodes[edge.to].at_most if edge.to in draft.nodes else 0
    return not bound or visits[edge.to] < bound


def _edge(edge: EdgePart) -> str:
    return f"the edge {edge.start} -> {edge.to}"


@dataclass(frozen=True, slots=True)
class Keeping:
    """How ``keep`` makes a record, with its templates and expressions read."""

    draft: Draft
    turns: tuple[tuple[Role, Callable[[Values], str]], ...]
    facts: Mapping[str, Callable[[Values], Any]]

    def record(self, state: Values, *, facts: bool) -> Record:
        """The record of what there is, with or without the facts that it adds."""
        values = _values(self.draft, state)
        turns = tuple(Message(role, text(values).strip()) for role, text in self.turns)
        added = {name: _plain(fact(values)) for name, fact in self.facts.items() if facts}
        made: Record = state["record"].child(0, messages=turns, facts=added)
        return made


def _keeping(draft: Draft) -> Keeping:
    turns = tuple(
        (role, expressions.template(text, f"keep.messages.{i}"))
        for i, turn in enumerate(draft.keep.messages)
        for role, text in turn.items()
    )
    said = draft.keep.facts.items()
    facts = {name: expressions.condition(text, f"keep.facts.{name}") for name, text in said}
    return Keeping(draft, turns, facts)


def _plain(value: Any) -> Any:
    """A typed reply as the mapping it was."""
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


def _keep(keeping: Keeping, state: Values) -> Values:
    record = keeping.record(state, facts=True)
    empty = [turn.role for turn in record.messages if not turn.content]
    return {"out": [Drop(record, "empty", ", ".join(empty)) if empty else record]}


def _drop(draft: Draft, edge: EdgePart, state: Values) -> Values:
    """Dropped for the reason of the edge that was taken, with what the last node brought."""
    brought = state[draft.adds(edge.start)]
    detail = brought["evidence"] if edge.start not in draft.uses else str(_plain(brought))
    return {"out": [Drop(state["record"], edge.end.removeprefix(f"{DROP}_"), detail)]}
