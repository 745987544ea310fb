"""Parts are found by name: the engine's in its folders, one's own beside the job."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import parts
from engine.core import JobError
from engine.kit import Filter, Generator, Pass, Source

FILTER = """
from engine.kit import Filter, NoParams

def check(record, kit):
    return record

FILTER = Filter(check, NoParams)
"""


@pytest.fixture
def beside(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A job's folder, with a package whose name no other test uses."""
    before = list(sys.path)
    (tmp_path / "own").mkdir()
    yield tmp_path
    sys.path[:] = before
    for name in [n for n in sys.modules if n == "own" or n.startswith("own.")]:
        del sys.modules[name]
    importlib.invalidate_caches()


def refused(name: str, packages: tuple[str, ...], beside: Path) -> str:
    with pytest.raises(JobError) as caught:
        parts.find(name, packages, beside)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "packages", "kind"),
    [
        ("evol_instruct", parts.STEPS, Generator),
        ("length", parts.STEPS, Filter),
        ("near_duplicate", parts.STEPS, Pass),
        ("jsonl", parts.SOURCES, Source),
    ],
)
def test_a_name_is_a_module_in_one_of_the_engines_folders(name, packages, kind):
    assert isinstance(parts.find(name, packages, Path()), kind)


def test_a_module_in_a_family_folder_is_found_by_its_own_name(tmp_path, monkeypatch):
    family = tmp_path / "filters" / "spelling"
    family.mkdir(parents=True)
    for folder in (family, family.parent):
        (folder / "__init__.py").touch()
    (family / "accents.py").touch()
    monkeypatch.setattr(parts, "__file__", str(tmp_path / "parts.py"))
    assert parts.names("filters") == {"accents": "engine.filters.spelling.accents"}


@pytest.mark.parametrize(
    ("name", "packages", "said"),
    [
        ("lenght", parts.STEPS, "did you mean 'length'?"),
        ("Length", parts.STEPS, "did you mean 'length'?"),
        ("jsonl_", parts.SOURCES, "no source is called 'jsonl_'; did you mean 'jsonl'?"),
        ("split", parts.SOURCES, "'split' is a pass; here stands a source"),
        ("parquet", parts.STEPS, "'parquet' is a source; here stands a generator, filter,"),
        ("zzz", parts.SINKS, "there are hub, jsonl, parquet; a module of your own has a dotted"),
        ("", parts.STEPS, "no generator, filter, verifier or pass is called ''"),
        ("长度", parts.STEPS, "is called '长度'"),
        ("no.such.part", parts.STEPS, "no module 'no.such.part' in "),
        ("own.missing", parts.STEPS, "no module 'own.missing' in "),
        (".own", parts.STEPS, "'.own' cannot be a module; write it like package.module"),
        ("own..x", parts.STEPS, "cannot be a module"),
        ("own.x\0", parts.STEPS, "cannot be a module"),
        ("x.py/y", parts.STEPS, "cannot be a module"),
        ("os.path", parts.STEPS, "the module os.path has no GENERATOR or FILTER or VERIFIER or"),
        ("engine.sources.jsonl", parts.STEPS, "it has SOURCE"),
        ("engine.filters.length", parts.SINKS, "has no SINK; it has FILTER"),
    ],
)
def test_what_is_no_part_is_told_with_the_one_it_may_be(beside, name, packages, said):
    assert said in refused(name, packages, beside)


def test_a_module_beside_the_job_needs_no_registering(beside):
    (beside / "own" / "keep.py").write_text(FILTER)
    assert isinstance(parts.find("own.keep", parts.STEPS, beside), Filter)


def test_a_bug_in_a_module_of_ones_own_stays_a_bug(beside):
    (beside / "own" / "broken.py").write_text("import no_such_library\n" + FILTER)
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        parts.find("own.broken", parts.STEPS, beside)


def test_every_part_of_the_engine_can_be_found():
    for packages in (parts.STEPS, parts.SOURCES, parts.SINKS):
        for name in parts.names(*packages):
            kind = parts.find(name, packages, Path())
            assert kind.params.model_config["extra"] == "forbid"
