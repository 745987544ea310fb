"""The rules by which labelled instructions and polished answers are cleaned, as data per language.

The words are in ``taxonomies/kun.yaml``: ``instruction`` are words of a task that needs a text the
reader does not see, ``answer`` those of an answer that speaks of itself or its source, ``good``
and ``bad`` the tags of the judge. A language without words is held to the rules of form alone.

Source: Zheng et al., "Kun: Answer Polishment for Chinese Self-Alignment with Instruction
Back-Translation", 2024, arXiv:2401.06477; rules of the repository Zheng0428/COIG-Kun.
Differs: for every language, lengths by what a script's characters carry; words are whole words
where the script has spaces; the repository's slips (an instruction overwritten by the output) are
not copied.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import Literal

import regex

from engine.text.lengths import WORDS_PER_IDEOGRAPH, words
from engine.text.phrases import folded, matcher, phrase_lists, phrases_for

LISTS = "kun.yaml"
REPEATS = 5
"""A unit that leads an answer more often than this in a row is a stuck model."""
LONGEST_UNIT = 100
"""Characters of such a unit, at most."""

_GAP = regex.compile(r"\s{5,}")
_STUCK = regex.compile(rf"(.{{1,{LONGEST_UNIT}}}?)\1{{{REPEATS}}}", regex.DOTALL)
_BRACKETS = str.maketrans("[]〖〗", "【】【】", " ")
_HAN = regex.compile(r"\p{Han}")


def listed_word(text: str, kind: Literal["instruction", "answer"], language: str) -> str:
    """The first word of that list in ``text``, or ``""``."""
    found = matcher(phrases_for(phrase_lists(LISTS), kind, language)).search(folded(text))
    return found.group().strip() if found else ""


def cleaned_instruction(text: str) -> str:
    """The instruction up to a gap of five blanks, each line once; ``""`` where that leaves none.

    Where lines repeat, the longest line is kept if the instruction begins with it: the rest is
    what the model went on to say. If not, nobody knows which line was meant.
    """
    head = _GAP.split(text.strip(), maxsplit=1)[0]
    lines = [line.strip() for line in head.splitlines() if line.strip()]
    if max(Counter(lines).values(), default=0) < 2:
        return head.strip()
    longest = max(lines, key=len)
    return longest if head.startswith(longest) else ""


def instruction_fault(text: str, language: str) -> str:
    """Why an instruction is dropped before it is judged, as a slug, or ``""``."""
    if not text.strip():
        return "no_instruction"
    return "needs_a_text" if listed_word(text, "instruction", language) else ""


def answer_fault(text: str, language: str, fewest: int) -> str:
    """Why an answer is dropped, as a slug, or ``""``.

    ``fewest`` is the least length in Han characters; other scripts as many words as those carry.
    """
    if too_short(text, fewest):
        return "answer_too_short"
    if _STUCK.match(text.strip()):
        return "answer_is_stuck"
    return "speaks_of_itself" if listed_word(text, "answer", language) else ""


def too_short(text: str, fewest: int) -> bool:
    """Whether ``text`` says less than so many Han characters."""
    plain = text.strip()
    if 2 * len(_HAN.findall(plain)) > sum(map(str.isalpha, plain)):
        return len(plain) < fewest
    return words(plain) < fewest * WORDS_PER_IDEOGRAPH if plain else fewest > 0


def labels(language: str) -> tuple[str, str]:
    """The judge's two tags in brackets, good and bad; in English where the language has none."""
    lists = phrase_lists(LISTS)
    good, bad = (
        (phrases_for(lists, kind, language) or phrases_for(lists, kind, "en"))[0]
        for kind in ("good", "bad")
    )
    return f"【{good}】", f"【{bad}】"


def judged_good(reply: str, language: str) -> bool:
    """Whether the good tag is in the reply and the bad one is not, whatever stands around them."""
    plain = unicodedata.normalize("NFKC", reply).casefold().translate(_BRACKETS)
    good, bad = (unicodedata.normalize("NFKC", tag).casefold() for tag in labels(language))
    return good in plain and bad not in plain
