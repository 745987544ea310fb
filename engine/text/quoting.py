"""Where a text says what somebody quotes from it: white space may differ, nothing else.

Models break lines and indent as they like, so a quotation is compared with every run of white space
as one space. What is found is a place in the text as it is, so whatever is cut out there is
verbatim. A quotation that begins or ends inside a word is none.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

import regex

from engine.text.tokens import UNSPACED

_RUN = regex.compile(r"\S+")
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]")
_UNSPACED = regex.compile(rf"[{UNSPACED}]", regex.V1)
_MARK = regex.compile(r"\p{M}")


def located(quote: str, text: str) -> tuple[int, int] | None:
    """Start and end of the first place where ``text`` says ``quote``; ``None``: it does not.

    An empty quotation is nowhere.
    """
    wanted = " ".join(_RUN.findall(quote))
    runs = [match.span() for match in _RUN.finditer(text)]
    flat = " ".join(text[start:end] for start, end in runs)
    begins = [0, *accumulate(end - start + 1 for start, end in runs)]

    def place(at: int) -> int:
        run = bisect_right(begins, at) - 1
        return runs[run][0] + at - begins[run]

    found = flat.find(wanted) if wanted else -1
    while found >= 0:
        if not cuts_word(flat, found) and not cuts_word(flat, found + len(wanted)):
            return place(found), place(found + len(wanted) - 1) + 1
        found = flat.find(wanted, found + 1)
    return None


def cuts_word(text: str, at: int) -> bool:
    """Whether a word goes on from the character before ``at`` to the one behind it.

    In scripts without spaces only what stands on a letter (a vowel sign) goes on.
    """
    before, behind = text[at - 1 : at] if at else "", text[at : at + 1]
    if not _WORD.match(before) or not _WORD.match(behind):
        return False
    apart = _UNSPACED.match(before) or _UNSPACED.match(behind)
    return not apart or _MARK.match(behind) is not None
