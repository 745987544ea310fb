"""Math: the response's final answer is the reference's, whatever way both are written.

The reference is a fact: a number, a formula, a choice letter or a word; or a worked solution with
a box or ``####`` in it. The response's final answer is where it is announced
(``engine.text.finding``); nothing is taken for one where there is none. Numbers are compared
exactly, in the digits and with the separators of any script; formulas by a computer algebra system
in a process with a time limit. What hangs or cannot be read is an error, never a verdict.

Source: Kydlíček, Gandenberger, "Math-Verify: A Robust Mathematical Expression Evaluation System",
2025, https://github.com/huggingface/Math-Verify, the library asked; Hendrycks et al., "Measuring
Mathematical Problem Solving With the MATH Dataset", 2021, arXiv:2103.03874 (boxed answers).
Differs: extraction and numbers are ours, since the library reads ASCII and English announcements;
it decides formulas only. A share equals its percentage, a number with a unit the same without.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, Field

from engine.core import Drop, Finding, Outcome, Record
from engine.fields import Tag
from engine.kit import Kit, Verifier
from engine.symbolic.algebra import AlgebraError, shared
from engine.text.answers import Answer
from engine.text.finding import final_like, reference


class Params(BaseModel, extra="forbid"):
    """Where the reference is, and how hard to try."""

    reference: str = "answer"
    """The fact with the reference: a text, a number, or a list of which any will do."""
    reference_language: Tag = ""
    """BCP-47 tag by whose separators the reference is read; empty: the record's own. A translated
    task may have kept the reference of its original, ``en``."""
    timeout_s: float = Field(default=5.0, gt=0, le=600)
    """Seconds for one comparison of two formulas."""
    workers: int = Field(default=1, ge=1, le=64)
    """Processes that compare formulas, 1 or more; each takes about 150 MiB."""


async def check(record: Record, kit: Kit[Params]) -> Outcome | Finding:
    """Keep the record, with its final answer, where that equals the reference."""
    params = kit.params
    due = list(_references(record, params))
    if not due:
        return Drop(record, "no_reference", f"facts[{params.reference!r}] holds no answer")
    found = final_like(record.last("assistant"), record.language, due[0])
    if found is None:
        return Drop(record, "no_answer", "the response gives no final answer")
    record = record.with_facts(math={"answer": found.answer.text, "place": found.place})
    unread = ""
    for one in due:
        try:
            equal = await shared(params.workers).same(found.answer, one, params.timeout_s)
        except AlgebraError as error:
            equal, unread = None, str(error)
        if equal:
            return record
        if equal is None:
            unread = unread or f"cannot be compared: {found.answer.text!r}, {one.text!r}"
    if unread:
        return Finding(record, "error", unread, "undecided_answer")
    wanted = " or ".join(each.text for each in due)
    return Drop(record, "wrong_answer", f"{found.answer.text!r} ({found.place}), not {wanted!r}")


def _references(record: Record, params: Params) -> Iterator[Answer]:
    given = record.facts.get(params.reference)
    for each in given if isinstance(given, list) else [given]:
        if found := reference(each, params.reference_language or record.language):
            yield found


VERIFIER = Verifier(check, Params)
