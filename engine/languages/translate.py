"""Which fields of a record are translated, in which pieces, and how they are put together again.

A record is taken apart into fields (system, instruction, input, response), each with a policy:
``translate`` it, ``keep`` it as it is, or ``regenerate`` it, that is leave it out, for a later step
to write in the target language. A field that is translated becomes a ``Unit``: masked (see
``masking``), cut at its blank lines into pieces that a model can carry, translated piece by piece,
joined by the very gaps it had, and unmasked. Of every field of what comes out it is known whether
it is native, translated or to be regenerated.

Nothing here asks a model: that is the generator ``translate``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import regex

from engine.core import Json, Message, Record
from engine.languages.masking import (
    SENTINEL,
    Masked,
    Unrestorable,
    mask,
    numbers,
    restore,
    sentinel,
)
from engine.text.leftovers import unwrapped

Field = Literal["system", "instruction", "input", "response"]
Policy = Literal["translate", "keep", "regenerate"]
Origin = Literal["native", "translated", "regenerated"]

FIELDS: Mapping[str, Field] = {
    "system": "system",
    "user": "instruction",
    "assistant": "response",
    "tool": "response",
}
"""Role of a turn -> the field it is."""
_BLANKS = regex.compile(r"[\s\x1c-\x1f]++")
"""What ``str.strip`` takes off, as one run: found in one pass, however long."""
_LETTER = regex.compile(r"\p{L}")


@dataclass(frozen=True, slots=True)
class Unit:
    """One field of a record on its way into one language."""

    language: str
    """BCP-47 tag of the language it goes into."""
    place: str
    """Where it stands: ``0`` is the first turn, ``0.input`` its input, ``rejected`` a fact."""
    kind: Field
    source: str
    masked: Masked
    draft: str = ""
    """The last translation, still with sentinels."""
    drafts: tuple[str, ...] = ()
    """The same, piece by piece."""
    text: str = ""
    """The last translation, with everything put back; empty where that could not be."""
    back: str = ""
    """It, translated back."""
    take: int = 0
    """How often it has been translated."""
    fault: str = ""
    """Why the last translation will not do, as the reason of a drop; empty where it will."""
    detail: str = ""
    """Its particulars."""
    quality: Mapping[str, float] = field(default_factory=dict)
    """What was measured of the last translation."""
    sound: bool = False
    """Whether it has passed everything."""

    @property
    def fresh(self) -> bool:
        """Whether the last translation has been found neither bad nor good yet."""
        return not (self.fault or self.sound)

    def knowing(self, **measures: float) -> Unit:
        """The same with more measures of its translation."""
        return replace(self, quality={**self.quality, **measures})

    @property
    def name(self) -> str:
        """The field's name in the quality of a record."""
        return f"{self.kind}@{self.place}"


def opened(
    record: Record, language: str, policy: Mapping[str, Policy], entities: Sequence[str] = ()
) -> tuple[Unit, ...]:
    """What of a record is to be translated into one language, in the order of its turns.

    A field without a letter of any script (numbers, code alone) needs no translator.
    """
    found = []
    for place, name, text in _fields(record):
        if policy.get(name) == "translate" and record.language != language:
            unit = Unit(language, place, name, text, mask(text, entities))
            found += [unit] if speaks(unit.masked.text) else []
    return tuple(found)


def chunks(text: str, most: int) -> tuple[list[str], list[str]]:
    """Pieces of at most about ``most`` characters, and the gaps around them, one more than pieces.

    Cut at blank lines; a paragraph that is longer by itself is cut at its line breaks, and a line
    that is longer stays whole. What has no words, a block of code, is a piece of its own.
    ``gap + piece + gap + ... + gap`` is the text.
    """
    core = text.strip()
    if not core:
        return [], [text]
    at = text.index(core)
    pieces: list[str] = []
    gaps = [text[:at]]
    for gap, part in _parts(core, most):
        short = pieces and len(pieces[-1]) + len(gap) + len(part) <= most
        if short and speaks(pieces[-1]) == speaks(part):
            pieces[-1] += gap + part
        else:
            gaps += [gap] if pieces else []
            pieces.append(part)
    return pieces, [*gaps, text[at + len(core) :]]


def speaks(piece: str) -> bool:
    """Whether a masked text has anything to translate: a letter outside of its sentinels."""
    return bool(_LETTER.search(SENTINEL.sub("", piece)))


def marks(piece: str) -> list[str]:
    """The sentinels in a piece, for the prompt that names them."""
    return [sentinel(number) for number in numbers(piece)]


def joined(pieces: Sequence[str], gaps: Sequence[str]) -> str:
    """Translated pieces between the gaps of the source."""
    body = "".join(gap + piece.strip() for gap, piece in zip(gaps, pieces, strict=False))
    return body + gaps[-1]


def unmasked(
    unit: Unit, replies: Sequence[str], pieces: Sequence[str], gaps: Sequence[str]
) -> Unit:
    """The unit with a new translation, everything put back, or with the fault that forbids it.

    ``replies`` are the translations of ``pieces``; one that the token limit cut is a fault, too.
    """
    drafts = tuple(_bare(*each) for each in zip(replies, pieces, strict=True))
    unit = replace(unit, drafts=drafts, text="", back="", take=unit.take + 1)
    unit = replace(unit, fault="", detail="", quality={}, sound=False)
    if any(getattr(reply, "truncated", False) for reply in replies):
        return replace(unit, fault="cut_translation", detail="the token limit cut it short")
    draft = joined(drafts, gaps)
    try:
        return replace(unit, draft=draft, text=restore(draft, unit.masked.kept))
    except Unrestorable as error:
        told = f"{error.fault}_placeholder"
        return replace(unit, draft=draft, fault=told, detail=str(error))


def _bare(reply: str, piece: str) -> str:
    """The reply without what a model put around it, where the piece had nothing around it."""
    return unwrapped(reply) if unwrapped(piece) == piece else reply.strip()


def composed(
    record: Record, index: int, language: str, units: Sequence[Unit], policy: Mapping[str, Policy]
) -> Record:
    """The record in another language: translated, kept and left-out fields, and which is which.

    ``provenance`` says of every field whether it is native, translated or (to be) regenerated;
    ``parallel_id`` is the same in every language.
    """
    texts = {unit.place: unit.text or unit.draft for unit in units}
    turns = [_turn(record, at, texts) for at in range(len(record.messages))]
    if policy.get("response") == "regenerate" and turns and turns[-1].role == "assistant":
        del turns[-1]
    facts = dict(_facts(record, texts)) | {
        "parallel_id": str(record.facts.get("parallel_id") or record.id),
        "translated_from": record.language,
        "provenance": dict(_origins(record, units, policy)),
    }
    return record.child(index, language=language, messages=tuple(turns), facts=facts)


def _fields(record: Record) -> Iterable[tuple[str, Field, str]]:
    bare, extra = _with_input(record)
    for at, turn in enumerate(record.messages):
        if at == _first_user(record) and extra:
            yield str(at), "instruction", bare
            yield f"{at}.input", "input", extra
        else:
            yield str(at), FIELDS[turn.role], turn.content
    if isinstance(losing := record.facts.get("rejected"), str):
        yield "rejected", "response", losing


def _with_input(record: Record) -> tuple[str, str]:
    """The bare instruction and its input, where they are known apart and make up the turn."""
    bare, extra = record.facts.get("instruction"), record.facts.get("input")
    at = _first_user(record)
    if not (isinstance(bare, str) and isinstance(extra, str) and extra.strip() and at >= 0):
        return "", ""
    return (bare, extra) if record.messages[at].content == f"{bare}\n\n{extra}" else ("", "")


def _first_user(record: Record) -> int:
    return next((at for at, turn in enumerate(record.messages) if turn.role == "user"), -1)


def _turn(record: Record, at: int, texts: Mapping[str, str]) -> Message:
    turn = record.messages[at]
    bare, extra = _with_input(record)
    if at == _first_user(record) and extra:
        both = (texts.get(str(at), bare), texts.get(f"{at}.input", extra))
        return Message(turn.role, "\n\n".join(both))
    return Message(turn.role, texts.get(str(at), turn.content))


def _facts(record: Record, texts: Mapping[str, str]) -> Iterable[tuple[str, Json]]:
    bare, extra = _with_input(record)
    at = _first_user(record)
    if extra:
        yield "instruction", texts.get(str(at), bare)
        yield "input", texts.get(f"{at}.input", extra)
    if "rejected" in texts:
        yield "rejected", texts["rejected"]


def _origins(
    record: Record, units: Sequence[Unit], policy: Mapping[str, Policy]
) -> Iterable[tuple[str, Origin]]:
    done = {unit.kind for unit in units}
    there = {name for _, name, _ in _fields(record)}
    for name in dict.fromkeys(FIELDS.values()) | {"input": None}:
        if name == "response" and policy.get(name) == "regenerate":
            yield name, "regenerated"
        elif name in there:
            yield name, "translated" if name in done else "native"


def _parts(text: str, most: int) -> Iterable[tuple[str, str]]:
    """The gap before each paragraph, and the paragraph; of a long one, its lines."""
    gap = ""
    for at, paragraph in enumerate(_split(text, 2)):
        if at % 2:
            gap = paragraph
        elif len(paragraph) <= most:
            yield gap, paragraph
        else:
            for n, line in enumerate(_split(paragraph, 1)):
                if n % 2:
                    gap = line
                else:
                    yield gap, line


def _split(text: str, breaks: int) -> list[str]:
    """Parts, and between them the runs of blanks that hold at least so many line breaks."""
    found, end = [], 0
    for blanks in _BLANKS.finditer(text):
        if blanks[0].count("\n") >= breaks:
            found += [text[end : blanks.start()], blanks[0]]
            end = blanks.end()
    return [*found, text[end:]]
