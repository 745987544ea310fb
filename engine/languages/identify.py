"""Identification: which language a text is in, or ``und`` where that cannot be told.

An answer here decides what is dropped, so it is better to say nothing than to guess. Code,
formulas, addresses, tags and numbers are no language and are taken out first. What is left is
unsure where the likeliest language and those easily taken for it (``close`` in
``taxonomies/languages.yaml``) come to less than half of the probability, or to less than
``SURE_SHORT`` where there are few letters; where parts of the text are in different languages; and
where most words are not in a script of the language. A language that no library knows but that has
a script to itself (Cherokee, N'Ko) is known by that.

The library is py3langid. Measured by ``python -m tests.benchmarks.identification``, on all
paragraphs of the Declaration of Human Rights with 20 letters or more, in the languages that each
claims and the declaration has, as macro-accuracy; in brackets where a close language counts as
right (which languages are close was partly learnt from these tables, so that is no blind test):

- py3langid 0.4.0: 0.970 (0.998) in 114 languages and scripts; knows 138, 5 MB to install, 180 MB
  of memory, 0.5 million characters a second;
- lingua 2.1.1: 0.977 (0.996) in 74; knows 75, 100 MB to install, 1,270 MB of memory, 0.1 million;
- on the 71 that both claim 0.970 (0.998) and 0.977 (0.996): what they get wrong is, in both, which
  of Indonesian and Malay, or of Bosnian, Croatian and Serbian, a text is in.

So the one was chosen that knows nearly twice as many. This module by itself, where unsure counts
as wrong: 0.968 (0.996). It answers for 43 % of beginnings of ten characters, 86 % of twenty and
99 % of forty; of its answers 99.4 % are right or close. It is unsure of 96 % of texts that are half
in one language and half in another, and of 42 % of paragraphs in languages that nobody claims: what
it says of those is held against a text with care (``agreement``).

Of an answer, the confidence is the probability of that language alone: of an Indonesian text it
may be 0.5, and Malay has the other half.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import regex

from engine.languages.masking import SENTINEL, mask
from engine.languages.ranking import Rank, Ranked, ranker
from engine.languages.scripts import best_script, census, chinese, share
from engine.languages.sheet import sheet
from engine.languages.tags import SPECIAL, UNDETERMINED, base, normalise
from engine.text.markup import prose, without_inline_code
from engine.text.tokens import UNSPACED

SURE = 0.5
"""A language and its close ones have at least this probability together (0..1)."""
SURE_SHORT = 0.7
SHORT = 20
"""Texts below this weight need ``SURE_SHORT``: at 0.5, 3 of 100 texts of ten letters are wrong."""
LEAST = 8
"""Below this weight nothing is said: two Chinese characters may be Chinese or Japanese."""
PART = 40
"""Weight of a part that is looked at by itself, to find out whether a text is mixed."""
PARTS = 6
ONE_LANGUAGE = 0.7
"""Share of those parts whose language is sure that must be in the same one."""
ONE_SCRIPT = 0.6
"""Share of the words that must be in a script of the language."""
SAMPLE = 2000
"""Characters that are looked at; of a longer text its beginning, middle and end."""
HEAVY = 3
"""A character of a script without blanks tells as much as this many letters."""

_LETTER = regex.compile(r"\p{L}")
_HEAVY = regex.compile(rf"[{UNSPACED}]", regex.V1)
_NUMBER = regex.compile(r"[\p{N}][\p{N}.,:/-]*+")


@dataclass(frozen=True, slots=True)
class Identified:
    """What a text is in."""

    tag: str
    """BCP-47, with the script where it is not the usual one; ``und`` where nobody can tell."""
    confidence: float
    """Probability (0..1) of this language by itself; of ``und``, that of the likeliest one."""


def identify(text: str, among: Sequence[str] = (), model: Path | None = None) -> Identified:
    """The language of a text.

    ``among`` are languages it may well be in: one of them is preferred to one that is easily taken
    for it, and to no other. ``model`` is a fastText model to ask instead of py3langid.

    Raises:
        JobError: ``among`` holds what is no tag, or ``model`` cannot be read.
    """
    words = wording(text)
    counted, weight = census(words), _weight(words)
    if not counted or weight < LEAST:
        return Identified(UNDETERMINED, 0.0)
    rank = ranker(model)
    ranked = _written(rank(words), counted)
    wanted = frozenset(base(normalise(tag)) for tag in among)
    code, alone, together = _best(ranked, wanted)
    enough = SURE if weight >= SHORT else SURE_SHORT
    if code and together >= enough and not _mixed(words, code, rank):
        return Identified(_scripted(code, words, counted), round(alone, 4))
    if not code and (only := _by_script(counted)):
        return only
    return Identified(UNDETERMINED, round(alone, 4))


def wording(text: str) -> str:
    """What of a text says which language it is in, at most ``SAMPLE`` characters of it."""
    plain = without_inline_code(prose(text)[0])
    if len(plain) > SAMPLE:
        third, middle = SAMPLE // 3, len(plain) // 2
        plain = "\n".join((plain[:third], plain[middle : middle + third], plain[-third:]))
    bare = SENTINEL.sub(" ", mask(plain).text)
    return " ".join(_NUMBER.sub(" ", bare).split())


def _written(ranked: Ranked, counted: Counter[str]) -> list[tuple[str, float]]:
    """Languages one of whose scripts most words are in; what is no language is left out."""
    return [
        (tag, chance) for tag, chance in ranked if base(tag) not in SPECIAL and _fits(tag, counted)
    ]


def _fits(tag: str, counted: Counter[str]) -> bool:
    scripts = sheet().languages.get(base(tag), {}).get("scripts")
    return not scripts or best_script(counted, tuple(scripts))[1] >= ONE_SCRIPT


def _best(ranked: Sequence[tuple[str, float]], wanted: frozenset[str]) -> tuple[str, float, float]:
    """The likeliest language, its probability, and the one of it and its close ones together."""
    if not ranked:
        return "", 0.0, 0.0
    chances: dict[str, float] = {}
    for tag, chance in ranked:
        chances.setdefault(base(tag), chance)
    first = base(ranked[0][0])
    near = {first} | sheet().close.get(first, frozenset())
    together = min(1.0, sum(chances.get(tag, 0.0) for tag in near))
    if first not in wanted and (preferred := near & wanted):
        best = max(sorted(preferred), key=lambda tag: chances.get(tag, 0.0))
        return best, together, together
    return first, chances[first], together


def _mixed(words: str, code: str, rank: Rank) -> bool:
    """Whether too many parts are, for sure, in other languages."""
    near = {code} | sheet().close.get(code, frozenset())
    same = others = 0
    for part in _parts(words):
        ranked = _written(rank(part), census(part))
        found, _, together = _best(ranked, frozenset())
        same += found in near and together >= SURE
        others += found not in near and together >= SURE_SHORT
    return same < ONE_LANGUAGE * (same + others)


def _parts(words: str) -> Iterator[str]:
    """A text in parts of about the same length; none where it is too short to be divided."""
    several = min(PARTS, _weight(words) // PART)
    begin = 0
    for at in range(1, several + 1) if several > 1 else ():
        end = len(words) * at // several
        if at < several and (blank := words.find(" ", end, end + 20)) > 0:
            end = blank
        yield words[begin:end]
        begin = end


def _weight(words: str) -> int:
    return len(_LETTER.findall(words)) + (HEAVY - 1) * len(_HEAVY.findall(words))


def _scripted(code: str, words: str, counted: Counter[str]) -> str:
    """The tag of a language in the script at hand."""
    scripts = tuple(sheet().languages.get(code, {}).get("scripts", ()))
    if {"Hans", "Hant"} & set(scripts):
        script = chinese(words)
        return f"{code}-{script}" if script else code
    script = best_script(counted, scripts)[0] if scripts else ""
    return code if not script or script == scripts[0] else f"{code}-{script}"


def _by_script(counted: Counter[str]) -> Identified | None:
    """The only language of the sheet whose usual script most words are in."""
    for script, tag in _alone().items():
        if (found := share(counted, script)) >= ONE_SCRIPT:
            return Identified(tag, round(found, 4))
    return None


@lru_cache(maxsize=1)
def _alone() -> dict[str, str]:
    """Script -> the one language that is usually written in it."""
    users: dict[str, list[str]] = {}
    for tag, said in sheet().languages.items():
        users.setdefault(said["scripts"][0], []).append(tag)
    return {script: tags[0] for script, tags in users.items() if len(tags) == 1}
