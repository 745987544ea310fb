"""What every prompt says when filled in, kept as files: a change of wording shows in the diff.

``python -m tests.goldens.renew`` writes the files anew and removes those of prompts that are gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine import shipped
from engine.languages.names import english_name
from engine.prompting import Library, Template

HERE = Path(__file__).parent
PROMPTS = HERE.parent.parent / "prompts"
COMMAND = "python -m tests.goldens.renew"


@lru_cache(maxsize=1)
def cases() -> dict[str, list[dict[str, Any]]]:
    """Prompt -> the cases it is rendered with."""
    return shipped.read(HERE / "inputs.yaml")


def files() -> Iterator[Path]:
    """Every prompt file there is."""
    yield from sorted(PROMPTS.rglob("*.j2"))


def name_of(file: Path) -> str:
    """The prompt that a file is a variant of: ``evol_instruct/judge`` of ``judge.zh.j2``."""
    return f"{file.parent.relative_to(PROMPTS).as_posix()}/{file.name.partition('.')[0]}"


def golden(file: Path) -> Path:
    """Where the golden of a prompt file is."""
    return HERE / file.relative_to(PROMPTS).with_suffix(".txt")


def rendered(file: Path) -> str:
    """The file filled in with each of the cases whose language picks it; empty without any."""
    library, name = Library(PROMPTS), name_of(file)
    tag = file.name.removesuffix(".j2").partition(".")[2]
    itself = library.load(name, tag).version
    found = [(case, library.load(name, case["language"])) for case in cases().get(name, [])]
    return "\n".join(_case(case, t) for case, t in found if t.version == itself)


def _case(case: dict[str, Any], template: Template) -> str:
    inputs = dict(case["inputs"])
    if "language" in template.header.inputs:
        inputs["language"] = english_name(case["language"])
    turns = "".join(f"--- {m.role}\n{m.content}\n" for m in template.render(inputs))
    return f"=== {case['language']}\n{turns}"


def main() -> None:
    """Write every golden; remove those that no prompt has any more."""
    wanted = {golden(file): rendered(file) for file in files()}
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for stale in set(HERE.rglob("*.txt")) - wanted.keys():
        stale.unlink()


if __name__ == "__main__":
    main()
