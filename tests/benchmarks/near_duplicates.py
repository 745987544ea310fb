"""Near-duplicates of a million instructions: minutes, and gigabytes.

``python tests/benchmarks/near_duplicates.py [ROWS] [--heap]``: writes ROWS instructions (a
million) in six scripts to a temporary file, a quarter of them earlier ones with a few words
changed, and runs the pass ``near_duplicate`` with its defaults over them, in one process of its
own. Prints the time of the pass (without that of reading the file), the peak memory of the
process (the whole of it: interpreter, libraries, pass), and with ``--heap`` what the pass itself
has allocated, by tracemalloc, which takes three times as long.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from engine.core import Drop, Message, Record  # noqa: E402
from engine.kit import Desk  # noqa: E402
from engine.passes.near_duplicate import PASS, Params  # noqa: E402

ALPHABETS = {
    "en": ("abcdefghijklmnopqrstuvwxyz", 2, 9, " "),
    "ru": ("абвгдежзийклмнопрстуфхцчшщыэюя", 2, 9, " "),
    "ar": ("ابتثجحخدذرزسشصضطظعغفقكلمنهوي", 2, 7, " "),
    "hi": ("अआइईउऊएऐओऔकखगघचछजझटठडढणतथदधनपफबभमयरलवशषसह", 2, 6, " "),
    "zh": ("".join(map(chr, range(0x4E00, 0x4E00 + 2500))), 1, 2, ""),
    "th": ("กขคฆงจฉชซญฐณดตถทธนบปผฝพฟภมยรลวศษสหอฮ", 2, 6, ""),
}
"""Letters, the shortest and the longest word, and what stands between words."""
RECENT = 50_000
"""A changed row is one of so many before it."""


class Writer:
    """Sentences of 4 to 30 words of one language, with frequencies that follow Zipf's law."""

    def __init__(self, language: str, rng: random.Random) -> None:
        letters, shortest, longest, self.gap = ALPHABETS[language]
        size = range(20_000)
        self.words = ["".join(rng.choices(letters, k=rng.randint(shortest, longest))) for _ in size]
        self.weights = list(accumulate(1 / (rank + 1) for rank in size))
        self.rng = rng

    def sentence(self) -> list[str]:
        length = min(30, max(4, round(self.rng.lognormvariate(2.6, 0.45))))
        return self.rng.choices(self.words, cum_weights=self.weights, k=length)

    def changed(self, words: list[str]) -> list[str]:
        """With up to a sixth of its words replaced or left out."""
        words = list(words)
        for _ in range(self.rng.randint(0, max(1, len(words) // 6))):
            at = self.rng.randrange(len(words))
            words[at : at + 1] = self.rng.choices(self.words, k=self.rng.randint(0, 1))
        return words


def write(path: Path, rows: int) -> None:
    rng = random.Random(5)
    writers = {language: Writer(language, rng) for language in ALPHABETS}
    recent: list[tuple[str, list[str]]] = []
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            language = rng.choice(list(ALPHABETS))
            words = writers[language].sentence()
            if number % 4 == 3:
                language, words = rng.choice(recent)
                words = writers[language].changed(words)
            recent[number % RECENT : number % RECENT + 1] = [(language, words)]
            file.write(f"{number}\t{language}\t{writers[language].gap.join(words)}\n")


class Reader:
    """Records of the file, and the seconds that it took to read them."""

    def __init__(self, path: Path) -> None:
        self.path, self.seconds = path, 0.0

    def __iter__(self) -> Iterator[Record]:
        with self.path.open(encoding="utf-8") as lines:
            while True:
                started = time.perf_counter()
                line = lines.readline()
                if not line:
                    return
                id_, language, text = line.rstrip("\n").split("\t")
                record = Record(id_, language, (Message("user", text),))
                self.seconds += time.perf_counter() - started
                yield record


def measure(path: Path, heap: bool) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if heap:
        tracemalloc.start()
    reader = Reader(path)
    started = time.perf_counter()
    rows = drops = 0
    for outcome in PASS.settle(reader, iter(()), Desk(Params(), "dedup", "1")):
        rows += 1
        drops += isinstance(outcome, Drop)
        if heap and rows % 100_000 == 0:
            held, peak = (size / 1e6 for size in tracemalloc.get_traced_memory())
            print(f"{rows:,} rows: {held:,.0f} MB held, {peak:,.0f} MB at the peak")
    seconds = time.perf_counter() - started - reader.seconds
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{rows:,} rows, {drops:,} dropped: {seconds:,.1f} s, {1e6 * seconds / rows:.1f} us a row"
    )
    print(f"peak memory of the process {after:,.0f} MB, of which {before:,.0f} MB before the pass")


def main(rows: int, *options: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.tsv"
        write(path, rows)
        subprocess.run([sys.executable, __file__, "measure", str(path), *options], check=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["measure", path, *options]:
            measure(Path(path), "--heap" in options)
        case [rows, *options] if rows.isdecimal():
            main(int(rows), *options)
        case options:
            main(1_000_000, *options)
