"""Whether a text stops in the middle of a sentence.

The text itself says how it ends its sentences: one that closes at least two of them with a mark
(of any script: ``. ! ? 。 । ۔ ؟ ។ ။``) and then stops on a letter, late in a long line, was cut.
So nothing is expected of scripts and styles without such marks (Thai, verse, labels, lists,
tables, code). An open bracket or a colon at the very end is a cut in any of them.
"""

from __future__ import annotations

import regex

from engine.text.lengths import words
from engine.text.markup import prose, without_inline_code

PROSE_LINE = 8
"""Words from which on a line is a sentence rather than a title, a label or a signature."""

# Nothing to read: emphasis, and invisible marks of direction. Searched from the end (?r): from the
# start, every run of blanks would be tried at each of its blanks.
_TRAIL = regex.compile(r"(?r)[\s*_~\p{Cf}]+\Z")
_SENTENCE_END = regex.compile(
    r"[.!?؟۔።।](?=[\s\p{Pf}\p{Pe}\"'*])|[\p{Sentence_Terminal}--[.!?؟۔።।]]", regex.V1
)
_ITEM = regex.compile(r"\s*+(?:[-*+•–—#|>]|\p{N}++[.)、]|[\p{L}][.)]\s|\[)")
_NOT_PROSE = regex.compile(r"[|`$=<>{}\\]|://|\t")
_OPEN = regex.compile(r"[\p{Ps}\p{Pi}:：]\Z")
_RUNNING = regex.compile(r"[\p{L}\p{M},،、，;；؛-]\Z")
_NO_MARKS = regex.compile(r"[\p{Thai}\p{Lao}]\p{M}*\Z")


def is_cut(text: str, least: int) -> bool:
    """Whether a text of at least ``least`` words stops before its sentence does."""
    if text.rstrip().endswith(("```", "~~~")):
        return False
    outside, open_fences = prose(text)
    outside = _TRAIL.sub("", outside[-20_000:])
    last = outside[outside.rfind("\n") + 1 :]
    if open_fences or not last or _ITEM.match(last):
        return False
    promises = _OPEN.search(last) is not None
    if not promises and not _runs_on(outside, last):
        return False
    return words(text[:20_000]) >= least


def _runs_on(text: str, last: str) -> bool:
    """Whether the last line is prose that stops short, in a text that ends its sentences."""
    if not _RUNNING.search(last) or _NO_MARKS.search(last) or _NOT_PROSE.search(last):
        return False
    return words(_tail(last)) >= PROSE_LINE and len(_SENTENCE_END.findall(text)) >= 2


def _tail(line: str) -> str:
    """The line, or its end where it is a whole chapter."""
    return without_inline_code(line)[-2_000:]
