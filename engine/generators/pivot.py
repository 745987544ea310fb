"""Pivot blocks: the response says instruction and answer in a pivot language, then in its own.

A model that reasons better in one language than in the user's is taught to go by way of it: the
user asks in the target language; the response restates the request in the pivot language, answers
there, and then answers in the target language, each under a fixed heading. The rows are ready-made
ones in the pivot language; instruction and response are translated together, in one call, so that
they fit each other. Every seed gives a record for each target language.

Source: Zhang et al., "PLUG: Leveraging Pivot Language in Cross-Lingual Instruction Tuning", 2023,
arXiv:2311.08711, section 3.
Differs: any pivot, and headings for more languages (``taxonomies/pivot.yaml``); the translator may
be any model of the job; labels are words, as a chat template's own marks cannot be trusted to come
through; a translation without one of them, cut, copied or in another script is asked for once
more, then dropped; a row whose blocks cannot be read again is dropped.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field, field_validator

from engine.core import Drop, Json, Message
from engine.fields import tag
from engine.kit import Flow, Generator, Kit
from engine.languages.identify import identify
from engine.languages.names import english_name
from engine.prompting import Prompt
from engine.text.labelled import labelled
from engine.text.leftovers import unwrapped
from engine.text.pivots import Row, composed, headings
from engine.text.scripts import share_in_script

TRANSLATE = Prompt("pivot/translate", reply=str)
LABELS = ("TRANSLATED_INSTRUCTION", "TRANSLATED_RESPONSE")
TAKES = 2


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    targets: list[str] = Field(min_length=1)
    """BCP-47 tags of the languages to answer in; a row's own is left out."""
    max_characters: int = Field(default=8000, ge=100)
    """Instruction and response together, at most; longer rows drop."""

    @field_validator("targets")
    @classmethod
    def _tags(cls, given: list[str]) -> list[str]:
        return list(dict.fromkeys(map(tag, given)))


class State(Flow, total=False):
    """What the nodes pass on."""

    left: list[str]
    """Target languages to come, the one at work first."""
    take: int
    """How often this translation has been asked for."""
    translated: tuple[str, str]
    """Instruction and response in the target language."""
    fault: str
    """Why row or translation will not do, as a slug; empty where it will."""


Run = Runtime[Kit[Params]]


async def open_row(state: State, runtime: Run) -> State:
    """See that the row has both sides, and somewhere to go."""
    record, params = state["record"], runtime.context.params
    sides = record.last("user"), record.last("assistant")
    fault = "" if all(side.strip() for side in sides) else "no_pair"
    fault = fault or ("too_long" if sum(map(len, sides)) > params.max_characters else "")
    left = [each for each in params.targets if each != record.language]
    return {"left": left, "take": 0, "out": [], "fault": fault or ("" if left else "no_target")}


async def translate(state: State, runtime: Run) -> State:
    """Translate instruction and response in one call."""
    record, target, take = state["record"], state["left"][0], state["take"]
    sides = record.last("user"), record.last("assistant")
    reply = await runtime.context.ask(
        TRANSLATE,
        take=take,
        language=target,
        instruction=sides[0],
        response=sides[1],
        origin=english_name(record.language),
        reply_labels=list(LABELS),
    )
    parts = labelled(unwrapped(reply), LABELS)
    said = parts.get(LABELS[0], ""), parts.get(LABELS[1], "")
    fault = "cut_translation" if getattr(reply, "truncated", False) else ""
    fault = fault or _fault(said, sides, (record.language, target))
    return {"translated": said, "take": take + 1, "fault": fault}


async def compose(state: State, runtime: Run) -> State:
    """Put the blocks under their headings, so that they can be told apart again."""
    record, target = state["record"], state["left"][0]
    (asked, answer), heads = state["translated"], headings(record.language, target)
    row = Row(record.last("user"), record.last("assistant"), answer)
    if heads is None or not (text := composed(row, heads)):
        return {"fault": "holds_heading" if heads else "no_headings"}
    facts: dict[str, Json] = {"pivot": record.language, "pivot_instruction": row.instruction}
    facts |= {"pivot_response": row.pivot_response, "response": answer}
    facts |= {"instruction": asked, "input": "", "headings": list(heads)}
    facts |= {"provenance": {"instruction": "translated", "response": "translated"}}
    turns = (Message("user", asked), Message("assistant", text))
    child = record.child(runtime.context.params.targets.index(target), messages=turns, facts=facts)
    return {"out": [*state["out"], replace(child, language=target)], "fault": ""}


async def skip(state: State, runtime: Run) -> State:
    """Drop the row in this language; in others it may still do."""
    record, target = state["record"], state["left"][0]
    child = record.child(runtime.context.params.targets.index(target), language=target)
    said = "\n\n".join(state["translated"])[:1000]
    return {"out": [*state["out"], Drop(child, state["fault"], said)]}


async def turn(state: State, runtime: Run) -> State:
    """Go on to the next language."""
    return {"left": state["left"][1:], "take": 0}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a row that cannot be translated at all."""
    return {"out": [Drop(state["record"], state["fault"])]}


def after_open(state: State) -> Literal["translate", "give_up"]:
    """Translate what can be."""
    return "give_up" if state["fault"] else "translate"


def after_translate(state: State) -> Literal["compose", "translate", "skip"]:
    """Ask once more for a translation that will not do."""
    if not state["fault"]:
        return "compose"
    return "translate" if state["take"] < TAKES else "skip"


def after_compose(state: State) -> Literal["turn", "skip"]:
    """Keep what can be read again."""
    return "skip" if state["fault"] else "turn"


def after_turn(state: State) -> Literal["translate", "__end__"]:
    """End when every language has had its turn."""
    return "translate" if state["left"] else "__end__"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``open_row -> (translate* -> compose | skip -> turn)*``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (open_row, translate, compose, skip, turn, give_up):
        g.add_node(node)
    g.add_edge(START, "open_row")
    g.add_conditional_edges("open_row", after_open)
    g.add_conditional_edges("translate", after_translate)
    g.add_conditional_edges("compose", after_compose)
    g.add_edge("skip", "turn")
    g.add_conditional_edges("turn", after_turn)
    g.add_edge("give_up", END)
    return g


def _fault(said: tuple[str, str], sides: tuple[str, str], pair: tuple[str, str]) -> str:
    """Why this is no translation, as a slug, or ``""``."""
    if not all(said):
        return "no_label"
    whole = "\n".join(said)
    if share_in_script(whole, pair[1]) < 0.5:
        return "wrong_script"
    copied = (
        said[0] == sides[0].strip() or identify(whole).tag.split("-")[0] == pair[0].split("-")[0]
    )
    return "not_translated" if copied else ""


GENERATOR = Generator(graph, Params, prompts=(TRANSLATE,))
