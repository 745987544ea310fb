"""What scores of log-probabilities have in common: texts that are scored, bounds, what is noted.

A score says something only with the model and the template behind it: both stand beside it on the
record. A template is the server's own chat template (``chat``), or plain text that the job spells
out (``text``), as most published scores were computed.

What cannot be scored (no text, one token alone, too long) is ``skipped`` where the score only
annotates, and fails where bounds are set: an unknown score is not within them.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, field_validator, model_validator

from engine.asking import SCORER
from engine.core import Drop, Finding, Json, Message, Outcome, Record, ReplyError
from engine.kit import Kit
from engine.measures.digits import Expected, expected
from engine.measures.losses import Undefined, loss
from engine.prompting import Prompt

MAX_CHARS = 24_000
"""Characters of a conversation that are still scored by default; some 6,000 tokens of English."""


class Bounds(BaseModel, extra="forbid"):
    """Settings that every score has."""

    min_score: float | None = None
    """A record with a lower score is dropped; left out, none is."""
    max_score: float | None = None
    """A record with a higher score is dropped; left out, none is."""
    max_chars: int = Field(default=MAX_CHARS, ge=1)
    """Longer conversations are not scored, in characters: a server refuses what is longer than
    its context."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        low, high = self.min_score, self.max_score
        if low is not None and high is not None and low > high:
            raise ValueError("min_score is above max_score")
        return self

    @property
    def bounded(self) -> bool:
        """Whether a record may be dropped for its score."""
        return self.min_score is not None or self.max_score is not None


class Templated(Bounds):
    """Settings of scores that put an answer after its instruction."""

    template: Literal["chat", "text"] = "chat"
    """``chat``: the server's chat template, an answer alone standing after an empty user turn;
    ``text``: the two texts below and no chat."""
    given: str = "{instruction}\n"
    """With ``text``: what stands before the answer; ``{instruction}`` is replaced."""
    alone: str = ""
    """With ``text``: what stands before the answer alone, such as ``### Response:``."""

    @field_validator("given", "alone")
    @classmethod
    def _empty_or_said(cls, text: str) -> str:
        if text and not text.strip():
            raise ValueError("is empty or holds more than white space")
        return text

    @field_validator("given")
    @classmethod
    def _names_it(cls, text: str) -> str:
        if "{instruction}" not in text:
            raise ValueError("holds {instruction}, which is replaced")
        return text

    @property
    def named(self) -> dict[str, Json]:
        """The template as it is noted on a record."""
        if self.template == "chat":
            return {"template": "chat"}
        return {"template": "text", "given": self.given, "alone": self.alone}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a text, token by token."""

    tokens: tuple[str, ...]
    logprobs: tuple[float, ...]
    before: tuple[float, ...] = ()
    """Log-probabilities of the tokens before it, where they were scored along with it."""
    model: str = ""

    @property
    def nll(self) -> float:
        """Its loss: mean negative log-likelihood in nats; raises ``Undefined`` without tokens."""
        return loss(self.logprobs)


def instruction_of(record: Record) -> str:
    """The instruction of the last response, as scores were published: bare, line break, input."""
    given = str(record.facts.get("input") or "")
    bare = record.facts.get("instruction")
    if given and isinstance(bare, str) and bare.strip():
        return f"{bare}\n{given}"
    return before(record)[-1].content


async def given_and_alone(record: Record, kit: Kit[Any], params: Templated) -> tuple[Part, Part]:
    """The last response after its instruction and alone, in the template of the settings.

    Raises:
        ReplyError: nothing of it could be scored.
    """
    said = record.last("assistant")
    if params.template == "chat":
        empty = Message("user", "")
        given, alone = in_chat(kit, before(record), said), in_chat(kit, [empty], said)
    else:
        asked = params.given.replace("{instruction}", instruction_of(record))
        given, alone = after_text(kit, asked, said), after_text(kit, params.alone, said)
    found = await asyncio.gather(given, alone)
    return found[0], found[1]


def before(record: Record) -> tuple[Message, ...]:
    """The turns before the last response."""
    at = max((n for n, m in enumerate(record.messages) if m.role == "assistant"), default=0)
    return record.messages[:at]


async def in_chat(
    kit: Kit[Any], turns: Sequence[Message], completion: str, role: str = SCORER
) -> Part:
    """A completion as the reply to these turns."""
    scores = await kit.score(turns, completion, role=role)
    return Part(scores.tokens, scores.logprobs, model=scores.model)


async def after_text(kit: Kit[Any], text: str, completion: str) -> Part:
    """A completion right after a text, outside of any chat; after nothing where that is empty.

    Its tokens are those behind the ones that the text begins with alone. Where the two texts meet
    in one token it counts with the completion; published codes count as many tokens as the text
    has and lose it.
    """
    if not completion.strip():
        raise ReplyError("a blank completion has nothing to score")
    whole, own = await asyncio.gather(kit.score(None, text + completion), _tokens(kit, text))
    pairs = zip(whole.tokens, own, strict=False)
    ahead = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
    return Part(whole.tokens[ahead:], whole.logprobs[ahead:], whole.logprobs[:ahead], whole.model)


async def _tokens(kit: Kit[Any], text: str) -> tuple[str, ...]:
    """Tokens of a text that are scored; the first is not, by models that begin with none."""
    if not text:
        return ()
    try:
        return (await kit.score(None, text)).tokens
    except ReplyError:  # a single token, and nothing before it
        return ()


async def by_digits(
    kit: Kit[Any], prompt: Prompt[Any], digits: Sequence[int], **inputs: Any
) -> tuple[Expected, str]:
    """The expectation over the digits as replies to a prompt, and the model that scored them.

    A digit that the model cuts into several tokens has the probability of all of them.

    Raises:
        Undefined: no digit has a probability.
    """
    asked = (kit.score(prompt, str(digit), **inputs) for digit in digits)
    found = await asyncio.gather(*asked)
    logprobs = {digit: scores.sum for digit, scores in zip(digits, found, strict=True)}
    return expected(logprobs), found[0].model


def unscorable(record: Record, params: Bounds) -> str:
    """Why a record cannot be scored, as a slug; empty where it can."""
    ahead = before(record)[-1:]
    asked = ahead[0].content if ahead and ahead[0].role == "user" else ""
    if not asked.strip() or not record.last("assistant").strip():
        return "nothing_to_score"
    size = sum(len(message.content) for message in record.messages)
    return "too_long_to_score" if size > params.max_chars else ""


def unscored(record: Record, params: Bounds, reason: str, why: str = "") -> Outcome | Finding:
    """What becomes of a record without a score."""
    if params.bounded:
        return Drop(record, reason, why or "no score, and bounds are set")
    return Finding(record, "skipped", why or reason.replace("_", " "), reason)


def noted(
    record: Record, params: Bounds, name: str, score: float, facts: Mapping[str, Json]
) -> Outcome:
    """The record with ``facts["scores_<name>"]``; dropped where ``score`` is out of bounds."""
    scored = record.with_facts(**{f"scores_{name}": {**facts}})
    if params.min_score is not None and score < params.min_score:
        return Drop(scored, "low_score", f"{name} {score:.4f} < {params.min_score:g}")
    if params.max_score is not None and score > params.max_score:
        return Drop(scored, "high_score", f"{name} {score:.4f} > {params.max_score:g}")
    return scored


def version_of(kit: Kit[Any], prompt: Prompt[Any]) -> str:
    """The version of a prompt that this kit has asked, as lineage names it."""
    asked = (call.prompt for call in kit.hop("").calls)
    return next((name for name in asked if name.partition("@")[0] == prompt.name), prompt.name)


NOT_SCORED = (ReplyError, Undefined)
"""What a score may end with that cannot be had of these texts."""
