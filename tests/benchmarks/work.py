"""The work of the benchmarks: rows of chained calls, all a function of a mark in the prompt.

Every prompt carries ``[[k=ROW.CALL]]``. How long a reply is, what it says and whether a third
call follows depend on that mark alone, so every client gives a server exactly the same work
however it words its prompts, and a dataset can be checked without having seen it made. Lengths
are lognormal, as those of real replies are: median 200 tokens, one in a hundred above 2,000.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import Any

MARK = re.compile(rb"\[\[k=(\d+)\.([123])\]\]")
MEDIAN, SHARP = 200, math.log(10) / NormalDist().inv_cdf(0.99)
SHORTEST, LONGEST = 8, 2048
"""Tokens of a reply."""
CHARS = 4
"""Of a token."""
WORDS = """harbour lantern orchard ledger valley copper signal winter bridge archive meadow engine
barrel compass quarry sailor market timber granite letter"""
STOCK = tuple(WORDS.split())


def drawn(name: str) -> int:
    """64 bits that depend on the name alone."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")


def share(name: str) -> float:
    """The same as a number between 0 and 1, neither of them."""
    return (drawn(name) + 0.5) / 2.0**64


def tokens(row: int, call: int) -> int:
    """Tokens of the reply to a call."""
    far = NormalDist().inv_cdf(share(f"tokens {row}.{call}"))
    return round(min(LONGEST, max(SHORTEST, MEDIAN * math.exp(SHARP * far))))


def judged(row: int) -> bool:
    """Whether the row's response asks for a verdict: about half of them do."""
    return drawn(f"judged {row}") % 2 == 1


def calls(row: int) -> int:
    """Calls that the row takes."""
    return 3 if judged(row) else 2


def tag(row: int, call: int) -> str:
    """The first word of a reply; no other reply has it."""
    return f"T{row}.{call}.{drawn(f'tag {row}.{call}') % 16**6:06x}"


@cache
def _prose() -> str:
    draw = random.Random(20)
    return " ".join(draw.choice(STOCK) for _ in range(30_000))


def reply(row: int, call: int) -> str:
    """What the server says: an instruction, a response, or a verdict as JSON."""
    head, size = tag(row, call), tokens(row, call) * CHARS
    start = drawn(f"text {row}.{call}") % 100_000
    body = _prose()[start : start + max(0, size - 30)].strip()
    if call == 3:
        return json.dumps({"tag": tag(row, 2), "score": 1 + row % 5, "reason": body})
    return f"{head} {'J1' if call == 2 and judged(row) else 'J0'} {body} end"


def seeds(rows: int) -> list[dict[str, Any]]:
    """What a client starts from."""
    return [{"row": row, "topic": f"the {STOCK[row % 20]} of place {row}"} for row in range(rows)]


def prompt(call: int, row: int, said: Mapping[int, str], topic: str) -> str:
    """A call's prompt, for clients without prompts of their own; ``said`` has earlier replies."""
    mark = f"[[k={row}.{call}]]"
    if call == 1:
        return f"{mark} Write a single instruction about {topic}, and nothing besides it."
    if call == 2:
        return f"{mark} Do what this instruction asks, as well as you can.\n\n{said[1]}"
    return f"{mark} Grade the response in JSON.\n\nInstruction:\n{said[1]}\n\nResponse:\n{said[2]}"


def follows(row: int, call: int) -> str:
    """What a prompt must quote: the tag of the reply it is made from; empty for a first call."""
    return tag(row, call - 1) if call > 1 else ""


@dataclass(frozen=True)
class Load:
    """All the work of so many rows on a server."""

    calls: int
    slot_s: float
    longest_s: float
    """The longest chain of one row."""

    def ideal_s(self, slots: int) -> float:
        """Seconds that no client can be below."""
        return max(self.slot_s / slots, self.longest_s)


def load(rows: int, prefill_s: float, token_s: float) -> Load:
    """The work of rows 0 to ``rows``."""
    chains = [
        [prefill_s + tokens(row, call) * token_s for call in range(1, calls(row) + 1)]
        for row in range(rows)
    ]
    whole = list(map(sum, chains))
    return Load(sum(map(len, chains)), sum(whole), max(whole))


@dataclass(frozen=True)
class Found:
    """What is wrong with a dataset."""

    rows: int
    lost: int
    doubled: int
    wrong: int


def check(made: Iterable[Mapping[str, Any]], rows: int) -> Found:
    """Hold rows of (row, instruction, response, judge) against what they must be."""
    seen: Counter[int] = Counter()
    wrong = 0
    for each in made:
        row = int(each["row"])
        seen[row] += 1
        verdict = json.loads(each["judge"]) if each["judge"] else None
        wanted = json.loads(reply(row, 3)) if judged(row) else None
        said = each["instruction"], each["response"]
        wrong += said != (reply(row, 1), reply(row, 2)) or verdict != wanted
    doubled = sum(count - 1 for count in seen.values())
    return Found(len(seen), rows - len(seen), doubled, wrong)
