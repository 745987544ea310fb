from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.core import Drop, Record
from engine.generators.codec import GENERATOR
from engine.models.chat import Reply, Request
from tests.conftest import Bind, seed

REPLIES = sorted((Path(__file__).parent / "replies" / "codec").glob("*.txt"))
BASIC = "Hilf mir, zwischen zwei Wohnungen zu wählen."
KNOWN: dict[str, Any] = {"use_case": "Wohnungssuche", "skills": ["Vergleichen"]}
ACTIONS = [f"Aktion {n}." for n in range(5)]
RUBRICS = json.dumps({"rubrics": [{"rubric": f"Frage zu {a}", "action": a} for a in ACTIONS]})


def improve(request: Request) -> str:
    return f"{request.inputs['instruction']} Und auch {request.inputs['action']}"


def judge(*rounds: tuple[int, int]) -> list[str]:
    """Scores of the strong and the target answer, the same in both orders, round by round."""
    found = []
    for strong, target in rounds:
        for first, second in ((strong, target), (target, strong)):
            found.append(json.dumps({"reason": "So.", "first": first, "second": second}))
    return found


def script(scores: Sequence[str] = (), **more: Any) -> dict[str, Any]:
    names = {"rubrics": RUBRICS, "improve": improve, "answer": "Nimm die am Waldrand.", **more}
    names = {"attempt": "Weiß nicht.", "score": list(scores), **names}
    return {f"codec/{name}": said for name, said in names.items()}


def asked(chat: Any, name: str) -> list[Request]:
    return [each for each in chat.asked if each.prompt.startswith(f"codec/{name}@")]


def written(path: Path) -> tuple[str, str]:
    """What a model replied, and what must become of it."""
    reply, _, expected = path.read_text(encoding="utf-8").partition("\n=== outcome\n")
    return reply, expected.strip()


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_replies_as_models_write_them_are_read_or_refused(path: Path, bind: Bind) -> None:
    reply, expected = written(path)
    kind, tag, *_ = path.stem.split("_")
    step, chat = bind(GENERATOR, script(judge((9, 1))) | {f"codec/{kind}": reply}, iterations=1)
    [outcome] = await step(seed(BASIC, tag, **KNOWN))
    if isinstance(outcome, Drop) and kind != "score":
        assert outcome.reason == expected
    elif kind == "rubrics":
        assert expected == f"{len({each['action'] for each in json_of(reply)['rubrics']})} actions"
    elif kind == "improve":
        assert isinstance(outcome, Record) and expected == "improved"
        assert outcome.last("user") == reply.strip("*„“")
    elif expected == "bad_reply":
        assert isinstance(outcome, Drop) and outcome.reason == "bad_reply"
    else:
        first, second = map(int, expected.split())
        facts = outcome.record.facts if isinstance(outcome, Drop) else outcome.facts
        assert facts["scores"]["orders"] == [(first, second), (second, first)]
        assert len(asked(chat, "score")) == 2


def json_of(reply: str) -> Any:
    return json.loads(reply.strip("`").removeprefix("json"))


@pytest.mark.parametrize(
    ("rounds", "outcome", "calls"),
    [
        ([(9, 5)], "accept", 1),
        ([(9, 6), (9, 5)], "accept", 2),
        ([(9, 6), (8, 7), (7, 7), (9, 2)], "accept", 4),
        ([(9, 6)] * 4 + [(10, 1)], "no_gap", 4),  # the fifth is never tried
        ([(7, 8)], "target_better", 1),
        ([(5, 4)], "poor_answer", 1),
        ([(9, 8), (5, 4)], "poor_answer", 2),
        ([(9, 8), (6, 9)], "target_better", 2),
    ],
)
async def test_the_gap_accepts_goes_on_or_drops_and_the_iterations_end_it(
    rounds: list[tuple[int, int]], outcome: str, calls: int, bind: Bind
) -> None:
    step, chat = bind(GENERATOR, script(judge(*rounds)))
    [found] = await step(seed(BASIC, **KNOWN))
    assert ("accept" if isinstance(found, Record) else found.reason) == outcome
    for name, times in (("rubrics", 1), ("improve", calls), ("answer", calls), ("attempt", calls)):
        assert len(asked(chat, name)) == times, name
    assert len(asked(chat, "score")) == 2 * calls


async def test_each_iteration_starts_from_the_one_before_with_another_action(bind: Bind) -> None:
    step, chat = bind(GENERATOR, script(judge((9, 7), (9, 7), (9, 7), (9, 2))))
    [record] = await step(seed(BASIC, **KNOWN))
    assert isinstance(record, Record)
    actions = [each["action"] for each in record.facts["actions"]]
    assert len(set(actions)) == 4 and set(actions) <= set(ACTIONS)
    assert record.last("user") == " Und auch ".join([BASIC, *actions])
    before = [request.inputs["instruction"] for request in asked(chat, "improve")]
    assert before[0] == BASIC
    assert before[1:] == [each["instruction"] for each in record.facts["actions"]][:-1]


@pytest.mark.slow
async def test_actions_are_drawn_evenly_and_used_again_when_none_is_left(bind: Bind) -> None:
    first: Counter[str] = Counter()
    for n in range(200):
        step, _ = bind(GENERATOR, script(judge((9, 2))))
        [record] = await step(Record(f"seed{n}", "de", seed(BASIC).messages, KNOWN))
        assert isinstance(record, Record)
        first[record.facts["actions"][0]["action"]] += 1
    assert set(first) == set(ACTIONS) and min(first.values()) >= 20
    step, _ = bind(GENERATOR, script(judge(*[(9, 8)] * 10)), iterations=10)
    [drop] = await step(seed(BASIC, **KNOWN))
    assert isinstance(drop, Drop) and drop.reason == "no_gap"
    used = Counter(each["action"] for each in drop.record.facts["actions"])
    assert used == Counter(dict.fromkeys(ACTIONS, 2))


async def test_the_scores_are_means_over_the_two_orders_and_the_pair_is_kept(bind: Bind) -> None:
    forth = json.dumps({"reason": "", "first": 10, "second": 6})
    back = json.dumps({"reason": "", "first": 3, "second": 7})
    step, chat = bind(GENERATOR, script([forth, back]))
    [record] = await step(seed(BASIC, **KNOWN))
    assert isinstance(record, Record)
    scores = record.facts["scores"]
    assert (scores["strong"], scores["target"], scores["gap"]) == (8.5, 4.5, 4.0)
    assert [list(order) for order in scores["orders"]] == [[10, 6], [7, 3]]
    assert record.last("assistant") == "Nimm die am Waldrand."
    assert record.facts["rejected"] == "Weiß nicht."
    one, two = (request.inputs for request in asked(chat, "score"))
    assert (one["first"], one["second"]) == (two["second"], two["first"])
    assert asked(chat, "attempt")[0].role == "weaker"


async def test_a_rewrite_that_failed_costs_an_iteration_and_leaves_the_instruction(
    bind: Bind,
) -> None:
    rewrites = [BASIC, "", "Wähle zwischen drei Wohnungen mit Hund."]
    step, chat = bind(GENERATOR, script(judge((9, 2)), improve=rewrites), iterations=3)
    [record] = await step(seed(BASIC, **KNOWN))
    assert isinstance(record, Record) and record.last("user") == rewrites[2]
    faults = [each["fault"] for each in record.facts["actions"]]
    assert faults == ["copied_parent", "empty_rewrite", ""]
    assert {each.inputs["instruction"] for each in asked(chat, "improve")} == {BASIC}
    step, _ = bind(GENERATOR, script(improve=rewrites[:2]), iterations=2)
    [drop] = await step(seed(BASIC, **KNOWN))
    assert isinstance(drop, Drop) and drop.reason == "empty_rewrite"


@pytest.mark.parametrize("answer", [Reply("Nimm die am", "fake", truncated=True), "  "])
async def test_a_strong_answer_that_is_cut_or_empty_ends_it(answer: Any, bind: Bind) -> None:
    step, _ = bind(GENERATOR, script(judge((9, 8)), answer=["Gut so.", answer]))
    [drop] = await step(seed(BASIC, **KNOWN))
    assert isinstance(drop, Drop) and drop.reason == "cut_answer"


@pytest.mark.parametrize(
    "record",
    [seed(BASIC), seed("", **KNOWN), seed(BASIC, use_case="x", skills=[])],
    ids=["no facts", "no instruction", "no skills"],
)
async def test_without_metadata_nothing_is_asked(record: Record, bind: Bind) -> None:
    step, chat = bind(GENERATOR, script())
    [drop] = await step(record)
    assert isinstance(drop, Drop) and drop.reason == "no_metadata" and not chat.asked
