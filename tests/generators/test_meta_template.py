from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from engine.core import Drop, Outcome, Record
from engine.generators.meta_template import GENERATOR
from engine.shipped import JOBS
from engine.sources.dataset_folders import SOURCE
from engine.text.task_types import SLOT, conditional, filled, kinds, taken_apart
from engine.text.template_bank import bank
from tests.conftest import SHARED, Bind, needs_shared, read, seed

TEMPLATES = """
d:
  context: text
  templates:
    - {name: plain, type: sentiment, body: "{{ text }}\\n\\nGut oder schlecht? ||| {{ label }}"}
    - {name: other way, type: text_gen, body: "Schreibe etwas, das {{ label }} ist. ||| {{ text }}"}
    - {name: no text, type: qa, body: "{{ label }}? ||| {{ label }}"}
    - {name: leak, type: qa, body: "{{ text }} {{ text | replace('~', '') }} ||| x"}
"""
ROWS = list(read(SOURCE, JOBS, path="tables/datasets", per="row"))
ROW = {"text": " Der Nebel kam. ", "label": "gut"}


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    path = tmp_path / "templates.yaml"
    path.write_text(TEMPLATES, encoding="utf-8")
    return path


async def made(bind: Bind, record: Record, **params: Any) -> list[Outcome]:
    step, chat = bind(GENERATOR, **params)
    out = list(await step(record))
    assert not chat.asked
    return out


async def test_a_row_becomes_kind_and_text_and_then_the_task(bind: Bind, templates: Path) -> None:
    ask: dict[str, Any] = {"templates": templates, "task_types": ["sentiment"]}
    [record] = await made(bind, seed(dataset="d", row=ROW), **ask)
    assert isinstance(record, Record)
    asked = "<|tasktype|>\nsentiment\n<|context|>\nDer Nebel kam.\n<|task|>\n"
    assert record.last("user") == asked
    assert record.last("assistant") == f"{SLOT}\n\nGut oder schlecht?\n<|pipe|>\ngut"
    assert record.facts["template"] == "plain" and record.facts["context"] == "Der Nebel kam."


async def test_the_text_itself_may_be_the_answer(bind: Bind, templates: Path) -> None:
    ask: dict[str, Any] = {"templates": templates, "task_types": ["text_gen"], "dataset": "d"}
    [record] = await made(bind, Record("r", "de", (), ROW), **ask)
    assert isinstance(record, Record)
    assert record.last("assistant") == f"Schreibe etwas, das gut ist.\n<|pipe|>\n{SLOT}"


async def test_a_text_that_stands_beside_its_slot_drops(bind: Bind, templates: Path) -> None:
    ask: dict[str, Any] = {"templates": templates, "task_types": ["qa"], "max_copied": 13}
    short, long = {"text": "a" * 13}, {"text": "a" * 14}
    [kept] = await made(bind, seed(dataset="d", row=short), **ask)
    [drop] = await made(bind, seed(dataset="d", row=long), **ask)
    assert isinstance(kept, Record)
    assert isinstance(drop, Drop) and drop.reason == "context_copied"


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"dataset": "e", "row": ROW}, "no_templates"),
        ({"row": ROW}, "no_templates"),
        ({"dataset": "d", "row": {"text": "a"}}, "template_failed"),
        ({"dataset": "d", "row": {"text": " ", "label": "gut"}}, "no_context"),
        ({"dataset": "d", "row": {"text": "a", "label": ""}}, "empty_target"),
        ({"dataset": "d", "row": {"text": "a <|pipe|> b", "label": "gut"}}, "mark_in_text"),
        ({"dataset": "d", "row": {"text": "a", "label": "<|task|>"}}, "mark_in_text"),
        ({"dataset": "d", "row": {"text": "a", "label": SLOT}}, "not_the_same_task"),
    ],
)
async def test_what_makes_no_task_drops(
    facts: dict[str, Any], reason: str, bind: Bind, templates: Path
) -> None:
    ask: dict[str, Any] = {"templates": templates, "task_types": ["sentiment"]}
    [drop] = await made(bind, seed(**facts), **ask)
    assert isinstance(drop, Drop) and drop.reason == reason


async def test_a_kind_that_no_template_makes_drops(bind: Bind, templates: Path) -> None:
    ask: dict[str, Any] = {"templates": templates, "task_types": ["coref"]}
    [drop] = await made(bind, seed(dataset="d", row=ROW), **ask)
    assert isinstance(drop, Drop) and drop.reason == "no_template_fits"


async def test_a_rows_template_depends_on_the_row_and_all_come(bind: Bind, templates: Path) -> None:
    drawn: Counter[str] = Counter()
    for n in range(60):
        record = replace(seed(dataset="d", row=ROW), id=f"r{n}")
        [one], [again] = [await made(bind, record, templates=templates) for _ in range(2)]
        assert one == again
        drawn[(one.record if isinstance(one, Drop) else one).facts["template"]] += 1
    assert set(drawn) == {"plain", "other way", "leak"} and min(drawn.values()) >= 10


@pytest.mark.parametrize("record", ROWS, ids=lambda record: record.id)
async def test_every_shipped_row_is_what_its_template_makes_of_it(
    record: Record, bind: Bind
) -> None:
    out = await made(bind, record, per_row=100)
    ready = {each.name: each.remix for each in bank()[record.facts["dataset"]]}
    assert len(out) == len(ready)
    for each in out:
        if isinstance(each, Drop):  # phrases that differ have no paraphrase
            assert each.reason == "not_one_separator" and record.facts["row"]["pareil"] == "non"
            continue
        task = taken_apart(each.last("assistant"))
        assert task and each.last("assistant").count("<|pipe|>") == 1
        assert SLOT in task.input + task.output and task.input != SLOT
        context = each.facts["context"]
        assert context not in task.input + task.output
        assert conditional(each.facts["task_type"], context) == each.last("user")
        whole = filled(task, context)
        assert all(str(record.facts["row"][k]) != SLOT for k in record.facts["row"])
        assert SLOT not in whole.input + whole.output
        assert each.facts["licence"] == "Apache-2.0"


async def test_all_sixteen_kinds_come_of_the_shipped_rows(bind: Bind) -> None:
    seen: set[str] = set()
    for record in ROWS:
        out = await made(bind, record, per_row=100)
        seen |= {each.facts["task_type"] for each in out if isinstance(each, Record)}
    assert seen == set(kinds())


@needs_shared
async def test_the_seed_tasks_go_through_a_template(bind: Bind, tmp_path: Path) -> None:
    from engine.sources.jsonl import SOURCE as JSONL

    path = tmp_path / "templates.yaml"
    path.write_text(
        "seeds:\n  context: instances[0].input\n  templates:\n    - name: do\n      type: qa\n"
        "      body: |\n        {{ instruction }}\n\n        {{ instances[0].input }} |||"
        " {{ instances[0].output }}\n"
    )
    params: dict[str, Any] = {"language": "en", "keep": ["instruction", "instances"]}
    records = list(read(JSONL, SHARED, path="self_instruct_seed_tasks.jsonl", **params))
    told: Counter[str] = Counter()
    for record in records:
        [out] = await made(bind, record, templates=path, dataset="seeds")
        told[out.reason if isinstance(out, Drop) else "keep"] += 1
        if isinstance(out, Record):
            task, row = taken_apart(out.last("assistant")), record.facts
            assert (
                task
                and row["instances"][0]["input"].strip() in filled(task, out.facts["context"]).input
            )
    assert len(records) == 175 and told["keep"] > 80, told


def test_templates_that_are_not_there_are_a_mistake_in_the_job(templates: Path) -> None:
    with pytest.raises(ValidationError, match="no templates of 'x'; there are d"):
        GENERATOR.params.model_validate({"templates": templates, "dataset": "x"})
    templates.write_text("d: {context: text, templates: []}")
    with pytest.raises(ValidationError, match=r"d\.templates"):
        GENERATOR.params.model_validate({"templates": templates})
