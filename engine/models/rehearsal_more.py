"""What the rehearsal does besides chatting: choices, tool calls, quotations, scores and vectors.

All of it is shaped like a real model's and carries the model name ``rehearsal``: a choice is a
draw, a call's arguments follow the tool's schema, a score depends on the words of the text and
on whether the prompt has them, a vector is one of hashed character n-grams.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
import regex

from engine.core import REHEARSAL, stable_id
from engine.models.chat import Request, Scores, Texts, ToolCall, Vector
from engine.models.rehearsal_schema import SchemaWriter
from engine.models.rehearsal_voices import Kind
from engine.text.tokens import UNSPACED

RARE, COMMON = -6.0, -0.5
"""Log-probabilities between which a word's own is drawn, in nats."""
KNOWN = 0.4
"""What is left of it where the prompt has the word: a reply speaks of what was asked."""
QUOTED = 80
"""Characters of a line from which on it is worth quoting."""
_PIECE = regex.compile(rf"\s*[{UNSPACED}]\p{{M}}*|\s*[^\s{UNSPACED}]+|\s+", regex.V1)


def tool_call(
    request: Request, rng: random.Random, say: Callable[[Kind], str], *, broken: bool
) -> ToolCall:
    """A call of one of the tools; its JSON does not parse where ``broken``."""
    tool = rng.choice(request.tools)
    writer = SchemaWriter(tool.parameters, rng, say, request.language)
    arguments = orjson.dumps(writer.write()).decode()
    return ToolCall(tool.name, arguments[:-1] if broken else arguments)


def quoting(
    say: Callable[[Kind], str], inputs: Mapping[str, Any], rng: random.Random
) -> Callable[[Kind], str]:
    """``say``, with a line of the longest input, letter by letter, for what is to be a quotation.

    Where no input is a text, a quotation is some material.
    """
    texts = [value for value in inputs.values() if isinstance(value, str)]
    lines = [line.strip() for line in max(texts, key=len, default="").splitlines()]
    long = [line for line in lines if len(line) >= QUOTED] or [line for line in lines if line]

    def quote(kind: Kind) -> str:
        if kind != "quote":
            return say(kind)
        return rng.choice(long) if long else say("material")

    return quote


def carrying(say: Callable[[Kind], str], marks: Sequence[str]) -> Callable[[Kind], str]:
    """``say``, with the sentinels that a rewritten instruction has to carry along behind it."""
    behind = "".join(f"\n{mark}" for mark in marks)
    return lambda kind: say(kind) + (behind if kind == "instruction" else "")


def scores(request: Request, tokens_in: int) -> Scores:
    """Log-probabilities of the last message: the same word, the same number, in every text."""
    *before, last = request.messages
    known = set(_words("\n".join(message.content for message in before)))
    pieces = tuple(_PIECE.findall(last.content))
    logprobs = tuple(map(_drawn, map(_plain, pieces)))
    found = (
        logprob * (KNOWN if _plain(piece) in known else 1)
        for piece, logprob in zip(pieces, logprobs, strict=True)
    )
    return Scores(pieces, tuple(found), REHEARSAL, tokens_in)


def vectors(request: Texts, count: Callable[[str], int]) -> tuple[Vector, ...]:
    """Hashed character n-grams; ``count`` says how many tokens a text is."""
    from engine.text import hashed

    return tuple(
        Vector(hashed.vector(text).astype("<f4").tobytes(), REHEARSAL, count(text))
        for text in request.texts
    )


def _words(text: str) -> list[str]:
    return [_plain(piece) for piece in _PIECE.findall(text)]


def _plain(piece: str) -> str:
    return piece.strip(" \t\r\n.,;:!?\"'()«»„“”।。、，？！").casefold()


def _drawn(word: str) -> float:
    share = int(stable_id(REHEARSAL, "score", word), 16) / 2**64
    return round(RARE + share * (COMMON - RARE), 4)
