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
from engine.languages.quality import COPIED_WORDS, spoken
from engine.languages.translate import speaks
from engine.text.quoting import located
from engine.text.tokens import tokens

Kind = Literal["code", "translation", "linguistic", "quotation", "free"]
"""What a task is about: code; a translation; spelling, grammar or words; a quoted text; none."""
LONGEST = 2000
"""Characters of a span, at most: what is longer is a field, and stays as one."""
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

    A response in another language than its instruction, to an input, is a translation or the like:
    both stay. A response that is nothing but code, to a plain question, is a program: it stays, and
    nothing else has to.
    """
    at_home = not _elsewhere(row.instruction, language)  # else the row only claims its language
    if row.input and at_home and _elsewhere(row.response, language):
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
        if len(span) > LONGEST:
            return [], "span_too_long", span[:200]
        place = next(((text, at) for text in open_ if (at := located(span, text))), None)
        if place is None:
            whole = any(located(span, getattr(row, name)) for name in fields)
            if not whole:
                return [], "span_not_in_row", span[:200]
        else:
            found.append(place[0][slice(*place[1])].strip())
    found = list(dict.fromkeys(found))
    taken = [piece.text for text in open_ for piece in mask(text, found).kept]
    if lost := [span for span in found if not any(span in piece for piece in taken)]:
        return [], "span_cannot_stay", lost[0][:200]
    if not speaks(mask(row.instruction, found).text):
        return [], "nothing_to_translate", "the instruction would stay as a whole"
    return found, "", ""


def amiss(kind: Kind, row: Row, fields: Sequence[str], spans: Sequence[str]) -> tuple[str, str]:
    """The fault of a decision that does not go with the kind of task, and its particulars."""
    if kind == "free" and fields:
        return "free_task_stays", f"nothing of a free task stays, but here {' and '.join(fields)}"
    stays_put = [*fields, *row.wordless()]
    if kind == "quotation" and not (stays_put or spans):
        return "nothing_stays", "the words of somebody else stay in a quotation task"
    quoted = any(located(span, row.response) for span in spans)
    if kind == "translation" and row.response and not (quoted or "response" in stays_put):
        return "nothing_stays", "the response of a translation task, or a span of it, stays"
    return "", ""


def emptied(row: Row, fields: Sequence[str], spans: Sequence[str]) -> list[str]:
    """Names of the fields behind the instruction of which the spans leave no word to translate.

    One of very few words, a name or a title, may be a span as a whole.
    """
    behind = {"input": row.input, "response": row.response}
    said = {name: mask(text).text for name, text in behind.items() if name not in fields}
    long = [
        name
        for name, text in said.items()
        if speaks(text) and len(tokens(spoken(text))) >= COPIED_WORDS
    ]
    return [name for name in long if not speaks(mask(behind[name], spans).text)]


def _elsewhere(text: str, language: str) -> bool:
    """Whether a text is surely in another language."""
    said = spoken(mask(text).text)
    how = judged(identify(said), language, least=CERTAIN)
    return how in ("wrong_language", "wrong_script")
