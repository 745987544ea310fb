from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.prompting import Library
from tests.goldens.renew import COMMAND, HERE, PROMPTS, cases, files, golden, name_of, rendered

FILES = list(files())
each_file = pytest.mark.parametrize(
    "file", FILES, ids=lambda file: file.relative_to(PROMPTS).as_posix()
)


@each_file
def test_a_prompt_says_what_its_golden_says(file: Path) -> None:
    text = rendered(file)
    assert text, f"{name_of(file)} has no case in tests/goldens/inputs.yaml whose language picks it"
    assert golden(file).is_file(), f"{golden(file)} is missing; look at it after: {COMMAND}"
    assert text == golden(file).read_text(encoding="utf-8"), (
        f"{file.relative_to(PROMPTS)} says something else than before; where that is meant, "
        f"write the golden anew and read the diff: {COMMAND}"
    )


@each_file
def test_every_condition_of_a_prompt_is_met_in_one_case_and_not_in_another(file: Path) -> None:
    body = file.read_text(encoding="utf-8").split("---\n", 2)[2]
    asked = set(re.findall(r"{%\s*(?:el)?if\s+(?:not\s+)?(\w+)\s*%}", body))
    given = [case["inputs"] for case in cases()[name_of(file)]]
    for name in asked & set(Library(PROMPTS).load(name_of(file)).header.inputs):
        assert {bool(inputs[name]) for inputs in given} == {True, False}, name


def test_no_golden_and_no_case_is_left_over() -> None:
    assert set(HERE.rglob("*.txt")) == set(map(golden, FILES)), COMMAND
    assert set(cases()) == set(map(name_of, FILES))


def test_the_goldens_speak_several_scripts() -> None:
    languages = {case["language"] for several in cases().values() for case in several}
    assert {"zh-Hans", "ar", "hi", "th"} <= languages and len(languages) >= 10
