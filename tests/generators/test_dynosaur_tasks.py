from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.core import Drop, Outcome, Record
from engine.generators.dynosaur_tasks import GENERATOR
from engine.models.chat import Reply, Request
from engine.shipped import JOBS
from engine.sources.dataset_folders import SOURCE
from tests.conftest import Bind, read, seed

REPLIES = sorted((Path(__file__).parent / "replies" / "dynosaur_tasks").glob("*.txt"))
ROWS = [
    {"id": n, "text": f"Der Käse Nr. {n} war gut.", "ware": "Käse", "urteil": "zufrieden"}
    for n in range(4)
]
TASK = {"instruction": "Nenne die Ware.", "input_fields": ["text"], "output_fields": ["ware"]}
OTHER = {"instruction": "Ist er zufrieden?", "input_fields": ["text"], "output_fields": ["urteil"]}


def dataset(summary: str = "", rows: Any = ROWS) -> Record:
    facts = {"dataset": "de-kunden", "title": "Kunden", "summary": summary, "rows": rows}
    return seed(language="de", **facts)


def script(described: Any, undescribed: Any = None) -> dict[str, Any]:
    last = described if undescribed is None else undescribed
    return {"dynosaur_tasks/described": described, "dynosaur_tasks/undescribed": last}


def listed(*tasks: dict[str, Any]) -> str:
    return json.dumps({"tasks": tasks}, ensure_ascii=False)


def written(path: Path) -> tuple[str, str]:
    """What a model replied, and what must become of it."""
    reply, _, expected = path.read_text(encoding="utf-8").partition("\n=== outcome\n")
    return reply, expected.strip()


def told(outcomes: Any) -> str:
    return " ".join(each.reason if isinstance(each, Drop) else "keep" for each in outcomes)


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_tasks_as_models_write_them_are_kept_or_drop_by_rule(path: Path, bind: Bind) -> None:
    reply, expected = written(path)
    step, chat = bind(GENERATOR, script(reply))
    out = await step(dataset())
    assert told(out) == expected
    assert {request.prompt.partition("@")[0] for request in chat.asked} == {
        "dynosaur_tasks/undescribed"
    }
    for each in out:
        if isinstance(each, Record):
            fields = {*each.facts["input_fields"]} | {*each.facts["output_fields"]}
            assert not {*each.facts["input_fields"]} & {*each.facts["output_fields"]}
            assert fields <= {"text", "ware", "urteil"}


async def test_a_described_dataset_is_asked_about_twice_and_tasks_are_kept_once(
    bind: Bind,
) -> None:
    step, chat = bind(GENERATOR, script(listed(TASK), listed(OTHER, TASK)))
    out = await step(dataset("Was Kunden sagen."))
    assert told(out) == "keep keep repeated_task" and len(chat.asked) == 2
    said: dict[str, str] = {
        request.prompt.partition("@")[0]: request.messages[-1].content for request in chat.asked
    }
    assert "Was Kunden sagen." in said["dynosaur_tasks/described"]
    assert "Was Kunden sagen." not in said["dynosaur_tasks/undescribed"]
    names = [each.facts["taskname"] for each in out if isinstance(each, Record)]
    assert names == ["de-kunden-0", "de-kunden-1"]


async def test_the_model_sees_two_rows_without_ids_cut_and_in_their_script(bind: Bind) -> None:
    rows = [{"id": n, "句子": "雾" * 1500, "nested": {"a": 1}, "词": f"好{n}"} for n in range(5)]
    step, chat = bind(GENERATOR, script(listed()))
    await step(dataset("x" * 1500, rows))
    asked = chat.asked[0].messages[-1].content
    assert "雾" * 1000 in asked and "雾" * 1001 not in asked
    assert "x" * 1000 in asked and "x" * 1001 not in asked
    assert "好0" in asked and "好1" in asked and "好2" not in asked
    assert "nested" not in asked and '"id"' not in asked and "German" in asked
    assert chat.asked[0].sampling["temperature"] == 0


async def test_the_schema_knows_the_fields_of_the_dataset_and_no_others(bind: Bind) -> None:
    step, chat = bind(GENERATOR, script(listed(TASK)))
    await step(dataset())
    schema = chat.asked[0].schema
    assert schema
    task = next(iter(schema["$defs"].values()))["properties"]
    assert task["input_fields"]["items"]["enum"] == ["text", "ware", "urteil"]
    assert task["output_fields"]["maxItems"] == 1


async def test_a_question_without_an_answer_leaves_the_other_ones_tasks(bind: Bind) -> None:
    step, _ = bind(GENERATOR, script("Nein.", listed(TASK)))
    assert told(await step(dataset("Kunden."))) == "bad_reply keep"
    cut = Reply('{"tasks": [', "fake", truncated=True)
    step, _ = bind(GENERATOR, script(cut, cut))
    assert told(await step(dataset("Kunden."))) == "bad_reply bad_reply"


@pytest.mark.parametrize(
    "rows", [[], [{"id": 1}], [{"text": "a"}], [{"text": "a", "id": 2}], [{"a": {}, "b": "x"}]]
)
async def test_a_dataset_with_one_usable_field_costs_no_call(rows: Any, bind: Bind) -> None:
    step, chat = bind(GENERATOR, script(listed(TASK)))
    assert told(await step(dataset("x", rows))) == "too_few_fields" and not chat.asked


async def test_the_shipped_datasets_can_be_asked_about(bind: Bind) -> None:
    def reply(request: Request) -> str:
        first, *_, last = request.inputs["fields"]
        return listed({"instruction": "?", "input_fields": [first], "output_fields": [last]})

    step, _ = bind(GENERATOR, script(reply))
    found: list[Outcome] = []
    for record in read(SOURCE, JOBS, path="tables/datasets"):
        found += await step(record)
    assert told(found) == " ".join(["keep repeated_task"] * 9)
    assert len({each.language for each in found if isinstance(each, Record)}) == 9
