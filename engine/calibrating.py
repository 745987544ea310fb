"""``engine calibrate``: limits for translations, from translations that are known to be good.

They come from a run of a job that translates, which has measured every translation it kept, or from
a file of translations (JSON Lines), which are measured here. Nothing is asked of a model: what
``back`` and ``similarity`` a file does not hold is not limited. The limits go into a YAML file
beside the job, which the job's step ``translate`` then names.

A rehearsal calibrates nothing, and a pair with few translations is said and left out.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, Field, ValidationError

from engine import inspecting, shipped
from engine.core import JobError, Record
from engine.languages import limits as limiting
from engine.languages.limits import Limits, Measured
from engine.languages.masking import mask
from engine.languages.quality import chrf, measured
from engine.ledger import Ledger

LINES = (".jsonl", ".ndjson")


class Row(BaseModel, extra="forbid"):
    """One translation of a calibration file."""

    origin: str = Field(alias="from", min_length=1)
    language: str = Field(alias="into", min_length=1)
    source: str = Field(min_length=1)
    translation: str = Field(min_length=1)
    engine: str = Field(min_length=1)
    back: str = ""
    similarity: float | None = Field(default=None, ge=-1, le=1)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was computed, and where it is."""

    path: Path
    limits: Limits
    few: Sequence[tuple[str, str, int]]
    """Pair, translator and number of translations where there were too few."""

    def value(self) -> dict[str, Any]:
        """As one JSON document."""
        left = [{"pair": pair, "translator": by, "count": n} for pair, by, n in self.few]
        limits = self.limits.model_dump(mode="json", exclude_none=True)
        return {"file": str(self.path), **limits, "too_few": left}

    def lines(self) -> Iterator[str]:
        """As text for a terminal."""
        for pair, by_engine in self.limits.pairs.items():
            for engine, limit in by_engine.items():
                bands = ", ".join(f"{name} {_told(band)}" for name, band in limit.bands.items())
                yield f"{pair} by {engine} ({limit.count} translations): {bands}"
        for pair, by, n in self.few:
            yield f"{pair} by {by}: left out, {n} translations are too few"
        yield f"written: {self.path}; in the job: `limits: {self.path.name}` at the step translate"


def calibrate(where: str, to: Path | None, tail: float, least: int) -> Calibration:
    """Compute limits and write them.

    Raises:
        JobError: there is no such run or file, or nothing in it to calibrate by.
    """
    path = Path(where)
    if path.suffix in LINES:
        found, beside = list(_rows(path)), path.with_suffix(".limits.yaml")
    else:
        found, beside = _of_run(where)
    limits, few = limiting.calibrated(found, tail, least)
    target = to or beside
    try:
        target.write_text(limiting.written(limits), "utf-8")
    except OSError as error:
        raise JobError(f"{target}: cannot be written: {error.strerror}") from error
    return Calibration(target, limits, few)


def _rows(path: Path) -> Iterator[Measured]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise JobError(f"{path}: cannot be read: {error.strerror}") from error
    for n, line in enumerate(lines, 1):
        if line.strip():
            try:
                row = Row.model_validate(orjson.loads(line))
            except orjson.JSONDecodeError as error:
                raise JobError(f"{path}:{n}: not JSON: {error}") from error
            except ValidationError as error:
                first = error.errors()[0]
                field = ".".join(map(str, first["loc"]))
                raise JobError(f"{path}:{n}: {field}: {first['msg']}") from error
            yield Measured(row.origin, row.language, row.engine, _quality(row))


def _quality(row: Row) -> dict[str, float]:
    masked = mask(row.source)
    vector = measured(masked, row.translation, row.origin, row.language)
    vector |= {"chrf": chrf(mask(row.back).text, masked.text)} if row.back else {}
    return vector | ({} if row.similarity is None else {"similarity": row.similarity})


def _of_run(where: str) -> tuple[list[Measured], Path]:
    folder = inspecting.folder_of(where)
    with contextlib.closing(Ledger(folder)) as ledger:
        if inspecting.is_rehearsal(ledger):
            raise JobError(f"{folder} is a rehearsal: the embedded model translates nothing")
        found = [each for record in ledger.accepted() for each in _measured(record)]
        name, file = ledger.meta("name") or folder.name, Path(ledger.meta("file") or "")
    own = file.is_file() and not file.resolve().is_relative_to(shipped.JOBS.resolve())
    return found, (file.parent if own else Path()) / f"{name}.limits.yaml"


def _measured(record: Record) -> Iterator[Measured]:
    origin, engine = record.facts.get("translated_from"), record.facts.get("translator")
    vectors = record.facts.get("quality")
    if isinstance(origin, str) and isinstance(engine, str) and isinstance(vectors, dict):
        for vector in vectors.values():
            yield Measured(origin, record.language, engine, vector)


def _told(band: limiting.Band) -> str:
    low = "" if band.min is None else f"{band.min:.4g}"
    return f"{low}..{'' if band.max is None else f'{band.max:.4g}'}"
