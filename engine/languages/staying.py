"""What of a row has to stay as it is when the row is translated, as far as a program can tell.

Two things: a rule that is certain where it says anything, and the proof that spans which somebody
named can be taken out of the row, and put back, letter by letter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import regex

from engine.core import Record
from engine.languages.agreement import judged
from engine.languages.identify import identify
from engine.languages.masking import mask
from engine.languages.quality import spoken
from engine.languages.translate import speaks
from engine.text.quoting import located

Kind = Literal["code", "translation", "linguistic", "quotation", "free"]
"""What a task is about: code; a translation; spelling, grammar or words; a quoted text; none."""
CERTAIN = 0.9
"""Confidence from which a text is held to be in another language than its row."""
_QUOTES = regex.compile(r'["“”„«»「」『』‹›]')


class Row(NamedTuple):
    """The three texts of an instruction row; empty where there is none."""

    instruction: str
    input: str
    response: str

    @classmethod
    def of(cls, record: Record) -> Row:
        """A record's, its input apart where the two make up the user's turn."""
        asked, said = record.last("user"), record.last("assistant")
        bare, extra = (record.facts.get(name) for name in ("instruction", "input"))
        if isinstance(bare, str) and isinstance(extra, str) and asked == f"{bare}\n\n{extra}":
            return cls(bare, extra, said)
        return cls(asked, "", said)

    def wordless(self) -> list[str]:
        """Names of the fields behind the instruction that hold code or the like and no words."""
        behind = {"input": self.input, "response": self.response}
        return [name for name, text in behind.items() if text and not speaks(mask(text).text)]


def ruled(row: Row, language: str) -> tuple[Kind, list[str]] | None:
    """Kind and fields that stay, where that is certain without a model; ``None``: it is not.

    A response in another language than its row, to an input, is a translation or the like: both
    stay. A response that is nothing but code, to a plain question, is a program: it stays, and
    nothing else has to.
    """
    if row.input and _elsewhere(row.response, language):
        return "translation", ["input", "response"]
    codes = any(piece.kind in ("block", "code") for piece in mask(row.response).kept)
    plain = not row.input and not _QUOTES.search(row.instruction)
    return ("code", ["response"]) if codes and plain and "response" in row.wordless() else None


def stays(row: Row, fields: Sequence[str], spans: Sequence[str]) -> tuple[list[str], str, str]:
    """The spans as they stand in the row, the fault that forbids them, and its particulars.

    White space of a span may differ from the row's; the row's counts. Spans of a field that stays
    as a whole need nothing and are left out.
    """
    open_ = [text for name, text in row._asdict().items() if text and name not in fields]
    found: list[str] = []
    for span in filter(str.strip, spans):
        place = next(((text, at) for text in open_ if (at := located(span, text))), None)
        if place is None:
            whole = any(located(span, getattr(row, name)) for name in fields)
            if not whole:
                return [], "span_not_in_row", span[:200]
        else:
            found.append(place[0][slice(*place[1])].strip())
    found = list(dict.fromkeys(found))
    if lost := [span for span in found if not any(_taken(span, text, found) for text in open_)]:
        return [], "span_cannot_stay", lost[0][:200]
    if not speaks(mask(row.instruction, found).text):
        return [], "nothing_to_translate", "the instruction would stay as a whole"
    return found, "", ""


def _taken(span: str, text: str, spans: Sequence[str]) -> bool:
    """Whether masking takes the whole span out of a text."""
    return any(span in piece.text for piece in mask(text, spans).kept)


def _elsewhere(text: str, language: str) -> bool:
    """Whether a text is surely in another language."""
    said = spoken(mask(text).text)
    how = judged(identify(said), language, least=CERTAIN)
    return how in ("wrong_language", "wrong_script")
