from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from engine.core import Drop, Outcome, Record
from engine.generators.dynosaur import GENERATOR
from engine.shipped import JOBS
from engine.sources.dataset_folders import SOURCE
from engine.text.field_maps import usable
from tests.conftest import SHARED, Bind, needs_shared, read, seed

ROWS = [
    {"id": n, "text": f"Satz {n}", "ware": f"Ware {n}", "urteil": ["gut", "schlecht"][n % 2]}
    for n in range(10)
]


def task(inputs: list[str], outputs: list[str], rows: Any = ROWS, language: str = "de") -> Record:
    facts = {"instruction": "Sag es.", "rows": rows, "licence": "CC0-1.0", "website": "w"}
    facts |= {"input_fields": inputs, "output_fields": outputs, "taskname": "d-0"}
    return seed("Sag es.", language, **facts)


async def made(bind: Bind, record: Record, **params: Any) -> list[Outcome]:
    step, chat = bind(GENERATOR, **params)
    out = list(await step(record))
    assert not chat.asked
    return out


async def test_every_row_is_an_example_with_the_labels_named(bind: Bind) -> None:
    out = await made(bind, task(["text"], ["urteil"]))
    assert len(out) == 10
    first = out[0]
    assert isinstance(first, Record)
    asked = "Sag es. Antworte mit einem davon: gut, schlecht."
    assert first.last("user") == f"{asked}\n\nSatz 0" and first.last("assistant") == "gut"
    facts = first.facts
    assert (facts["instruction"], facts["input"]) == (asked, "Satz 0")
    assert (facts["licence"], facts["website"], facts["taskname"]) == ("CC0-1.0", "w", "d-0")
    assert "rows" not in facts and facts["row"] == 0


async def test_free_answers_are_not_named(bind: Bind) -> None:
    out = await made(bind, task(["text", "urteil"], ["ware"]))
    assert isinstance(out[3], Record)
    expected = "Sag es.\n\ntext ist „Satz 3“.\nurteil ist „schlecht“."
    assert (out[3].last("user"), out[3].last("assistant")) == (expected, "Ware 3")


async def test_several_outputs_all_answer(bind: Bind) -> None:
    out = await made(bind, task(["text"], ["ware", "urteil"]))
    assert isinstance(out[1], Record)
    assert out[1].last("assistant") == "ware ist „Ware 1“.\nurteil ist „schlecht“."


@pytest.mark.parametrize("size", [1999, 2000, 2001])
async def test_input_and_output_are_cut_at_two_thousand_characters(size: int, bind: Bind) -> None:
    rows = [{"a": "雾" * size, "b": "ह" * size}]
    [record] = await made(bind, task(["a"], ["b"], rows))
    assert isinstance(record, Record)
    assert len(record.facts["input"]) == len(record.last("assistant")) == min(size, 2000)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (task(["text"], ["preis"]), "unknown_field"),
        (task(["text"], ["id"]), "unknown_field"),
        (task(["text"], ["text"]), "input_in_output"),
        (task(["text"], []), "no_output_field"),
        (task(["text"], ["ware"], []), "unknown_field"),
        (task(["text"], ["tags"], [{"text": "a", "tags": ["x"]}]), "answer_is_no_text"),
        (task(["text"], ["a"], [{"text": "b", "a": "ja"}] * 5), "one_answer_only"),
        (
            task(["t"], ["a"], [{"t": "b", "a": "ja" if n < 8 else "nein"} for n in range(10)]),
            "unbalanced_answers",
        ),
    ],
)
async def test_a_task_that_its_rows_do_not_bear_drops_whole(
    record: Record, reason: str, bind: Bind
) -> None:
    [drop] = await made(bind, record)
    assert isinstance(drop, Drop) and drop.reason == reason


async def test_a_row_without_input_or_answer_drops_alone(bind: Bind) -> None:
    rows = [{"a": "x", "b": "1"}, {"a": " ", "b": "2"}, {"a": "z", "b": None}]
    out = await made(bind, task(["a"], ["b"], rows))
    assert [each.reason if isinstance(each, Drop) else "keep" for each in out] == [
        *("keep", "blank_row", "blank_row"),
    ]


async def test_no_more_rows_than_wanted_and_the_same_at_every_start(bind: Bind) -> None:
    one, other = [await made(bind, task(["text"], ["ware"]), rows=4) for _ in range(2)]
    assert one == other and len(one) == 4
    drawn = set()
    for n in range(20):
        for each in await made(bind, replace(task(["text"], ["ware"]), id=f"t{n}"), rows=2):
            assert isinstance(each, Record)
            drawn.add(each.facts["row"])
    assert len(drawn) == 10


async def test_choices_have_letters_and_the_answer_is_one_of_them(bind: Bind) -> None:
    rows = [{"q": f"{n}?", "c": ["甲", "乙", "丙"], "a": "甲乙丙"[n % 3]} for n in range(6)]
    out = await made(bind, task(["q", "c"], ["a"], rows, "zh-Hans"))
    assert isinstance(out[1], Record)
    assert "A. 甲\nB. 乙\nC. 丙" in out[1].facts["input"] and out[1].last("assistant") == "乙"


async def test_every_pair_of_fields_of_the_shipped_datasets_gives_rows_or_a_reason(
    bind: Bind,
) -> None:
    kept = 0
    for record in read(SOURCE, JOBS, path="tables/datasets"):
        for given, answer in permutations(usable(record.facts["rows"]), 2):
            facts = {"input_fields": [given], "output_fields": [answer], "instruction": "?"}
            for each in await made(bind, record.with_facts(**facts)):
                if isinstance(each, Drop):
                    assert each.reason in {"unbalanced_answers", "answer_is_no_text"}
                    continue
                kept += 1
                assert each.last("assistant") and each.language == record.language
                assert each.facts["licence"] == "Apache-2.0"
    assert kept > 300


@needs_shared
async def test_the_seed_tasks_are_a_dataset_like_any_other(bind: Bind) -> None:
    import json

    lines = (SHARED / "self_instruct_seed_tasks.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert set(usable(rows)) == {"name", "instruction", "is_classification"}
    out = await made(bind, task(["instruction"], ["name"], rows, "en"), rows=500)
    assert len(out) == 175 and all(isinstance(each, Record) for each in out)
    ask = task(["instruction"], ["is_classification"], rows, "en")
    counted = [row["is_classification"] for row in rows[:100]]
    top = max(counted.count(True), counted.count(False)) / len(counted)
    first = (await made(bind, ask))[0]
    assert isinstance(first, Drop) == (top > 0.7)
