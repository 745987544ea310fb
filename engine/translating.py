"""What the generator ``translate`` is told, and how it weighs what came back.

Everything here is about a job: which fields, into which languages, by whose limits. What a
translation is, and what can be measured of one, is in ``engine.languages``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, Field, PrivateAttr, field_validator, model_validator

from engine.core import Drop, JobError, Outcome, Record
from engine.fields import tag
from engine.kit import InputPath
from engine.languages import limits as limiting
from engine.languages.quality import fault, measured
from engine.languages.tags import normalise
from engine.languages.translate import Policy, Unit, composed

UNTRANSLATED = "untranslated"
"""The fact in which a record says what of it stays as it is; ``selective_translation`` writes it:
``fields`` (names as in the settings) and ``texts`` (spans of other fields)."""
KEEP: Policy = "keep"


class Settings(BaseModel, extra="forbid"):
    """What is translated, into what, and what a translation has to be like."""

    into: list[str] = Field(min_length=1)
    """BCP-47 tags of the languages to translate into, e.g. ``[de, zh-Hans, sw]``. A record that is
    in one of them already goes on in it as it is."""
    system: Literal["translate", "keep"] = "translate"
    """What happens to a system turn."""
    instruction: Literal["translate", "keep"] = "translate"
    """What happens to what the user says."""
    input: Literal["translate", "keep"] = "translate"
    """What happens to the input of an instruction, where the two are known apart."""
    response: Policy = "translate"
    """What happens to what the assistant says; ``regenerate`` leaves the last answer out, for a
    step behind this one to write in the new language."""
    entities: list[str] = []
    """Names that are to stay as they are, e.g. of products."""
    style: Literal["chat", "plain"] = "chat"
    """How the translator is asked: ``chat`` with rules, and told what was wrong; ``plain`` for a
    served translation model, with nothing but the two languages and the text."""
    max_chunk_chars: int = Field(default=3000, ge=100)
    """Characters translated at a time; longer fields are cut at blank lines, then at lines."""
    takes: int = Field(default=3, ge=1, le=10)
    """How often one field is translated, at most, before the record drops in that language."""
    back: bool = True
    """Whether every translation is translated back, for its chrF; it doubles the calls."""
    meaning: bool = False
    """Whether the role ``embedder`` says how near source and translation are in meaning; give it a
    model that embeds many languages: without one, spelling is compared."""
    limits: InputPath | None = None
    """Limits by language pair and translator, as ``engine calibrate`` writes them; without them
    everything is measured and only what is wrong in any language drops."""

    _limits: limiting.Limits | None = PrivateAttr(None)
    """What is in that file, once it has been read."""

    @model_validator(mode="before")
    @classmethod
    def _no_limit_for_all(cls, given: object) -> object:
        if isinstance(given, Mapping):
            limiting.refuse_one_for_all(given)
        return given

    @field_validator("into")
    @classmethod
    def _tags(cls, into: list[str]) -> list[str]:
        found = [tag(each) for each in into]
        if twice := sorted({each for each in found if found.count(each) > 1}):
            raise ValueError(f"{twice[0]!r} is there twice")
        return found

    @model_validator(mode="after")
    def _limits_can_be_met(self) -> Settings:
        if not self.limits:
            return self
        try:
            self._limits = limiting.read(self.limits)
        except JobError as error:
            raise ValueError(str(error)) from error
        for name, measured_by in (("chrf", "back"), ("similarity", "meaning")):
            if self._limits.uses(name) and not getattr(self, measured_by):
                raise ValueError(f"{self.limits} limits {name}: set {measured_by}: true")
        return self

    @property
    def policy(self) -> Mapping[str, Policy]:
        """Field -> what happens to it."""
        return {
            "system": self.system,
            "instruction": self.instruction,
            "input": self.input,
            "response": self.response,
        }

    def of(self, record: Record) -> tuple[Mapping[str, Policy], tuple[str, ...]]:
        """What happens to the fields of one record, and which texts in it stay as they are.

        Where it says so for itself (the fact ``untranslated``), more stays than the job says.
        """
        own = record.facts.get(UNTRANSLATED)
        if not isinstance(own, Mapping):
            return self.policy, tuple(self.entities)
        kept = dict.fromkeys(map(str, own.get("fields") or ()), KEEP)
        texts = (str(each) for each in own.get("texts") or ())
        return {**self.policy, **kept}, (*self.entities, *texts)

    @property
    def calibrated(self) -> limiting.Limits | None:
        """What is in the file of limits."""
        return self._limits


def looked_at(unit: Unit, origin: str) -> Unit:
    """A fresh translation with its quality, and with what is wrong in any language."""
    if not unit.fresh:
        return unit
    vector = measured(unit.masked, unit.text, origin, unit.language)
    reason, detail = fault(vector, unit.masked, unit.text)
    return replace(unit, quality=vector, fault=reason, detail=detail)


def weighed(unit: Unit, origin: str, engine: str, settings: Settings) -> Unit:
    """A translation held against the limits of its pair and its translator.

    Of a pair that nobody calibrated none is sound, however often it is asked for.
    """
    limits = settings.calibrated
    if limits is None:
        return replace(unit, sound=True)
    limit = limits.of(origin, unit.language, engine)
    if limit is None:
        told = f"no limits for {limiting.pair(origin, unit.language)} by {engine!r}"
        return replace(unit, fault="not_calibrated", detail=told, take=settings.takes)
    reason, detail = limiting.verdict(unit.quality, limit)
    return replace(unit, fault=reason, detail=detail, sound=not reason)


def outcome(
    record: Record,
    index: int,
    language: str,
    units: Sequence[Unit],
    engine: str,
    settings: Settings,
) -> Outcome:
    """What a record has become in one language: itself translated, or its drop."""
    home = normalise(record.language) == normalise(language)
    made = composed(record, index, language, units, settings.of(record)[0])
    vectors = {
        unit.name: {name: round(value, 4) for name, value in unit.quality.items()} for unit in units
    }
    if units:
        made = made.with_facts(quality=vectors, translator=engine)
    elif not home:
        return Drop(made, "nothing_to_translate", "no field has words that are to be translated")
    bad = next((unit for unit in units if not unit.sound), None)
    return Drop(made, bad.fault, f"{bad.name}: {bad.detail}") if bad else made
