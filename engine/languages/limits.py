"""From where on a translation is too bad: limits for a language pair and a translator, measured.

No number serves all. A good translation of an instruction, translated back, has a chrF of 84 where
the target is Spanish and of 36 where it is Chinese, by the same system; another system has ten
points less in every language and is not worse for it. So the limits are percentiles of a set of
translations that are known to be good (``engine calibrate``), one row of them for each pair and
each translator, in a YAML file that lies beside the job. A file, or a setting, that has one chrF
for all is refused, and so is a pair that nobody has calibrated: there is no default.

Source: the figures are of round trips via English of the instructions released with Chen
et al., "Is It Good Data for Multilingual Instruction Tuning or Just Bad Multilingual Evaluation
for Large Language Models?", 2024, arXiv:2406.12822, with sacrebleu 2.6.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from engine.core import JobError
from engine.languages.tags import normalise

Side = Literal["min", "max"]

SIDES: Mapping[str, tuple[Side, ...]] = {
    "length_ratio": ("min", "max"),
    "script": ("min",),
    "copied": ("max",),
    "numbers": ("min",),
    "repeated": ("max",),
    "chrf": ("min",),
    "similarity": ("min",),
}
"""Measure -> on which side it can be bad."""
REASONS: Mapping[str, str] = {
    "length_ratio": "odd_length",
    "script": "wrong_script",
    "copied": "copied_source",
    "numbers": "numbers_differ",
    "repeated": "repetition",
    "chrf": "low_chrf",
    "similarity": "low_similarity",
}
"""Measure -> the reason of a drop."""
ONE_FOR_ALL = (
    "one {name} for all languages drops whole languages and lets rubbish of others through: good "
    "translations, translated back, have a chrF of 84 in Spanish and of 36 in Chinese. Limits are "
    "per language pair and translator: make them with `engine calibrate`"
)


class Band(BaseModel, extra="forbid", frozen=True):
    """What a measure may be."""

    min: float | None = None
    max: float | None = None

    def holds(self, value: float) -> bool:
        """Whether a value lies within; the ends do."""
        return (self.min is None or value >= self.min) and (self.max is None or value <= self.max)


class Limit(BaseModel, extra="forbid", frozen=True):
    """The limits of one translator on one pair."""

    count: int = Field(ge=1)
    """Translations they were computed from."""
    bands: dict[str, Band]

    @model_validator(mode="after")
    def _known(self) -> Limit:
        if strange := sorted(self.bands.keys() - SIDES.keys()):
            raise ValueError(f"no measure is called {strange[0]!r}; there are {', '.join(SIDES)}")
        return self


class Limits(BaseModel, extra="forbid", frozen=True):
    """All limits of a job: pair (``en>zh-Hans``) -> translator -> limits."""

    version: Literal[1] = 1
    tail: float = Field(gt=0, lt=0.5)
    """Share of the calibration set that lies beyond each limit, at most."""
    pairs: dict[str, dict[str, Limit]]

    @model_validator(mode="before")
    @classmethod
    def _not_one_for_all(cls, given: object) -> object:
        if isinstance(given, dict):
            refuse_one_for_all(given)
            for pair, by_engine in dict(given.get("pairs") or {}).items():
                if ">" not in str(pair) or "*" in str(pair):
                    raise ValueError(f"pairs.{pair}: {ONE_FOR_ALL.format(name='limit')}")
                if isinstance(by_engine, dict) and "*" in by_engine:
                    raise ValueError(f"pairs.{pair}.*: {ONE_FOR_ALL.format(name='limit')}")
        return given

    @model_validator(mode="after")
    def _differ(self) -> Limits:
        lows = {
            (pair, limit.bands["chrf"].min)
            for pair, by_engine in self.pairs.items()
            for limit in by_engine.values()
            if "chrf" in limit.bands
        }
        values = {value for _, value in lows}
        if len(lows) > 1 and len(values) == 1 and not values & {0.0, 100.0, None}:
            raise ValueError(ONE_FOR_ALL.format(name="chrF limit"))
        return self

    def of(self, origin: str, language: str, engine: str) -> Limit | None:
        """The limits of a translator on a pair; None where nobody has calibrated it."""
        return self.pairs.get(pair(origin, language), {}).get(engine)

    def uses(self, measure: str) -> bool:
        """Whether any limit is on this measure."""
        each = (limit for by_engine in self.pairs.values() for limit in by_engine.values())
        return any(measure in limit.bands for limit in each)


@dataclass(frozen=True, slots=True)
class Measured:
    """The quality of one translation of a calibration set."""

    origin: str
    language: str
    engine: str
    """The translator, by the name that its server gives the model."""
    quality: Mapping[str, float]


def refuse_one_for_all(given: Mapping[str, object]) -> None:
    """Refuse a limit that names no languages.

    Raises:
        ValueError: there is one; says why.
    """
    for name in given:
        measure = str(name).removeprefix("min_").removeprefix("max_")
        if measure in SIDES:
            raise ValueError(f"{name}: {ONE_FOR_ALL.format(name=f'limit of {measure}')}")


def pair(origin: str, language: str) -> str:
    """How a file of limits calls a direction, e.g. ``en>zh-Hans``."""
    return f"{normalise(origin)}>{normalise(language)}"


def verdict(vector: Mapping[str, float], limit: Limit) -> tuple[str, str]:
    """The reason and the particulars of the first measure that is beyond its limit, or two ""."""
    for name, band in limit.bands.items():
        if name in vector and not band.holds(vector[name]):
            wanted = f"{band.min if band.min is not None else '-'}..{band.max or '-'}"
            return REASONS[name], f"{name} {vector[name]:.4g}, calibrated {wanted}"
    return "", ""


def calibrated(
    found: Iterable[Measured], tail: float, least: int
) -> tuple[Limits, list[tuple[str, str, int]]]:
    """Limits for every pair and translator with at least ``least`` translations, and the others.

    A limit is a value that occurs, with at most the share ``tail`` of the set beyond it: so at
    least ``1 - tail`` of the set passes each.

    Raises:
        JobError: no pair has enough.
    """
    sets: dict[tuple[str, str], list[Mapping[str, float]]] = defaultdict(list)
    for each in found:
        sets[pair(each.origin, each.language), each.engine].append(each.quality)
    few = sorted((*key, len(rows)) for key, rows in sets.items() if len(rows) < least)
    pairs: dict[str, dict[str, Limit]] = {}
    for (direction, engine), rows in sorted(sets.items()):
        if len(rows) >= least:
            pairs.setdefault(direction, {})[engine] = Limit(
                count=len(rows), bands=_bands(rows, tail)
            )
    if not pairs:
        raise JobError(f"no pair has {least} translations: {_listed(few) or 'there are none'}")
    return Limits(tail=tail, pairs=pairs), few


def _bands(rows: Sequence[Mapping[str, float]], tail: float) -> dict[str, Band]:
    """Limits on the measures that every row has."""
    bands = {}
    for name, sides in SIDES.items():
        if all(name in row for row in rows):
            values = sorted(row[name] for row in rows)
            beyond = int(tail * len(values))
            ends = {"min": values[beyond], "max": values[-1 - beyond]}
            bands[name] = Band(**{side: ends[side] for side in sides})
    return bands


def _listed(few: Sequence[tuple[str, str, int]]) -> str:
    return ", ".join(f"{direction} by {engine}: {n}" for direction, engine, n in few[:5])


def read(path: Path) -> Limits:
    """The limits in a file.

    Raises:
        JobError: it cannot be read, or does not hold limits as they have to be.
    """
    try:
        return Limits.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise JobError(f"{path}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise JobError(f"{path}: is no YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise JobError(f"{path}: {where + ': ' if where else ''}{first['msg']}") from error


def written(limits: Limits) -> str:
    """The file that holds them."""
    value = limits.model_dump(mode="json", exclude_none=True)
    opening = (
        "# Written by engine calibrate: what a translation may be, by pair and translator.\n"
        f"# At most the share {limits.tail:g} of the calibration set lies beyond each limit.\n"
    )
    return opening + yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
