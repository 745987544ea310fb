from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from engine.text.phrasebooks import entry_for, phrasebook


class Labels(BaseModel, extra="forbid"):
    steps: str
    example: str
    input: str
    output: str
    reason: str


@pytest.mark.parametrize(
    ("tag", "entry"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("de_CH", "de"),
        ("zh-Hans", "zh"),
        ("tr-Cyrl", ""),
        ("yo", ""),
    ],
)
def test_an_entry_is_of_the_language_and_its_script_or_none(tag: str, entry: str) -> None:
    book = phrasebook("step_by_step", Labels)
    assert entry_for(book, tag) is book.get(entry)


def test_an_entry_of_another_shape_is_an_error() -> None:
    with pytest.raises(ValidationError):
        phrasebook("chain_of_instructions", Labels)


def test_nothing_is_listed_under_nothing() -> None:
    assert entry_for({}, "de") is None and entry_for(phrasebook("step_by_step", Labels), "") is None
