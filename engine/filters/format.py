"""Format: drop what a writer or a server left unfinished or let slip.

Each check has its own reason and can be switched off: ``unclosed_fence`` (a code block without
end), ``placeholder`` ([Your name], {{field}}, <insert date>, lorem ipsum, TODO:), ``cut_ending``
(the response stops in mid-sentence), ``prompt_echo`` (it begins with the whole instruction),
``turn_marker`` (tokens of a chat template, such as <|im_start|> or [INST]) and
``control_characters`` (also U+FFFD and lone surrogates, the traces of broken decoding).

Code is left alone: placeholders and markers between backticks or in fences are what a text is
about. Words that make brackets a placeholder are data, ``taxonomies/placeholders.yaml``. A job
whose records are templates to fill in sets ``placeholders: false``.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import regex
from pydantic import BaseModel, Field

from engine.core import Drop, Outcome, Record
from engine.kit import Filter, Kit
from engine.text.endings import is_cut
from engine.text.lengths import words
from engine.text.markup import prose, without_inline_code
from engine.text.phrases import folded, matcher, phrase_lists
from engine.text.sides import turns

ECHO_WORDS = 5
"""An instruction below this many words may well open its answer ("The largest planet")."""

_CONTROL = regex.compile(r"[\p{Cc}\p{Cs}\uFFFD\uFFFE\uFFFF--[\t\n\r]]", regex.V1)
_MARKER = regex.compile(
    r"<\|[A-Za-z][\w .-]{1,40}+\|>|<｜[^｜<>\n]{1,40}+｜>|\[/?INST\]|<</?SYS>>"
    r"|<(?:start_of_turn|end_of_turn|bos|eos|pad|unk)>|\A\s*+<s>|</s>\s*+\Z"
    r"|^###[ ]?(?:Instruction|Response|Human|Assistant):",
    regex.M,
)
_FILLER = regex.compile(
    r"(?<![\\}\w])\{\{\s?[\p{L}_][\p{L}\p{M}\p{N}_ .-]{0,40}\}\}|(?i:lorem ipsum)"
    r"|^[ ]{0,8}(?:TODO|FIXME):",
    regex.M,
)
_GAP = regex.compile(
    r"(?P<square>(?<![\w\]\\])[\[［【](?P<inside>[^\[\]［］【】\n]{1,80}+)[\]］】](?![(\[（]))"
    r"|<(?P<inside>[^<>=/\n]{1,80}+)>|\{(?P<inside>[^{}\n]{1,80}+)\}"
)


class Params(BaseModel, extra="forbid"):
    """Which checks are made."""

    fences: bool = True
    """Code fences must be closed."""
    placeholders: bool = True
    """Neither side may hold a gap to be filled in."""
    endings: bool = True
    """A response must not stop in mid-sentence."""
    min_words_of_ending: int = Field(default=20, ge=1)
    """Responses below this length, in words, may end as they like."""
    echo: bool = True
    """A response must not begin with its whole instruction."""
    markers: bool = True
    """Neither side may hold tokens of a chat template."""
    more_markers: tuple[str, ...] = ()
    """More such tokens, written exactly as they would appear."""
    controls: bool = True
    """Neither side may hold control characters but tab and line breaks."""


def check(record: Record, kit: Kit[Params]) -> Outcome:
    """Keep the record if no check that is switched on finds anything."""
    for reason, found in _findings(record, kit.params):
        return Drop(record, reason, found[:200])
    return record


def _findings(record: Record, params: Params) -> Iterator[tuple[str, str]]:
    """Every finding, the cheapest checks first."""
    for text in (*turns(record, "instruction"), *turns(record, "response")):
        if params.controls and (sign := _CONTROL.search(text)):
            yield "control_characters", f"U+{ord(sign[0]):04X}"
        plain = without_inline_code(prose(text)[0])
        if params.markers and (found := _marker(plain, params.more_markers)):
            yield "turn_marker", found
        if params.placeholders and (found := _placeholder(plain)):
            yield "placeholder", found
        if params.fences and prose(text)[1]:
            yield "unclosed_fence", ""
    for text in turns(record, "response"):
        if params.endings and is_cut(text, params.min_words_of_ending):
            yield "cut_ending", text.rstrip()[-60:]
    if params.echo and _echoes(record):
        yield "prompt_echo", ""


def _marker(text: str, more: tuple[str, ...]) -> str:
    found = _MARKER.search(text)
    return found[0] if found else next((marker for marker in more if marker in text), "")


def _placeholder(text: str) -> str:
    """The first thing that asks to be replaced; ``""`` where nothing does."""
    if found := _FILLER.search(text):
        return found[0]
    filling, nouns = _gap_words()
    for gap, square in {found[0]: found["square"] for found in _GAP.finditer(text)}.items():
        inside = folded(gap)
        if filling.search(inside) or (square and nouns.fullmatch(inside, 1)):
            return gap
    return ""


@cache
def _gap_words() -> tuple[regex.Pattern[str], regex.Pattern[str]]:
    """What finds the words of ``filling`` and of ``nouns``, of all languages together."""
    lists = phrase_lists("placeholders.yaml").values()
    filling, nouns = (
        matcher(tuple(phrase for kinds in lists for phrase in kinds.get(kind, ())))
        for kind in ("filling", "nouns")
    )
    return filling, nouns


def _echoes(record: Record) -> bool:
    """Whether any response begins with all words of the turn before it."""
    turns_in_pairs = zip(record.messages, record.messages[1:], strict=False)
    return any(
        folded(said.content).startswith(folded(asked.content))
        for asked, said in turns_in_pairs
        if asked.role == "user" and said.role == "assistant" and words(asked.content) >= ECHO_WORDS
    )


FILTER = Filter(check, Params)
