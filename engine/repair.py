"""Repair: a loop in which a response that failed a check is written anew, with the reason.

Two nodes: the writer is told what was wrong and answers again, then the check looks again, for
as long as it fails and repairs are left. A check that looks at the instruction alone has nothing
to gain from it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any, TypedDict, cast

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from engine.asking import Kit
from engine.core import Finding, Message, ReplyError
from engine.verdicts import REPAIR, Checking

Run = Runtime[Kit[Any]]


class State(TypedDict, total=False):
    """Where a record stands."""

    checking: Checking
    finding: Finding
    repairs: int


async def write(state: State, runtime: Run) -> State:
    """Ask for a better response; without one the record stays as it was, and failed."""
    kit, finding, repairs = runtime.context, state["finding"], state["repairs"] + 1
    *before, last = finding.record.messages
    instruction = next((m.content for m in reversed(before) if m.role == "user"), "")
    try:
        response = await kit.ask(
            REPAIR,
            take=repairs,
            history=[{"role": m.role, "content": m.content} for m in before[:-1]],
            instruction=instruction,
            response=last.content,
            problem=f"{finding.reason.replace('_', ' ')}. {finding.evidence}".strip(),
            fence=f"{kit.random('repair', repairs).getrandbits(48):012x}",
        )
    except ReplyError:
        response = ""
    if not response.strip():
        return {"repairs": repairs}
    better = replace(finding.record, messages=(*before, Message("assistant", response)))
    counted = better.with_facts(repairs=repairs)
    return {"finding": replace(finding, record=counted), "repairs": repairs}


async def check(state: State, runtime: Run) -> State:
    """Look at the new response."""
    return {"finding": await state["checking"].look(state["finding"].record, runtime.context)}


def after_check(state: State) -> str:
    """Once more, or the end."""
    left = state["repairs"] < state["checking"].policy.repairs
    return "write" if left and state["finding"].verdict == "fail" else END


def graph() -> StateGraph[Any, Any, Any, Any]:
    """Write, check, and again while it fails."""
    loop = StateGraph(State, context_schema=Kit)
    loop.add_node("write", write)
    loop.add_node("check", check)
    loop.add_edge(START, "write")
    loop.add_edge("write", "check")
    loop.add_conditional_edges("check", after_check, ["write", END])
    return loop


async def repair(checking: Checking, finding: Finding, kit: Kit[Any]) -> Finding:
    """What the check says in the end; a record without a response cannot be repaired."""
    messages = finding.record.messages
    if not messages or messages[-1].role != "assistant":
        return finding
    state: State = {"checking": checking, "finding": finding, "repairs": 0}
    final = await _compiled().ainvoke(state, context=kit)
    return cast(Finding, final["finding"])


@lru_cache(maxsize=1)
def _compiled() -> Any:
    return graph().compile()
