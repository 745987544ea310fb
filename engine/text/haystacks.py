"""Sentences of real documents in which something is hidden.

Needles stand at depths, of which there are 40: from before the first sentence to behind the last,
evenly spaced. What is compared is folded (NFKC, no case, ASCII digits), so that a key is missing
from a text only if no reader would find it there, also as part of another word.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, cycle, islice

import regex

from engine.core import Record
from engine.text.digits import plain_digits
from engine.text.sentences import sentences
from engine.text.tokens import is_unspaced

DEPTHS = 40
"""Places for needles, evenly spaced from the beginning to the end."""
WORD, RUN = (4, 24), (2, 8)
"""Letters of a word worth asking for: where words have blanks between them, and where a run of
letters without one may be several."""
BEFORE, BEHIND = "<text>", "</text>"
"""What stands around a haystack or a list."""
_LETTERS = regex.compile(r"\p{L}[\p{L}\p{M}]*+")


@dataclass(frozen=True, slots=True)
class Haystack:
    """Different sentences, in the order of their documents."""

    sentences: tuple[str, ...]
    folded: tuple[str, ...]
    """The same, to compare with."""

    def without(self, words: Iterable[str]) -> Haystack:
        """Only the sentences that hold none of these words."""
        wanted = [folded(word) for word in words]
        pairs = [
            (sentence, plain)
            for sentence, plain in zip(self.sentences, self.folded, strict=True)
            if not any(word in plain for word in wanted)
        ]
        return Haystack(tuple(s for s, _ in pairs), tuple(p for _, p in pairs))

    def holding(self, word: str) -> int:
        """How many sentences hold the word, or a longer one that it is part of."""
        plain = folded(word)
        return sum(plain in each for each in self.folded)


@dataclass(frozen=True, slots=True)
class Needle:
    """What is hidden, and how deep."""

    key: str
    value: str
    depth: int
    """0 to 39."""
    sentence: str

    def place(self, size: int) -> int:
        """How many of ``size`` sentences stand before it."""
        return round(self.depth * size / (DEPTHS - 1))

    def facts(self, size: int) -> dict[str, str | int]:
        """What it is, in a haystack of ``size`` sentences."""
        about = {"key": self.key, "value": self.value, "sentence": self.sentence}
        return {**about, "depth": self.depth, "place": self.place(size)}


@dataclass(frozen=True, slots=True)
class Straw:
    """A haystack with needles, in any size: its sentences begin anew behind the last."""

    haystack: Haystack
    needles: tuple[Needle, ...]
    space: str

    def text(self, size: int) -> str:
        """The first ``size`` sentences with every needle in its place."""
        straw = list(islice(cycle(self.haystack.sentences), size))
        parts: list[str] = []
        start = 0
        for needle in sorted(self.needles, key=lambda needle: needle.depth):
            place = needle.place(size)
            parts += [*straw[start:place], needle.sentence]
            start = place
        return self.space.join([*parts, *straw[start:]])

    def weights(self, most: int) -> list[int]:
        """Bytes of the first 0, 1, ... ``most`` sentences."""
        room = len(self.space.encode())
        texts = self.haystack.sentences
        sizes = [len(text.encode("utf-8", "surrogatepass")) + room for text in texts]
        return list(accumulate(islice(cycle(sizes), most), initial=0))


@dataclass(frozen=True, slots=True)
class Numbered:
    """A numbered list of words, some of which come more often, in any number of the others."""

    common: tuple[str, ...]
    others: tuple[str, ...]
    repeats: tuple[int, int]
    """How often a common and another word come."""
    ranks: tuple[float, ...]
    """Where each line stands among all; drawn once, so that a longer list has the same order."""

    def text(self, size: int) -> str:
        """The list with ``size`` of the other words."""
        often, seldom = self.repeats
        words = [w for w in self.common for _ in range(often)]
        words += [w for w in self.others[:size] for _ in range(seldom)]
        order = sorted(range(len(words)), key=self.ranks.__getitem__)
        return "\n".join(f"{n}. {words[at]}" for n, at in enumerate(order, 1))

    def weights(self, most: int) -> list[int]:
        """Bytes of a list with 0, 1, ... ``most`` of the others, about."""
        often, seldom = self.repeats
        line = len("1234. \n")
        begun = sum(often * (len(word.encode()) + line) for word in self.common)
        sizes = (seldom * (len(word.encode()) + line) for word in self.others[:most])
        return list(accumulate(sizes, initial=begun))


def texts_in(record: Record) -> list[tuple[str, str]]:
    """Id and text of each document of the fact ``haystack``; without one, the record's own."""
    held = record.facts.get("haystack")
    found = [
        (str(each["id"]), each["text"])
        for each in (held if isinstance(held, list) else ())
        if isinstance(each, dict) and "id" in each and isinstance(each.get("text"), str)
    ]
    return found or [(record.id, str(record.facts.get("document") or ""))]


def haystack(documents: Iterable[str]) -> Haystack:
    """The sentences of the documents, each once; those without a letter are none.

    Nor is what could be taken for the end of the text around it.
    """
    found = dict.fromkeys(chain.from_iterable(map(sentences, documents)))
    kept = tuple(each for each in found if _LETTERS.search(each) and BEHIND not in each.lower())
    return Haystack(kept, tuple(map(folded, kept)))


def folded(text: str) -> str:
    """The text as it is compared."""
    return unicodedata.normalize("NFKC", plain_digits(text)).casefold()


def vocabulary(sentences: Sequence[str]) -> list[str]:
    """The words worth asking for, as they are mostly written; the rarest first, else in order.

    Scripts without blanks give runs of letters between signs, which may be several words.
    """
    text = "\n".join(sentences)
    low, high = RUN if is_unspaced(text) else WORD
    spelt = Counter(found for found in _LETTERS.findall(text) if low <= len(found) <= high)
    counts: Counter[str] = Counter()
    usual: dict[str, str] = {}
    for word, times in spelt.most_common():
        counts[plain := folded(word)] += times
        usual.setdefault(plain, word)
    return [usual[plain] for plain in sorted(counts, key=lambda plain: counts[plain])]
