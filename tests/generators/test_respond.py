from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from engine.core import Drop, Message, Record
from engine.generators.respond import GENERATOR, Params
from engine.models.chat import Reply, Request
from engine.passes.human_instructions import PASS
from tests.conftest import SHARED, Bind, needs_shared, seed, settle

RESPOND, JUDGE = "respond/respond", "respond/judge"
REPLIES = sorted((Path(__file__).parent / "replies" / "respond").glob("*.txt"))


def judge(**scores: int):
    """A judge that scores each response by its text; 0 is a reply that cannot be read."""

    def judge(request: Request) -> str:
        score = scores[str(request.inputs["response"])]
        return json.dumps({"reason": "why", "score": score}) if score else "Very good!"

    return judge


def written(path: Path) -> tuple[str, str]:
    reply, _, expected = path.read_text(encoding="utf-8").partition("\n=== outcome\n")
    return reply, expected.strip()


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_judgements_as_models_write_them_are_a_score_or_none(path: Path, bind: Bind):
    reply, expected = written(path)
    step, _ = bind(GENERATOR, {RESPOND: ["Ja."], JUDGE: reply}, responses=1)
    [outcome] = await step(seed("Regnet es?", path.stem.split("_")[0]))
    said = outcome.reason if isinstance(outcome, Drop) else str(outcome.facts["score"])
    assert said == expected


async def test_the_best_of_six_is_kept_and_all_are_noted_with_their_scores(bind: Bind):
    said = ["a", "b", "c", "d", "e", "f"]
    script = {RESPOND: said, JUDGE: judge(a=3, b=9, c=1, d=8, e=2, f=4)}
    step, chat = bind(GENERATOR, script)
    [record] = await step(seed("Wozu dient ein Sextant?", conversation_id="c7"))
    assert isinstance(record, Record) and record.id == "seed", "one in, the same one out"
    assert [m.content for m in record.messages] == ["Wozu dient ein Sextant?", "b"]
    assert record.facts["responses"] == said and record.facts["scores"] == [3, 9, 1, 8, 2, 4]
    assert (record.facts["best"], record.facts["score"]) == (1, 9)
    assert record.facts["judgements"] == ["why"] * 6 and record.facts["conversation_id"] == "c7"
    assert [a.n for a in chat.asked] == [6] + [1] * 6 and chat.asked[0].sampling["temperature"] > 0
    assert "German" in chat.asked[0].messages[0].content


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ({"a": 7, "b": 7, "c": 7}, "a"),
        ({"a": 6, "b": 7, "c": 7}, "b"),
        ({"a": 7, "b": 6, "c": 7}, "a"),
        ({"a": 1, "b": 1, "c": 2}, "c"),
        ({"a": 0, "b": 5, "c": 5}, "b"),
    ],
)
async def test_of_equals_the_first_is_kept_each_time(scores: dict[str, int], best: str, bind: Bind):
    for _ in range(2):
        step, _ = bind(GENERATOR, {RESPOND: ["a", "b", "c"], JUDGE: judge(**scores)}, responses=3)
        [record] = await step(seed("Frage"))
        assert isinstance(record, Record) and record.last("assistant") == best


def test_more_than_six_responses_cannot_be_asked_for():
    assert Params(responses=6).responses == 6
    for wrong in (0, 7):
        with pytest.raises(ValidationError):
            Params(responses=wrong)


async def test_a_blank_instruction_costs_no_call(bind: Bind):
    step, chat = bind(GENERATOR, {})
    for text in ("", " \n\t"):
        [drop] = await step(Record("r", "sw", (Message("user", text),)))
        assert isinstance(drop, Drop) and drop.reason == "empty_instruction"
    [drop] = await step(Record("r", "sw"))
    assert isinstance(drop, Drop) and drop.reason == "empty_instruction" and not chat.asked


async def test_cut_blank_and_repeated_responses_are_not_judged(bind: Bind):
    said = [Reply("a", "fake", truncated=True), "b", " ", "b", "c"]
    step, chat = bind(GENERATOR, {RESPOND: said, JUDGE: judge(b=4, c=3)}, responses=5)
    [record] = await step(seed("Frage", "zh"))
    assert isinstance(record, Record)
    assert record.facts["responses"] == ["b", "c"] and record.facts["scores"] == [4, 3]
    assert [a.inputs["response"] for a in chat.asked[1:]] == ["b", "c"]


async def test_no_whole_response_or_no_score_is_a_drop(bind: Bind):
    step, chat = bind(GENERATOR, {RESPOND: ["", " "]}, responses=2)
    [drop] = await step(seed("Frage"))
    assert isinstance(drop, Drop) and drop.reason == "no_response" and len(chat.asked) == 1
    step, _ = bind(GENERATOR, {RESPOND: ["a"], JUDGE: judge(a=0)}, responses=1)
    [drop] = await step(seed("Frage"))
    assert isinstance(drop, Drop) and drop.reason == "no_score"


@pytest.mark.parametrize(("best", "kept"), [(5, False), (6, True), (7, True)])
async def test_the_best_must_reach_the_least_score(best: int, kept: bool, bind: Bind):
    step, _ = bind(GENERATOR, {RESPOND: ["a"], JUDGE: judge(a=best)}, responses=1, min_score=6)
    [outcome] = await step(seed("Frage"))
    assert isinstance(outcome, Record) == kept


async def test_only_the_first_turn_is_answered(bind: Bind):
    turns = (Message("user", "eins"), Message("assistant", "alt"), Message("user", "zwei"))
    step, chat = bind(GENERATOR, {RESPOND: ["neu"], JUDGE: judge(neu=5)}, responses=1)
    [record] = await step(Record("r", "de", turns))
    assert isinstance(record, Record)
    assert [m.content for m in record.messages] == ["eins", "neu"]
    assert chat.asked[0].messages[-1].content == "eins"


async def test_a_response_cannot_close_its_own_quotation(bind: Bind):
    step, chat = bind(GENERATOR, {RESPOND: ["a", "b"], JUDGE: judge(a=1, b=2)}, responses=2)
    await step(seed("Frage"))
    fence = chat.asked[1].inputs["fence"]
    assert len(str(fence)) == 12 and fence == chat.asked[2].inputs["fence"]
    assert f"<<< response {fence}" in chat.asked[1].messages[-1].content


@needs_shared
async def test_nothing_is_generated_for_empty_and_repeated_rows_of_real_tasks(bind: Bind):
    lines = (SHARED / "self_instruct_seed_tasks.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["instruction"] for line in lines]
    rows = [
        Record(f"r{n:03}", "en", (Message("user", text),))
        for n, text in enumerate([*texts, "", *texts[:20]])
    ]
    step, chat = bind(GENERATOR, {RESPOND: "ok", JUDGE: judge(ok=7)}, responses=1)
    settled = settle(PASS, rows)
    for row in settled:
        if isinstance(row, Record):
            await step(row)
    dropped = [row for row in settled if isinstance(row, Drop)]
    asked = [str(a.inputs["instruction"]) for a in chat.asked if a.prompt.startswith(RESPOND)]
    assert len(asked) == len(set(asked)) == len(rows) - len(dropped)
    assert len(dropped) >= 21 and {d.reason for d in dropped} == {
        "empty_instruction",
        "duplicate_instruction",
    }
    first = {row.last("user").strip(): row.id for row in reversed(rows)}
    for drop in dropped:
        if drop.reason == "duplicate_instruction" and drop.record.id > "r175":
            assert drop.record.facts["duplicate_of"] == first[drop.record.last("user").strip()]
