"""What methods that work backwards from a document need: a view of it, its length, what leaks.

Source: Köksal et al., "LongForm: Effective Instruction Tuning with Reverse Instructions", 2023,
arXiv:2304.08460, section 3 (length hints).
Differs: units by the script's own rules, wording by language; leaks are looked for.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

from engine.core import Json, Message, Record
from engine.text.leftovers import (
    apologises,
    hints_for,
    names_label,
    opens_sorry,
    points_away,
    unwrapped,
)
from engine.text.lengths import tokens_per_word, words
from engine.text.runs import shared_run
from engine.text.sentences import count, units
from engine.text.tokens import tokens

OPENING_TOKENS = 300
"""How far into a document an instruction is compared with it."""
SAMPLE = 300
"""Characters of a document that show how its language is written, at most."""
LONGEST_REQUEST = 120
"""Words beyond which a reply is an essay and no instruction."""
NEAR = 80
CUT = "\n\n[...]\n\n"


def shown(document: str, most: int) -> str:
    """The document, or its first three quarters and last quarter of ``most`` characters.

    The tail is there because a letter, recipe or speech is told by how it ends. Cuts are moved
    to the nearest white space within ``NEAR`` characters, where there is one.
    """
    if len(document) <= most:
        return document
    head, tail = document[: most * 3 // 4], document[len(document) - most // 4 :]
    end = max(head.rfind(" "), head.rfind("\n"))
    begin = min((at for at in (tail.find(" "), tail.find("\n")) if at >= 0), default=NEAR)
    head = head[:end] if end > len(head) - NEAR else head
    return head.rstrip() + CUT + (tail[begin:] if begin < NEAR else tail).lstrip()


def document_fault(document: str, fewest_words: int) -> str:
    """Why a document cannot be a response, as a slug, or ``""``."""
    if not document.strip():
        return "no_document"
    return "document_too_short" if words(document) < fewest_words else ""


def sample(document: str) -> str:
    """A piece of the document's end, for how its language is written: whole words, if it has some.

    At most a third of it: what shows all of a document would give it away.
    """
    text = document.strip()
    piece = text[-min(SAMPLE, len(text) // 3) :] if len(text) > 2 else ""
    _, _, words = piece.partition(" ")
    return (words if 2 * len(words) > len(piece) else piece).strip()


def paired(record: Record, instruction: str, **facts: Json) -> Record:
    """The record's document, byte for byte, as the response; it leaves the facts."""
    left = {name: fact for name, fact in record.facts.items() if name != "document"}
    left["provenance"] = {"instruction": "model", "response": "native"}
    turns = (Message("user", instruction), Message("assistant", str(record.facts["document"])))
    return replace(record.child(0), messages=turns, facts=left | facts)


def request(reply: str, label: str = "") -> str:
    """The instruction that a reply is, without the label that the prompt ends with.

    Empty where the token limit cut it: half an instruction is none.
    """
    if getattr(reply, "truncated", False):
        return ""
    text = unwrapped(reply)
    head, mark, rest = text.partition(":")
    named = mark and label and head.strip(" *").casefold() == label.casefold()
    return unwrapped(rest.lstrip(" *")) if named else text


def request_fault(text: str, document: str, language: str, most_shared: int) -> str:
    """What is wrong with an instruction that ``document`` is to answer, as a slug, or ``""``."""
    if not tokens(text) or words(text) > LONGEST_REQUEST:
        return "no_instruction"
    if leaks(text, document, most_shared):
        return "leaks_document"
    sorry = opens_sorry(text, language) and not apologises(document, language)
    if sorry or (names_label(text, language) and not names_label(document, language)):
        return "no_instruction"
    return "points_at_document" if points_away(text, language) else ""


def leaks(text: str, document: str, most: int) -> bool:
    """Whether ``text`` shares a run of more than ``most`` words with the document's opening."""
    opening = tokens(document[: 20 * OPENING_TOKENS])[:OPENING_TOKENS]
    least = round((most + 1) * tokens_per_word(opening))
    return shared_run(tokens(text), opening, least) is not None


def length_hint(
    document: str, language: str, draw: random.Random
) -> tuple[str, Mapping[str, object] | None]:
    """A sentence that asks for the document's length, with unit and count, in a drawn unit.

    Empty and ``None`` where the language has no wording, or there is only one of each unit.
    """
    worded = [unit for unit in units(document) if hints_for(language, unit)]
    counts = {unit: count(document, unit) for unit in worded}
    able = [unit for unit, number in counts.items() if number > 1]
    if not able:
        return "", None
    unit = draw.choice(able)
    sentence = draw.choice(hints_for(language, unit)).format(count=counts[unit])
    return sentence, {"unit": unit, "count": counts[unit]}
