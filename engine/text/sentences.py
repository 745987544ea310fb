"""How long a text is: paragraphs, sentences, words and characters, by its own script's rules.

No model and no word list, so that a length hint can be recomputed from the text by anyone.
Sentences end at Unicode's sentence terminals; where a terminal needs a space after it (Latin,
Greek, Cyrillic, ...) initials, short ordinals, titles and a following lower-case letter do not
end one. Thai, Lao and Tibetan do not mark where a sentence ends, so they are not counted in
sentences; scripts without spaces between words are counted in characters, not in words.
"""

from __future__ import annotations

from typing import Literal

import regex

from engine.text.tokens import is_unspaced, tokens

Unit = Literal["paragraphs", "sentences", "words", "characters"]

WRAP_WIDTH = 100
"""A longer line was not wrapped by hand: in such a text every line is a paragraph."""
TITLES = frozenset(
    tokens(
        "mr mrs ms dr prof st sr sra mme mlle gen col gov sen rep vs cf approx fig vol nr bzw vgl "
        "dott sig mgr inż ул им см проф"
    )
)
"""Abbreviations that are nearly always followed by more of the same sentence."""

_CLOSE = r"(?:[\p{Pe}\p{Pf}\"'*_]|[“‘«»](?=\s|$))*"
_END = regex.compile(
    rf"(?:[[\p{{STerm}}༎]--[.!?၊]]+|[.!?…\u037e]+(?={_CLOSE}(?:\s|$|[\p{{Han}}\p{{Hiragana}}"
    rf"\p{{Katakana}}\p{{Khmer}}\p{{Myanmar}}]))|(?<=\p{{Greek}});(?=\s|$)){_CLOSE}",
    regex.V1,
)
_LAST_WORD = regex.compile(r"(?:^|[\s\p{P}])([\p{L}\p{M}]+|\p{N}+)\Z")
_LIST_MARK = regex.compile(r"^[^\S\n]*(?:[-*+•]|\p{N}{1,3}[.)])[^\S\n]+", regex.MULTILINE)
_HEADING = regex.compile(r"^[^\S\n]*(?:#{1,6}[^\S\n].*|[=\-*_]{3,}[^\S\n]*)$", regex.MULTILINE)
_BLANK = regex.compile(r"\n[^\S\n]*\n")
_SPACES = regex.compile(r"\s+")
_GAP = regex.compile(r"[\s\u200b\u1361—–/]+")
_SOLID = regex.compile(r"[\p{L}\p{N}]")
_UNMARKED = regex.compile(r"[\p{Thai}\p{Lao}\p{Tibetan}]")


def paragraphs(text: str) -> list[str]:
    """Blocks between blank lines; also single lines, unless the text was wrapped by hand.

    Markdown headings and rules are no paragraphs. Order is that of the text.
    """
    body = _HEADING.sub("\n", text.replace("\r\n", "\n"))
    blocks = [block for block in _BLANK.split(body) if _SOLID.search(block)]
    if not _is_wrapped(blocks):
        blocks = [line for block in blocks for line in block.split("\n")]
    return [block.strip() for block in blocks if _SOLID.search(block)]


def sentences(text: str) -> list[str]:
    """Sentences in text order; a list item or a paragraph without a full stop is one."""
    found = []
    for paragraph in paragraphs(text):
        for line in _LIST_MARK.sub("\n", paragraph).split("\n\n"):
            found += _split(_SPACES.sub(" ", line).strip())
    return found


def words(text: str) -> list[str]:
    """What stands between spaces or dashes; single characters where the script has no spaces."""
    if is_unspaced(text):
        return tokens(text)
    return [word for word in _GAP.split(text) if _SOLID.search(word)]


def units(text: str) -> tuple[Unit, ...]:
    """The units that ``text`` can be counted in, longest first."""
    smallest: Unit = "characters" if is_unspaced(text) else "words"
    if 2 * len(_UNMARKED.findall(text)) > sum(map(str.isalpha, text)):
        return ("paragraphs", smallest)
    return ("paragraphs", "sentences", smallest)


def count(text: str, unit: Unit) -> int:
    """How many of ``unit`` the text has; 0 for the empty text."""
    if unit == "paragraphs":
        return len(paragraphs(text))
    return len(sentences(text)) if unit == "sentences" else len(words(text))


def _is_wrapped(blocks: list[str]) -> bool:
    inner = [line for block in blocks for line in block.split("\n")[:-1]]
    if max((len(line) for block in blocks for line in block.split("\n")), default=0) > WRAP_WIDTH:
        return False
    ended = sum(any(m.end() == len(line.rstrip()) for m in _END.finditer(line)) for line in inner)
    return 2 * ended <= len(inner)


def _split(line: str) -> list[str]:
    """One paragraph's sentences; a piece without a letter or digit belongs to nothing."""
    pieces, start = [], 0
    for end in _END.finditer(line):
        if end.end() == len(line) or _is_end(line, end):
            pieces.append(line[start : end.end()])
            start = end.end()
    pieces.append(line[start:])
    return [piece.strip() for piece in pieces if _SOLID.search(piece)]


def _is_end(line: str, end: regex.Match[str]) -> bool:
    if line[end.end() : end.end() + 16].lstrip(" \"'“‘«([*_")[:1].islower():
        return False
    if end.group()[:1] != "." or end.group()[:2] == "..":
        return True
    before = _LAST_WORD.search(line[max(0, end.start() - 30) : end.start()])
    if before is None:
        return True
    word = before.group(1)
    short_ordinal = word.isnumeric() and len(word) <= 2
    return not (short_ordinal or len(word) == 1 or word.lower() in TITLES)
