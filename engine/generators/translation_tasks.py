"""Translation tasks: two aligned texts become an instruction to translate, and its answer.

No model: people wrote both sides. The instruction is a template, of as many as its language has,
chosen by the number of the pair in its bitext and not at random, so that anybody can tell which
pair has which; what is held out always has the first one. Templates are data
(``taxonomies/translation_tasks.yaml``) and name both languages; which language asks is the job's
choice. The id of the template is in the record (``template``: ``sw/3``).

Source: Zhu et al., "Extrapolating Large Language Models to Non-English by Aligning Languages"
(x-LLaMA), 2023, arXiv:2308.04948, section 3; Ranaldi et al., "Empowering Cross-lingual Abilities
of Instruction-tuned Large Language Models by Translation-following demonstrations" (CrossAlpaca),
2023, arXiv:2308.14186 (both directions).
Differs: templates in several languages, all ours; names of languages from CLDR, in the language
of the template; what is held out is what the pass ``split`` says, not a file.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field, field_validator

from engine.core import Drop, Message
from engine.fields import tag
from engine.kit import Flow, Generator, Kit
from engine.languages.native_names import name_in
from engine.text.translation_words import templates

SIDES = ("source", "target")


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    asked_in: list[str] = Field(default=["source", "target", "en"], min_length=1)
    """Language of the instruction: ``source`` (of the text), ``target`` (of its translation) or a
    BCP-47 tag. The first that has templates and knows both languages' names asks."""

    @field_validator("asked_in")
    @classmethod
    def _tags(cls, given: list[str]) -> list[str]:
        return [each if each in SIDES else tag(each) for each in given]


class State(Flow, total=False):
    """What the nodes pass on."""

    pair: tuple[str, str]
    """The languages: from which, into which."""
    asked_in: str
    """Tag of the language that asks; empty where none can."""
    template: int
    """Place of the template among those of its language, from 0."""
    fault: str
    """Why the pair makes no task, as a slug; empty where it does."""


Run = Runtime[Kit[Params]]


async def open_pair(state: State, runtime: Run) -> State:
    """See that both sides are there, and choose the language that asks."""
    facts, record = state["record"].facts, state["record"]
    source, target = str(facts.get("source_language") or ""), record.language
    blank = [not str(facts.get(f"{side}_text") or "").strip() for side in SIDES]
    fault = "blank_side" if any(blank) else ""
    if not source or not isinstance(facts.get("number"), int):
        fault = fault or "not_aligned"
    sides = {"source": source, "target": target}
    wanted = [sides.get(each, each) for each in runtime.context.params.asked_in]
    able = (each for each in wanted if templates(each) and _named(each, (source, target)))
    asked_in = next(able, "")
    return {
        "pair": (source, target),
        "asked_in": asked_in,
        "fault": fault or ("" if asked_in else "no_wording"),
    }


async def by_number(state: State, runtime: Run) -> State:
    """The template that the pair's place in the bitext says, round and round."""
    number = int(state["record"].facts["number"])
    return {"template": number % len(templates(state["asked_in"]))}


async def first(state: State, runtime: Run) -> State:
    """The one template of everything that is held out."""
    return {"template": 0}


async def join(state: State, runtime: Run) -> State:
    """Instruction and text are the question, the translation is the answer."""
    record, asked_in, place = state["record"], state["asked_in"], state["template"]
    source, target = state["pair"]
    names = {"source": name_in(asked_in, source), "target": name_in(asked_in, target)}
    asked = templates(asked_in)[place].format(**names)
    text, answer = (str(record.facts[f"{side}_text"]) for side in SIDES)
    kept = {k: v for k, v in record.facts.items() if k not in ("source_text", "target_text")}
    kept |= {"template": f"{asked_in}/{place}", "direction": f"{source}>{target}"}
    kept |= {"instruction": asked, "input": text, "instruction_language": asked_in}
    turns = (Message("user", f"{asked}\n\n{text}"), Message("assistant", answer))
    return {"out": [replace(record.child(0), messages=turns, facts=kept)]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a pair that lacks a side, or that no language can ask for."""
    return {"out": [Drop(state["record"], state["fault"], ">".join(state["pair"]))]}


def after_open(state: State) -> Literal["by_number", "first", "give_up"]:
    """What is held out has one template, so that its scores can be compared."""
    if state["fault"]:
        return "give_up"
    held_out = state["record"].facts.get("split", "train") != "train"
    return "first" if held_out else "by_number"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``open_pair -> by_number | first -> join``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (open_pair, by_number, first, join, give_up):
        g.add_node(node)
    g.add_edge(START, "open_pair")
    g.add_conditional_edges("open_pair", after_open)
    g.add_edge("by_number", "join")
    g.add_edge("first", "join")
    g.add_edge("join", END)
    g.add_edge("give_up", END)
    return g


def _named(language: str, pair: tuple[str, str]) -> bool:
    return all(name_in(language, each) for each in pair)


GENERATOR = Generator(graph, Params, prompts=())
