"""Injection: mark records whose material gives orders to the model that reads it.

A web page that says "ignore all previous instructions" makes a bad document to write tasks from:
the writer may obey, and who trains on the pair may learn to. Looked at is what comes from outside:
the facts ``fields`` (document, input, title) and the turns of ``roles`` (what tools returned).
Found are phrases of three kinds in 20 languages (``taxonomies/injections.yaml``: ``override``,
``role``, ``disclose``), all of them in every text, and tokens of chat templates (``template``)
that open a turn of their own. ``facts["injection"]`` says where, which kind and with what words.

A text about such attacks says the same words: the usual is to mark, not to drop, and a mark is
what a job may filter or oversample by. What is said in other words is not seen.

Source: Greshake et al., "Not what you've signed up for: Compromising Real-World LLM-Integrated
Applications with Indirect Prompt Injection", 2023, arXiv:2302.12173.
Differs: phrases as data, in many languages; the facts a method keeps its context in.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Literal

import regex
from pydantic import BaseModel

from engine.core import Drop, Finding, Outcome, Record, Role
from engine.kit import Filter, Kit
from engine.text.openings import search
from engine.text.phrases import folded, phrase_lists

Kind = Literal["override", "role", "disclose", "template"]
KINDS = ("override", "role", "disclose")
WORDS = 120
"""Characters of what was said that are kept as evidence."""
_TEMPLATE = regex.compile(
    r"<\|(?:im_start|start_header_id|system|user|assistant|begin_of_text|endoftext|eot_id|im_end)\|>"
    r"|\[/?INST\]|<</?SYS>>|<start_of_turn>|<｜(?:User|Assistant|begin▁of▁sentence)｜>"
    r"|^#{2,3} ?(?:System|Instruction|Human|Assistant):",
    regex.M,
)


class Params(BaseModel, extra="forbid"):
    """Where to look, and what then."""

    action: Literal["mark", "drop"] = "mark"
    """``mark`` the record in ``facts["injection"]`` and keep it, or ``drop`` it."""
    fields: tuple[str, ...] = ("document", "input", "title")
    """Facts that hold text from outside."""
    roles: tuple[Role, ...] = ("tool",)
    """Turns that hold text from outside; ``user`` where instructions are from the wild."""
    more: tuple[str, ...] = ()
    """More phrases; ``[a | b]`` are alternatives, ``...`` up to four words."""


def check(record: Record, kit: Kit[Params]) -> Outcome | Finding:
    """Mark the record if any text from outside speaks to a model."""
    found = [
        {"where": where, "kind": kind, "said": said[:WORDS]}
        for where, text in _outside(record, kit.params)
        for kind, said in _orders(text, kit.params.more)
    ]
    if not found:
        return record
    marked = record.with_facts(injection=found)
    evidence = "; ".join(f"{each['kind']} in {each['where']}: {each['said']}" for each in found)
    if kit.params.action == "drop":
        return Drop(marked, "injection", evidence)
    return Finding(marked, "pass", f"marked: {evidence}")


def _outside(record: Record, params: Params) -> Iterator[tuple[str, str]]:
    for name in params.fields:
        if isinstance(text := record.facts.get(name), str):
            yield name, text
    for at, message in enumerate(record.messages):
        if message.role in params.roles:
            yield f"turn {at}", message.content


def _orders(text: str, more: tuple[str, ...]) -> Iterator[tuple[Kind, str]]:
    """The first order of each kind."""
    if token := _TEMPLATE.search(text):
        yield "template", token[0]
    said = folded(text)
    for kind, phrases in _listed(more):
        if order := search(said, phrases):
            yield kind, order


@cache
def _listed(more: tuple[str, ...]) -> tuple[tuple[Kind, tuple[str, ...]], ...]:
    lists = phrase_lists("injections.yaml").values()
    of = {kind: tuple(p for kinds in lists for p in kinds.get(kind, ())) for kind in KINDS}
    return (("override", of["override"] + more), ("role", of["role"]), ("disclose", of["disclose"]))


FILTER = Filter(check, Params)
