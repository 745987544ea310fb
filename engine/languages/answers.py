"""Whether a model's answer may stand: whole, in the language, and another one than those before.

Two answers to one question teach something only where both are answers. One in another language
would teach which language to write, so a caller may want proof of the language: then a text of
which nobody can tell is refused, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.core import Json, Record
from engine.languages.agreement import FALLBACK, judged
from engine.languages.identify import identify
from engine.languages.quality import answer_fault
from engine.text.sameness import bare


def refused(
    reply: str, question: str, language: str, before: Iterable[str] = (), *, proven: bool = False
) -> str:
    """Why an answer will not do, as the reason of a drop; empty where it will.

    ``before`` are answers that it must differ from by more than blanks, case and punctuation;
    ``proven`` asks that it is told to be in the language, not only that nothing speaks against it:
    then a close relative that is found for sure is another language, too.
    """
    if getattr(reply, "truncated", False):
        return "cut_answer"
    if fault := answer_fault(reply, question, language):
        return fault
    if bare(reply, punctuation=False) in {bare(each, punctuation=False) for each in before}:
        return "same_answer"
    return _unproven(reply, language) if proven else ""


def provenance(record: Record, **written: str) -> dict[str, Json]:
    """What is known of where a record's fields are from, with those that have been written since.

    Of an instruction that says nothing of it: native.
    """
    known = record.facts.get("provenance")
    return {"instruction": "native", **(known if isinstance(known, Mapping) else {}), **written}


def _unproven(reply: str, language: str) -> str:
    found = identify(reply)
    told = judged(found, language, accept_close=found.confidence < FALLBACK)
    return {"right": "", "unsure": "unsure_language"}.get(told, told)
