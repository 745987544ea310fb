"""Seeds from Python files: each function that stands alone and says what it does is a seed.

The code is read, never run or imported. A function counts where it begins with a docstring, takes
an argument, returns a value, needs nothing of its file but imports, does not touch the machine
and is not near to an earlier one (``engine.text.python_code`` has the rules). The tasks made from
the functions are in the languages that the job names, in turn.

Source: Wei et al., "SelfCodeAlign: Self-Alignment for Code Generation", 2024, arXiv:2410.24198,
section 2.1.
Differs: parsed by Python itself; in place of a type checker's "no errors", every name that a
function reads must be its own, a builtin or imported; what the model thinks of docstring and code
is asked by the generator, in the call that lists the concepts.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

from pydantic import Field

from engine.core import JobError, Json, Record
from engine.fields import Provenance, Tag
from engine.kit import InputPath, Source, Well
from engine.text.clean import clean
from engine.text.minhash import Index
from engine.text.python_code import functions
from engine.text.shingles import normalise

SHINGLE, HASHES = 5, 128


class Params(Provenance):
    """Where the files are, and the languages of the tasks to be made from them."""

    path: InputPath
    """A folder (read with its sub-folders), or one file."""
    languages: list[Tag] = Field(min_length=1)
    """BCP-47 tags; the functions take them in turn, so that one named twice has twice the share."""
    near: float = Field(default=0.5, gt=0, le=1)
    """Jaccard similarity (0..1) of shingles from which a function is the same as an earlier one."""


def read(well: Well[Params]) -> Iterator[Record]:
    """The functions in the order of their files; a file that is no Python has none."""
    params, found = well.params, False
    seen = Index(params.near, SHINGLE, HASHES, None, well.random("hashes").getrandbits(64))
    languages = cycle(params.languages)
    for name, text in _files(params.path):
        for function in functions(text):
            found = True
            if seen.admit(normalise(function.code)) is None:
                facts: dict[str, Json] = {"snippet": function.code, "path": name}
                facts |= {"function": function.name} | params.facts(well.name)
                yield Record(well.id(name, function.code), next(languages), (), facts)
    if not found:
        raise JobError(
            f"{params.path}: no function that stands alone, takes an argument, begins with a "
            'docstring in """ and returns a value'
        )


def _files(path: Path) -> Iterator[tuple[str, str]]:
    """Name and text of each file; what is not UTF-8 becomes U+FFFD."""
    try:
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            name = file.relative_to(path).as_posix() if file != path else file.name
            hidden = any(part.startswith(".") for part in name.split("/"))
            if file.is_file() and not hidden:
                text = file.read_bytes().decode("utf-8-sig", "replace")
                yield clean(name), text.replace("\r\n", "\n")
    except OSError as error:
        raise JobError(f"{error.filename or path}: cannot be read: {error}") from error


SOURCE = Source(read, Params)
