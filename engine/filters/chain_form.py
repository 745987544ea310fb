"""Chain form: a response lists one output for every task that its instruction joins.

The tasks are the joiners of the instruction and one more. The outputs stand under labels that
count up; they are read in any of the forms that models and published data have (``Task2 output:``,
``Task 2 output:``), and written in one. A record whose stages are too few or too many
(``wrong_stage_count``), or one of them empty (``empty_stage``), is dropped. Joiners and labels are
data, by language; a record in another is dropped (``unworded_language``).

Source: Hayati et al., "Chain-of-Instructions: Compositional Instruction Tuning on Large Language
Models", 2024, arXiv:2402.11532 (the form; its released data has both ways to write a label).
Differs: one form, whichever was read; where one sentence was made of the tasks, the joined
instruction is in the fact ``joined``.
"""

from __future__ import annotations

from dataclasses import replace

from pydantic import BaseModel

from engine.core import Drop, Message, Outcome, Record
from engine.kit import Filter, Kit
from engine.text.chains import joiners, stages, words_for, written


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    count_joiners: bool = True
    """Whether the instruction has to have a joiner between any two tasks; if not, any two stages
    or more will do."""


def check(record: Record, kit: Kit[Params]) -> Outcome:
    """The record with its stages in the one form."""
    said = words_for(record.language)
    if said is None:
        return Drop(record, "unworded_language", record.language)
    found = stages(record.last("assistant"), said)
    joined = str(record.facts.get("joined") or record.facts.get("instruction") or "")
    wanted = joiners(joined or record.last("user"), said) + 1
    if len(found) != wanted if kit.params.count_joiners else len(found) < 2:
        return Drop(record, "wrong_stage_count", f"{len(found)} outputs of {wanted} tasks")
    if not all(found):
        return Drop(record, "empty_stage", f"of task {found.index('') + 1}")
    last = len(record.messages) - 1 - [m.role for m in record.messages][::-1].index("assistant")
    turns = list(record.messages)
    turns[last] = Message("assistant", written(found, said))
    return replace(record, messages=tuple(turns)).with_facts(stages=found)


FILTER = Filter(check, Params)
