"""What the safety filters find, miss and take wrongly, and how fast they are.

``python tests/benchmarks/pii.py [RECORDS]``: recall of ``pii`` by type, language and country on
generated texts, its false positives by what was mistaken; then the time that 100,000 records of
about 1,200 characters in seven languages take in each filter, one in five with something private.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from engine.core import Message, Record  # noqa: E402
from engine.filters import hidden_unicode, injection, pii, refusal, secrets  # noqa: E402
from engine.kit import Kit  # noqa: E402
from engine.prompting import Library  # noqa: E402
from engine.text.private import KINDS, find  # noqa: E402
from tests.filters.personal import SENTENCES, cases, harmless  # noqa: E402
from tests.filters.samples import GOOD  # noqa: E402

FILTERS = (pii, secrets, hidden_unicode, injection, refusal)
CHARACTERS = 1_200


def recall(each: int = 200) -> None:
    asked, found = Counter[tuple[str, ...]](), Counter[tuple[str, ...]]()
    for case in cases(random.Random(4), each):
        places = find(case.text, case.language)
        hit = any(case.written in case.text[p.start : p.end] for p in places)
        for key in (
            (case.kind,),
            (case.kind, case.language),
            (case.kind, case.language, case.locale),
        ):
            asked[key] += 1
            found[key] += hit
    for kind in KINDS:
        rates = {tag: found[kind, tag] / asked[kind, tag] for tag in SENTENCES}
        by_language = " ".join(f"{tag} {rate:.3f}" for tag, rate in rates.items())
        print(f"{kind:12}{found[kind,] / asked[kind,]:7.4f} of {asked[kind,]:6,}   {by_language}")
    low = {key: found[key] / n for key, n in asked.items() if found[key] < 0.98 * n}
    print("below .98:", low or "none")


def unannounced(each: int = 200) -> None:
    """The same numbers with no word before them: what proves itself is found, the rest is not."""
    asked, found = Counter[str](), Counter[str]()
    for case in cases(random.Random(4), each):
        abroad = case.kind == "phone" and case.written.startswith("+")
        kind = f"{case.kind} abroad" if abroad else case.kind
        text = f"- {case.written} -"
        places = find(text, case.language)
        asked[kind] += 1
        found[kind] += any(case.written in text[p.start : p.end] for p in places)
    print("without a word:", ", ".join(f"{k} {found[k] / n:.3f}" for k, n in asked.items()))


def mistaken(each: int = 300) -> None:
    rng = random.Random(5)
    wrong, total = Counter[str](), 0
    for _ in range(each):
        for name, text in harmless(rng).items():
            for language in SENTENCES:
                total += 1
                for place in find(text, language):
                    wrong[f"{name} as {place.kind} in {language}"] += 1
    print(f"taken wrongly: {sum(wrong.values())} in {total:,} texts: {dict(wrong)}")
    rates = {}
    for length in range(8, 21):
        texts = [f"Item {rng.randrange(10 ** (length - 1), 10**length)}." for _ in range(each * 10)]
        rates[length] = round(sum(bool(find(text, "en")) for text in texts) / len(texts), 4)
    print(f"random numbers taken for something, by digits: {rates}")


def records(number: int) -> list[Record]:
    """Texts of seven languages, of which one in five has something private."""
    rng, made = random.Random(6), []
    private = {
        tag: [c.text for c in cases(random.Random(7), 30) if c.language == tag] for tag in SENTENCES
    }
    decoys = [text for _ in range(50) for text in harmless(rng).values()]
    tags = list(SENTENCES)
    for at in range(number):
        tag = tags[at % len(tags)]
        asked, answer = GOOD[tag]
        text = answer
        while len(text) < CHARACTERS - 200:
            text += " " + (rng.choice(decoys) if rng.random() < 0.1 else answer)
        extra = " " + rng.choice(private[tag]) if at % 5 == 0 else ""
        turns = (Message("user", asked + extra), Message("assistant", f"{text} {at}{extra}"))
        made.append(Record(str(at), tag, turns))
    return made


def speed(number: int) -> None:
    made = records(number)
    size = sum(len(m.content) for record in made for m in record.messages)
    print(f"{number:,} records, {size / number:,.0f} characters each; one process:")
    for module in FILTERS:
        kind, params, library = module.FILTER, module.FILTER.params(), Library(ROOT / "prompts")
        began = time.perf_counter()
        for record in made:
            kind.check(record, Kit(params, record, "1", {}, library))
        took = time.perf_counter() - began
        print(f"  {module.__name__.rpartition('.')[2]:16}{took:7.1f} s")


if __name__ == "__main__":
    recall()
    unannounced()
    mistaken()
    speed(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
