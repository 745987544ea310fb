"""Texts whose parts have numbers (articles, verses, rules): the parts by number, in any script.

Two translations of a law share nothing but the numbers of its articles. A heading is a short line
with one number in it, in the digits or number signs of any script; headings are those that count
up and mostly say the same, so a stray number does not begin a part, and a misspelt heading does.
Where a heading was missed, the part before it holds two, and is left out: a hole is better than a
wrong pair.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator

import regex

LONGEST_HEADING = 40
"""Characters; a longer line is a sentence with a number in it."""
FEWEST = 3
"""Headings that a text must have to be numbered at all."""

_SIGNS = r"[\p{Nd}\p{Nl}\p{No}〇零一二三四五六七八九十百]"
_NUMBER = regex.compile(rf"{_SIGNS}+|(?<![\p{{L}}\p{{M}}])[IVXLC]+(?![\p{{L}}\p{{M}}])")
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_LETTER = regex.compile(r"\p{L}")


def numbered_parts(text: str) -> dict[int, str]:
    """Number of a part -> its lines without indentation and blanks; empty: it has no numbers.

    In the order of the text. What stands before the first heading belongs to no part.
    """
    lines = [line.strip() for line in text.splitlines()]
    for worded in (True, False):
        heads = list(_counting(_alike(list(_headings(lines, worded)))))
        if len(heads) >= FEWEST:
            return _parts(lines, heads)
    return {}


def counted(signs: str) -> int:
    """The number that these signs are: ``12``, ``१२``, ``十二``, ``፲፪``, ``XII``; 0 for none."""
    if signs and all(sign in _ROMAN for sign in signs):
        values = [_ROMAN[sign] for sign in signs]
        after = [*values[1:], 0]
        return sum(-v if v < n else v for v, n in zip(values, after, strict=True))
    if signs.isdecimal():
        return int(signs)
    total = ones = 0
    for sign in signs:
        value = int(unicodedata.numeric(sign, 0))
        if value in (10, 100):  # ten counts what stands before it, in Han as in Ethiopic
            total, ones = total + (ones or 1) * value, 0
        elif value > 10:
            total += value
        else:
            ones = 10 * ones + value if sign.isdecimal() else value
    return total + ones


def _headings(lines: list[str], worded: bool) -> Iterator[tuple[int, int, str]]:
    """Line, number and words of what could be a heading; ``worded``: a word is with the number."""
    for at, line in enumerate(lines):
        found = _NUMBER.findall(line) if len(line) <= LONGEST_HEADING else []
        rest = "".join(_LETTER.findall(line.replace(found[0], "", 1))) if len(found) == 1 else ""
        if len(found) == 1 and bool(rest) == worded:
            yield at, counted(found[0]), rest.casefold()


def _alike(found: list[tuple[int, int, str]]) -> Iterator[tuple[int, int]]:
    """Those in the commonest words, and others only for a number that none of those has."""
    [(usual, _)] = Counter(words for _, _, words in found).most_common(1) or [("", 0)]
    had = {number for _, number, words in found if words == usual}
    return ((at, number) for at, number, words in found if words == usual or number not in had)


def _counting(found: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Those that go on counting; a first or a next one may be missing."""
    last = 0
    for at, number in found:
        if last < number <= last + 2:
            last = number
            yield at, number


def _parts(lines: list[str], heads: list[tuple[int, int]]) -> dict[int, str]:
    ends = [*heads[1:], (len(lines), heads[-1][1] + 1)]
    parts = {}
    for (at, number), (end, following) in zip(heads, ends, strict=True):
        body = "\n".join(line for line in lines[at + 1 : end] if line)
        if body and following == number + 1:
            parts[number] = body
    return parts
