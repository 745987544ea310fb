from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine.core import Call, Drop, Hop, Record
from engine.verifiers.self_validation import VERIFIER, variant
from tests.conftest import Bind, seed

VALIDATE = "self_validation/validate"
REPLIES = sorted((Path(__file__).parent / "replies" / "self_validation").glob("*.txt"))


def scores(instruction: int, input: int, output: int) -> str:
    return json.dumps(
        {"flaw": "none", "instruction": instruction, "input": input, "output": output}
    )


def task(language: str = "de") -> Record:
    return seed(
        "Zähle die Vokale.\n\nRhabarber",
        language,
        "3",
        instruction="Zähle die Vokale.",
        input="Rhabarber",
    )


def written(path: Path) -> tuple[str, str]:
    reply, _, expected = path.read_text(encoding="utf-8").partition("\n=== outcome\n")
    return reply, expected.strip()


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_judgements_as_models_write_them_keep_drop_or_are_unreadable(path: Path, bind: Bind):
    reply, expected = written(path)
    step, _ = bind(VERIFIER, {VALIDATE: reply})
    [outcome] = await step(task(path.stem.split("_")[0]))
    said = outcome.reason if isinstance(outcome, Drop) else str(outcome.facts["validity"]["score"])
    assert said == expected


@pytest.mark.parametrize(
    ("given", "least", "kept"),
    [
        ((3, 5, 5), 3, True),
        ((5, 3, 5), 3, True),
        ((5, 5, 3), 3, True),
        ((2, 5, 5), 3, False),
        ((5, 2, 5), 3, False),
        ((5, 5, 2), 3, False),
        ((1, 1, 1), 1, True),
        ((5, 4, 5), 5, False),
        ((5, 5, 5), 5, True),
    ],
)
async def test_the_worst_of_the_three_decides_at_the_threshold(
    given: tuple[int, int, int], least: int, kept: bool, bind: Bind
):
    step, _ = bind(VERIFIER, {VALIDATE: scores(*given)}, min_score=least)
    [outcome] = await step(task())
    assert isinstance(outcome, Record) == kept
    record = outcome.record if isinstance(outcome, Drop) else outcome
    noted = record.facts["validity"]
    assert (noted["score"], noted["sum"], noted["threshold"]) == (min(given), sum(given), least)


async def test_the_model_that_writes_is_asked_and_sees_all_three_parts(bind: Bind):
    step, chat = bind(VERIFIER, {VALIDATE: scores(5, 5, 5)})
    await step(task())
    [asked] = chat.asked
    assert asked.role == "writer" and asked.sampling["temperature"] == 0 and asked.schema
    parts = (asked.inputs["instruction"], asked.inputs["input"], asked.inputs["output"])
    assert parts == ("Zähle die Vokale.", "Rhabarber", "3")
    assert str(asked.inputs["fence"]) in asked.messages[-1].content
    await step(seed("Reime auf Haus", response="Maus"))
    assert "(none)" in chat.asked[1].messages[-1].content


async def test_round_and_variant_are_logged_with_the_scores(bind: Bind):
    step, _ = bind(VERIFIER, {VALIDATE: scores(5, 5, 4)})
    calls = (Call("alpaca/propose@aa", "writer", "m", "k"), Call("x/y@bb", "writer", "m", "k"))
    made = replace(
        task().with_facts(round=2),
        lineage=(Hop("a", "p"), Hop("invent", "p", calls), Hop("b", "p")),
    )
    [record] = await step(made)
    assert isinstance(record, Record)
    assert (record.facts["validity"]["round"], record.facts["validity"]["variant"]) == (2, "alpaca")
    assert variant(task()) == ""


async def test_a_task_without_an_output_is_not_asked_about(bind: Bind):
    step, chat = bind(VERIFIER, {})
    [drop] = await step(seed("Zähle."))
    assert isinstance(drop, Drop) and drop.reason == "nothing_to_judge" and not chat.asked
