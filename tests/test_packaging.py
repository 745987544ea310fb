"""What ``pip install`` leaves on a machine is whole: the engine works from any folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

from tests.conftest import ROOT

BUILD = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
LOOK = """
import json
from pathlib import Path
from engine import parts, shipped
from engine.job import load
from engine.prompting import Library
from engine.wiring import wire

library = Library(shipped.folder("prompts"))
print(json.dumps({
    "engine": str(Path(shipped.__file__).parent),
    "prompts": str(shipped.folder("prompts")),
    "taxonomies": str(shipped.folder("taxonomies")),
    "topics": (shipped.folder("taxonomies") / "topics.yaml").is_file(),
    "again": library.load("kit/again").version,
    "parts": sorted(parts.names(*parts.STEPS, *parts.SOURCES)),
    "jobs": {p.stem: len(wire(load(p.stem)).prompts()) for p in shipped.JOBS.glob("*.yaml")},
}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of this checkout, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-c", BUILD, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    [path] = folder.glob("synth_engine-*.whl")
    return zipfile.ZipFile(path)


def below(folder: str) -> set[str]:
    """Files of the checkout, relative to it."""
    files = (p for p in (ROOT / folder).rglob("*") if p.is_file())
    return {p.relative_to(ROOT).as_posix() for p in files if "__pycache__" not in p.parts}


def test_code_jobs_seeds_documents_and_the_report_page_travel(wheel: zipfile.ZipFile) -> None:
    wanted = below("engine")
    assert {"engine/jobs/quickstart.yaml", "engine/report.html.j2"} <= wanted
    assert any(name.startswith("engine/jobs/seeds/") for name in wanted)
    assert any(name.startswith("engine/jobs/documents/") for name in wanted)
    assert not wanted - set(wheel.namelist())


@pytest.mark.parametrize("folder", ["prompts", "taxonomies"])
def test_prompts_and_taxonomies_travel_inside_the_package(
    wheel: zipfile.ZipFile, folder: str
) -> None:
    files = below(folder)
    assert files
    assert not {f"engine/_shipped/{file}" for file in files} - set(wheel.namelist())


def test_nothing_else_travels(wheel: zipfile.ZipFile) -> None:
    outside = [
        name
        for name in wheel.namelist()
        if not name.startswith(("engine/", "synth_engine-")) or name.endswith((".pyc", ".sqlite"))
    ]
    assert not outside


def test_the_wheel_says_who_it_is_and_under_which_licence(wheel: zipfile.ZipFile) -> None:
    [about] = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = message_from_string(wheel.read(about).decode())
    assert (metadata["Name"], metadata["License-Expression"]) == ("synth-engine", "Apache-2.0")
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())
    [entries] = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "engine = engine.cli:main" in wheel.read(entries).decode()
    needed = metadata.get_all("Requires-Dist") or []
    core = [need for need in needed if "extra ==" not in need]
    assert not [need for need in core if "vllm" in need], "vllm is an extra"
    assert not [need for need in core if "==" in need], "no exact pins"


@pytest.mark.slow
def test_an_installed_engine_finds_its_files_from_an_empty_folder(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    installed, empty = tmp_path / "installed", tmp_path / "empty"
    empty.mkdir()
    wheel.extractall(installed)
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", LOOK],
        cwd=empty,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout)
    package = installed / "engine"
    assert Path(seen["engine"]) == package, "another engine was imported"
    assert Path(seen["prompts"]) == package / "_shipped/prompts"
    assert Path(seen["taxonomies"]) == package / "_shipped/taxonomies"
    assert seen["topics"] and seen["again"].startswith("kit/again@")
    assert {"self_instruct", "evol_instruct", "rouge_novelty", "pool"} <= set(seen["parts"])
    files = list((ROOT / "engine/jobs").glob("*.yaml"))
    assert set(seen["jobs"]) == {file.stem for file in files}
    silent = {name for name, prompts in seen["jobs"].items() if not prompts}
    assert silent == {f.stem for f in files if not re.search(r"(?m)^models:", f.read_text())}
    assert not list(empty.iterdir()), "nothing is written where it was started"
