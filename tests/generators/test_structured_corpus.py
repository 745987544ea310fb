from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
import yaml

from engine import shipped
from engine.core import Drop, Message, Record
from engine.generators.structured_corpus import GENERATOR
from engine.passes.split import PASS as SPLIT
from engine.sources.jsonl import SOURCE
from engine.text.rows import best_answer, how_to_request, steps_in
from engine.text.sentences import count
from tests.conftest import Bind, read, seed, settle

STEPS = ["Soak the stone.", "  Draw the blade across it. \n", "", "Rinse it."]
ANSWER = "Weil die Stärke der Krume kristallisiert und Wasser herauspresst. " * 4


def how_to(language: str = "en", **facts: Any) -> Record:
    return seed("How to sharpen a knife", language, **{"steps": STEPS, "source": "wiki", **facts})


@pytest.mark.parametrize("share, hinted", [(0, False), (1, True)])
async def test_a_title_with_steps_becomes_a_request_and_a_numbered_list(
    bind: Bind, share: float, hinted: bool
):
    step, chat = bind(GENERATOR, length_hint=share)
    [child] = await step(how_to())
    assert child.last("assistant") == (
        "1. Soak the stone.\n2. Draw the blade across it.\n3. Rinse it."
    )
    assert child.last("user").startswith("How to sharpen a knife") and not chat.asked
    assert ("3" in child.last("user")) == hinted
    assert child.facts["length_hint"] == ({"unit": "steps", "count": 3} if hinted else None)
    assert (child.facts["subset"], child.facts["form"]) == ("structured", "how_to")
    assert "steps" not in child.facts


async def test_the_count_of_steps_can_be_recomputed_from_the_response(bind: Bind):
    step, _ = bind(GENERATOR, length_hint=1)
    for row in _shipped("how_to", "title", "steps"):
        [child] = await step(row)
        listed = re.findall(r"(?m)^\d+\. ", child.last("assistant"))
        assert child.facts["length_hint"]["count"] == len(listed) == len(row.facts["steps"])
        assert str(len(listed)) in child.last("user") and row.last("user") in child.last("user")


async def test_a_question_gets_the_accepted_answer_word_for_word(bind: Bind):
    step, _ = bind(GENERATOR, length_hint=0)
    answers = [
        {"text": "kurz " * 30, "score": 99},
        {"text": ANSWER, "score": 1, "accepted": True},
        {"text": "lang " * 30, "score": 5},
    ]
    [child] = await step(seed("Warum wird Brot hart?", answers=answers))
    assert child.last("assistant") == ANSWER.strip() and child.last("user").endswith("hart?")
    assert child.facts["form"] == "question" and "answers" not in child.facts


async def test_a_length_hint_of_a_question_can_be_recomputed(bind: Bind):
    step, _ = bind(GENERATOR, length_hint=1)
    for row in _shipped("questions", "question", "answers"):
        [child] = await step(row)
        hint = child.facts["length_hint"]
        if hint:
            assert hint["count"] == count(child.last("assistant"), hint["unit"]) > 1
            assert str(hint["count"]) in child.last("user")
    assert hint, "the last one is in a language with wording"


@pytest.mark.parametrize(
    "record, reason",
    [
        (Record("r", "en"), "no_instruction"),
        (seed("Warum?"), "no_answer"),
        (seed("Warum?", answers=[" ", {"text": None}, 7]), "no_answer"),
        (seed("Warum?", answers=["Darum."]), "answer_too_short"),
        (seed("为什么？", "zh", answers=["因为天气冷。"]), "answer_too_short"),
        (how_to(steps=["Only one."]), "too_few_steps"),
    ],
)
async def test_rows_that_lack_a_side_drop(bind: Bind, record: Record, reason: str):
    step, _ = bind(GENERATOR)
    [outcome] = await step(record)
    assert isinstance(outcome, Drop) and outcome.reason == reason


async def test_a_table_that_has_the_answer_beside_the_question_is_fine_too(bind: Bind):
    step, _ = bind(GENERATOR, length_hint=0)
    [child] = await step(seed("Warum wird Brot hart?", response=ANSWER))
    assert child.messages == (
        Message("user", "Warum wird Brot hart?"),
        Message("assistant", ANSWER),
    )


async def test_a_language_without_wording_is_asked_with_the_bare_title(bind: Bind):
    step, _ = bind(GENERATOR, length_hint=1)
    [child] = await step(how_to("cy"))
    assert child.last("user") == "How to sharpen a knife" and child.facts["length_hint"] is None


@pytest.mark.parametrize("rows", [None, "text", 7, {}, [], ["", " "], [None, 3]])
def test_what_is_no_list_of_texts_has_no_steps_and_no_answer(rows: Any):
    assert steps_in(rows) == [] and best_answer(rows) == ""


def test_without_acceptance_the_highest_score_wins_and_the_first_of_equals():
    assert best_answer([{"text": "a", "score": 1}, {"text": "b", "score": 2.5}, "c"]) == "b"
    assert best_answer(["甲", "乙"]) == "甲"
    assert len(best_answer(["x" * 500_000])) == 500_000


def test_every_wording_has_its_gaps_once():
    lists = yaml.safe_load((shipped.folder("taxonomies") / "structured_corpus.yaml").read_text())
    assert len(lists) >= 12
    for tag, kinds in lists.items():
        for kind, gaps in (("plain", ["title"]), ("counted", ["count", "title"])):
            for wording in kinds[kind]:
                assert sorted(re.findall(r"\{(\w+)\}", wording)) == gaps, (tag, wording)


def test_a_title_with_braces_of_its_own_is_left_alone(bind: Bind):
    from random import Random

    asked, _ = how_to_request("Use {count} in {title}", 3, "en", Random(1))
    assert "Use {count} in {title}" in asked


def test_longforms_own_split_comes_out_to_the_record():
    rows = [seed("x", n=n) for n in range(2774)]
    rows = [Record(f"r{n:05}", r.language, r.messages, r.facts) for n, r in enumerate(rows)]
    found = settle(SPLIT, rows, validation=2042 / 27739, test=2045 / 27739, exact=True)
    counted = Counter(record.facts["split"] for record in found)
    assert counted.total() == 2774
    assert abs(counted["validation"] - 204.2) <= 1 and abs(counted["test"] - 204.5) <= 1


def _shipped(name: str, text: str, column: str) -> list[Record]:
    seeds = shipped.JOBS / "seeds"
    params = {"path": f"{name}.jsonl", "language_field": "language"}
    return list(read(SOURCE, seeds, **params, text=text, keep=[column]))
