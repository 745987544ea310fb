from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

import engine
from engine.core import Drop, Record
from engine.generators.subject_evolve import GENERATOR, Dimension
from engine.models.chat import Request
from engine.prompting import Library
from engine.text.leftovers import names_label
from tests.conftest import SHARED, Bind, needs_shared, seed

REPLIES = sorted((Path(__file__).parent / "replies" / "subject_evolve").glob("*.txt"))
DIMENSIONS = get_args(Dimension)


def verdict(along: bool = True, answerable: bool = True) -> str:
    return json.dumps({"reason": "So.", "along_dimension": along, "answerable": answerable})


def script(evolved: Any, validate: Any = verdict()) -> dict[str, Any]:  # noqa: B008 - a text
    dimensions = {f"subject_evolve/{name}": evolved for name in DIMENSIONS}
    return {**dimensions, "subject_evolve/validate": validate}


def further(request: Request) -> str:
    return f"{request.inputs['instruction']} Und warum?"


def written(path: Path) -> tuple[str, str]:
    """What a model replied, and what must become of it."""
    reply, _, expected = path.read_text(encoding="utf-8").rpartition("\n=== outcome\n")
    return reply, expected.strip()


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_rewrites_as_models_write_them_stand_or_drop_by_rule(path: Path, bind: Bind):
    given, expected = written(path)
    parent, _, evolved = given.partition("\n=== evolved\n")
    step, chat = bind(GENERATOR, script(evolved))
    asked = seed(parent.removeprefix("parent: "), language=path.stem.split("_")[0])
    [outcome] = await step(asked)
    kept = isinstance(outcome, Record)
    told = f"keep | {outcome.last('user')}" if isinstance(outcome, Record) else outcome.reason
    assert told == expected
    assert len(chat.asked) == (2 if kept else 1), "what a rule finds costs no judge"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (verdict(), ""),
        (verdict(along=False), "off_dimension"),
        (verdict(answerable=False), "not_answerable"),
        (verdict(along=False, answerable=False), "off_dimension"),
        ("It is fine.", "no_verdict"),
        ('{"along_dimension": true, "answerable": true}', "no_verdict"),
    ],
)
async def test_what_the_judge_refuses_is_dropped(bind: Bind, said: str, reason: str):
    step, _ = bind(GENERATOR, script(further, said))
    [outcome] = await step(seed("Nenne drei Flüsse."))
    assert (outcome.reason if isinstance(outcome, Drop) else "") == reason


async def test_each_instruction_is_evolved_along_one_dimension_with_equal_odds(bind: Bind):
    drawn: Counter[str] = Counter()
    step, chat = bind(GENERATOR, script(further))
    for row in range(400):
        chat.asked.clear()
        [record] = await step(replace(seed("Nenne drei Flüsse."), id=f"seed{row}"))
        asked = [r.prompt.partition("@")[0].partition("/")[2] for r in chat.asked]
        assert len(asked) == 2 and asked[1] == "validate", "one dimension, one judge"
        assert isinstance(record, Record) and record.facts["dimension"] == asked[0]
        drawn[asked[0]] += 1
    assert sum((drawn[name] - 100) ** 2 / 100 for name in DIMENSIONS) < 16.3  # chi-square, p 0.001


async def test_the_chain_back_to_the_seed_is_complete(bind: Bind):
    label = {"tags": ["rivers"], "macro": "geography", "category": "geography/places"}
    step, chat = bind(GENERATOR, script(further), dimensions=["depth"])
    asked = seed("Nenne drei Flüsse.", label=label, source="collected", licence="CC0-1.0")
    [record] = await step(asked)
    assert isinstance(record, Record) and record.language == "de"
    assert record.facts["parent_instruction"] == "Nenne drei Flüsse."
    assert record.facts["label"] == label and record.facts["source"] == "collected"
    assert record.lineage[-1].parent == asked.id and record.id == asked.child(0).id
    assert len(record.lineage[-1].calls) == 2
    assert chat.asked[1].inputs["dimension"] == "depth"


async def test_an_input_stays_but_where_a_new_instruction_is_asked_for(bind: Bind):
    for dimension, given in (("difficulty", "Der Bus kam."), ("breadth", "")):
        step, _ = bind(GENERATOR, script(further), dimensions=[dimension])
        [record] = await step(seed("Fasse zusammen.\n\nDer Bus kam.", input="Der Bus kam."))
        assert isinstance(record, Record) and record.facts["input"] == given
        assert record.last("user").endswith("Der Bus kam.") == bool(given)


async def test_an_answer_of_the_seed_is_not_taken_along(bind: Bind):
    step, _ = bind(GENERATOR, script(further))
    [record] = await step(seed("Nenne drei Flüsse.", response="Donau, Elbe, Rhein."))
    assert isinstance(record, Record) and [m.role for m in record.messages] == ["user"]


async def test_what_asks_nothing_costs_no_call(bind: Bind):
    step, chat = bind(GENERATOR, script(further))
    [outcome] = await step(seed(""))
    assert isinstance(outcome, Drop) and outcome.reason == "no_instruction" and not chat.asked


def test_the_labels_of_our_own_prompts_are_known(prompts: Library):
    for prompt in GENERATOR.prompts:
        inputs = dict.fromkeys(prompts.load(prompt.name).header.inputs, "Fluss")
        for turn in prompts.load(prompt.name).render(inputs):
            markers = [line for line in turn.content.splitlines() if line.isupper()]
            assert all(names_label(marker, "de") for marker in markers)


@needs_shared
async def test_the_public_seed_tasks_evolve(bind: Bind):
    lines = (SHARED / "self_instruct_seed_tasks.jsonl").read_text(encoding="utf-8").splitlines()
    step, _ = bind(GENERATOR, script(further))
    for task in map(json.loads, lines):
        given = task["instances"][0]["input"]
        text = task["instruction"] + (f"\n\n{given}" if given else "")
        [record] = await step(seed(text, "en", input=given))
        assert isinstance(record, Record)
        assert record.facts["parent_instruction"] == task["instruction"].strip()


def test_the_shipped_loop_comes_round_with_labels_rounds_and_whole_lineage(tmp_path: Path):
    job = engine.load("subject_evolve", ["target.accepted=12", "source.1.weight=40"])
    records = list(engine.run(job, tmp_path / "out", rehearse=True).records())
    assert len(records) == 12
    chain = ["tag", "follow", "spell", "choose", "evolve", "novel", "play"]
    for record in records:
        assert {"tags", "macro", "category", "names"} == set(record.facts["label"])
        assert record.facts["rounds"] in (2, 3, 4) and record.facts["dimension"] in DIMENSIONS
        assert len(record.messages) == 2 * record.facts["rounds"]
        steps = [hop.step for hop in record.lineage]
        assert [step for step in chain if step in steps] == chain, steps
        if record.facts["source"] == "evaluation":
            assert steps[:3] == ["tag_items", "diagnose", "weak_points"] and "target" in steps
            assert record.facts["weaknesses"] and "instruction" in record.facts
    sources = {record.facts["source"] for record in records}
    assert sources == {"collected", "evaluation"}, "the rehearsal's judge found no weakness: a draw"
