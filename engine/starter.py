"""A job to start from: a shipped one made the user's own, or one composed for any generator.

A shipped job reads the engine's own example files. What ``init`` prints names files beside the
new job instead (``seeds.jsonl``, ``documents``), and puts the examples there when it writes to
a file, so that the job runs as it is and the user's own lines can take their place.
"""

from __future__ import annotations

import re
import shutil
import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from engine import catalogue, parts, shipped
from engine.catalogue import Setting
from engine.core import JobError
from engine.job import load
from engine.jobfile import Place
from engine.wiring import wire

EXAMPLES = {
    "pool": "seeds/quickstart_tasks.jsonl",
    "jsonl": "seeds/quickstart_tasks.jsonl",
    "documents": "documents",
}
"""Source -> the shipped file or folder, below ``engine/jobs``, that it reads as an example."""
SOURCES = {
    "pool": ["path: seeds.jsonl", "grow_from: novel"],
    "documents": ["path: documents", "language_from: stem"],
    "taxonomy": ["path: topics", "language: en"],
    "jsonl": ["path: seeds.jsonl", "language_field: language", "input: input"],
}
"""Source -> its settings in a composed job."""
FACTS = {"demonstrations": "pool", "document": "documents", "topic": "taxonomy"}
"""A fact that a generator reads of its seed -> the source that sets it."""
_READS = re.compile(r"""facts(?:\.get\(|\[)["'](\w+)["']""")


@dataclass(frozen=True, slots=True)
class Start:
    """A job's text, and the examples it reads."""

    text: str
    examples: dict[str, Path]
    """Name beside the job -> the shipped file or folder it is a copy of."""


def start(method: str) -> Start:
    """The job to start ``method`` from.

    Raises:
        JobError: there is neither a shipped job nor a generator of this name.
    """
    if (shipped.JOBS / f"{method}.yaml").is_file():
        return _own(shipped.JOBS / f"{method}.yaml")
    if method in parts.names("generators"):
        return _composed(method)
    known = ", ".join(sorted({*catalogue.entries("jobs"), *parts.names("generators")}))
    raise JobError(f"no method called {method!r}; there are {known}")


def write(method: str, path: Path) -> list[str]:
    """Write the job to ``path``, and beside it the examples that are not there yet.

    Returns what was done, a sentence each.

    Raises:
        JobError: the file is already there, or the folder cannot be written.
    """
    begun = start(method)
    text = re.sub(r"(?m)^job: \S+", f"job: {path.stem}", begun.text, count=1)
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]{0,99}", path.stem):
        text = begun.text
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise JobError(f"{path} is already there; nothing was written") from error
    except OSError as error:
        raise JobError(f"{path}: {error.strerror}") from error
    said = [f"wrote {path}"]
    for name, example in begun.examples.items():
        beside = path.parent / name
        if beside.exists():
            said.append(f"{beside} is already there: the job reads it")
        else:
            _copy(example, beside)
            said.append(f"wrote {beside}: an example; put your own in its place")
    return [*said, f"next: engine check {path}"]


def _copy(example: Path, to: Path) -> None:
    if example.is_dir():
        shutil.copytree(example, to)
    else:
        shutil.copyfile(example, to)


# -- a shipped job --------------------------------------------------------------------------


def _own(path: Path) -> Start:
    """The shipped job with its comments, reading files of the user's instead of the engine's."""
    wiring = wire(load(path))
    several = isinstance(wiring.job.file.source, list)
    bounds: list[tuple[Place, Any]] = []
    for i, bound in enumerate(wiring.sources.values()):
        bounds.append((("source", i) if several else ("source",), bound.params))
    bounds += [(("steps", name), bound.params) for name, bound in wiring.steps.items()]
    found: dict[Place, Path] = {}
    for place, params in bounds:
        for at, value in _paths({name: value for name, value in params}):
            if value.is_relative_to(shipped.JOBS.resolve()):
                found[(*place, "with", *at)] = value
    names = _names(set(found.values()))
    text = wiring.job.sheet.text
    marks = wiring.job.sheet.values
    for place in sorted(found, key=lambda place: marks[place], reverse=True):
        old = str(_at(wiring.job.sheet.value, place))
        text = _replaced(text, marks[place], old, names[found[place]])
    return Start(_noted(text, list(names.values())), {name: path for path, name in names.items()})


def _paths(value: object) -> Iterator[tuple[Place, Path]]:
    """The files and folders in a setting, and where in it each stands."""
    if isinstance(value, Path):
        yield (), value
    elif isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from (((key, *at), path) for at, path in _paths(inner))


def _noted(text: str, names: list[str]) -> str:
    """What the job needs beside it, said at the end of the comment that it begins with."""
    head, blank, rest = text.partition("\n\n")
    note = f"# Beside this file it reads {' and '.join(names)}; `engine init` with -o puts examples"
    return (
        f"{head}\n#\n{note}\n# there, to be replaced by your own.{blank}{rest}" if names else text
    )


def _names(paths: set[Path]) -> dict[Path, str]:
    """A short name beside the user's job for each file or folder."""
    files = [path for path in paths if not path.is_dir()]
    lone = len({path.suffix for path in files}) == len(files)
    return {
        path: f"seeds{path.suffix}" if lone and path in files else path.name
        for path in sorted(paths)
    }


def _at(value: Any, place: Place) -> Any:
    for part in place:
        value = value[part]
    return value


def _replaced(text: str, mark: tuple[int, int], old: str, new: str) -> str:
    """``new`` for ``old`` at a line and column (from 1); a comment behind it goes into line."""
    lines = text.split("\n")
    line, column = mark[0] - 1, mark[1] - 1
    before, after = lines[line][:column], lines[line][column:].removeprefix(old)
    if after == lines[line][column:]:
        raise JobError(f"{old!r} is written in quotes, which a shipped job does not do")
    if after.lstrip().startswith("#"):
        usual = Counter(each.find("  # ") for each in lines if "  # " in each[12:])
        before, after = (before + new).ljust(usual.most_common(1)[0][0] + 2), after.lstrip()
        new = "" if before.endswith(" ") else "  "
    lines[line] = before + new + after
    return "\n".join(lines)


# -- a job for any generator ----------------------------------------------------------------


def _composed(method: str) -> Start:
    module = parts.module_of(method, ("generators",))
    source = source_for(Path(module.__file__ or "").read_text(encoding="utf-8"))
    kind = parts.find(method, ("generators",), Path())
    about = catalogue.describe(method)[0]
    roles = about["roles"] or ["writer"]
    lines = [f"# {about['text'].partition(chr(10) * 2)[0].replace(chr(10), ' ')}", "#"]
    lines += ["# Composed by `engine init` from the method's settings; `engine list` shows more."]
    lines += ["", "version: 1", f"job: {method}", "seed: 1  # of every random draw", ""]
    lines += ["models:", *(f"  {role}: {{use: auto}}  # {_AUTO}" for role in roles), ""]
    lines += ["source:", f"  use: {source}  # or another that gives the method what it reads"]
    lines += ["  with:", *(f"    {each}" for each in SOURCES[source]), ""]
    lines += ["steps:", "  make:", f"    use: {method}", "    with:"]
    lines += [line for setting in catalogue.settings(kind.params) for line in _setting(setting)]
    if lines[-1] == "    with:":
        lines.pop()
    lines += [_REST]
    name = {"seeds/quickstart_tasks.jsonl": "seeds.jsonl"}
    examples = [EXAMPLES[source]] if source in EXAMPLES else []
    return Start("\n".join(lines), {name.get(each, each): shipped.JOBS / each for each in examples})


_AUTO = "the server that is there, else the rehearsal model"
_REST = """\

  novel:
    use: near_duplicate  # a pass: waits for all records of the round

  halves:
    use: split  # a pass: what is held out

target:
  accepted: 100  # exactly so many records come out
  candidates: 400  # seeds after which the job gives up

sink:
  use: parquet
  with: {format: messages}  # or alpaca, sharegpt, preference
"""


def source_for(code: str) -> str:
    """The source whose facts a generator reads, as its code says; ``jsonl`` where it reads none."""
    read = set(_READS.findall(code))
    return next((source for fact, source in FACTS.items() if fact in read), "jsonl")


def _setting(setting: Setting) -> Iterator[str]:
    """A field with its docstring above; one that has no default is to be filled in."""
    about = f"{setting.text or setting.name} ({setting.type})".replace("``", "`")
    yield from textwrap.wrap(
        about, 92, initial_indent="      # ", subsequent_indent="      # ", break_long_words=False
    )
    if setting.required and setting.example is not None:
        yield f"      {setting.name}: {_flow(setting.example)}  # an example: put your own"
    elif setting.required:
        yield f"      # {setting.name}:   <- has no default: fill it in"
    else:
        yield f"      {setting.name}: {_flow(setting.default)}"


def _flow(value: Any) -> str:
    """A JSON value as YAML on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6)
    return text.removesuffix("\n").removesuffix("\n...")
