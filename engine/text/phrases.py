"""Finding phrases from lists that are kept as YAML, one list per language, in any script.

A phrase is written as people write it; case, punctuation, kinds of apostrophe and Arabic vowel
signs do not matter, and it matches whole words only. ``[a | b]`` are alternatives (one may be
empty) and ``...`` stands for up to four words, so ``Ich kann ... nicht [helfen | beantworten]``
finds what is said with something in between. A list is data: no regular expressions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import regex

from engine import shipped
from engine.text.lengths import tokens_per_word
from engine.text.tokens import tokens

GAP_WORDS = 4
"""Most words that ``...`` stands for."""

_CHOICE = regex.compile(r"\[([^\[\]]*)\]")
_ARABIC = str.maketrans("أإآٱىی", "اااايي", "\u0640\u0670" + "".join(map(chr, range(0x64B, 0x653))))

Lists = Mapping[str, Mapping[str, tuple[str, ...]]]


@lru_cache(maxsize=16)
def phrase_lists(name: str) -> Lists:
    """The shipped lists of this file: language tag -> kind -> phrases."""
    read = shipped.read(shipped.folder("taxonomies") / name)
    return {
        tag: {kind: tuple(phrases) for kind, phrases in kinds.items()}
        for tag, kinds in read.items()
    }


def phrases_for(lists: Lists, kind: str, language: str) -> tuple[str, ...]:
    """The phrases of one kind for a tag and for its base language; empty where none are listed."""
    tags = dict.fromkeys((language, language.split("-")[0]))
    return tuple(phrase for tag in tags for phrase in lists.get(tag, {}).get(kind, ()))


def folded(text: str) -> str:
    """The text's tokens between single spaces, as phrases are compared."""
    return f" {' '.join(tokens(text.translate(_ARABIC)))} "


@lru_cache(maxsize=256)
def matcher(phrases: tuple[str, ...]) -> regex.Pattern[str]:
    """What finds any of these phrases in a ``folded`` text; nothing, where there are none."""
    return regex.compile(rf"(?<= )(?:{'|'.join(map(_pattern, phrases)) or '(?!)'})")


def _pattern(phrase: str) -> str:
    gap = round(GAP_WORDS * tokens_per_word(tokens(phrase)))
    pieces = _CHOICE.split(phrase)
    return "".join(_choice(p.split("|") if at % 2 else [p], gap) for at, p in enumerate(pieces))


def _choice(alternatives: Sequence[str], gap: int) -> str:
    """Any of these; each token with the space behind it, so that pieces can be put in a row."""
    written = [
        rf"(?:\S+ ){{0,{gap}}}".join(
            "".join(f"{regex.escape(token)} " for token in tokens(part.translate(_ARABIC)))
            for part in alternative.split("...")
        )
        for alternative in alternatives
    ]
    return f"(?:{'|'.join(written)})" if len(written) > 1 else written[0]
