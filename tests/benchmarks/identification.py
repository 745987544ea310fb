"""How well languages are told: py3langid, lingua and ``identify``, on real paragraphs.

``python -m tests.benchmarks.identification [FILE]``: on every paragraph of the Declaration of Human
Rights with at least 20 letters, in the languages that each claims to know, in their usual scripts:
macro-accuracy (every language counts the same), the languages below 0.95, the confusion table,
characters a second and the memory taken. For ``identify`` also how often it is unsure, by length,
of texts in two languages, and of those nobody claims. FILE is a fastText model to compare with.
lingua is not a dependency; without it the other figures are printed.
"""

from __future__ import annotations

import random
import resource
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from engine.languages.agreement import agreement
from engine.languages.identify import identify
from engine.languages.ranking import claims, ranker
from engine.languages.tags import UNDETERMINED, base, normalise
from engine.text.scripts import script
from tests.languages.declarations import declarations

Tell = Callable[[str], str]
Rows = list[tuple[str, str]]
"""Expected tag and paragraph."""


def measured(name: str, tell: Tell, rows: Rows) -> None:
    """Accuracy by language, and what was taken for what."""
    asked, right = Counter[str](), Counter[str]()
    related = Counter[str]()
    confusion: dict[str, Counter[str]] = defaultdict(Counter)
    began, characters = time.perf_counter(), 0
    for tag, text in rows:
        found = tell(text)
        characters += len(text)
        asked[tag] += 1
        same = base(found) == base(tag)
        right[tag] += same
        related[tag] += same or agreement(found, tag) == "close"
        if not same:
            confusion[tag][base(found)] += 1
    seconds = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    shares = {tag: right[tag] / asked[tag] for tag in asked}
    print(f"\n== {name}: {len(rows)} paragraphs in {len(asked)} languages")
    print(f"macro-accuracy {sum(shares.values()) / len(shares):.4f}", end=", ")
    close = sum(related[tag] / asked[tag] for tag in asked) / len(asked)
    print(f"with close languages {close:.4f}, paragraphs {right.total() / asked.total():.4f}")
    print(f"{characters / seconds:,.0f} characters a second; the process has {memory:,.0f} MB")
    low = sorted((round(value, 3), tag) for tag, value in shares.items() if value < 0.95)
    print("below 0.95:", " ".join(f"{tag} {value}" for value, tag in low) or "none")
    print("confusion (expected: taken for, paragraphs):")
    for tag in sorted(confusion, key=lambda tag: -confusion[tag].total()):
        taken = ", ".join(f"{other} {n}" for other, n in confusion[tag].most_common())
        print(f"  {tag:8}{asked[tag]:4} of which {confusion[tag].total():4}: {taken}")


def unsure(rows: Rows) -> None:
    """What ``identify`` says of beginnings of paragraphs: how often it answers, and is right."""
    print("\n== identify, the beginnings of paragraphs: answered, right or close where answered")
    for length in (10, 20, 40, 80, 160):
        said = [(tag, identify(text[:length]).tag) for tag, text in rows]
        answered = [(tag, found) for tag, found in said if found != UNDETERMINED]
        good = sum(base(t) == base(f) or agreement(f, t) == "close" for t, f in answered)
        share, correct = len(answered) / len(said), good / len(answered)
        print(f"  {length:4} characters: {share:.3f}, {correct:.4f}")


def mixed(rows: Rows, several: int = 1000) -> None:
    """Texts that are half in one language and half in another, not close to it."""
    drawn = random.Random(4)
    texts: list[str] = []
    while len(texts) < several:
        (one, first), (other, second) = drawn.sample(rows, 2)
        if agreement(one, other) == "other" and min(len(first), len(second)) >= 80:
            texts.append(f"{first[:160]} {second[:160]}")
    silent = sum(identify(text).tag == UNDETERMINED for text in texts)
    print(f"\n== identify, two languages in one text: unsure of {silent / several:.3f}")


def unclaimed(rows: Rows) -> None:
    """Languages that the library has never seen."""
    said = Counter(identify(text).tag for _, text in rows)
    silent = said.pop(UNDETERMINED)
    share = silent / len(rows)
    print(f"\n== identify, languages nobody claims ({len(rows)}): unsure of {share:.3f}")
    print("  taken for:", ", ".join(f"{tag} {n}" for tag, n in said.most_common(20)))


def lingua() -> tuple[Tell, set[str]] | None:
    """lingua with all its languages, and which they are."""
    try:
        from lingua import Language, LanguageDetectorBuilder
    except ModuleNotFoundError:
        return None
    detector = LanguageDetectorBuilder.from_all_languages().build()

    def code(language: Language) -> str:
        return normalise(language.iso_code_639_1.name)

    def tell(text: str) -> str:
        found = detector.detect_language_of(text)
        return code(found) if found else UNDETERMINED

    return tell, {code(language) for language in Language.all()}


def likeliest(text: str, model: Path | None = None) -> str:
    """What the library by itself says."""
    rank = ranker(model)
    return rank(text)[0][0]


def main(files: Iterable[str]) -> None:
    """Compare."""
    rows = [(tag, text) for _, tag, texts in declarations() if tag for text in texts]
    ours = [(tag, text) for tag, text in rows if claims(tag)]
    measured("py3langid", likeliest, ours)
    measured("identify (py3langid; unsure counts as wrong)", lambda x: identify(x).tag, ours)
    unsure(ours)
    mixed(ours)
    unclaimed([(tag, text) for tag, text in rows if not claims(tag)])
    for file in map(Path, files):
        measured(file.name, partial(likeliest, model=file), ours)
    if found := lingua():
        tell, theirs = found
        usual = [(t, x) for t, x in rows if base(t) in theirs and script(t) == script(base(t))]
        measured("lingua", tell, usual)
        both = [(tag, text) for tag, text in usual if claims(tag)]
        measured("py3langid, on languages that lingua claims too", likeliest, both)
        measured("lingua, on languages that py3langid claims too", tell, both)


if __name__ == "__main__":
    main(sys.argv[1:])
