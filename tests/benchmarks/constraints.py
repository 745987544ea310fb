"""How fast constraints are checked, and what a megabyte of anything costs.

``python tests/benchmarks/constraints.py [CHECKS]``: 100,000 checks of all 25 types on answers of
about 1,200 characters in eight languages, strictly, then strictly and loosely as the verifier
does. Then each type on a megabyte of prose and of signs that careless patterns take hours for.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from engine.constraints.drawing import offered  # noqa: E402
from engine.constraints.kinds import Context, Ground  # noqa: E402
from engine.constraints.reading import KINDS, Constraint, results, strict  # noqa: E402
from engine.constraints.stock import stock_for, stocks  # noqa: E402
from engine.constraints.units import unit  # noqa: E402

CHARACTERS = 1_200
ANSWERS = 40
STOPS = {"zh": "。", "hi": "।", "th": ""}
COMMAS = {"zh": "，", "ar": "،", "th": ""}


def answer(language: str, rng: random.Random, size: int = CHARACTERS) -> str:
    """Paragraphs, bullet points and bold type, of the language's words."""
    words, stop, text = stock_for(language).words, STOPS.get(language, "."), ""
    gap = "" if unit(language) == "characters" else " "
    while len(text) < size:
        sentence = gap.join(rng.choices(words, k=rng.randint(5, 15)))
        comma = COMMAS.get(language, ",") + gap + rng.choice(words)
        text += rng.choice(("", "", "* ", "**A** ", "\n\n")) + sentence.capitalize() + comma
        text += stop + rng.choice((" ", "\n"))
    return text[:size]


def drawn(language: str, rng: random.Random, text: str) -> list[Constraint]:
    """One constraint of every type that can be asked for."""
    ground = Ground(language, text[:200], stock_for(language), rng, ("fr", "id"))
    return [Constraint(type_, KINDS[type_].draw(ground)) for type_ in offered(ground)]


def many(checks: int) -> None:
    rng = random.Random(4)
    tags = list(stocks())
    texts = [(tag, answer(tag, rng)) for tag in tags for _ in range(ANSWERS)]
    work = [(text, c, tag) for tag, text in texts for c in drawn(tag, rng, text)]
    spent, verdicts, number = defaultdict(float), Counter[str](), 0
    began = time.perf_counter()
    while number < checks:
        text, constraint, tag = work[number % len(work)]
        at = time.perf_counter()
        verdicts[strict(text, constraint, Context(tag)).verdict] += 1
        spent[constraint.type] += time.perf_counter() - at
        number += 1
    print(f"strict: {checks:,} checks in {time.perf_counter() - began:.1f} s; {dict(verdicts)}")
    for type_, seconds in sorted(spent.items(), key=lambda each: -each[1])[:5]:
        print(f"  {type_:45}{100 * seconds / sum(spent.values()):5.1f} % of the time")
    began, number = time.perf_counter(), 0
    while number < checks:
        text, constraint, tag = work[number % len(work)]
        results(text, [constraint], tag)
        number += 1
    print(f"strict and loose: {checks:,} checks in {time.perf_counter() - began:.1f} s")


def long(size: int = 1_000_000) -> None:
    rng = random.Random(4)
    texts = {tag: answer(tag, rng, size) for tag in ("en", "zh", "ar", "th")}
    signs = ("[", "*", "<<", "\n", "***\n", "*a", ".", ".)", '"', "\u0301", "\ud800", "\0", "1")
    texts |= {f"{sign!r}...": (sign * size)[:size] for sign in signs}
    print(f"\n{size:,} characters of ...: the slowest type")
    for name, text in texts.items():
        tag = name if name in stocks() else "en"
        took = {}
        for constraint in drawn(tag, rng, answer(tag, rng)):
            began = time.perf_counter()
            strict(text, constraint, Context(tag))
            took[constraint.type] = time.perf_counter() - began
        worst = max(took, key=lambda type_: took[type_])
        print(f"  {name:12}{took[worst]:8.2f} s  {worst}")


if __name__ == "__main__":
    many(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
    long()
