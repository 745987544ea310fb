"""An instruction as what evolves: its bare text apart from its input, and what came of it.

The facts ``instruction`` and ``input`` hold the two; a child also says what it was made from and
by how many words it grew, which is measured and never enforced.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from engine.core import Drop, JobError, Json, Message, Outcome, Record
from engine.text.elimination import RULES, answer_fault
from engine.text.lengths import words


def bare_task(record: Record) -> Record:
    """The record with its last instruction, apart from its input, as facts."""
    given = str(record.facts.get("input") or "")
    asked = str(record.facts.get("instruction") or record.last("user").removesuffix(given)).strip()
    return record.with_facts(instruction=asked, input=given)


def evolved(
    seed: Record, index: int, parent: Record, text: str, given: str, **facts: Json
) -> Record:
    """The ``index``-th child of ``seed``: ``text`` made from ``parent``, with the input ``given``.

    ``parent`` is the seed or an elder child, with the facts that ``bare_task`` sets.
    """
    before = parent.facts["instruction"]
    facts |= {"instruction": text, "input": given, "parent_instruction": before}
    facts["growth_words"] = words(text) - words(before)
    asked = (Message("user", f"{text}\n\n{given}" if given else text),)
    return seed.child(index, messages=asked, facts=facts)


def answered(
    child: Record, reply: str, below: int, rules: Collection[str] = RULES
) -> tuple[Record, str]:
    """The child with this answer, and what is wrong with the answer, as a slug."""
    said = child.last("user")
    child = replace(child, messages=(*child.messages, Message("assistant", str(reply))))
    if getattr(reply, "truncated", False):
        return child, "cut_answer"
    return child, answer_fault(reply, said, child.language, below, rules)


def family(seed: Record, kept: Sequence[Record], drops: Sequence[Drop]) -> list[Outcome]:
    """Every survivor, what was eliminated, and the seed as a drop where nothing survived."""
    asked = bare_task(seed).facts["instruction"]
    barren = Drop(seed, "no_rewrite_survived" if asked else "no_instruction")
    return [*kept, *drops, *([] if kept else [barren])]


def row_number(record: Record, fact: str, otherwise: int) -> int:
    """The row number, 0 or more, that the record has in ``fact``; ``otherwise`` if none is named.

    Raises:
        JobError: the fact is named, and the record has no such number in it.
    """
    if not fact:
        return otherwise
    row = record.facts.get(fact)
    if type(row) is not int or row < 0:
        raise JobError(f"the fact {fact!r} of the record {record.id} is no row number: {row!r}")
    return row
