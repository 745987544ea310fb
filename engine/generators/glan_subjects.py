"""GLAN, first part: the subjects that a discipline is taught in.

To a discipline (a seed of the source ``taxonomy``) the model lists subjects, as an expert who
plans an education would, with level, introduction and subtopics. It is asked several times, and
what the lists name together is kept, each subject once. Each is a record, for ``glan_syllabus``.

Source: Li et al., "Synthetic Data (Almost) from Scratch: Generalized Instruction Tuning for
Language Models" (GLAN), 2024, arXiv:2402.13064, section 2.2: ten lists, about 200 subjects.
Differs: the lists are typed; in the language of the record, with the discipline's name in it
where the tree has one; a record knows how many of the lists named its subject.
"""

from __future__ import annotations

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Json, Message, Outcome
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.text.leftovers import unwrapped
from engine.text.lengths import words
from engine.text.sameness import bare

LONGEST = 20
"""Words of a subject's name, at most: what is longer is prose."""


class Subject(BaseModel, extra="forbid"):
    """What is taught in a discipline."""

    name: str
    level: str
    """For whom, e.g. ``first year of university``."""
    introduction: str
    subtopics: list[str]


class Subjects(BaseModel, extra="forbid"):
    """One list."""

    subjects: list[Subject]


LIST = Prompt("glan_subjects/list", reply=Subjects)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    samples: int = Field(default=10, ge=1, le=50)
    """Lists that are asked for, in one call."""
    count: int = Field(default=20, ge=1, le=100)
    """Subjects that a list is to have."""


class State(Flow, total=False):
    """What the nodes pass on."""

    fields: list[str]
    """Names from the field down to the discipline."""
    lists: list[Subjects]
    found: dict[str, Subject]
    votes: dict[str, int]


Run = Runtime[Kit[Params]]


async def name_discipline(state: State, runtime: Run) -> State:
    """Say what the discipline and what is above it are called."""
    record = state["record"]
    named = record.facts.get("names") or [record.facts.get("topic") or record.last("user")]
    return {"fields": [text for text in map(str, named) if text.strip()]}


async def list_subjects(state: State, runtime: Run) -> State:
    """Have the subjects listed, several times."""
    kit, (*above, name) = runtime.context, state["fields"]
    ask = kit.params
    lists = await kit.ask_many(LIST, ask.samples, discipline=name, above=above, count=ask.count)
    return {"lists": lists}


async def unite(state: State, runtime: Run) -> State:
    """Bring the lists together; the first to name a subject describes it."""
    found, votes = dict[str, Subject](), dict[str, int]()
    for each in state["lists"]:
        named = {bare(unwrapped(s.name), punctuation=False): s for s in each.subjects}
        for key, subject in named.items():
            if key and words(subject.name) <= LONGEST:
                found.setdefault(key, subject)
                votes[key] = votes.get(key, 0) + 1
    return {"found": found, "votes": votes}


async def finish(state: State, runtime: Run) -> State:
    """A record for each subject."""
    record, discipline = state["record"], state["fields"][-1]
    out = list[Outcome]()
    for at, (key, each) in enumerate(state["found"].items()):
        name, subtopics = unwrapped(each.name), [text.strip() for text in each.subtopics]
        facts: dict[str, Json] = {"discipline": discipline, "subject": name}
        facts |= {"level": each.level.strip(), "introduction": each.introduction.strip()}
        facts |= {"subtopics": list(filter(None, subtopics)), "votes": state["votes"][key]}
        out.append(record.child(at, messages=(Message("user", name),), facts=facts))
    return {"out": out}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a discipline without a name, or without a subject."""
    reason = "no_subjects" if state["fields"] else "no_discipline"
    return {"out": [Drop(state["record"], reason)]}


def after_naming(state: State) -> Literal["list_subjects", "give_up"]:
    """Go on where there is something to ask about."""
    return "list_subjects" if state["fields"] else "give_up"


def after_union(state: State) -> Literal["finish", "give_up"]:
    """Go on where some list has a subject."""
    return "finish" if state["found"] else "give_up"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``name_discipline -> list_subjects -> unite -> finish``, or ``give_up`` on the way."""
    g = StateGraph(State, context_schema=Kit)
    for node in (name_discipline, list_subjects, unite, finish, give_up):
        g.add_node(node)
    g.add_edge(START, "name_discipline")
    g.add_conditional_edges("name_discipline", after_naming)
    g.add_edge("list_subjects", "unite")
    g.add_conditional_edges("unite", after_union)
    g.add_edge("finish", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=(LIST,))
