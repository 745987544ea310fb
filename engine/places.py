"""What the generator ``localise`` is told, what it tells its prompts, and how a record leaves it.

Everything here is about a job: which locales, by whose gazetteer. What becomes of a condition and
what can be measured of a rewrite is in ``engine.languages``.
"""

from __future__ import annotations

from typing import Literal, TypeVar

from pydantic import BaseModel, Field, PrivateAttr, field_validator, model_validator

from engine.constraints.drawing import in_english
from engine.constraints.reading import ConstraintError
from engine.core import Drop, JobError, Json, Outcome, Record
from engine.fields import tag
from engine.kit import InputPath, Kit
from engine.languages.adapted import composed, numbers
from engine.languages.adapting import Work, opened
from engine.languages.locales import NOTHING, SHOWN, Gazetteer, card, gazetteer, told
from engine.languages.localising import WithoutCase
from engine.languages.masking import SENTINEL
from engine.languages.names import english_name

SHAPES = (["user"], ["user", "assistant"])
"""Conversations that are localised: a prompt, or a prompt with its answer."""


class Settings(BaseModel, extra="forbid"):
    """Into which places, and what is known of them."""

    into: list[str] = Field(min_length=1)
    """BCP-47 tags of the locales, with a region where it matters, e.g. ``[sw-KE, de-AT, hi]``. A
    record that is in one of them already goes on in it as it is."""
    gazetteers: dict[str, InputPath] = {}
    """Locale -> a YAML file with ``notes`` and ``names`` by kind; a kind that it lists allows no
    other names in that locale."""
    without_case: WithoutCase = "drop"
    """A condition on capitals, in a script without them: left out, or (``force``) the answer stays
    in the source's language, and with it every condition."""
    neutral: Literal["keep", "drop"] = "keep"
    """What happens to a prompt in which nothing is bound to a culture: it is translated and says
    so, or drops as ``not_localised``."""
    takes: int = Field(default=2, ge=1, le=5)
    """How often each of the three questions is asked for a locale, at most."""
    _known: dict[str, Gazetteer] = PrivateAttr(default_factory=dict)
    """What is in the gazetteers, once they have been read."""

    @field_validator("into")
    @classmethod
    def _tags(cls, into: list[str]) -> list[str]:
        return list(dict.fromkeys(map(tag, into)))

    @model_validator(mode="after")
    def _gazetteers_can_be_read(self) -> Settings:
        try:
            self._known = {tag(name): gazetteer(path) for name, path in self.gazetteers.items()}
        except JobError as error:
            raise ValueError(str(error)) from error
        if strange := sorted(self._known.keys() - set(self.into)):
            raise ValueError(f"a gazetteer for {strange[0]!r}, which `into` does not name")
        return self

    def known(self, locale: str) -> Gazetteer:
        """What the user's gazetteer says of a locale."""
        return self._known.get(locale, NOTHING)


S = TypeVar("S", bound=Settings)


def opening(record: Record, settings: Settings) -> tuple[tuple[Work, ...], str, str]:
    """The record on its way into each locale but its own; else why it has none, and particulars."""
    if [turn.role for turn in record.messages] not in SHAPES:
        return (), "several_turns", "want a prompt, or a prompt and its answer"
    if not record.last("user").strip():
        return (), "no_instruction", ""
    others = [locale for locale in settings.into if locale != record.language]
    try:
        return tuple(opened(record, locale, settings.without_case) for locale in others), "", ""
    except ConstraintError as error:
        return (), "bad_constraint", str(error)[:500]


def shared(work: Work, kit: Kit[S]) -> dict[str, Json]:
    """What all three prompts take."""
    where = card(work.tag).place or f"where {english_name(work.tag)} is spoken"
    return {"origin": kit.language, "place": where, "fault": _fault(work)}


def customs(work: Work, kit: Kit[S]) -> list[str]:
    """What is known of the place, a line each; of many names some, drawn for the record."""
    rng = kit.random("names", work.tag)
    drawn = [rng.randrange(1 << 16) for _ in range(SHOWN)]
    return [*card(work.tag).lines, *told(kit.params.known(work.tag), drawn)]


def brief(work: Work, kit: Kit[S]) -> dict[str, Json]:
    """What the rewriting is to do and to leave."""
    rng, answers = kit.random("wording", work.tag), work.answer_language
    return {
        "prompt": work.masked.text,
        "response": work.response,
        "spans": [(each.span, each.replacement) for each in work.spans],
        "numbers": numbers(work),
        "marks": [found[0] for found in SENTINEL.finditer(work.masked.text)],
        "conditions": [in_english(each, answers, rng) for each in work.conditions],
        "answer_language": english_name(answers),
    }


def outcome(record: Record, index: int, locale: str, work: Work | None) -> Outcome:
    """What the record has become in one locale: localised, dropped, or itself in its own."""
    if work is None:
        parallel = str(record.facts.get("parallel_id") or record.id)
        return record.child(index, facts={"parallel_id": parallel})
    if work.fault:
        return Drop(record.child(index, language=locale), work.fault, work.detail)
    return composed(record, index, work)


def _fault(work: Work) -> str:
    return f"{work.fault.replace('_', ' ')}: {work.detail}" if work.fault else ""
