"""GLAN's syllabi: texts as models write them, converted where they have no clear form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.core import Drop, Record
from engine.generators.glan_syllabus import GENERATOR
from engine.models.chat import Reply
from tests.conftest import Bind, seed

REPLIES = sorted((Path(__file__).parent / "replies" / "glan_syllabus").glob("*.txt"))
NONE = json.dumps({"sessions": []})
TEXT = "## 1. A\nFirst.\n- x\n- y\n## 2. B\n- z\n"


def written(path: Path) -> tuple[str, str]:
    """What a model replied, and what must become of it."""
    reply, _, expected = path.read_text(encoding="utf-8").partition("\n=== outcome\n")
    return reply, expected.strip()


def script(design: str | Reply, convert: str = NONE) -> dict[str, str | Reply]:
    return {"glan_syllabus/design": design, "glan_syllabus/convert": convert}


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_syllabi_as_models_write_them_are_read_or_drop_by_rule(
    path: Path, bind: Bind
) -> None:
    text, expected = written(path)
    reply = Reply(text, "fake", truncated="_cut_" in path.stem)
    step, _ = bind(GENERATOR, script(reply), min_sessions=2)
    [outcome] = await step(seed("Bienen", language=path.stem.split("_")[0]))
    if isinstance(outcome, Drop):
        assert outcome.reason == expected
        return
    course = outcome.facts["syllabus"]
    told = [f"{each['title']}: {', '.join(each['concepts'])}" for each in course]
    assert " | ".join(told) == expected


async def test_a_text_of_clear_form_is_one_call_and_the_record_keeps_text_and_sessions(
    bind: Bind,
) -> None:
    step, chat = bind(GENERATOR, script(TEXT), min_sessions=2)
    facts = {"subject": "Bienen", "level": "Grundkurs", "topic": "a/b", "subtopics": ["Wachs"]}
    [record] = await step(seed("Bienen!", **facts))
    assert isinstance(record, Record) and len(chat.asked) == 1
    assert record.last("user") == "Bienen" and record.last("assistant") == TEXT.strip()
    assert record.facts["syllabus"] == [
        {"title": "A", "description": "First.", "concepts": ["x", "y"]},
        {"title": "B", "description": "", "concepts": ["z"]},
    ]
    assert record.facts["topic"] == "a/b" and record.id == "seed"
    assert json.loads(json.dumps(record.facts)) == record.facts, "JSON as the ledger keeps it"
    asked = chat.asked[0].inputs
    assert (asked["subject"], asked["level"], asked["subtopics"]) == (
        "Bienen",
        "Grundkurs",
        ["Wachs"],
    )


async def test_a_text_without_form_is_converted_by_the_model(bind: Bind) -> None:
    rows = [
        {"title": "A", "description": "First.", "concepts": ["x", "X", ""]},
        {"title": "Exam", "description": "", "concepts": []},
        {"title": "B", "description": "", "concepts": ["y"]},
    ]
    step, chat = bind(
        GENERATOR,
        script("We begin with A, then B.", json.dumps({"sessions": rows})),
        min_sessions=2,
    )
    [record] = await step(seed("Bienen"))
    assert isinstance(record, Record)
    assert [(s["title"], s["concepts"]) for s in record.facts["syllabus"]] == [
        ("A", ["X"]),
        ("B", ["y"]),
    ]
    assert chat.asked[1].inputs["syllabus"] == "We begin with A, then B."


@pytest.mark.parametrize(("least", "kept"), [(1, True), (2, True), (3, False)])
async def test_the_least_number_of_sessions_is_just_enough(
    least: int, kept: bool, bind: Bind
) -> None:
    step, chat = bind(GENERATOR, script(TEXT), min_sessions=least)
    [outcome] = await step(seed("Bienen"))
    assert isinstance(outcome, Record) == kept
    assert len(chat.asked) == (1 if kept else 2), "what falls short is converted before it drops"


async def test_a_conversion_that_is_no_json_drops_the_subject(bind: Bind) -> None:
    step, _ = bind(GENERATOR, script("Just some prose.", "Here you go!"))
    [drop] = await step(seed("Bienen"))
    assert isinstance(drop, Drop) and drop.reason == "bad_reply"
