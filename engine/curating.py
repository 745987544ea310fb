"""``engine curate``: filters, scores and passes over a dataset that exists; nothing is generated.

It writes the job that a user would have written, ``curate.yaml`` in the run's folder, and runs
it: so that what was decided about columns and checks can be read, changed and run again. Which
column is what is looked up in the first row, by the names that the usual formats have; where
those are missing it says which columns there are, and never guesses further.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml

from engine import parts
from engine.core import JobError
from engine.kit import Generator

STEPS = ("length", "repetition", "refusal", "format", "near_duplicate")
"""What a dataset goes through where the user names nothing."""
SOURCES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}
"""Ending of a file -> the source that reads it."""
TURNS = ("messages", "conversations")
INSTRUCTIONS = ("instruction", "prompt", "question", "query", "text")
INPUTS = ("input", "context")
RESPONSES = ("output", "response", "answer", "completion")
LANGUAGES = ("language", "lang", "language_tag")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user said on the command line."""

    dataset: Path
    steps: Sequence[str] = ()
    """``NAME`` or ``NAME:KEY=VALUE,...``, in order."""
    language: str = ""
    """BCP-47 tag of all rows; a column says it where empty."""
    licence: str = ""
    keep: Sequence[str] = ()
    """Columns kept as facts, besides those that hold the conversation."""


def write(asked: Asked, folder: Path) -> Path:
    """Write the job into ``folder``; the same words write the same file.

    Raises:
        JobError: the dataset cannot be read, a step is unknown or generates.
    """
    steps = dict(_step(words) for words in asked.steps or STEPS)
    if len(steps) < len(asked.steps):
        raise JobError("a step is named twice: write a job file to use one twice")
    use, settings = _source(asked)
    job = {
        "job": f"{asked.dataset.stem}-curated",
        "models": {"any": {"use": "auto"}},  # asked only by steps that ask
        "source": {"use": use, "with": settings},
        "steps": steps,
    }
    path = folder / "curate.yaml"
    words = "# Written by engine curate; to change it, copy it: engine run COPY.yaml\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(words + yaml.safe_dump(job, sort_keys=False, allow_unicode=True), "utf-8")
    except OSError as error:
        raise JobError(f"{path}: cannot be written: {error.strerror}") from error
    return path


def _step(words: str) -> tuple[str, dict[str, Any]]:
    name, _, given = words.partition(":")
    kind = parts.find(name, parts.STEPS, Path.cwd())
    if isinstance(kind, Generator):
        raise JobError(f"{name} writes new records; engine curate only checks what is there")
    settings = {}
    for pair in filter(None, given.split(",")):
        key, equals, value = pair.partition("=")
        if not equals:
            raise JobError(f"--step {words}: settings are KEY=VALUE, found {pair!r}")
        settings[key.strip()] = yaml.safe_load(value)
    return name, {"use": name, **({"with": settings} if settings else {})}


def _source(asked: Asked) -> tuple[str, dict[str, Any]]:
    path = asked.dataset
    if not path.is_file():
        raise JobError(f"{path}: no such file; a folder or the hub is read by a job with use: hub")
    if path.suffix not in SOURCES:
        known = ", ".join(SOURCES)
        raise JobError(f"{path}: {path.suffix or 'no ending'!r} is none of {known}")
    use = SOURCES[path.suffix]
    settings: dict[str, Any] = {"path": str(path.resolve())}
    settings |= {"delimiter": "\t"} if path.suffix == ".tsv" else {}
    settings |= _columns(_names(path, use), str(path), asked.language)
    settings |= {"keep": list(asked.keep)} if asked.keep else {}
    return use, settings | ({"licence": asked.licence} if asked.licence else {})


def _names(path: Path, use: str) -> list[str]:
    """The columns; those of the first row where a file has no header."""
    if use == "jsonl":
        with path.open("rb") as lines:
            line = next((line for line in lines if line.strip()), b"{}")
        try:
            row = orjson.loads(line.removeprefix(b"\xef\xbb\xbf"))
        except orjson.JSONDecodeError as error:
            raise JobError(f"{path}:1: not JSON: {error}") from error
        return list(row) if isinstance(row, dict) else []
    import pyarrow
    from pyarrow import csv, parquet

    try:
        if use == "parquet":
            return list(parquet.read_schema(path).names)
        parsing = csv.ParseOptions(delimiter="\t" if path.suffix == ".tsv" else ",")
        with csv.open_csv(path, parse_options=parsing) as table:
            return list(table.schema.names)
    except (pyarrow.ArrowException, OSError) as error:
        raise JobError(f"{path}: {' '.join(str(error).split())[:300]}") from error


def _columns(names: Sequence[str], place: str, language: str) -> dict[str, Any]:
    def first(known: Sequence[str]) -> str:
        return next((name for name in known if name in names), "")

    found: dict[str, Any] = {}
    if turns := first(TURNS):
        found["messages"] = turns
    elif text := first(INSTRUCTIONS):
        also = {"input": first(INPUTS), "response": first(RESPONSES)}
        found |= {"text": text, **{key: name for key, name in also.items() if name}}
    else:
        raise JobError(
            f"{place}: no column is one of {', '.join((*TURNS, *INSTRUCTIONS))}; there are "
            f"{', '.join(names)}: write a job file that says which is what"
        )
    if language:
        return found | {"language": language}
    if tag := first(LANGUAGES):
        return found | {"language_field": tag}
    raise JobError(f"{place}: no column {LANGUAGES[0]!r}: say --language TAG, e.g. --language sw")
