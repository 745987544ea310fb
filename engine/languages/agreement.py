"""Whether a text is in the language that was meant, going by the one that was found.

Two tags agree if they name one language in one script. A region or a variant makes no difference,
for nobody here tells them apart, and ``zh`` agrees with either script. Some languages are so close
that a good text in one is often taken for the other: whether that counts is the caller's to say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from engine.core import JobError
from engine.languages.identify import Identified, identify
from engine.languages.ranking import claims
from engine.languages.sheet import sheet
from engine.languages.table import find
from engine.languages.tags import HAN, SPECIAL, base, normalise

FALLBACK = 0.9
"""Confidence from which a widely spoken language is held against one that nobody can tell.

With it, 6 of 8,153 paragraphs of the Declaration in 362 languages are held to be in a wrong one.
"""
UNLIKELY = 0.5
"""Below this confidence another language is no finding but unsure."""

Judged = Literal["right", "unsure", "wrong_language", "wrong_script"]
Agreement = Literal["same", "close", "script", "other", "unsure"]
"""``script``: the language, or a close one, in another script; ``unsure``: a tag names none."""


def agreement(found: str, expected: str) -> Agreement:
    """How the language that was found stands to the one expected.

    Raises:
        JobError: one of them is no tag.
    """
    one, other = normalise(found), normalise(expected)
    if {base(one), base(other)} & SPECIAL:
        return "unsure"
    near = base(other) in sheet().close.get(base(one), frozenset())
    if base(one) != base(other) and not near:
        return "other"
    if not _same_script(one, other):
        return "script"
    return "close" if near else "same"


def judged(
    found: Identified,
    expected: str,
    *,
    accept_close: bool = True,
    least: float = UNLIKELY,
    every: bool = False,
) -> Judged:
    """Whether a text in which this was found is in the language expected.

    ``least`` is the confidence (0..1) from which another language is held against it; ``every``
    says that the identifier knows every language, as a model of the user's own is taken to.
    """
    try:
        how = agreement(found.tag, expected)
    except JobError:  # a tag that only the job, or only the user's model, knows
        return "unsure"
    if how == "same" or (how == "close" and accept_close):
        return "right"
    if how == "unsure" or found.confidence < least:
        return "unsure"
    if how == "script":
        return "wrong_script"
    known = every or claims(expected)
    return "wrong_language" if known or _fell_back(found, expected) else "unsure"


def teller(*wanted: str) -> Callable[[str], str]:
    """What tells the language of a text that ought to be in one of ``wanted``.

    That one, where it is right; ``""`` where nobody can say; else the language it is in.
    """

    def tell(text: str) -> str:
        known = [tag for tag in wanted if _known(tag)]
        found = identify(text, among=known)
        said = {tag: judged(found, tag) for tag in wanted}
        right = next((tag for tag in wanted if said[tag] == "right"), "")
        return right or ("" if "unsure" in said.values() else found.tag)

    return tell


def _known(tag: str) -> bool:
    try:
        return bool(normalise(tag))
    except JobError:
        return False


def _fell_back(found: Identified, expected: str) -> bool:
    """Whether it cannot be the language nobody knows: another script, or English for sure."""
    one, other = find(found.tag), find(expected)
    if one.scripts[0] not in other.scripts:
        return True
    return one.tier == "high" and found.confidence >= FALLBACK


def _same_script(one: str, other: str) -> bool:
    scripts = [_script(tag) for tag in (one, other)]
    return "" in scripts or scripts[0] == scripts[1]


def _script(tag: str) -> str:
    """The script that a tag means; ``""`` for Chinese that says none."""
    named = [part for part in tag.split("-")[1:] if len(part) == 4 and part.isalpha()]
    usual = str(sheet().languages[base(tag)]["scripts"][0])
    return named[0] if named else "" if usual in HAN else usual
