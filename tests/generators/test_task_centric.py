from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.core import Drop, Message, Record
from engine.generators.task_centric import GENERATOR
from engine.models.chat import Reply, Request
from tests.conftest import Bind, seed

REPLIES = sorted((Path(__file__).parent / "replies" / "task_centric").glob("*.txt"))
STATE: dict[str, Any] = {
    "task": "E-Mail",
    "query": "Sag dem Team, dass das Büro am Freitag zu ist.",
    "constraints": [{"kind": "number", "text": "80 Wörter"}, {"kind": "style", "text": "herzlich"}],
    "seed_instruction": "Sag dem Team Bescheid.",
    "hop": 2,
    "state": "s2",
}
WRITTEN = "Schreibe dem Team herzlich in 80 Wörtern, dass am Freitag zu ist."
SAID = ["Kurz.", "Liebes Team!", "Hallo zusammen."]


def check(**wrong: bool) -> str:
    fine = dict.fromkeys(("feasible", "consistent", "complete", "expressed"), True)
    return json.dumps({"note": "Punkt 2 fehlt." if wrong else "", **fine, **wrong})


def points(*four: int) -> str:
    names = ("correct", "follows", "helpful", "clear")
    return json.dumps({"reason": "So.", **dict(zip(names, four, strict=True))})


def script(**more: Any) -> dict[str, Any]:
    names = {"verbalize": WRITTEN, "validate": check(), "respond": SAID, **more}
    names = {"repair": (), "judge": points(4, 4, 4, 4), **names}
    return {f"task_centric/{name}": said for name, said in names.items()}


def asked(chat: Any, name: str) -> list[Request]:
    return [each for each in chat.asked if each.prompt.startswith(f"task_centric/{name}@")]


def told(outcomes: Any) -> list[str]:
    return [each.reason if isinstance(each, Drop) else "written" for each in outcomes]


def written(path: Path) -> tuple[str, str]:
    """What a model replied, and what must become of it."""
    reply, _, expected = path.read_text(encoding="utf-8").partition("\n=== outcome\n")
    return reply, expected.strip()


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_replies_as_models_write_them_lead_on_or_drop_by_rule(path: Path, bind: Bind) -> None:
    reply, expected = written(path)
    kind, tag, *_ = path.stem.split("_")
    step, _ = bind(GENERATOR, script() | {f"task_centric/{kind}": reply}, repairs=0)
    assert told(await step(seed("E-Mail", tag, **STATE))) == [expected]


async def test_the_best_response_is_kept_and_of_equals_the_first(bind: Bind) -> None:
    scores = {"Kurz.": (3, 3, 4, 4), "Liebes Team!": (5, 4, 4, 4), "Hallo zusammen.": (4, 5, 4, 4)}

    def judge(request: Request) -> str:
        return points(*scores[str(request.inputs["response"])])

    step, chat = bind(GENERATOR, script(judge=judge))
    [record] = await step(seed("E-Mail", **STATE))
    assert isinstance(record, Record)
    assert record.messages == (Message("user", WRITTEN), Message("assistant", "Liebes Team!"))
    found = record.facts["scores"]
    assert found["mean"] == 4.25 and found["responses"] == [3.5, 4.25, 4.25]
    assert (found["correct"], found["follows"]) == (5, 4)
    assert record.facts["hop"] == 2 and record.facts["state"] == "s2"
    assert record.facts["instruction"] == WRITTEN and record.facts["repaired"] == 0
    assert asked(chat, "respond")[0].n == 3


@pytest.mark.parametrize(("bound", "outcome"), [(3.75, "written"), (3.76, "low_score")])
async def test_the_best_mean_must_reach_the_bound(bound: float, outcome: str, bind: Bind) -> None:
    step, _ = bind(GENERATOR, script(judge=points(4, 4, 4, 3)), min_score=bound)
    assert told(await step(seed("E-Mail", **STATE))) == [outcome]


async def test_every_constraint_goes_to_the_writer_and_to_the_judge(bind: Bind) -> None:
    step, chat = bind(GENERATOR, script())
    await step(seed("E-Mail", **STATE))
    for name in ("verbalize", "validate"):
        [request] = asked(chat, name)
        assert request.inputs["constraints"] == ["80 Wörter", "herzlich"]
        assert STATE["query"] in request.messages[-1].content


@pytest.mark.parametrize("wrong", ["complete", "expressed"])
async def test_what_is_missing_is_repaired_and_validated_again(wrong: str, bind: Bind) -> None:
    better = f"{WRITTEN} Ruf im Notfall Frau Diallo an."
    step, chat = bind(GENERATOR, script(validate=[check(**{wrong: False}), check()], repair=better))
    [record] = await step(seed("E-Mail", **STATE))
    assert isinstance(record, Record) and record.last("user") == better
    assert record.facts["repaired"] == 1
    assert asked(chat, "repair")[0].inputs["note"] == "Punkt 2 fehlt."
    assert asked(chat, "validate")[1].inputs["instruction"] == better


async def test_repairs_end(bind: Bind) -> None:
    lacking = check(expressed=False)
    for repairs in (0, 1, 3):
        step, chat = bind(GENERATOR, script(validate=lacking, repair=WRITTEN), repairs=repairs)
        assert told(await step(seed("E-Mail", **STATE))) == ["unsaid_constraint"]
        assert len(asked(chat, "repair")) == repairs
        assert len(asked(chat, "validate")) == repairs + 1 and not asked(chat, "respond")


@pytest.mark.parametrize(
    ("wrong", "reason"), [("feasible", "infeasible"), ("consistent", "inconsistent")]
)
async def test_what_cannot_be_done_is_not_repaired(wrong: str, reason: str, bind: Bind) -> None:
    step, chat = bind(GENERATOR, script(validate=check(**{wrong: False, "expressed": False})))
    assert told(await step(seed("E-Mail", **STATE))) == [reason]
    assert not asked(chat, "repair") and not asked(chat, "respond")


async def test_a_repair_that_leaves_nothing_ends_it(bind: Bind) -> None:
    step, _ = bind(GENERATOR, script(validate=check(complete=False), repair="  "))
    assert told(await step(seed("E-Mail", **STATE))) == ["empty_rewrite"]


async def test_cut_empty_and_repeated_responses_are_not_scored(bind: Bind) -> None:
    said = ["Gut.", Reply("Liebes Te", "fake", truncated=True), " ", "Gut."]
    step, chat = bind(GENERATOR, script(respond=said), responses=4)
    [record] = await step(seed("E-Mail", **STATE))
    assert isinstance(record, Record) and record.last("assistant") == "Gut."
    assert len(asked(chat, "judge")) == 1
    step, _ = bind(GENERATOR, script(respond=said[1:2]), responses=1)
    assert told(await step(seed("E-Mail", **STATE))) == ["cut_answer"]


async def test_one_response_that_nobody_can_score_leaves_the_others(bind: Bind) -> None:
    def judge(request: Request) -> str:
        good = request.inputs["response"] == "Hallo zusammen."
        return points(4, 4, 4, 4) if good else "Gut!"

    step, _ = bind(GENERATOR, script(judge=judge))
    [record] = await step(seed("E-Mail", **STATE))
    assert isinstance(record, Record) and record.last("assistant") == "Hallo zusammen."
    assert record.facts["scores"]["responses"] == [0, 0, 4]


async def test_the_input_stays_below_the_instruction(bind: Bind) -> None:
    step, chat = bind(GENERATOR, script())
    [record] = await step(seed("E-Mail", input="Ort: Bonn", **STATE))
    assert isinstance(record, Record)
    assert record.last("user") == f"{WRITTEN}\n\nOrt: Bonn" and record.facts["input"] == "Ort: Bonn"
    assert all("Ort: Bonn" in request.messages[-1].content for request in chat.asked)


async def test_a_record_that_is_no_state_costs_no_call(bind: Bind) -> None:
    step, chat = bind(GENERATOR)
    assert told(await step(seed("E-Mail"))) == ["no_query"] and not chat.asked
