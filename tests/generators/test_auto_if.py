from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.core import Drop, ReplyError
from engine.generators.auto_if import CHECKER, GENERATOR
from engine.sandbox.checkers import Case, cleaned, verdicts
from engine.sandbox.limits import Limits
from engine.sandbox.pool import shared
from tests.conftest import Bind, seed
from tests.sandbox.walled import best

REPLIES = sorted((Path(__file__).parent / "replies" / "auto_if").glob("*.txt"))
TRIED = ["Kommst du?", "Nein.", "Wer? Ich."]
CONSTRAINT = "Beende die Antwort mit einem Fragezeichen."
TASKS = [
    {"instruction": "Nenne drei Flüsse in Kenia", "input": ""},
    {"instruction": "Fasse den Text zusammen.", "input": "Die Flut kommt zweimal am Tag."},
    {"instruction": "Kurz.", "input": ""},
]
BODIES = (
    "response.rstrip().endswith('?')",
    "response.strip()[-1:] == '?'",
    "bool(response) and response.rstrip()[-1] == '?'",
    "'?' in response",
)


@pytest.fixture(autouse=True)
def walls() -> None:
    best()


def checker(body: str, *cases: tuple[str, bool]) -> str:
    shown = [{"input": text, "output": obeys} for text, obeys in cases]
    return json.dumps({"func": f"def evaluate(response):\n    return {body}", "cases": shown})


def checkers() -> list[str]:
    """Four functions, the last of them wrong, with twelve cases, two of them wrong."""
    cases = [(f"Satz {n}{'?' if n % 2 else '.'}", n % 2 == 1) for n in range(9)]
    cases += [("Wer? Ich.", False), ("Falsch?", False), ("Falsch.", True)]
    return [checker(body, *cases[at::4]) for at, body in enumerate(BODIES)]


def script(replies: Any, compare: Any = "entailment") -> dict[str, Any]:
    back = "Die Antwort soll mit einem Fragezeichen enden."
    names = {"checker": replies, "back_translate": back, "compare": compare}
    return {f"auto_if/{name}": said for name, said in names.items()}


def written(path: Path) -> tuple[str, str]:
    """What a model replied, and what must become of it."""
    reply, _, expected = path.read_text(encoding="utf-8").partition("\n=== outcome\n")
    return reply, expected.strip()


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_replies_as_models_write_them_say_what_they_say(path: Path) -> None:
    reply, expected = written(path)
    try:
        found = CHECKER.read(reply)
    except ReplyError:
        assert expected == "bad reply"
        return
    code = cleaned(found.func)
    said = await verdicts(shared(), [code] if code else [], TRIED, Limits(1.0), "ab12")
    told = " ".join(map(str, said[0])) if code else "no function"
    cases = {Case(case.input, case.output) for case in found.cases}
    assert f"{told} | {len(cases)} cases" == expected


async def test_a_constraint_that_stands_is_paired_with_the_seeds_queries(bind: Bind) -> None:
    step, chat = bind(GENERATOR, script(checkers()), replies=4, queries=5, min_query_words=3)
    kept = await step(seed(CONSTRAINT, demonstrations=TASKS, licence="CC0-1.0"))
    texts = {each.last("user") for each in kept if not isinstance(each, Drop)}
    assert texts == {
        f"Nenne drei Flüsse in Kenia\n{CONSTRAINT}",
        f"Fasse den Text zusammen. {CONSTRAINT}\n\nDie Flut kommt zweimal am Tag.",
    }, "a query of one word is none; one without a mark has the constraint on its own line"
    facts = kept[0].facts
    assert facts["accuracies"] == [1.0, 1.0, 1.0, 0.9] and len(facts["checkers"]) == 4
    assert len(facts["cases"]) == 10, "no function agrees with the two that are wrong"
    assert ["Falsch.", True] not in facts["cases"] and ["Falsch?", False] not in facts["cases"]
    assert facts["licence"] == "CC0-1.0" and "demonstrations" not in facts
    asked = [request.prompt.partition("@")[0] for request in chat.asked]
    assert asked.count("auto_if/back_translate") == asked.count("auto_if/compare") == 3


async def test_a_function_below_the_accuracy_is_left_out(bind: Bind) -> None:
    step, _ = bind(GENERATOR, script(checkers()), replies=4, min_accuracy=0.95)
    [kept, *_] = await step(seed(CONSTRAINT, demonstrations=TASKS))
    assert kept.facts["accuracies"] == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("said", ["contradiction", "Contradiction."])
async def test_one_contradiction_ends_it_and_says_what_the_function_asks(
    said: str, bind: Bind
) -> None:
    compare = ["entailment", "neutral", said]
    step, _ = bind(GENERATOR, script(checkers(), compare), replies=4)
    [drop] = await step(seed(CONSTRAINT, demonstrations=TASKS))
    assert isinstance(drop, Drop) and drop.reason == "contradicted"
    assert drop.detail == "Die Antwort soll mit einem Fragezeichen enden."


@pytest.mark.parametrize(
    ("replies", "reason", "detail"),
    [
        (checkers()[:2] * 2, "too_few_functions", "2 functions, 6 cases"),
        (checkers()[:3], "too_few_cases", "3 functions, 9 cases"),
        (
            [checker(f"{n}", (f"{n}a", True), (f"{n}b", True), (f"{n}c", False)) for n in range(4)],
            "no_function_agrees",
            "4 functions, 12 cases",
        ),
        ("I cannot write code.", "bad_reply", None),
    ],
)
async def test_a_constraint_that_cannot_be_made_sure_of_drops(
    replies: Any, reason: str, detail: str | None, bind: Bind
) -> None:
    step, _ = bind(GENERATOR, script(replies), replies=len(replies) if detail else 2)
    [drop] = await step(seed(CONSTRAINT, demonstrations=TASKS))
    assert isinstance(drop, Drop) and drop.reason == reason
    assert detail is None or drop.detail == detail


async def test_a_constraint_without_a_fitting_query_drops(bind: Bind) -> None:
    step, _ = bind(GENERATOR, script(checkers()), replies=4, min_query_words=50)
    [drop] = await step(seed(CONSTRAINT, demonstrations=TASKS))
    assert isinstance(drop, Drop) and drop.reason == "no_query"


async def test_no_constraint_costs_no_call(bind: Bind) -> None:
    step, chat = bind(GENERATOR, script(checkers()))
    [drop] = await step(seed(demonstrations=TASKS))
    assert isinstance(drop, Drop) and drop.reason == "no_constraint" and not chat.asked


@pytest.mark.parametrize(
    ("language", "query", "between"),
    [
        ("zh", "介绍三种茶。", ""),
        ("hi", "तीन नदियों के नाम बताइए।", " "),
        ("th", "บอกชื่อแม่น้ำสามสาย", "\n"),
    ],
)
async def test_a_query_and_its_constraint_are_joined_as_the_script_does(
    language: str, query: str, between: str, bind: Bind
) -> None:
    step, _ = bind(GENERATOR, script(checkers()), replies=4, min_query_words=1)
    tasks = [{"instruction": query, "input": ""}]
    [kept] = await step(seed("?", language, demonstrations=tasks))
    assert kept.last("user") == f"{query}{between}?"
