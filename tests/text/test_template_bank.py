from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.text.task_types import kinds
from engine.text.template_bank import bank

ONE = "{name: a, type: qa, body: '{{ text }} Was? ||| x'}"


def file(folder: Path, text: str) -> Path:
    path = folder / "templates.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_templates_make_every_kind_of_task_in_several_languages() -> None:
    ready = bank()
    assert {each.task_type for several in ready.values() for each in several} == set(kinds())
    assert {name.split("-")[0] for name in ready} >= {
        "ar",
        "de",
        "en",
        "es",
        "fr",
        "hi",
        "sw",
        "zh",
    }


def test_a_template_without_the_text_is_left_out(tmp_path: Path) -> None:
    there = f"d: {{context: text, templates: [{ONE}, {{name: b, type: te, body: 'a ||| b'}}]}}"
    assert [each.name for each in bank(file(tmp_path, there))["d"]] == ["a"]
    assert "nur das urteil" not in {each.name for each in bank()["de-kundenstimmen"]}


def test_a_file_that_has_changed_is_read_anew(tmp_path: Path) -> None:
    path = file(tmp_path, f"d: {{context: text, templates: [{ONE}]}}")
    assert list(bank(path)) == ["d"]
    file(tmp_path, f"e: {{context: text, templates: [{ONE}]}}")
    os.utime(path, ns=(1, 1))
    assert list(bank(path)) == ["e"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("d: {context: text, templates: [" + ONE + "," + ONE + "]}", "two templates .* 'a'"),
        (
            "d: {context: text, templates: [{name: a, type: poem, body: '{{ text }} ||| x'}]}",
            "d: a",
        ),
        ("d: {context: text, templates: [{name: a, type: qa, body: '{{ text }} ||| x'}]}", "else"),
        ("d: {context: text, templates: [{name: a, type: qa, body: '{{ text ||| x'}]}", "line 1"),
        ("d: {context: text, templates: []}", "d.templates: "),
        ("d: {context: text}", "d.templates: "),
        ("d: [", "not a readable file"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        bank(file(tmp_path, text))
