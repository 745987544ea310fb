"""The conditions of an instruction, taken out of it and said in another language.

A condition is where the prompt states it: a model quotes the sentence, or whoever made the prompt
has left it on the record (``facts["constraint_sentences"]``). In its place the prompt gets a mark;
behind the mark stands what became of the condition, in the wording that ``constraints.yaml`` lists
for the language, or in a model's, which must name every number, word and sign of it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import regex

from engine.constraints.auditing import faults
from engine.constraints.drawing import in_english, says, worded
from engine.constraints.lengths import Words
from engine.constraints.reading import Constraint, ConstraintError
from engine.constraints.stock import stock_for
from engine.constraints.units import unit
from engine.core import Json
from engine.languages.adapting import Condition, Work
from engine.languages.localising import Move, repeatable, translated
from engine.languages.masking import SENTINEL, Kept, Masked, mask, sentinel
from engine.text.quoting import located

FREE = ("quantity",)
"""Pieces that a translator leaves alone and a localiser may not: amounts of money, measures."""
_LOOSE = regex.compile(r"^[ \t]*(?:[-*•]|\p{Nd}{1,2}[.)])[ \t]*\n?$", regex.M)
"""A list mark with nothing behind it: what is left of a condition that was left out."""
_BLANKS = regex.compile(r"\n[ \t]*\n(?:[ \t]*\n)+")


def silent(work: Work, rng: random.Random) -> bool:
    """Whether nobody has to be asked: all is known and listed, or nothing can come of it."""
    if not work.conditions or _impossible(work):
        return True
    found = len(work.places) == len(work.localised.moves)
    asked = any(move.asks for move in work.localised.moves)
    return found and not asked and all(_stock(work, each, rng) for each in work.conditions)


def questions(work: Work, rng: random.Random) -> list[dict[str, Json]]:
    """Each condition for the model that finds it and says it: in English, with its words."""
    tag = work.answer_language
    asked = [(move.after or move.before, move.asks) for move in work.localised.moves]
    asked += [(each, ()) for each in work.localised.added]
    return [{"text": in_english(each, tag, rng), "words": list(asks)} for each, asks in asked]


def held(work: Work, replies: Sequence[Condition], rng: random.Random) -> Work:
    """The work with its conditions taken out and said in the other language, or with a fault."""
    if wrong := _impossible(work):
        return replace(work, stage="done").failed(*wrong)
    by_number = {reply.number: reply for reply in replies}
    empty = Condition(number=0, sentence="", words=[], restated="")
    moves, places = list[Move](), list[tuple[int, int]]()
    for n, move in enumerate(work.localised.moves):
        reply = by_number.get(n + 1, empty)
        place = work.places[n] if work.places else located(reply.sentence, work.prompt)
        if place is None:
            told = f"condition {n + 1}: {reply.sentence!r} is not in the prompt, letter by letter"
            return work.failed("constraint_not_found", told)
        try:
            move = translated(move, reply.words if move.asks else (), work.answer_language)
        except ConstraintError as error:
            return work.failed("bad_keyword", f"condition {n + 1}: {error}")
        moves, places = [*moves, move], [*places, place]
    request = _outside(work.prompt, places)
    moved = replace(work.localised, moves=tuple(repeatable(move, request) for move in moves))
    said = [by_number.get(n + 1, empty).restated for n in range(moved.size)]
    done = _worded(replace(work, localised=moved, places=tuple(places)), said, rng)
    return work.failed(done.fault, done.detail) if done.stage == "hold" else done


def request(work: Work, rewritten: str) -> str:
    """The rewritten prompt without its conditions, everything else put back."""
    joiner = stock_for(work.tag).joiner
    stated = {joiner.join(filter(None, sentences)) for _, _, sentences in _groups(work)}
    pieces = ["" if piece.text in stated else piece.text for piece in work.masked.kept]
    return SENTINEL.sub(lambda found: pieces[int(found[1])], rewritten).strip()


def _worded(work: Work, restated: Sequence[str], rng: random.Random) -> Work:
    """The work with every condition in words and its prompt masked, or with the fault of one."""
    kept = [*(move.after for move in work.localised.moves), *work.localised.added]
    pairs = zip(kept, restated, strict=True)
    said = tuple(_said(work, each, words, rng) for each, words in pairs)
    if mute := [n for n, each in enumerate(kept) if each and not said[n]]:
        told = f"condition {mute[0] + 1}: `restated` leaves out a number, a word or a sign of it"
        return work.failed("unworded_constraint", told)
    if wrong := _impossible(work):
        return replace(work, stage="done").failed(*wrong)
    work = replace(work, said=said, stage="list_spans", fault="", detail="", take=0)
    return replace(work, masked=_masked(work))


def _impossible(work: Work) -> tuple[str, str] | None:
    """Why no answer could meet what is left of the conditions, whatever a model replies."""
    if work.localised.moves and not work.conditions:
        return "no_constraint_left", "no condition can be asked for in this language"
    asked = any(move.asks for move in work.localised.moves)
    found = () if asked else faults(work.conditions, work.answer_language)
    return next((("bad_constraint", f"{fault}: {told}") for fault, told in found), None)


def _said(work: Work, constraint: Constraint | None, restated: str, rng: random.Random) -> str:
    """A condition in words of the prompt's language; empty where it is gone or left half said."""
    if constraint is None:
        return ""
    if sentence := _stock(work, constraint, rng):
        return sentence
    return restated.strip() if says(restated, constraint, work.tag) else ""


def _stock(work: Work, constraint: Constraint, rng: random.Random) -> str:
    """A listed wording; none where it would count in another unit than the answer's."""
    units = {unit(work.tag), unit(work.answer_language)}
    if isinstance(constraint.params, Words) and len(units) > 1:
        return ""
    return worded(constraint, work.tag, rng)


def _masked(work: Work) -> Masked:
    """The prompt with a mark for every condition, and for what nobody may touch."""
    kept: list[Kept] = []
    parts: list[str] = []
    end, groups = 0, _groups(work)
    for start, stop, sentences in groups:
        parts.append(_still_masked(work.prompt[end:start], kept))
        if any(sentences):
            parts.append(sentinel(len(kept)))
            said = stock_for(work.tag).joiner.join(filter(None, sentences))
            kept.append(Kept("block", said))
        end = stop
    text = "".join([*parts, _still_masked(work.prompt[end:], kept)])
    gone = any(not any(sentences) for _, _, sentences in groups)
    return Masked(_BLANKS.sub("\n\n", _LOOSE.sub("", text)).strip() if gone else text, tuple(kept))


def _groups(work: Work) -> list[tuple[int, int, list[str]]]:
    """Stretches of the prompt that state conditions, and these in the other language.

    Two conditions in one sentence are one stretch. What was added goes with the last.
    """
    found: list[tuple[int, int, list[str]]] = []
    for (start, stop), said in sorted(zip(work.places, work.said, strict=False)):
        if found and start < found[-1][1]:
            before = found.pop()
            found.append((before[0], max(before[1], stop), [*before[2], said]))
        else:
            found.append((start, stop, [said]))
    if found:
        found[-1][2].extend(work.said[len(work.places) :])
    return found


def _outside(prompt: str, places: Sequence[tuple[int, int]]) -> str:
    """The prompt without what stands at these places."""
    parts, end = [], 0
    for start, stop in sorted(places):
        parts.append(prompt[end : max(end, start)])
        end = max(end, stop)
    return " ".join([*parts, prompt[end:]])


def _still_masked(text: str, kept: list[Kept]) -> str:
    """A stretch with marks for code, links and slots, counted on in ``kept``."""
    whole = mask(text)

    def again(found: regex.Match[str]) -> str:
        piece = whole.kept[int(found[1])]
        if piece.kind in FREE:
            return piece.text
        kept.append(Kept(piece.kind, piece.text))
        return sentinel(len(kept) - 1)

    return SENTINEL.sub(again, whole.text)
