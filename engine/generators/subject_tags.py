"""InfinityInstruct-Subject, step 1: what an instruction takes, as fine tags under a macro category.

The model names the pieces of knowledge and the abilities that a good answer needs. The tags are
tidied (case, copies, fragments) and mapped to a tree of two levels: where a tag is the name of a
category in any of the tree's languages, without a model; else the model chooses, first among the
25 macro categories, then below the one it chose. ``facts["label"]`` holds ``tags``, ``macro`` and
``category`` (the path in the tree). Across records, spellings are merged by ``tag_synonyms``.

Source: Du et al., "Scaling Towards the Information Boundary of Instruction Set:
InfinityInstruct-Subject Technical Report", 2025, arXiv:2507.06968.
Differs: the tree is ours (``taxonomies/subject_tags.yaml``), and a job may bring its own; the
language of the tags is a setting.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

import networkx as nx
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop
from engine.fields import Tag
from engine.kit import Flow, Generator, InputPath, Kit
from engine.prompting import Prompt
from engine.taxonomy import ROOT, load, names, shipped
from engine.text.lengths import words
from engine.text.sameness import bare

LONGEST = 6
"""Words of a tag; what is longer is a sentence."""
OTHER = "other"
"""The option to go no deeper into the tree."""


class Categories(NamedTuple):
    """The tree, and which node a name in any language stands for."""

    tree: nx.DiGraph[str]
    named: dict[str, str]


class Tagged(BaseModel, extra="forbid"):
    """What a good answer needs: topics one knows about, and skills."""

    topics: list[str]
    skills: list[str]


TAG = Prompt("subject_tags/tag", reply=Tagged)
CHOOSE = Prompt("subject_tags/choose", reply=str)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    categories: InputPath | None = None
    """A taxonomy file of two levels, of your own; the shipped one where left out."""
    tag_language: Tag = ""
    """BCP-47 tag of the language that tags are in, so that they can be counted over languages;
    the record's own where empty."""
    most: int = Field(default=10, ge=1, le=30)
    """Tags of an instruction, at most."""


class State(Flow, total=False):
    """What the nodes pass on."""

    tags: list[str]
    at: str
    """The node of the tree that has been reached; empty at its root."""
    settled: bool
    """Whether it goes no deeper."""


Run = Runtime[Kit[Params]]


async def tag(state: State, runtime: Run) -> State:
    """Have the model name the knowledge and the abilities that an answer takes."""
    kit, instruction = runtime.context, state["record"].last("user").strip()
    if not instruction:
        return {"tags": []}
    language = kit.params.tag_language
    reply = await kit.ask(TAG, language=language, instruction=instruction, count=kit.params.most)
    return {"tags": [*reply.topics, *reply.skills]}


async def normalise(state: State, runtime: Run) -> State:
    """One spelling and no fragments or sentences; then the category that most tags are names of."""
    kit = runtime.context
    tidy = (" ".join(each.replace("_", " ").split()).lower() for each in state["tags"])
    fit = {_plain(each): each for each in tidy if _plain(each) and words(each) <= LONGEST}
    known = [path for each in fit if (path := _categories(kit.params.categories).named.get(each))]
    at = Counter(known).most_common(1)[0][0] if known else ROOT
    return {"tags": list(fit.values())[: kit.params.most], "at": at, "settled": False}


async def choose(state: State, runtime: Run) -> State:
    """Let the model choose among the categories below the one that was reached."""
    kit, record, at = runtime.context, state["record"], state["at"]
    tree = _categories(kit.params.categories).tree
    below = {tree.nodes[node]["key"]: node for node in tree.successors(at)}
    listed = [{"key": key, "name": _listed(tree, node)} for key, node in below.items()]
    instruction, tags = record.last("user"), state["tags"]
    said = await kit.choose(
        CHOOSE, [*below, OTHER], instruction=instruction, tags=tags, categories=listed
    )
    return {"at": below.get(said, at), "settled": said not in below}


async def label(state: State, runtime: Run) -> State:
    """Write the tags and the category down."""
    record, at = state["record"], state["at"]
    tree = _categories(runtime.context.params.categories).tree
    called = names(tree, at, record.language) if at else []
    place = {"macro": at.partition("/")[0] or OTHER, "category": at or OTHER, "names": called}
    return {"out": [record.with_facts(label={"tags": state["tags"], **place})]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop what asks nothing, or takes nothing that has a name."""
    asks = state["record"].last("user").strip()
    return {"out": [Drop(state["record"], "no_tags" if asks else "no_instruction")]}


def after_normalise(state: State, runtime: Run) -> Literal["choose", "label", "give_up"]:
    """Map by name where that leads to a leaf; else ask."""
    return after_choose(state, runtime) if state["tags"] else "give_up"


def after_choose(state: State, runtime: Run) -> Literal["choose", "label"]:
    """Go deeper while there is something below."""
    leaf = not _categories(runtime.context.params.categories).tree.out_degree(state["at"])
    return "label" if leaf or state["settled"] else "choose"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``tag -> normalise -> (choose)* -> label``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (tag, normalise, choose, label, give_up):
        g.add_node(node)
    g.add_edge(START, "tag")
    g.add_edge("tag", "normalise")
    g.add_conditional_edges("normalise", after_normalise)
    g.add_conditional_edges("choose", after_choose)
    g.add_edge("label", END)
    g.add_edge("give_up", END)
    return g


@lru_cache(maxsize=8)
def _categories(path: Path | None) -> Categories:
    tree = load(path or shipped("subject_tags") or Path("subject_tags.yaml"))
    named: dict[str, str] = {}
    for node, facts in tree.nodes.items():
        for name in (facts["key"].replace("_", " "), *facts["names"].values()):
            named.setdefault(_plain(name), node)
    return Categories(tree, named)


def _plain(name: str) -> str:
    return bare(name, punctuation=False)


def _listed(tree: nx.DiGraph[str], node: str) -> str:
    """The English name of a category, with those below it."""
    below = [names(tree, child, "en")[-1] for child in tree.successors(node)]
    return names(tree, node, "en")[-1] + (f" ({', '.join(below)})" if below else "")


GENERATOR = Generator(graph, Params, prompts=(TAG, CHOOSE))
