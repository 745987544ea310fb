from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.core import Drop, Message, Outcome, Record
from engine.generators.pivot import GENERATOR
from engine.models.chat import Reply, Request
from engine.shipped import JOBS
from engine.text.pivots import Read, Row, headings, parsed
from tests.conftest import SHARED, Bind, needs_shared, seed
from tests.generators.reversing import replies, written

ASK = "My neighbour's cow got into my field. What should I do?"
SAY = (
    "Talk to the neighbour first, then agree on how the damage is paid for. Build a fence together."
)
SWAHILI = written(next(path for path in replies("pivot") if path.stem == "plain"))["reply"]


def row(**facts: Any) -> Record:
    return seed(ASK, "en", SAY, **facts)


def told(outcome: Outcome) -> str:
    if isinstance(outcome, Drop):
        return f"{outcome.reason} | {outcome.detail.splitlines()[0] if outcome.detail else ''}"
    return f"keep | {outcome.last('user')} | {' / '.join(outcome.facts['response'].splitlines())}"


def in_many(request: Request) -> str:
    """A translation in whatever language is asked for, and nothing but its tag in Latin."""
    return f"TRANSLATED_INSTRUCTION\n{request.language}?\nTRANSLATED_RESPONSE\n{request.language}."


@pytest.mark.parametrize("path", replies("pivot"), ids=lambda path: path.stem)
async def test_replies_as_models_write_them_compose_or_drop_by_rule(path: Path, bind: Bind) -> None:
    file = written(path)
    step, chat = bind(GENERATOR, {"pivot/translate": file["reply"]}, targets=["sw"])
    [outcome] = await step(row())
    assert told(outcome).strip() == file["outcome"].strip()
    takes = [request.take for request in chat.asked]
    assert takes == ([0, 1] if isinstance(outcome, Drop) else [0])
    assert outcome.record.language == "sw" if isinstance(outcome, Drop) else True


async def test_the_response_is_three_blocks_that_read_back_as_the_row(bind: Bind) -> None:
    step, chat = bind(GENERATOR, {"pivot/translate": SWAHILI}, targets=["sw"])
    [record] = await step(row(source="farm"))
    assert isinstance(record, Record) and record.language == "sw"
    asked, answer = (SWAHILI.split("\n")[n] for n in (1, 3))
    assert [turn.role for turn in record.messages] == ["user", "assistant"]
    assert record.last("user") == asked and record.facts["response"] == answer
    heads = headings("en", "sw")
    assert heads and record.facts["headings"] == list(heads)
    assert parsed(record.last("assistant"), heads) == Read("ok", Row(ASK, SAY, answer))
    assert set(record.facts["provenance"].values()) == {"translated"}
    assert (record.facts["pivot"], record.facts["source"]) == ("en", "farm")
    [request] = chat.asked
    assert request.language == "sw" and request.inputs["origin"] == "English"
    assert request.sampling["temperature"] == 0 and request.role == "translator"


async def test_each_target_language_gets_a_record_of_its_own(bind: Bind) -> None:
    targets = ["sw", "en", "eu", "de", "sw"]
    step, chat = bind(GENERATOR, {"pivot/translate": in_many}, targets=targets)
    records = await step(row())
    assert [r.language for r in records if isinstance(r, Record)] == ["sw", "eu", "de"]
    assert len({r.id for r in records if isinstance(r, Record)}) == len(chat.asked) == 3


async def test_languages_of_many_scripts_are_composed(bind: Bind) -> None:
    tags = ["ar", "de", "eu", "hi", "sw", "th", "zh-Hans"]
    files = {tag: JOBS / f"aligned/{tag}.txt" for tag in tags}
    lines = {tag: file.read_text(encoding="utf-8").split("\n") for tag, file in files.items()}

    def answer(request: Request) -> str:
        asked, said = lines[request.language][2], lines[request.language][4]
        return f"TRANSLATED_INSTRUCTION\n{asked}\nTRANSLATED_RESPONSE\n{said}"

    step, _ = bind(GENERATOR, {"pivot/translate": answer}, targets=tags)
    records = await step(row())
    assert [r.language for r in records if isinstance(r, Record)] == tags
    for record in records:
        assert isinstance(record, Record)
        assert record.facts["response"] == lines[record.language][4]


async def test_a_language_that_fails_does_not_cost_the_others(bind: Bind) -> None:
    def answer(request: Request) -> str:
        return "?" if request.language == "eu" else in_many(request)

    step, _ = bind(GENERATOR, {"pivot/translate": answer}, targets=["sw", "eu", "yo", "de"])
    sw, eu, yo, de = await step(row())
    assert isinstance(sw, Record) and isinstance(de, Record)
    assert isinstance(eu, Drop) and (eu.reason, eu.record.language) == ("no_label", "eu")
    assert isinstance(yo, Drop) and yo.reason == "no_headings"


async def test_a_second_translation_is_taken_where_the_first_will_not_do(bind: Bind) -> None:
    step, chat = bind(GENERATOR, {"pivot/translate": ["no labels", SWAHILI]}, targets=["sw"])
    [record] = await step(row())
    assert isinstance(record, Record) and len(chat.asked) == 2


async def test_a_translation_cut_by_the_token_limit_is_none(bind: Bind) -> None:
    cut = Reply(SWAHILI, model="fake", truncated=True)
    step, _ = bind(GENERATOR, {"pivot/translate": cut}, targets=["sw"])
    [drop] = await step(row())
    assert isinstance(drop, Drop) and drop.reason == "cut_translation"


async def test_a_row_whose_blocks_could_not_be_told_apart_drops(bind: Bind) -> None:
    step, _ = bind(GENERATOR, {"pivot/translate": SWAHILI}, targets=["sw"])
    [drop] = await step(seed(ASK, "en", f"{SAY}\n\nJibu kwa Kiswahili:\nHapana."))
    assert isinstance(drop, Drop) and drop.reason == "holds_heading"


@pytest.mark.parametrize(
    ("record", "reason"),
    [(seed(ASK, "en"), "no_pair"), (seed("", "en", SAY), "no_pair"), (seed(ASK, "sw", SAY),
     "no_target"), (seed(ASK, "en", SAY * 100), "too_long")],
)  # fmt: skip
async def test_rows_that_will_not_do_cost_no_call(record: Record, reason: str, bind: Bind) -> None:
    step, chat = bind(GENERATOR, targets=["sw"])
    [drop] = await step(record)
    assert isinstance(drop, Drop) and drop.reason == reason and not chat.asked


@needs_shared
async def test_the_public_seed_tasks_read_back_as_they_were(bind: Bind) -> None:
    lines = (SHARED / "self_instruct_seed_tasks.jsonl").read_text(encoding="utf-8").splitlines()
    rows = []
    for task in map(json.loads, lines):
        first = task["instances"][0]
        asked = "\n\n".join(filter(None, (task["instruction"], first["input"])))
        turns = (Message("user", asked), Message("assistant", first["output"]))
        rows.append(Record(task["id"], "en", turns))
    step, _ = bind(GENERATOR, {"pivot/translate": SWAHILI}, targets=["sw"], max_characters=20_000)
    heads, read = headings("en", "sw"), 0
    for given in rows:
        [record] = await step(given)
        assert isinstance(record, Record) and heads, given
        back = parsed(record.last("assistant"), heads)
        assert back.code == "ok" and back.row.response == SWAHILI.split("\n")[3]
        assert (back.row.instruction, back.row.pivot_response) == (
            given.last("user"), given.last("assistant"),
        )  # fmt: skip
        read += 1
    assert read == len(lines) == 175
