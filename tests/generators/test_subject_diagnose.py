from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.core import Drop, Record
from engine.generators.subject_diagnose import GENERATOR
from engine.prompting import Library
from tests.conftest import SHARED, Bind, needs_shared, seed

REPLIES = sorted((Path(__file__).parent / "replies" / "subject_diagnose").glob("*.txt"))
QUESTION = (
    "A shop takes 20 % off a coat and, at the till, another 10 % off the reduced price. "
    "By how many per cent is the coat cheaper?"
)
GOLD = "By 28 per cent: 0.8 times 0.9 is 0.72 of the old price."
ATTEMPT = "It is 30 per cent cheaper, my dear."
WEAK = json.dumps({"reason": "Adds.", "correct": False, "weakness": "Adds percentages."})


def script(compare: Any, attempt: Any = ATTEMPT) -> dict[str, Any]:
    return {"subject_diagnose/attempt": attempt, "subject_diagnose/compare": compare}


def written(path: Path) -> tuple[str, str]:
    """What a judge replied, and what must become of it."""
    reply, _, expected = path.read_text(encoding="utf-8").rpartition("\n=== outcome\n")
    return reply, expected.strip()


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_comparisons_as_judges_write_them_tell_a_weakness_or_drop(path: Path, bind: Bind):
    reply, expected = written(path)
    step, _ = bind(GENERATOR, script(reply))
    [outcome] = await step(seed(QUESTION, path.stem.split("_")[0], GOLD))
    told = f"keep | {outcome.facts['weakness']}" if isinstance(outcome, Record) else outcome.reason
    assert told == expected


async def test_nothing_of_the_item_goes_on(bind: Bind):
    label = {"tags": ["percentages"], "macro": "mathematics", "category": "mathematics/arithmetic"}
    step, _ = bind(GENERATOR, script(WEAK))
    item = seed(QUESTION, "en", GOLD, label=label, source="evaluation", instruction=QUESTION)
    [record] = await step(item.with_facts(input="coat", gold=GOLD, note="till"))
    assert isinstance(record, Record) and record.messages == ()
    assert record.facts == {"label": label, "source": "evaluation", "weakness": "Adds percentages."}
    said = json.dumps([record.facts, [str(hop) for hop in record.lineage]], ensure_ascii=False)
    assert not any(text in said for text in (QUESTION, GOLD, ATTEMPT))


async def test_the_gold_answer_is_shown_to_the_judge_and_not_to_the_model(
    bind: Bind, prompts: Library
):
    step, chat = bind(GENERATOR, script(WEAK))
    await step(seed(QUESTION, "en", GOLD))
    attempt, compare = chat.asked
    assert attempt.role == "weaker" and compare.role == "judge"
    assert GOLD not in "".join(m.content for m in attempt.messages)
    assert GOLD in compare.messages[-1].content and ATTEMPT in compare.messages[-1].content
    assert prompts.load("subject_diagnose/compare").header.sampling["temperature"] == 0


async def test_a_quotation_counts_from_as_many_words_as_the_job_says(bind: Bind):
    said = {
        "reason": "",
        "correct": False,
        "weakness": "Forgets that it comes off the reduced price.",
    }
    for quoted, reason in ((3, "quotes_item"), (8, "")):
        step, _ = bind(GENERATOR, script(json.dumps(said)), quoted=quoted)
        [outcome] = await step(seed(QUESTION, "en", GOLD))
        assert (outcome.reason if isinstance(outcome, Drop) else "") == reason


@pytest.mark.parametrize(("question", "gold"), [("", GOLD), (QUESTION, ""), ("问题", " ")])
async def test_an_item_without_a_gold_answer_costs_no_call(bind: Bind, question: str, gold: str):
    step, chat = bind(GENERATOR, script(WEAK))
    [outcome] = await step(seed(question, "en", gold))
    assert isinstance(outcome, Drop) and outcome.reason == "no_gold_answer" and not chat.asked


async def test_what_is_mastered_ends_with_the_judges_reason(bind: Bind):
    said = json.dumps({"reason": "Same result.", "correct": True, "weakness": ""})
    step, _ = bind(GENERATOR, script(said))
    [outcome] = await step(seed(QUESTION, "en", GOLD))
    assert isinstance(outcome, Drop)
    assert (outcome.reason, outcome.detail) == ("mastered", "Same result.")


@needs_shared
async def test_no_word_of_a_public_task_is_left_in_its_diagnosis(bind: Bind):
    lines = (SHARED / "self_instruct_seed_tasks.jsonl").read_text(encoding="utf-8").splitlines()
    step, _ = bind(GENERATOR, script(WEAK))
    for task in map(json.loads, lines):
        [record] = await step(seed(task["instruction"], "en", task["instances"][0]["output"]))
        assert isinstance(record, Record) and task["instruction"] not in json.dumps(record.facts)
