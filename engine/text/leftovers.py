"""What a model leaves in a text that should not be there, and the wording of length hints.

Apologies, words that say nothing, labels copied from a prompt, pointers to a text the reader
does not see: phrase lists by language (``taxonomies/apologies.yaml``), so that a language is
added without code. A language without lists is held to the English ones, which models fall back
to; stop words are the language's own, or none.
"""

from __future__ import annotations

from collections.abc import Sequence

import regex

from engine.text.phrases import folded, matcher, phrase_lists, phrases_for
from engine.text.sentences import Unit
from engine.text.tokens import tokens

OPENING_TOKENS = 12
"""How far into a text an apology still is its opening."""

_FENCED = regex.compile(r"(`{3,}|~{3,})[^\n]*\n(.*?)\n?\s*\1", regex.DOTALL)
_QUOTES = {'"': '"', "“": "”", "„": "“", "«": "»", "「": "」", "『": "』"}
_EMOJI = regex.compile(r"\p{Emoji_Presentation}")


def unwrapped(reply: str) -> str:
    """The reply without a code fence, bold or quotation marks that enclose all of it."""
    text = reply.strip()
    fenced = _FENCED.fullmatch(text)
    text = fenced.group(2).strip() if fenced and fenced.group(1) not in fenced.group(2) else text
    if text.startswith("**") and text.endswith("**") and text.count("**") == 2:
        text = text[2:-2].strip()
    inner = text[1:-1]
    close = _QUOTES.get(text[:1])
    enclosed = len(text) > 2 and text[-1] == close and text[0] not in inner and close not in inner
    return inner.strip() if enclosed else text


def apologises(text: str, language: str) -> bool:
    """Whether somebody says sorry anywhere in ``text``."""
    return _says(text, "apologies", language)


def opens_sorry(text: str, language: str) -> bool:
    """Whether ``text`` begins with an apology."""
    return _says(" ".join(tokens(text)[:OPENING_TOKENS]), "apologies", language)


def names_label(text: str, language: str) -> bool:
    """Whether ``text`` names a part of a rewriting prompt."""
    return _says(text, "labels", language)


def points_away(text: str, language: str) -> bool:
    """Whether ``text`` refers to a text that its reader will not see."""
    return _says(text, "pointers", language)


def says_nothing(text: str, language: str) -> bool:
    """Whether ``text`` is empty, or only punctuation, signs and stop words; an emoji says much."""
    stop = phrases_for(phrase_lists("apologies.yaml"), "stop_words", language)
    single = {token for word in stop for token in tokens(word)}
    return single.issuperset(tokens(text)) and not _EMOJI.search(text)


def hints_for(language: str, unit: Unit) -> Sequence[str]:
    """Sentences that ask for ``{count}`` of ``unit``; empty where the language has none."""
    lists = phrase_lists("length_hints.yaml")
    parts = language.split("-")
    tags = ("-".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((lists[tag].get(unit, ()) for tag in tags if tag in lists), ())


def _says(text: str, kind: str, language: str) -> bool:
    lists = phrase_lists("apologies.yaml")
    phrases = dict.fromkeys((*phrases_for(lists, kind, language), *phrases_for(lists, kind, "en")))
    return matcher(tuple(phrases)).search(folded(text)) is not None
