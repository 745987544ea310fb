"""Exact ROUGE-L novelty against brute force with the library rouge-score.

``python tests/benchmarks/novelty.py [POOL]``: a pool of 20,000 instructions, then candidates of
which a third are reworded members. Ours decides on all of them, rouge-score on a few of the
same; the decisions on those few must be equal. Prints the cost of a candidate for each.
"""

from __future__ import annotations

import random
import sys
import time
from itertools import accumulate
from pathlib import Path

from rouge_score.rouge_scorer import RougeScorer

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from engine.core import Drop, Message, Outcome, Record  # noqa: E402
from engine.kit import Desk  # noqa: E402
from engine.passes.rouge_novelty import PASS, Params  # noqa: E402

THRESHOLD = 0.7
ASKED, SAMPLED = 4_000, 10


def instructions(count: int, rng: random.Random) -> list[str]:
    """Sentences of 4 to 30 words whose frequencies follow Zipf's law, as in real prose."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(rng.choices(letters, k=rng.randint(2, 9))) for _ in range(20_000)]
    weights = list(accumulate(1 / rank for rank in range(1, len(words) + 1)))
    lengths = [min(30, max(4, round(rng.lognormvariate(2.6, 0.45)))) for _ in range(count)]
    return [" ".join(rng.choices(words, cum_weights=weights, k=length)) for length in lengths]


def reworded(text: str, rng: random.Random) -> str:
    """The text with up to half of its words replaced, moved or left out."""
    words = text.split()
    for _ in range(rng.randint(0, len(words) // 2)):
        at = rng.randrange(len(words))
        word = words.pop(at)
        if rng.random() < 0.5:
            words.insert(rng.randrange(len(words) + 1), rng.choice(("", word, "other")))
    return " ".join(words)


def record(id_: str, text: str) -> Record:
    return Record(id_, "en", (Message("user", text),))


def ours(pool: list[str], asked: list[str], floor: float) -> tuple[list[Outcome], float, float]:
    """Outcomes, milliseconds to read the pool once, milliseconds for a candidate."""
    kept = (record(f"p{n}", text) for n, text in enumerate(pool))
    fresh = (record(f"a{n}", text) for n, text in enumerate(asked))
    started = time.perf_counter()
    stream = PASS.settle(fresh, kept, Desk(Params(report_floor=floor), "novelty", "1"))
    outcomes = [next(stream)]
    first = time.perf_counter()
    outcomes += stream
    return outcomes, 1e3 * (first - started), 1e3 * (time.perf_counter() - first) / len(asked)


def brute_force(pool: list[str], asked: list[str]) -> list[bool]:
    """Which of ``asked`` are dropped, by comparing each with every text kept before it."""
    scorer = RougeScorer(["rougeL"])
    kept, dropped = list(pool), []
    for text in asked:
        near = max(scorer.score(other, text)["rougeL"].fmeasure for other in kept)
        dropped.append(near > THRESHOLD)
        if near <= THRESHOLD:
            kept.append(text)
    return dropped


def main(size: int) -> None:
    rng = random.Random(2)
    pool = instructions(size, rng)
    asked = [
        reworded(rng.choice(pool), rng) if number % 3 == 0 else text
        for number, text in enumerate(instructions(ASKED, rng))
    ]
    started = time.perf_counter()
    expected = brute_force(pool, asked[:SAMPLED])
    brute_ms = 1e3 * (time.perf_counter() - started) / SAMPLED
    print(f"pool {size:,}; {ASKED:,} candidates; rouge-score on {SAMPLED} of them\n")
    print(f"{'':34}{'ms a candidate':>15}{'times as fast':>15}{'dropped':>9}")
    print(f"{'rouge-score, brute force':34}{brute_ms:15.2f}{1:15,.0f}")
    for floor in (1.0, 0.5, 0.0):
        outcomes, read_ms, mean_ms = ours(pool, asked, floor)
        dropped = [isinstance(outcome, Drop) for outcome in outcomes]
        assert dropped[:SAMPLED] == expected
        label = f"rouge_novelty, report_floor {min(floor, THRESHOLD)}"
        print(f"{label:34}{mean_ms:15.3f}{brute_ms / mean_ms:15,.0f}{sum(dropped):9,}")
    print(f"\nreading the pool: {read_ms:.0f} ms; the {SAMPLED} decisions are equal")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
