"""The embedded model: offline, deterministic, without weights.

It lets a person find out in a minute that a job's prompts, graph, filters and outputs fit
together, before a night is spent on a real model. It reads what filled the prompt, the schema
and the language, and answers in the asked form: phrases from stocks
(``taxonomies/rehearsal/<tag>.yaml``, written for this project) whose slots take topics lifted
from the inputs. Where there is no stock for a language, it strings together words of the inputs
and nothing else: no English text that pretends to be Wolof. It understands nothing; its replies
carry the model name ``rehearsal``, so that no record of it can be passed off as a model's.

The same request always gives the same reply, whatever was asked before or beside it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, cast

import orjson
import regex
from pydantic import BaseModel, Field, model_validator

from engine.core import REHEARSAL, Message, stable_id
from engine.models import rehearsal_more
from engine.models.chat import Count, Reply, Request, Sample, Scores, Texts, Vector
from engine.models.rehearsal_schema import SchemaWriter
from engine.models.rehearsal_voices import Borrowed, Kind, Native, Voice, read_stocks

Say = Callable[[Kind], str]
Rate = Annotated[float, Field(ge=0, le=1)]

BUDGET = 1500
"""Characters of the inputs that are read for topics: what keeps a call with a book instant."""
BYTES_PER_TOKEN = 4
"""Estimate behind ``tokens_in`` and ``tokens_out``: UTF-8 bytes per token of common tokenizers.

About right for English (4 characters a token) and Chinese (1.3); too many tokens by up to half
for Indic scripts and Thai with tokenizers that know them well.
"""
_NOT_TOPICS = frozenset(
    {"language", "languages", "origin", "reply_labels", "style", "format", "length", "error"}
)
_COUNTS = ("count", "wanted", "number", "how_many", "n")
_SECTIONS = "reply_labels"
"""The input that lists the labels under which the parts of a reply are to stand."""
_MARKS = "marks"
"""The input that lists the sentinels which a translation has to carry along."""
_OPTIONS = ("labels", "options", "choices", "classes", "categories")
_NUMBERED = regex.compile(r"^[ \t]*(\d{1,4})[.)、．][ \t]*(\S?)", regex.M)


class Faults(BaseModel, extra="forbid", frozen=True):
    """How often the rehearsal misbehaves, each a share of replies (0..1).

    A reply has one fault at most, so the rates add up to 1 at most.
    """

    malformed: Rate = 0.0
    """JSON that does not parse; a numbered list without numbers; other text behind a preamble
    and in a code fence that is never closed."""
    refusal: Rate = 0.0
    """The reply declines; inside JSON, where a server enforces the shape, its texts decline."""
    repeat: Rate = 0.0
    """One sentence over and over; inside JSON, in every text."""
    wrong_language: Rate = 0.0
    """The asked form, in another language."""
    empty: Rate = 0.0
    """No character at all."""
    truncated: Rate = 0.0
    """Cut in the middle and marked as cut by the token limit."""

    @model_validator(mode="after")
    def _one_at_most(self) -> Faults:
        if sum(rate for _, rate in self) > 1 + 1e-9:
            raise ValueError("the rates add up to more than 1; a reply has one fault at most")
        return self

    def draw(self, rng: random.Random) -> str:
        """The fault of this reply; ``""`` for none."""
        point = rng.random()
        for name, rate in self:
            if point < rate:
                return name
            point -= rate
        return ""


class Rehearsal:
    """The embedded model as a ``Chat``.

    ``stocks`` is a folder of ``<tag>.yaml`` files, or one such file; it is read once, here.
    """

    def __init__(self, stocks: Path, faults: Faults = Faults()) -> None:  # noqa: B008 - frozen
        read = read_stocks(stocks)
        self._english = frozenset(read["en"].stopwords) if "en" in read else frozenset[str]()
        self._voices = {
            tag: Native(stock, frozenset() if tag == "en" else self._english)
            for tag, stock in read.items()
        }
        self._refusals = read.get("en", next(iter(read.values()))).refusals
        self._faults = faults

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages there are phrases for."""
        return tuple(self._voices)

    async def chat(self, request: Request) -> Reply:
        """Answer at once; of several samples, the first is the reply to a request for one."""
        seeds = range(request.seed, request.seed + request.n)
        first, *others = [self._one(replace(request, n=1, seed=seed)) for seed in seeds]
        if not others:
            return first
        all_ = (first, *others)
        out = sum(reply.tokens_out for reply in all_)
        cut = any(reply.truncated for reply in all_)
        samples = tuple(Sample(reply.text, reply.truncated) for reply in all_)
        return replace(first, tokens_out=out, truncated=cut, samples=samples)

    async def score(self, request: Request) -> Scores:
        """Numbers that look like a model's and are none; see ``Model``."""
        return rehearsal_more.scores(request, _asked(request))

    async def embed(self, request: Texts) -> tuple[Vector, ...]:
        """Hashed character n-grams; see ``Model``."""
        return rehearsal_more.vectors(request, _tokens)

    async def count(self, request: Request) -> Count:
        """An estimate from bytes; see ``Model``."""
        return Count(_asked(request), REHEARSAL)

    def _one(self, request: Request) -> Reply:
        key = _key(request)
        fault = self._faults.draw(random.Random(stable_id(key, "fault")))
        if request.tools and fault in ("", "malformed", "truncated"):
            return self._calling(request, random.Random(key), broken=bool(fault))
        whole = _stopped(self._text(request, random.Random(key), fault), request.sampling)
        kept = random.Random(stable_id(key, "cut")).uniform(0.3, 0.8) if fault == "truncated" else 1
        text = _within(whole[: max(1, int(len(whole) * kept))], request.sampling)
        cut = fault == "truncated" or text != whole
        return Reply(text, REHEARSAL, _asked(request), _tokens(text), truncated=cut)

    def _calling(self, request: Request, rng: random.Random, *, broken: bool) -> Reply:
        voice = self._voice(request.language)
        topics = voice.lift(rng, _windows(request.inputs, rng))
        say = _sayer(voice, rng, topics, "", [])
        say = rehearsal_more.quoting(say, request.inputs, rng)
        call = rehearsal_more.tool_call(request, rng, say, broken=broken)
        out = _tokens(call.name + call.arguments)
        return Reply("", REHEARSAL, _asked(request), out, tool_calls=(call,))

    def _voice(self, tag: str) -> Voice:
        base, *subtags = tag.replace("_", "-").split("-")
        native = self._voices.get(base.lower())
        if native is None or not set(native.stock.unlike).isdisjoint(subtags):
            return Borrowed(tag, self._refusals, self._english)
        return native

    def _another(self, tag: str, rng: random.Random) -> Voice:
        base = tag.replace("_", "-").split("-")[0].lower()
        return self._voices[rng.choice([t for t in self._voices if t != base] or [base])]

    def _text(self, request: Request, rng: random.Random, fault: str) -> str:
        wrong = fault == "wrong_language"
        voice = self._another(request.language, rng) if wrong else self._voice(request.language)
        inputs = {} if wrong else request.inputs
        topics = voice.lift(rng, _windows(inputs, rng))
        say = _sayer(voice, rng, topics, fault, _options(inputs))
        say = rehearsal_more.quoting(say, {} if fault in ("refusal", "repeat") else inputs, rng)
        if fault == "empty":
            return ""
        if request.options:
            return say("answer") if fault and fault != "truncated" else rng.choice(request.options)
        if request.schema is not None:
            say = rehearsal_more.carrying(say, inputs.get(_MARKS, ()))
            return _json(request, rng, say, broken=fault == "malformed")
        if fault in ("refusal", "repeat"):
            return say("answer")
        if request.form == "numbered_list":
            return _numbered_list(request, rng, say, numbered=fault != "malformed")
        if (labels := inputs.get(_SECTIONS)) and fault != "malformed":
            return "\n".join(f"{label}\n{say('instruction')}" for label in labels)
        form = request.form if request.form in ("instruction", "label") else "answer"
        text = " ".join([say(cast(Kind, form)), ", ".join(inputs.get(_MARKS, ()))]).rstrip()
        return f"{rng.choice(voice.preambles)}\n```\n{text}" if fault == "malformed" else text


def _key(request: Request) -> str:
    """What every draw of this reply derives from: all that the model sees."""
    said = (part for m in request.messages for part in (m.role, m.content))
    asked = orjson.dumps([dict(request.sampling), request.schema], default=str)
    place = (str(request.seed), str(request.take), request.language, request.form)
    return stable_id("rehearsal", *said, asked.decode(), *place)


def _asked(request: Request) -> int:
    return sum(_tokens(message.content) for message in request.messages)


def _tokens(text: str) -> int:
    return -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)


def _stopped(text: str, sampling: Mapping[str, Any]) -> str:
    """The text up to the first stop sequence, as a server would end it."""
    stops = sampling.get("stop") or ()
    for stop in [stops] if isinstance(stops, str) else stops:
        text = text.split(stop, 1)[0]
    return text


def _within(text: str, sampling: Mapping[str, Any]) -> str:
    limit = sampling.get("max_completion_tokens") or sampling.get("max_tokens")
    if not limit or len(text) <= limit:  # a character has 4 bytes at most
        return text
    return text.encode()[: limit * BYTES_PER_TOKEN].decode(errors="ignore")


def _sayer(
    voice: Voice, rng: random.Random, topics: list[str], fault: str, options: list[str]
) -> Say:
    """How this reply says things: with its language, its topics and its fault."""

    def say(kind: Kind) -> str:
        if kind == "label" and options:
            return rng.choice(options)
        if kind not in ("label", "title"):
            if fault == "refusal":
                return rng.choice(voice.refusals)
            if fault == "repeat":
                return voice.join.join([voice.say("sentence", rng, topics)] * rng.randint(10, 20))
        return voice.say(kind, rng, topics)

    return say


def _json(request: Request, rng: random.Random, say: Say, *, broken: bool) -> str:
    assert request.schema is not None
    writer = SchemaWriter(request.schema, rng, say, request.language, _wanted(request.inputs))
    text = orjson.dumps(writer.write()).decode()
    if not broken:
        return text
    return rng.choice([f"{text[:-1]},{text[-1:]}", f"{text},", f"JSON:\n{text}", f"[{text}"])


def _numbered_list(request: Request, rng: random.Random, say: Say, *, numbered: bool) -> str:
    """New instructions, numbered on from the list in the last user message."""
    asked = next((m.content for m in reversed(request.messages) if m.role == "user"), "")
    start = 1
    for found in _NUMBERED.finditer(asked[-20_000:]):
        # A number with nothing behind it is an open entry: the reply fills it.
        start = int(found[1]) + bool(found[2])
    last = request.inputs.get("last")
    size = last - start + 1 if isinstance(last, int) and last >= start else 0
    size = min(size or _wanted(request.inputs) or rng.randint(6, 10), 100)
    items = [say("instruction") for _ in range(size)]
    return "\n".join(f"{start + i}. {text}" if numbered else text for i, text in enumerate(items))


def _wanted(inputs: Mapping[str, Any]) -> int:
    """How many things the prompt asked for, where an input says so; else 0."""
    found = (inputs.get(name) for name in _COUNTS)
    return next((n for n in found if type(n) is int and 0 < n <= 100), 0)


def _options(inputs: Mapping[str, Any]) -> list[str]:
    """The labels to choose from, where an input lists them."""
    for name in _OPTIONS:
        listed = inputs.get(name)
        if isinstance(listed, list | tuple) and listed:
            return [option for option in listed if isinstance(option, str)]
    return []


def _windows(inputs: Mapping[str, Any], rng: random.Random) -> list[str]:
    """Pieces of the inputs' texts, ``BUDGET`` characters in all, each from a drawn place."""
    texts = list(_texts({k: v for k, v in inputs.items() if k not in _NOT_TOPICS}))
    if not texts:
        return []
    size = max(200, BUDGET // len(texts))
    return [_window(text, size, rng) for text in rng.sample(texts, min(len(texts), 7))]


def _window(text: str, size: int, rng: random.Random) -> str:
    if len(text) <= size:
        return text
    start = rng.randrange(len(text) - size + 1)
    piece = text[start : start + size]
    whole_words = piece.split(maxsplit=1)[-1].rsplit(maxsplit=1)[0]
    return whole_words if len(whole_words) > size // 2 else piece


def _texts(value: object, depth: int = 0) -> Iterator[str]:
    """The texts in an input, at most 40 of a list and four levels down."""
    if isinstance(value, str):
        if any(map(str.isalpha, value[:200])):
            yield value
    elif isinstance(value, Message):
        yield value.content
    elif isinstance(value, BaseModel):
        yield from _texts(dict(value), depth)
    elif isinstance(value, Mapping) and depth < 4:
        for inner in list(value.values())[:40]:
            yield from _texts(inner, depth + 1)
    elif isinstance(value, list | tuple) and depth < 4:
        for inner in value[:40]:
            yield from _texts(inner, depth + 1)
