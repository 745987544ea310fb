from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.core import Drop, Record
from engine.generators.subject_target import GENERATOR
from engine.models.chat import Reply
from tests.conftest import Bind, seed

REPLIES = sorted((Path(__file__).parent / "replies" / "subject_target").glob("*.txt"))
WEAK = ["Zählt Prozente zusammen.", "Verwechselt den Grundwert."]
SUMMARY = json.dumps({"summary": "Der Grundwert wird verfehlt.", "skills": ["Grundwert finden"]})
LABEL = {"tags": [], "category": "mathematics/arithmetic", "names": ["Mathematik", "Rechnen"]}
ONE = "1. Rechne zwei Rabatte auf 80 Euro nacheinander."


def script(target: Any, summarise: Any = SUMMARY) -> dict[str, Any]:
    return {"subject_target/target": target, "subject_target/summarise": summarise}


def point(language: str = "de", **facts: Any) -> Record:
    return seed(language=language, weaknesses=WEAK, label=LABEL, source="evaluation", **facts)


def written(path: Path) -> tuple[str, str]:
    """What a model replied, and what must become of it."""
    reply, _, expected = path.read_text(encoding="utf-8").rpartition("\n=== outcome\n")
    return reply, expected.strip()


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_lists_as_models_write_them_become_instructions_or_drop_by_rule(
    path: Path, bind: Bind
):
    reply, expected = written(path)
    step, _ = bind(GENERATOR, script(reply))
    outcomes = await step(point(path.stem.split("_")[0]))
    told = [each.reason if isinstance(each, Drop) else "keep" for each in outcomes]
    assert " ".join(told) == expected


async def test_an_instruction_knows_what_it_is_to_train(bind: Bind):
    step, chat = bind(GENERATOR, script(ONE))
    [record] = await step(point())
    assert isinstance(record, Record)
    assert record.last("user") == "Rechne zwei Rabatte auf 80 Euro nacheinander."
    assert record.facts["weakness_summary"] == "Der Grundwert wird verfehlt."
    assert record.facts["skills"] == ["Grundwert finden"] and record.facts["weaknesses"] == WEAK
    summarise, target = chat.asked
    assert summarise.inputs["weaknesses"] == WEAK
    assert summarise.inputs["field"] == ["Mathematik", "Rechnen"]
    assert target.inputs["summary"] == "Der Grundwert wird verfehlt."
    assert record.lineage[-1].parent == "seed" and len(record.lineage[-1].calls) == 2


async def test_a_single_diagnosis_is_a_weak_point_too(bind: Bind):
    step, chat = bind(GENERATOR, script(ONE))
    [record] = await step(seed(weakness="Zählt Prozente zusammen."))
    assert isinstance(record, Record) and chat.asked[0].inputs["weaknesses"] == [
        "Zählt Prozente zusammen."
    ]


async def test_of_a_list_that_was_cut_the_last_is_left_off(bind: Bind):
    cut = Reply(f"{ONE}\n2. Rechne, was von 90 Euro", model="fake", truncated=True)
    step, _ = bind(GENERATOR, script(cut))
    [record] = await step(point())
    assert isinstance(record, Record) and record.last("user").startswith("Rechne zwei Rabatte")


@pytest.mark.parametrize("said", ["no json", '{"summary": "", "skills": []}'])
async def test_without_a_summary_there_is_no_target(bind: Bind, said: str):
    step, _ = bind(GENERATOR, script(ONE, said))
    [outcome] = await step(point())
    assert isinstance(outcome, Drop) and outcome.reason == "bad_reply"


async def test_what_tells_of_no_weakness_costs_no_call(bind: Bind):
    for facts in ({}, {"weaknesses": []}, {"weakness": ""}):
        step, chat = bind(GENERATOR, script(ONE))
        [outcome] = await step(seed(**facts))
        assert isinstance(outcome, Drop) and outcome.reason == "no_weakness" and not chat.asked
