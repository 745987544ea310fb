"""How an instruction opens: its first word and the next content word, in any script.

The first word of a request is mostly what is to be done (``write``) and the content word behind
it what with (``poem``): enough to see whether a corpus does more than one thing, and cheap
enough for every record. Polite openers are passed over, question words are words like any
other, stop words are the language's own list (``taxonomies/apologies.yaml``) or none. Where the
script has no spaces between words, a group of characters stands for a word.

Source: Wang et al., "Self-Instruct: Aligning Language Models with Self-Generated Instructions",
2022, arXiv:2212.10560, section 3.1 and figure 3 (root verb and direct object of instructions).
Differs: no parser, because parsers exist for few languages and err differently in each. In
languages that put the verb last (Turkish, Hindi, Japanese) the picture shows what a request is
about first, not what is to be done.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

import regex

from engine.text.phrases import phrase_lists, phrases_for
from engine.text.tokens import is_unspaced, tokens

HEAD_CHARACTERS = 400
"""How much of a text is looked at."""
POLITE = {
    "ar": ("من فضلك", "رجاء", "هل يمكنك", "أرجو"),
    "de": ("bitte", "kannst du", "könntest du", "können Sie", "könnten Sie"),
    "en": (
        "please", "kindly", "can you", "could you", "would you", "will you", "can you please",
        "i want you to", "i would like you to", "i d like you to", "i need you to",
    ),
    "es": ("por favor", "puedes", "podrías", "puede usted"),
    "fr": ("s'il vous plaît", "s'il te plaît", "merci de", "veuillez", "peux-tu", "pouvez-vous"),
    "hi": ("कृपया",),
    "it": ("per favore", "puoi", "potresti"),
    "ja": ("どうか",),
    "pt": ("por favor", "você pode", "você poderia"),
    "ru": ("пожалуйста", "не могли бы вы"),
    "sw": ("tafadhali", "naomba"),
    "tr": ("lütfen",),
    "zh": ("请", "請", "请你", "請你", "麻烦你"),
}  # fmt: skip
"""Language -> what opens a request without saying what it is."""

SOON = 8
"""Runs of letters in which the two words mostly are; all are read only where they are not."""

_RUN = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_TWO_A_WORD = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}]")


class Opening(NamedTuple):
    """The first word of a text and the next content word; ``""`` where there is no second."""

    first: str
    second: str


def opening(text: str, language: str) -> Opening | None:
    """How ``text`` opens, lower-cased; ``None`` for a text without a letter or digit."""
    runs = _RUN.findall(text[:HEAD_CHARACTERS])
    soon = _opening(runs[:SOON], language)
    return soon if soon and soon.second else _opening(runs, language)


def _opening(runs: list[str], language: str) -> Opening | None:
    heard = [(token, number) for number, run in enumerate(runs) for token in tokens(run)]
    heard = heard[_polite([token for token, _ in heard], language) :] or heard
    words = _words(heard)  # one by one: two are wanted of what may be hundreds
    head, ahead = next(words, ""), next(words, "")
    while ahead and head.isnumeric():  # the number of a list item
        head, ahead = ahead, next(words, "")
    if not head:
        return None
    stop = _stop(language)
    rest = chain([ahead] if ahead else [], words)
    content = (w for w in rest if not w.isnumeric() and not stop.issuperset(tokens(w)))
    return Opening(head, next(content, ""))


def _polite(heard: list[str], language: str) -> int:
    """How many tokens at the start are polite and nothing else."""
    at = 0
    while found := [p for p in _openers(language) if heard[at : at + len(p)] == list(p)]:
        at += max(map(len, found))
    return at


def _words(heard: list[tuple[str, int]]) -> Iterator[str]:
    """Tokens as words: characters of a script without spaces are joined, within one run."""
    group, within = "", -1
    for token, run in heard:
        unspaced = is_unspaced(token)
        if group and (run != within or not unspaced or _full(group)):
            yield group
            group = ""
        if unspaced:
            group, within = group + token, run
        else:
            yield token
    if group:
        yield group


def _full(group: str) -> bool:
    """Whether a group is as long as a word: two characters of Han or Kana, four of Thai."""
    return len(tokens(group)) >= (2 if _TWO_A_WORD.match(group) else 4)


@lru_cache(maxsize=256)
def _openers(language: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(tokens(phrase)) for phrase in POLITE.get(language.split("-")[0], ()))


@lru_cache(maxsize=256)
def _stop(language: str) -> frozenset[str]:
    phrases = phrases_for(phrase_lists("apologies.yaml"), "stop_words", language)
    return frozenset(token for phrase in phrases for token in tokens(phrase))
