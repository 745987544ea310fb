"""What a job says of its mixture of languages, and the plan that follows from it and what there is.

Apart from the pass ``language_mix``, which realises the plan, so that the settings can be read
beside each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator

from engine.core import JobError
from engine.fields import Tag, tag
from engine.languages.tags import SPECIAL, base
from engine.selection import mixing
from engine.selection.mixing import Plan
from engine.selection.quotas import Counts, Sizes


def _different(tags: list[str]) -> list[str]:
    if twice := sorted({tag for tag in tags if tags.count(tag) > 1}):
        raise ValueError(f"{', '.join(twice)}: said twice")
    return tags


def _by_language(given: object) -> object:
    """Counts or shares by tag: one language spelt in two ways would lose one of them."""
    spelt: dict[str, str] = {}
    for name in given if isinstance(given, dict) else ():
        meant = tag(name) if isinstance(name, str) and name else ""
        if meant in spelt:
            raise ValueError(f"{spelt[meant]} and {name} are one language, {meant}: say it once")
        if base(meant) in SPECIAL:
            raise ValueError(f"{name} names no language")
        spelt[meant] = name
    return given


WAYS = ("shares", "languages", "temperature", "unimax", "pinch", "sweep")
Share = Annotated[float, Field(gt=0)]
Records = Annotated[int, Field(ge=0)]
Tags = Annotated[list[Tag], Field(min_length=1), AfterValidator(_different)]


class Pinch(BaseModel, extra="forbid"):
    """A few examples of many languages beside one."""

    base: Tag
    """The language of all other records."""
    languages: Tags
    """Those that have a pinch."""
    examples: int = Field(ge=0)
    """Records in these, all together."""

    @model_validator(mode="after")
    def _apart(self) -> Pinch:
        if self.base in self.languages:
            raise ValueError(f"{self.base} is the base: leave it out of languages")
        return self


class Sweep(BaseModel, extra="forbid"):
    """One step of a sweep over the number of languages."""

    order: Tags
    """All languages, the first one first; the same in every step of the sweep."""
    take: int = Field(ge=1)
    """How many of them, from the first."""
    mode: mixing.Mode
    """``grow``: each has what it has when all are taken; ``constant``: ``size`` is divided anew."""

    @model_validator(mode="after")
    def _enough(self) -> Sweep:
        if self.take > len(self.order):
            raise ValueError(f"take is {self.take}, and order has {len(self.order)} languages")
        return self


class Ways(BaseModel, extra="forbid"):
    """Plans that need a total and nothing else. One of them is said."""

    shares: Annotated[dict[Tag, Share], BeforeValidator(_by_language)] | None = None
    """Tag -> share (0..1); they sum to 1."""
    languages: Tags | None = None
    """The same of each of these."""
    temperature: float | None = Field(default=None, ge=1, le=1e6)
    """1 (by what there is) or more (evener)."""
    unimax: bool = False
    """Evenly over what there is, none more than ``max_epochs`` times."""
    cap: int | None = Field(default=None, ge=1)
    """With ``temperature``: records that a language counts for, at most."""
    sizes: Annotated[dict[Tag, Records], BeforeValidator(_by_language)] | None = None
    """With ``temperature`` and ``unimax``: tag -> records there are. Left out in a job's
    ``languages``: what its sources hold, which are read through once; in ``language_mix``: what
    has come."""

    @model_validator(mode="after")
    def _one_plan(self) -> Self:
        ways = [way for way in WAYS if way in type(self).model_fields]
        said = [way for way in ways if getattr(self, way)]
        if len(said) != 1:
            raise ValueError(f"say one of {', '.join(ways)}; found {', '.join(said) or 'none'}")
        if self.shares and abs(sum(self.shares.values()) - 1) > 1e-6:
            raise ValueError(f"shares sum to {sum(self.shares.values()):g}, not to 1")
        return self


def _shares(given: object) -> object:
    """``{eu: 0.7, sw: 0.3}`` is short for ``{shares: {eu: 0.7, sw: 0.3}}``."""
    short = isinstance(given, dict) and not given.keys() & Ways.model_fields.keys()
    return {"shares": given} if short else given


Languages = Annotated[
    Ways, BeforeValidator(_shares, json_schema_input_type=Ways | dict[str, float])
]
"""What a job says of the languages it wants: tag -> share, or one of the ways."""


class Mixture(Ways, extra="forbid"):
    """Settings of ``language_mix``."""

    size: int = Field(ge=1)
    """Records (or meant copies) in all rounds; in a growing sweep, when all languages are taken."""
    pinch: Pinch | None = None
    """See there."""
    sweep: Sweep | None = None
    """See there."""
    max_epochs: int = Field(default=1, ge=1)
    """The repetition factor that is allowed."""
    short: Literal["refuse", "wait", "repeat"] = "refuse"
    """What to do where a language has less than its quota; see above."""
    by: str = ""
    """The fact that the translations of one example share; empty: rows are not parallel."""
    parallel: Literal["one", "all"] = "one"
    """With ``by``: each example in one language, or in ``all`` of ``languages``."""

    @model_validator(mode="after")
    def _realisable(self) -> Self:
        if self.pinch and self.pinch.examples > self.size:
            raise ValueError("pinch: more examples than size")
        if self.parallel == "all" and not (
            self.by and self.languages and self.size % len(self.languages) == 0
        ):
            raise ValueError("parallel: all wants by, languages, and a size they divide evenly")
        if self.by and (self.max_epochs > 1 or self.short == "repeat"):
            raise ValueError("parallel rows (by) are not repeated: each example is kept once")
        return self


def quotas_of(languages: Ways, accepted: int, after: list[str]) -> dict[str, Any]:
    """The last step of a job that wants so many records, as the job would say it.

    ``short: wait``: rounds go on until every language has its quota, or seeds run out.

    Raises:
        ValueError: no target, or sizes that are too small for it.
    """
    if not accepted:
        raise ValueError("languages are shares of target.accepted, and that is not said")
    said = languages.model_dump(exclude_defaults=True)
    mixture = Mixture.model_validate({**said, "size": accepted, "short": "wait"})
    if mixture.sizes:
        exact(mixture)
    settings = mixture.model_dump(exclude_defaults=True)
    return {"use": "language_mix", "from": after, "with": settings}


def open_sizes(ask: Ways) -> bool:
    """Whether the plan goes by what there is, and the job does not say what that is."""
    return bool(ask.temperature or ask.unimax) and ask.sizes is None


def exact(mixture: Mixture) -> Counts:
    """How many of each language; must not depend on what comes.

    Raises:
        ValueError: there is less than ``size``.
    """
    quotas = planned(mixture, {}).quotas
    if (every := sum(quotas.values())) < mixture.size:
        raise ValueError(f"the sizes allow {every:,} records, target.accepted is {mixture.size:,}")
    return quotas


def planned(ask: Mixture, there: Sizes) -> Plan:
    """The plan for these records, by tag.

    Raises:
        JobError: UniMax has less than ``size`` where nothing may be repeated.
    """
    if ask.shares:
        return mixing.shared(ask.size, ask.shares, there)
    if ask.languages:
        return mixing.even(ask.size, ask.languages, there)
    if ask.pinch:
        base, others = ask.pinch.base, ask.pinch.languages
        return mixing.pinch(ask.size, base, others, ask.pinch.examples, there)
    if ask.sweep:
        return mixing.sweep(ask.size, ask.sweep.order, ask.sweep.take, ask.sweep.mode, there)
    if ask.temperature:
        return mixing.by_temperature(ask.size, ask.temperature, there, ask.cap, ask.sizes)
    plan = mixing.by_unimax(ask.size, ask.max_epochs, there, ask.sizes)
    if ask.short == "refuse" and sum(plan.quotas.values()) < ask.size:
        every = sum(plan.quotas.values())
        raise JobError(f"unimax: {every} of {ask.size} in {ask.max_epochs} epochs; {_WAYS_OUT}")
    return plan


_WAYS_OUT = "bring more, raise max_epochs, or set short: wait or repeat"


def affordable(needs: Sizes, rooms: Mapping[str, int], ask: Mixture) -> Counts:
    """As much of what each language needs as the records in ``rooms`` give.

    Raises:
        JobError: one needs more than ``max_epochs`` times what it has, and ``short`` is refuse.
    """
    repeats = ask.short == "repeat"
    most = {tag: need if repeats else ask.max_epochs * rooms[tag] for tag, need in needs.items()}
    few = [f"{tag} {_factor(rooms[tag], need)}" for tag, need in needs.items() if need > most[tag]]
    if few and ask.short == "refuse":
        allowed = f"at most {ask.max_epochs} times"
        raise JobError(f"a plan that needs repetition ({', '.join(few)}; {allowed}): {_WAYS_OUT}")
    return {tag: min(need, most[tag]) if rooms[tag] else 0 for tag, need in needs.items()}


def _factor(there: int, need: int) -> str:
    times = f" ({need / there:.2f} times)" if there else ""
    return f"has {there} of {need}{times}"
