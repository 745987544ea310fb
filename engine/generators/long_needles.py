"""Long needles: seven tasks with exact answers, hidden in long texts of any language.

A haystack is the user's own documents, sentence by sentence; begun anew only where they do not
suffice. Needles (``The code for "..." is ...``) stand at drawn depths of it. As many sentences are
taken as the budget has room for: the server that will read the prompt counts its tokens, chat
template and all, and one sentence more would be too much. Nothing is judged.

A language that is listed (``taxonomies/long_needles.yaml``) has sentences and nouns. In any other,
the keys are rare words of the documents, and the sentences are the job's or translated by a model.

Source: Kim, Russell, Karpinska, Iyyer, "One ruler to measure them all: Benchmarking multilingual
long-context language models" (ONERULER), 2025, arXiv:2503.01996, section 2.
Differs: sentences and nouns are ours; any documents take the place of one book; tokens are counted
with the chat template; a text is filled to one sentence, a list to one word (there in steps of 5);
how many codes there are is a setting; Thai keeps the blank that it writes between sentences.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import Field, model_validator

from engine.asking import COUNTER
from engine.core import Drop, Message, Outcome
from engine.fields import Tag
from engine.kit import Flow, Generator, Kit
from engine.languages.wording import closed, opened
from engine.prompting import Prompt
from engine.text.haystacks import Haystack, haystack, texts_in
from engine.text.needle_tasks import SHORT, Asked, Given, Row, Task, drawn
from engine.text.needle_words import WAYS, Sentences, Wording, translated, wording_for

WORDING = Prompt("long_needles/wording", reply=Sentences)
TAKES = 2


class Params(Asked):
    """Settings a job may change."""

    ask_in: Tag = ""
    """BCP-47 tag of the language of the question; empty: the haystack's."""
    wording: dict[Tag, Wording] = Field(default_factory=dict)
    """Sentences of languages that are not listed, or other ones, by BCP-47 tag."""
    translate_from: Tag = ""
    """BCP-47 tag of a listed language whose sentences a model translates for those without; empty:
    their documents are dropped."""

    @model_validator(mode="after")
    def _translatable(self) -> Params:
        if self.translate_from and not wording_for(self.translate_from, self.wording):
            raise ValueError(f"nothing is listed for translate_from: {self.translate_from}")
        if not self.translate_from and self.ask_in and not wording_for(self.ask_in, self.wording):
            raise ValueError(f"nothing is listed for ask_in: {self.ask_in}; {WAYS}")
        return self


class State(Flow, total=False):
    """What the nodes pass on."""

    haystack: Haystack
    documents: list[str]
    """Ids of the documents it is made of."""
    words: dict[str, Wording]
    """What is said in either language, by tag."""
    missing: list[str]
    """Tags of those in which nothing is said yet."""
    take: int
    rows: list[Row | Task]
    """A task where there are too few words or sentences for a row."""
    fault: str
    """Why nothing can be made of the documents; empty where it can."""


Run = Runtime[Kit[Params]]


async def open_haystack(state: State, runtime: Run) -> State:
    """Cut the documents into sentences, and see in which languages there is something to say."""
    record, params = state["record"], runtime.context.params
    texts = texts_in(record)
    found = haystack(text for _, text in texts)
    tags = dict.fromkeys([record.language, params.ask_in or record.language])
    words = {tag: said for tag in tags if (said := wording_for(tag, params.wording))}
    missing = [tag for tag in tags if tag not in words]
    fault = "no_wording" if missing and not params.translate_from else ""
    about = State(haystack=found, words=words, missing=missing, documents=[id for id, _ in texts])
    return {**about, "take": 0, "fault": fault if found.sentences else "no_document"}


async def translate(state: State, runtime: Run) -> State:
    """Have the sentences translated into a language that has none, and see what became of them."""
    kit, tag = runtime.context, state["missing"][0]
    source = wording_for(kit.params.translate_from, kit.params.wording)
    assert source  # or the settings were wrong
    take = state["take"]
    said = await kit.ask(WORDING, take=take, language=tag, sentences=opened(source.sentences))
    found, fault = closed(said.model_dump(), source.sentences, tag)
    if fault:
        return {"take": take + 1, "fault": fault}
    words = {**state["words"], tag: translated(found)}
    return {"words": words, "missing": state["missing"][1:], "take": 0, "fault": ""}


async def draw(state: State, runtime: Run) -> State:
    """Draw what every row hides and asks."""
    kit, words = runtime.context, state["words"]
    here = state["record"].language
    given = Given(state["haystack"], words[here], words[kit.params.ask_in or here])
    return {"rows": drawn(kit.params, given, kit.random)}


async def measure(state: State, runtime: Run) -> State:
    """Count the tokens of every row that has not found its size, in the next size to try."""

    async def measured(row: Row | Task) -> Row | Task:
        if isinstance(row, str) or row.fit.done:
            return row
        size = row.fit.size()
        count = await runtime.context.count([Message("user", row.prompt(size))])
        fit = row.fit.measured(size, count.tokens)
        return replace(row, fit=fit, counted_by=count.model)

    return {"rows": list(await asyncio.gather(*map(measured, state["rows"])))}


async def write(state: State, runtime: Run) -> State:
    """Write every row in its size."""
    record, ask = state["record"], runtime.context.params
    facts = {k: v for k, v in record.facts.items() if k not in ("document", "haystack")}
    ours = all(wording_for(tag, ask.wording) for tag in state["words"])
    origin = {"instruction": "template" if ours else "translated", "input": "native"}
    facts |= {"documents": state["documents"], "provenance": {**origin, "response": "exact"}}
    facts |= {"instruction_language": ask.ask_in or record.language}
    bare, out = replace(record, facts=facts), list[Outcome]()
    for index, row in enumerate(state["rows"]):
        if isinstance(row, str):
            out.append(Drop(bare.child(index), "too_few_words", f"{row}: {SHORT}"))
        elif (why := row.fault(ask.min_fill))[0]:
            out.append(Drop(bare.child(index), *why))
        else:
            turns = row.turns(left_open=ask.left_open)
            out.append(bare.child(index, messages=turns, facts=row.facts()))
    return {"out": out}


async def give_up(state: State) -> State:
    """Drop the documents, and say what would help."""
    missing, bare = state["missing"], state["record"].with_facts(haystack=state["documents"])
    detail = f"{', '.join(missing)}: {WAYS}" if missing else ""
    return {"out": [Drop(bare, state["fault"], detail)]}


def after_open(state: State) -> Literal["translate", "draw", "give_up"]:
    """Translate what is missing first."""
    return "give_up" if state["fault"] else "translate" if state["missing"] else "draw"


def after_translate(state: State) -> Literal["translate", "draw", "give_up"]:
    """Once more where a translation will not do, and for the other language."""
    if state["fault"] and state["take"] >= TAKES:
        return "give_up"
    return "translate" if state["missing"] else "draw"


def after_measure(state: State) -> Literal["measure", "write"]:
    """Until every row has its size."""
    done = all(isinstance(row, str) or row.fit.done for row in state["rows"])
    return "write" if done else "measure"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``open_haystack -> translate* -> draw -> measure* -> write``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (open_haystack, translate, draw, measure, write, give_up):
        g.add_node(node)
    g.add_edge(START, "open_haystack")
    g.add_conditional_edges("open_haystack", after_open)
    g.add_conditional_edges("translate", after_translate)
    g.add_edge("draw", "measure")
    g.add_conditional_edges("measure", after_measure)
    g.add_edge("write", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=(WORDING,), roles=(COUNTER,))
