"""One instruction on its way into one locale: what is known of it so far.

Three kinds of text are told apart. *Conditions* that a program checks are taken out, each with a
mark in its place, and come back in words of the other language (see ``conditions``): so they stay
where they were, whatever a model does with the rest. Code, links and slots are taken out likewise
and come back as they are. What is left is the model's to rewrite, and is measured (``adapted``).

Nothing here asks a model: that is the generator ``localise``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from pydantic import BaseModel, Field

from engine.constraints.reading import Constraint, listed
from engine.core import Record
from engine.languages.locales import Kind
from engine.languages.localising import Localised, Way, WithoutCase, localised
from engine.languages.masking import Masked
from engine.text.quoting import located


class Span(BaseModel, extra="forbid", frozen=True):
    """A piece of a text that is bound to a culture, and what has its function in another."""

    span: str = Field(max_length=200)
    kind: Kind
    replacement: str = Field(max_length=200)


class Condition(BaseModel, extra="forbid", frozen=True):
    """One condition as a model finds it in the prompt, and says it in the other language."""

    number: int
    sentence: str
    words: list[str]
    restated: str


class Conditions(BaseModel, extra="forbid", frozen=True):
    """All conditions of a prompt."""

    conditions: list[Condition]


class Spans(BaseModel, extra="forbid", frozen=True):
    """All that is bound to a culture in a prompt; empty where nothing is."""

    spans: list[Span]


class Change(BaseModel, extra="forbid", frozen=True):
    """One fact that a rewrite says it has changed."""

    before: str
    after: str


class Rewrite(BaseModel, extra="forbid", frozen=True):
    """An instruction, and its answer where it has one, in the other language."""

    prompt: str
    answer: str = ""
    changes: list[Change] = []


Stage = Literal["hold", "list_spans", "rewrite", "done"]
NOTHING_MASKED, NO_REWRITE = Masked(""), Rewrite(prompt="")


@dataclass(frozen=True, slots=True)
class Work:
    """One record on its way into one locale."""

    way: Way
    prompt: str
    response: str
    localised: Localised
    places: tuple[tuple[int, int], ...] = ()
    """Where each condition stands in the prompt, if that is known."""
    said: tuple[str, ...] = ()
    """Each condition in words of the other language, then those that were added."""
    masked: Masked = NOTHING_MASKED
    """The prompt with marks; what stands behind those of conditions is in the other language."""
    spans: tuple[Span, ...] = ()
    strays: int = 0
    """Pieces that a model listed and the prompt does not have."""
    rewrite: Rewrite = NO_REWRITE
    text: str = ""
    """The rewritten prompt with everything put back."""
    stage: Stage = "hold"
    """The question that comes next."""
    take: int = 0
    """How often the present question has been asked."""
    fault: str = ""
    """Why the last reply will not do, as the reason of a drop; empty where it will."""
    detail: str = ""

    @property
    def tag(self) -> str:
        """The locale."""
        return self.way.language

    @property
    def answer_language(self) -> str:
        """The language that an answer is to be in."""
        return self.localised.language

    @property
    def conditions(self) -> list[Constraint]:
        """All that the prompt is to say: what became of each condition, and what was added."""
        return self.localised.constraints

    def failed(self, fault: str, detail: str) -> Work:
        """The same with what is wrong."""
        return replace(self, fault=fault, detail=detail[:500])


def opened(record: Record, tag: str, without_case: WithoutCase) -> Work:
    """A record as it sets out for a locale.

    Raises:
        ConstraintError: its constraints cannot be read.
    """
    way = Way(record.language, tag)
    constraints = listed(record.facts.get("constraints"))
    said = record.facts.get("constraint_sentences")
    prompt = record.last("user")
    sentences = said if isinstance(said, list) and len(said) == len(constraints) else []
    places = [place for each in sentences if (place := located(str(each), prompt))]
    known = tuple(places) if len(places) == len(constraints) else ()
    moved = localised(constraints, way, without_case)
    return Work(way, prompt, record.last("assistant"), moved, known)
