"""What came of a localised instruction: what was to go is gone, what was to stay is there.

The pieces that are bound to a culture are a model's list, held against the prompt (a piece that is
not in it is none) and against the user's gazetteer (a kind that it lists allows no other names).
A rewrite is put back together and measured: its language, what is left of the originals, the
numbers that somebody calculates with, the final answer, and every condition on the answer.

A name that goes into another script unreplaced (a transliteration) is not seen as such; but its
replacement is missing then, which shows in ``share`` and, where all are, in ``status``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from typing import Literal

from engine.constraints.auditing import same_words
from engine.constraints.keywords import Forbidden, forbidden
from engine.constraints.kinds import Context
from engine.constraints.reading import results
from engine.constraints.units import blank, fold, unit
from engine.core import Json, Message, Record
from engine.languages.adapting import Rewrite, Span, Work
from engine.languages.agreement import teller
from engine.languages.conditions import request
from engine.languages.locales import Gazetteer
from engine.languages.localising import repeating
from engine.languages.masking import SENTINEL, Unrestorable, restore
from engine.languages.quality import answer_fault, spoken
from engine.languages.tags import base
from engine.text.finding import final
from engine.text.numerals import values
from engine.text.quoting import located
from engine.text.scripts import share_in_script

STALE = frozenset(
    {"instruction", "input", "seed_instruction", "constraints", "constraint_sentences", "answers"}
    | {"constraint_results", "pass_rate", "rejected", "translated_input", "translated_output"}
)
"""Facts about the wording of the source, or of answers to it."""
_SIGNS = "\"'“”„«»‘’‚‹›()[]¿¡.,;:!?…،؛؟।"
STEM = 3
"""Letters of a word that are looked for, at least."""
AMOUNTS = ("money", "measure")
"""Kinds of pieces whose numbers are calculated with, where there is another number."""


def bound(
    work: Work, spans: Sequence[Span], gazetteer: Gazetteer, neutral: Literal["keep", "drop"]
) -> Work:
    """The work with the culture-bound spans of its prompt, or with the fault of the list."""
    there = {each.span: each for each in spans if _is_piece(each.span, work.masked.text)}
    strays = sum(each.span not in there for each in spans)
    work = replace(work, spans=tuple(there.values()), strays=strays)
    if spans and not there:
        return work.failed("spans_not_found", f"not in the prompt: {spans[0].span!r}")
    if not spans and neutral == "drop":
        return replace(work, stage="done").failed("not_localised", "nothing in it is bound")
    for each in work.spans:
        names = {fold(name, work.tag) for name in gazetteer.names.get(each.kind, ())}
        if names and fold(each.replacement.strip(), work.tag) not in names:
            told = f"{each.replacement!r} is none of the names listed under {each.kind}"
            return work.failed("not_in_gazetteer", told)
    return replace(work, stage="rewrite", fault="", detail="", take=0)


def numbers(work: Work) -> list[str]:
    """The numbers that must stay, each as often as it is there: all but those of replaced pieces.

    Of these, too, one that the answer has stays; and amounts where there are several numbers, for
    who pays with a note of 50 for three things at 12 has to go on calculating.
    """
    return sorted(map(_shown, _held_numbers(work).elements()))


def rewritten(work: Work, rewrite: Rewrite) -> Work:
    """The work with a rewrite, everything put back, or with the first fault of it."""
    work = replace(work, rewrite=rewrite, text="", fault="", detail="")
    try:
        text = restore(rewrite.prompt.strip(), work.masked.kept)
    except Unrestorable as error:
        return work.failed(f"{error.fault}_mark", str(error))
    asked = request(work, rewrite.prompt)
    moves = tuple(repeating(move, asked) for move in work.localised.moves)
    work = replace(work, text=text, localised=replace(work.localised, moves=moves))
    if wrong := next(chain(_of_prompt(work), _of_answer(work)), None):
        return work.failed(*wrong)
    return replace(work, stage="done")


def share(work: Work) -> float | None:
    """Share (0..1) of the culture-bound spans that were localised; None where there were none.

    Such a span is gone, and what was to take its place is there.
    """
    done = [span for span in _gone(work) if _there(span, work)]
    return len(done) / len(work.spans) if work.spans else None


def _gone(work: Work) -> list[Span]:
    """Spans that are not there any more."""
    left = _residue(work)
    return [span for span in work.spans if span.span not in left and not _unchanged(span)]


def borne_out(work: Work) -> list[dict[str, str]]:
    """The changes that the rewrite reports, as far as its text has them."""
    whole = fold(f"{work.text}\n{work.rewrite.answer}", work.tag)
    found = [each for each in work.rewrite.changes if each.after.strip()]
    return [each.model_dump() for each in found if fold(each.after.strip(), work.tag) in whole]


def composed(record: Record, index: int, work: Work) -> Record:
    """The record in the locale; it is in the language of its answer.

    What was known of the source's wording alone is left behind.
    """
    kept = {name: fact for name, fact in record.facts.items() if name not in STALE}
    turns = [Message("user", work.text)]
    turns += [Message("assistant", work.rewrite.answer.strip())] if work.response else []
    roles = ("instruction", "response")[: len(turns)]
    facts: dict[str, Json] = {
        "parallel_id": str(record.facts.get("parallel_id") or record.id),
        "localised_from": record.language,
        "instruction_language": work.tag,
        "output_language": work.answer_language,
        "provenance": dict.fromkeys(roles, "localised"),
        "localised": _evidence(work),
    }
    if work.conditions:
        facts["constraints"] = [each.dump() for each in work.conditions]
        facts["constraint_sentences"] = list(filter(None, work.said))
    made = record.child(index, language=work.answer_language, messages=tuple(turns))
    return replace(made, facts=kept | facts)


def _evidence(work: Work) -> dict[str, Json]:
    """What was done to the record, and how much of it is sure.

    ``unconfirmed``: what was bound is gone, and nothing of what was to take its place is seen.
    """
    part = share(work)
    moves = [(move.before.type, move.action) for move in work.localised.moves]
    return {
        "status": "neutral" if part is None else "localised" if part else "unconfirmed",
        "share": part if part is None else round(part, 4),
        "spans": [each.model_dump() for each in work.spans],
        "strays": work.strays,
        "changes": borne_out(work),
        "constraints": [{"type": type_, "action": action} for type_, action in moves],
    }


def _of_prompt(work: Work) -> Iterator[tuple[str, str]]:
    """What is wrong with the rewritten prompt."""
    bare, before = spoken(work.rewrite.prompt), spoken(work.masked.text)
    if before.strip() and (reason := answer_fault(bare, "", work.tag)):
        yield reason.replace("answer", "prompt"), f"the prompt is not in {work.tag}"
    if work.spans and (not _gone(work) or _still(before, bare, work)):
        yield "not_localised", "nothing that is bound to the culture has changed"
    if left := _residue(work):
        yield "residue", f"still there: {', '.join(left)}"
    if lost := _held_numbers(work) - values(bare, work.tag):
        yield "changed_number", f"gone: {', '.join(sorted(map(_shown, lost)))}"


def _of_answer(work: Work) -> Iterator[tuple[str, str]]:
    """What is wrong with the rewritten answer, where the record has one."""
    answer, language = work.rewrite.answer, work.answer_language
    if not work.response:
        return
    if reason := answer_fault(answer, work.text, language):
        yield reason, f"the answer is to be in {language}"
    found = results(answer, work.conditions, language, teller(language))
    if failed := [each for each in found if each["strict"] == "fail"]:
        yield "constraint_failed", "; ".join(f"{each['type']}: {each['why']}" for each in failed)
    before, after = _final(work.response, work.way.origin), _final(answer, language)
    if before is not None and before != after:
        yield "changed_answer", f"the final answer was {_shown(before)}"
    if left := _residue(work, answer):
        yield "residue", f"still in the answer: {', '.join(left)}"


def _is_piece(span: str, text: str) -> bool:
    """Whether a text has this piece, it says something, and nothing in it has been taken out."""
    says_something = not blank(span) and bool(fold(span, "").strip())
    return says_something and not SENTINEL.search(span) and located(span, text) is not None


def _held_numbers(work: Work) -> Counter[Fraction | str]:
    origin = work.way.origin
    whole, calculated = values(spoken(work.masked.text), origin), values(work.response, origin)
    free = Counter[Fraction | str]()
    for each in work.spans:
        if each.kind not in AMOUNTS or whole.total() == 1:
            free += values(each.span, origin)
    return whole - Counter({value: n for value, n in free.items() if value not in calculated})


def _final(text: str, language: str) -> Fraction | None:
    """The number that a text announces as its answer; the last one of an essay is none."""
    found = final(text, language, "number")
    return found.answer.value if found and found.place != "number" else None


def _residue(work: Work, text: str = "") -> list[str]:
    """Spans that are still there, as words, and were to be replaced by something else."""
    text, context = text or spoken(work.rewrite.prompt), Context(work.tag)
    return [
        each.span
        for each in work.spans
        if not _unchanged(each)
        and fold(each.span, work.tag) not in fold(each.replacement, work.tag)
        and forbidden(text, Forbidden(words=(each.span,)), context).verdict == "fail"
    ]


def _unchanged(span: Span) -> bool:
    return " ".join(span.span.split()).casefold() == " ".join(span.replacement.split()).casefold()


def _there(span: Span, work: Work) -> bool:
    """Whether the text has the replacement: half of its words, inflected or not."""
    text, wanted = fold(work.text, work.tag), fold(span.replacement.strip(), work.tag)
    if wanted in text or share_in_script(wanted, work.tag) < 1:  # written otherwise in the text
        return True
    if unit(work.tag) == "characters":
        return False
    there = text.split()
    found = [any(_inflected(word, each) for each in there) for word in wanted.split()]
    return 2 * sum(found) >= len(found)


def _inflected(word: str, other: str) -> bool:
    """Whether two words begin alike, or, behind an article or the like, end alike."""
    most = -(-len(word) * 2 // 3)
    begin, end = word[: max(STEM, most)], word[-max(STEM + 1, most) :]
    return other.lstrip(_SIGNS).startswith(begin) or other.rstrip(_SIGNS).endswith(end)


def _still(before: str, after: str, work: Work) -> bool:
    """Whether not a word has changed; of two languages every word has."""
    same = base(work.way.origin) == base(work.tag)
    return same and same_words(before, after)


def _shown(value: Fraction | str) -> str:
    exact = isinstance(value, Fraction) and value.denominator != 1
    return str(float(value)) if exact else str(value)
