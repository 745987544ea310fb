"""The languages of the rehearsal model: phrases from stocks, topics from the inputs.

A language with a stock (``taxonomies/rehearsal/<tag>.yaml``) speaks in phrases whose slots take
topics; a language without one is strung together from words of the inputs and nothing else.
Nothing here knows of requests or schemas: a voice lifts topics and says a text of some kind.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Protocol

import regex
import yaml
from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from engine import shipped
from engine.core import JobError
from engine.text.tokens import is_unspaced, tokens

Kind = Literal["instruction", "answer", "sentence", "reason", "material", "title", "label", "quote"]

NEAR_REPEATS = 0.05
"""Share of instructions taken from ``COMMON`` per language, as a real model has its favourites."""
COMMON = 20
TOPICS = 8
"""Lifted for one reply, at most."""
ENGLISH = 0.15
"""Share of the words (0..1): where more are English function words, the text is English."""
LOOK = 400
"""Characters of each text that are searched where words cannot be told apart by spaces."""
_MARKS = ".,;:!?\"'()[]«»„“”‘’।॥؟،؛۔።፣፤։՝།…*#_<>|`-"
"""What stands around a word and is no part of it."""
_ENDS = ".!?:।؟۔።։…"
"""What stands before the first word of a sentence."""
_WORD = regex.compile(r"\p{L}[\p{L}\p{M}\p{N}'’ʼ-]*")
_STOPS = {
    r"[\p{Han}\p{Hiragana}\p{Katakana}]": "。",
    r"[\p{Devanagari}\p{Bengali}]": "।",
    r"\p{Ethiopic}": "።",
    r"\p{Armenian}": "։",
    r"\p{Khmer}": "។",
    r"\p{Myanmar}": "။",
    r"\p{Tibetan}": "།",
    r"[\p{Thai}\p{Lao}]": "",
}
"""How a sentence ends, by script; elsewhere with a full stop."""


def _lines(text: object) -> object:
    return tuple(filter(None, map(str.strip, text.splitlines()))) if isinstance(text, str) else text


def _items(text: object) -> object:
    if not isinstance(text, str):
        return text
    return tuple(filter(None, map(str.strip, text.replace("\n", ";").split(";"))))


Phrases = Annotated[tuple[str, ...], BeforeValidator(_lines), Field(min_length=1)]
"""One phrase a line."""
Words = Annotated[tuple[str, ...], BeforeValidator(_items)]
"""Words or short phrases, separated by semicolons."""


class Stock(BaseModel, extra="forbid", frozen=True):
    """The phrases of one language.

    Slots: ``{a}`` to ``{d}`` are topics, ``{n}`` is a number from 3 to 9, ``{who}`` an audience,
    ``{how}`` a format. A topic may be any noun of ``nouns`` or a word from the inputs, so no
    phrase may ask for its gender, number or case.
    """

    script: str
    """Unicode name of the script a lifted word must be in."""
    lifted: str
    """How a word from the inputs stands in a phrase, e.g. ``„{}“`` where it cannot be declined."""
    join: str = " "
    spaced: bool = True
    capitals: bool = False
    """Whether nouns are written with a capital, so that only such words are lifted."""
    unlike: Words = ()
    """Subtags of variants this is not written in, e.g. ``Hant``."""
    nouns: Words
    labels: Words
    stopwords: Words
    audiences: Phrases
    formats: Phrases
    constraints: Phrases
    instructions: Phrases
    answers: Phrases
    reasons: Phrases
    materials: Phrases
    titles: Phrases
    refusals: Phrases
    preambles: Phrases


class Voice(Protocol):
    """One language, as the rehearsal speaks it."""

    join: str
    refusals: tuple[str, ...]
    preambles: tuple[str, ...]

    def lift(self, rng: random.Random, texts: list[str]) -> list[str]:
        """What to talk about, from the inputs; may be empty."""
        ...

    def say(self, kind: Kind, rng: random.Random, topics: list[str]) -> str:
        """A text of this kind."""
        ...


class Native:
    """A language with a stock."""

    def __init__(self, stock: Stock, english: frozenset[str]) -> None:
        self.stock, self.join = stock, stock.join
        self.refusals, self.preambles = stock.refusals, stock.preambles
        self._foreign = english if stock.script == "Latin" else frozenset()
        self._own = frozenset(stock.stopwords)
        self._nouns = frozenset(stock.nouns)
        self._stop = self._own | (_frame(stock) if stock.spaced else frozenset())
        letters = rf"\p{{{stock.script}}}"
        least = 3 if stock.script == "Latin" or not (stock.spaced or stock.script == "Han") else 1
        self._topic = regex.compile(
            rf"[{letters}&&\p{{L}}--[ะาำๅๆະາຳໆ]][{letters}\p{{M}}'’-]{{{least},19}}", regex.V1
        )
        cuts = "|".join(map(regex.escape, sorted(stock.stopwords, key=len, reverse=True)))
        self._cut = regex.compile(rf"{cuts}|[^\p{{L}}\p{{M}}]+")
        self._favourites = [f"{stock.script}{stock.join}{i}" for i in range(COMMON)]

    def lift(self, rng: random.Random, texts: list[str]) -> list[str]:
        """Content words of those texts that are in this language."""
        if not self.stock.spaced:
            return [word for text in texts for word in self._chunks(text[:LOOK], rng)][:TOPICS]
        found: dict[str, None] = {}
        for words in map(str.split, texts):
            if self._is_foreign(words):
                continue
            for i in rng.sample(range(len(words)), min(24, len(words))):
                word = self._content(words, i)
                if word:
                    found[word] = None
        return list(found)[:TOPICS]

    def _is_foreign(self, words: list[str]) -> bool:
        seen = set(words)
        return len(seen & self._foreign) > len(seen & self._own)

    def _content(self, words: list[str], i: int) -> str:
        word = words[i].strip(_MARKS)
        first = i == 0 or words[i - 1][-1:] in _ENDS
        if first and len(words) > 3:  # an imperative or an inflected capital, seldom a topic
            return ""
        if self.stock.capitals and not word[:1].isupper():
            return ""
        return word if self._topic.fullmatch(word) and word.lower() not in self._stop else ""

    def _chunks(self, text: str, rng: random.Random) -> list[str]:
        nouns = [noun for noun in self.stock.nouns if noun in text]
        longest = 5 if self.stock.script == "Han" else 14
        pieces = [p for p in self._cut.split(text) if len(p) <= longest]
        rng.shuffle(pieces)
        return (nouns + [p for p in dict.fromkeys(pieces) if self._topic.fullmatch(p)])[:TOPICS]

    def say(self, kind: Kind, rng: random.Random, topics: list[str]) -> str:
        """A text of this kind."""
        match kind:
            case "instruction":
                return self._instruction(rng, topics)
            case "answer":
                slots = self._slots(rng, topics)
                lines = rng.sample(self.stock.answers, rng.randint(2, 5))
                return self.join.join(_fill(line, slots) for line in lines)
            case "label":
                return rng.choice(self.stock.labels)
        phrases = {
            "sentence": self.stock.answers, "reason": self.stock.reasons,
            "material": self.stock.materials, "title": self.stock.titles,
        }[kind]  # fmt: skip
        return _fill(rng.choice(phrases), self._slots(rng, topics))

    def _instruction(self, rng: random.Random, topics: list[str]) -> str:
        common = rng.random() < NEAR_REPEATS
        draw = random.Random(rng.choice(self._favourites)) if common else rng
        slots = self._slots(draw, [] if common else topics)
        text = _fill(draw.choice(self.stock.instructions), slots)
        other = {**slots, "b": slots["d"]}
        for constraint in rng.sample(self.stock.constraints, rng.choice((0, 1, 1, 2))):
            text += self.join + _fill(constraint, other)
        return text

    def _slots(self, rng: random.Random, topics: list[str]) -> dict[str, str]:
        a, b, c, d = rng.sample(self.stock.nouns, 4)
        if topics and rng.random() < 0.8:
            a = rng.choice(topics)
        others = [topic for topic in topics if topic not in a]
        if others and rng.random() < 0.4:
            b = rng.choice(others)
        n = str(rng.randint(3, 9))
        who, how = rng.choice(self.stock.audiences), rng.choice(self.stock.formats)
        a, b = self._set(a), self._set(b)
        return {"a": a, "b": b, "c": c, "d": d, "n": n, "who": who, "how": how.replace("{n}", n)}

    def _set(self, topic: str) -> str:
        return topic if topic in self._nouns else self.stock.lifted.format(topic)


class Borrowed:
    """A language without a stock: words of the inputs, or numbered tags where there are none.

    English inputs count for none: no instruction of a prompt's is to pass for the language.
    """

    preambles: tuple[str, ...] = ("",)

    def __init__(self, tag: str, refusals: tuple[str, ...], english: frozenset[str]) -> None:
        self._tag, self._english = tag or "und", english
        self.refusals = refusals  # in English: so do real models refuse in such a language
        self.join = " "
        self._glue, self._stop = " ", "."

    def lift(self, rng: random.Random, texts: list[str]) -> list[str]:
        """Every word; every character where the script has no spaces."""
        text = "\n".join(text for text in texts if not self._is_english(text))[: 2 * LOOK]
        if is_unspaced(text):
            self._glue = self.join = ""
            words = [token for token in tokens(text) if not token.isascii()]
        else:
            words = _WORD.findall(text)
        first = words[0] if words else ""
        self._stop = next(
            (stop for script, stop in _STOPS.items() if regex.match(script, first)), "."
        )
        return words

    def _is_english(self, text: str) -> bool:
        words = text[: 2 * LOOK].lower().split()
        return sum(word in self._english for word in words) > ENGLISH * len(words)

    def say(self, kind: Kind, rng: random.Random, topics: list[str]) -> str:
        """A text of the usual length of its kind."""
        sizes = {"label": (1, 1), "title": (2, 4), "instruction": (6, 14), "material": (8, 20)}
        low, high = sizes.get(kind, (7, 16))
        if not self._glue:
            low, high = 2 * low, 2 * high
        if kind == "answer":
            lines = [self._string(rng, topics, low, high) for _ in range(rng.randint(2, 5))]
            return self.join.join(line + self._stop for line in lines)
        end = "" if kind in ("label", "title") else self._stop
        return self._string(rng, topics, low, high) + end

    def _string(self, rng: random.Random, topics: list[str], low: int, high: int) -> str:
        size = rng.randint(low, high)
        if not topics:
            return " ".join(f"{self._tag}-{rng.randint(1, 99)}" for _ in range(size))
        text = self._glue.join(_runs(rng, topics, size))
        return text[:1].upper() + text[1:]


def _runs(rng: random.Random, words: list[str], size: int) -> list[str]:
    """``size`` words: short runs of the text, so that they read like the language."""
    out: list[str] = []
    while len(out) < size:
        start = rng.randrange(len(words))
        out += words[start : start + rng.randint(1, 3)]
    return out[:size]


def _fill(phrase: str, slots: Mapping[str, str]) -> str:
    text = phrase.format_map(slots)
    return text[:1].upper() + text[1:] if phrase.startswith("{") else text


def _frame(stock: Stock) -> frozenset[str]:
    """The words the phrases themselves are made of: never a topic."""
    phrases = (*stock.instructions, *stock.answers, *stock.constraints, *stock.formats)
    text = regex.sub(r"\{\w+\}", " ", " ".join((*phrases, *stock.audiences)))
    return frozenset(map(str.lower, _WORD.findall(text)))


def read_stocks(path: Path) -> dict[str, Stock]:
    """The stocks of a folder of ``<tag>.yaml`` files, or of one such file, by language.

    Raises:
        JobError: no stock there, or one that does not have the shape of ``Stock``.
    """
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise JobError(f"no phrase stocks (<tag>.yaml) in {path}")
    return {file.stem: _read(file) for file in files}


def _read(file: Path) -> Stock:
    try:
        return Stock.model_validate(shipped.read(file))
    except yaml.YAMLError as error:
        raise JobError(f"{file}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise JobError(f"{file}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
