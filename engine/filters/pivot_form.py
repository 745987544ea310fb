"""Pivot form: what a model tuned on pivot blocks wrote, cut down to the answer.

The last block is the response; the pivot's go to the facts. A response without any heading
(``monolingual``) is taken as it is or dropped, as the job says; one that never came to its own
language (``pivot_not_found``) is dropped. Both are counted in the report, which is how often a
model loses the thread.

Source: Zhang et al., "PLUG: Leveraging Pivot Language in Cross-Lingual Instruction Tuning", 2023,
arXiv:2311.08711, section 3 (the response is extracted from the output; three outcomes).
Differs: headings are ours, and found dressed up as well.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from pydantic import BaseModel

from engine.core import Drop, Message, Outcome, Record
from engine.fields import Tag
from engine.kit import Filter, Kit
from engine.text.pivots import headings, parsed


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    pivot: Tag = "en"
    """BCP-47 tag of the pivot language, where the record does not say (``pivot``)."""
    keep_blocks: bool = False
    """Whether the response stays as it is, with all blocks, and is only looked at."""
    monolingual: Literal["keep", "drop"] = "drop"
    """What becomes of a response without any heading."""


def check(record: Record, kit: Kit[Params]) -> Outcome:
    """The record with the last block as its response."""
    heads = headings(str(record.facts.get("pivot") or kit.params.pivot), record.language)
    if heads is None:
        return Drop(record, "no_headings", record.language)
    read = parsed(record.last("assistant"), heads)
    if read.code == "not_found":
        return Drop(record, "pivot_not_found", record.last("assistant")[:200])
    if read.code == "monolingual" and kit.params.monolingual == "drop":
        return Drop(record, "monolingual", record.last("assistant")[:200])
    if kit.params.keep_blocks or read.code == "monolingual":
        return record.with_facts(pivot_code=read.code)
    last = len(record.messages) - 1 - [m.role for m in record.messages][::-1].index("assistant")
    turns = list(record.messages)
    turns[last] = Message("assistant", read.row.response.strip())
    said = {"pivot_instruction": read.row.instruction, "pivot_response": read.row.pivot_response}
    return replace(record, messages=tuple(turns)).with_facts(pivot_code="ok", **said)


FILTER = Filter(check, Params)
