from __future__ import annotations

from typing import Literal

import pytest
from pydantic import BaseModel, Field

from engine import catalogue
from engine.catalogue import type_name
from engine.core import JobError


class Base(BaseModel):
    size: int = 3
    """Words, 1 and up:
    more than one line."""


class Params(Base):
    kind: Literal["a", "b"] = "a"
    """Which."""
    names: list[str] = Field(default_factory=list)
    undocumented: float | None = None
    needed: str


def test_settings_carry_type_default_and_docstring_the_inherited_ones_too() -> None:
    found = {setting.name: setting for setting in catalogue.settings(Params)}
    assert list(found) == ["size", "kind", "names", "undocumented", "needed"]
    assert found["size"].text == "Words, 1 and up: more than one line."
    assert (found["kind"].type, found["kind"].default) == ("a | b", "a")
    assert (found["names"].default, found["undocumented"].text) == ([], "")
    assert (found["needed"].required, found["size"].required) == (True, False)


def test_every_setting_of_every_shipped_part_says_what_it_is() -> None:
    for kind in catalogue.PARTS:
        for name in catalogue.entries(kind):
            for about in catalogue.describe(name):
                for setting in about.get("settings", ()):
                    assert setting["text"], f"{name}.{setting['name']}"


def test_every_part_job_and_prompt_has_a_line_about_itself() -> None:
    for kind in catalogue.KINDS:
        assert catalogue.entries(kind)
        assert all(catalogue.entries(kind).values()), kind


def test_one_name_may_be_a_source_and_a_sink() -> None:
    assert [about["kind"] for about in catalogue.describe("jsonl")] == ["sources", "sinks"]


def test_a_prompt_shows_its_header_and_its_text() -> None:
    (about,) = catalogue.describe("evol_instruct/judge")
    assert about["role"] == "judge"
    assert "{% turn" in about["text"]


def test_a_name_that_nothing_has_is_an_error() -> None:
    with pytest.raises(JobError, match="did you mean 'near_duplicate'"):
        catalogue.describe("near_duplicates")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (int, "whole number"),
        (str | None, "text | null"),
        (dict[str, float], "mapping of text to number"),
        (tuple[Literal["x", "y"], ...], "list of x | y"),
        (Params, "Params"),
    ],
)
def test_types_are_told_as_a_person_would(kind: object, text: str) -> None:
    assert type_name(kind) == text
