from __future__ import annotations

import pytest

from engine.text.task_types import (
    SLOT,
    Parts,
    appended,
    conditional,
    filled,
    kinds,
    marked,
    short,
    slotted,
    stated,
    taken_apart,
    written,
)

NAMES = (
    "exqa mcqa qg qa ynqa coref paraphrase paraphrase_id sent_comp sentiment summarization "
    "text_gen topic_class wsd te nli"
)


def test_there_are_the_sixteen_kinds_by_both_names() -> None:
    assert set(kinds()) == set(NAMES.split()) and len(kinds()) == 16
    for name, kind in kinds().items():
        assert short(name) == short(kind.name) == name
    with pytest.raises(ValueError, match="no task type 'Sentiment'"):
        short("Sentiment")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("qa", ["qa"]),
        (["summarization", "yes-no question answering", "ynqa"], ["summarization", "ynqa"]),
        (None, []),
        ([], []),
        ("", []),
    ],
)
def test_types_are_stated_as_a_list_or_one_name(given: object, found: list[str]) -> None:
    assert stated(given) == found


@pytest.mark.parametrize("text", ["Ein Satz.", "一句话。", "جملة.", "", "x" * 200_000])
def test_what_is_written_is_taken_apart_into_what_it_was(text: str) -> None:
    task = Parts(f"{SLOT} {text}".strip(), f"{text}!")
    assert taken_apart(written(task)) == task
    assert conditional("te", f" {text} ").split("\n") == [
        *("<|tasktype|>", "textual entailment", "<|context|>", text, "<|task|>", ""),
    ]


@pytest.mark.parametrize(
    ("completion", "parts"),
    [
        ("", None),
        ("a", None),
        ("a<|pipe|>b", ("a", "b")),
        (" a \n<|pipe|>\n b ", ("a", "b")),
        ("<|pipe|>", ("", "")),
        ("a<|pipe|>b<|pipe|>", None),
    ],
)
def test_one_separator_exactly(completion: str, parts: tuple[str, str] | None) -> None:
    assert taken_apart(completion) == parts


def test_the_text_goes_into_both_parts_and_nothing_in_it_is_read_again() -> None:
    task = Parts(f"{SLOT}: {SLOT}", SLOT)
    assert filled(task, f"  {SLOT} \\1 ") == (f"{SLOT} \\1: {SLOT} \\1", f"{SLOT} \\1")
    assert filled(Parts("甲", "乙"), "丙") == ("甲", "乙")


@pytest.mark.parametrize("like", ["{{context}}", "{{ context }}", "{context}", "{{CONTEXT}}"])
def test_a_slot_that_is_nearly_one_is_one(like: str) -> None:
    assert slotted(Parts(f"उत्तर {like}", "अ")).input == f"उत्तर {SLOT}"


def test_what_only_looks_like_a_slot_stays() -> None:
    task = Parts("{{ contexts }} {text} context {{{x}}}", "")
    assert slotted(task) == task


def test_a_slot_is_put_below_where_there_is_none() -> None:
    assert appended(Parts("Warum?", "x")).input == f"Warum?\n\n{SLOT}"
    assert appended(Parts(f"{SLOT} Warum?", "x")).input == f"{SLOT} Warum?"


def test_marks_are_found() -> None:
    assert marked("ein <|pipe|> hier") == "<|pipe|>" and not marked("<|x|> |pipe|")
