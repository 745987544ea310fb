from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.core import Drop, Outcome, Record
from engine.generators.unnatural_outputs import GENERATOR
from engine.models.chat import Reply, Request
from engine.text.slots import SLOT
from tests.conftest import Bind, seed

ANSWER, FORM = "unnatural_outputs/answer", "unnatural_outputs/reformulate"
REPLIES = sorted((Path(__file__).parent / "replies" / "unnatural_outputs").glob("*.txt"))
INPUT = "boat, {ship}\n cloud"
SHOWN = [
    {"instruction": "Add.", "input": "2 + 2", "constraints": "A number.", "output": "4"},
    {"instruction": "Explain.", "input": "x", "constraints": "", "output": "A letter."},
    {"instruction": "No output.", "input": "y", "constraints": "", "output": " "},
]


def task(language: str = "en", input: str = INPUT, constraints: str = "One word.") -> Record:
    told: dict[str, Any] = {"instruction": "Find the word that does not belong.", "input": input}
    told |= {"constraints": constraints, "demonstrations": SHOWN, "set": "2"}
    return seed(f"{told['instruction']}\n\n{input}", language, **told)


def asked(outcome: Outcome) -> str:
    return (outcome.record if isinstance(outcome, Drop) else outcome).last("user")


def written(path: Path) -> tuple[str, str]:
    reply, _, expected = path.read_text(encoding="utf-8").partition("\n=== outcome\n")
    return reply, expected.removesuffix("\n")


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_formulations_as_models_write_them_are_filled_or_dropped(path: Path, bind: Bind):
    reply, expected = written(path)
    step, _ = bind(GENERATOR, {ANSWER: "cloud", FORM: [reply]}, reformulations=1)
    core, other = await step(task(path.stem.split("_")[0]))
    assert isinstance(core, Record)
    told = other.reason if isinstance(other, Drop) else f"keep | {other.last('user')}"
    assert told == expected


async def test_every_formulation_that_is_kept_has_one_slot_and_the_input_to_the_letter(bind: Bind):
    hard = "  {INPUT} und {{x}}\t%s $1 \\n ⟨a⟩\u200d\n\n我 "
    forms = [written(path)[0] for path in REPLIES]
    for form in forms:
        step, _ = bind(GENERATOR, {ANSWER: "y", FORM: [form]}, reformulations=1)
        for record in (await step(task(input=hard)))[1:]:
            if isinstance(record, Record):
                assert hard in record.last("user")
                assert str(record.facts["reformulation"]).count(SLOT) == 1
                assert record.last("assistant") == "y"


async def test_outputs_are_greedy_and_written_after_the_demonstrations(bind: Bind):
    step, chat = bind(GENERATOR, {ANSWER: "cloud"}, reformulations=0)
    await step(task())
    [request] = chat.asked
    assert request.sampling["temperature"] == 0
    roles = [message.role for message in request.messages]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"], (
        "a demonstration without an output shows nothing"
    )
    assert [m.content for m in request.messages if m.role == "assistant"] == ["4", "A letter."]
    assert request.messages[-1].content.endswith(f"Input: {INPUT}\nConstraints: One word.")
    assert request.messages[3].content.endswith("Constraints: None")


async def test_core_and_formulations_share_input_and_output_and_lose_the_demonstrations(bind: Bind):
    forms = ["Odd one out: {INPUT}?", "Which stands out in {INPUT}?"]
    step, chat = bind(GENERATOR, {ANSWER: "cloud", FORM: forms})
    outcomes = await step(task())
    records = [each for each in outcomes if isinstance(each, Record)]
    assert len(records) == 3 and len({record.id for record in records}) == 3
    assert {record.last("assistant") for record in records} == {"cloud"}
    assert all(INPUT in record.last("user") for record in records)
    assert records[0].facts == {
        "instruction": "Find the word that does not belong.",
        "input": INPUT,
        "constraints": "One word.",
        "set": "2",
    }
    assert [record.facts.get("reformulation") for record in records] == [None, *forms]
    assert len(chat.asked) == 2 and chat.asked[1].n == 2, "both formulations in one call"


async def test_constraints_are_not_in_the_user_s_turn_unless_the_job_says_so(bind: Bind):
    script = {ANSWER: "cloud", FORM: ["Odd one out: {INPUT}?"]}
    step, _ = bind(GENERATOR, script, reformulations=1)
    assert not any("One word." in asked(each) for each in await step(task()))
    step, _ = bind(GENERATOR, script, reformulations=1, show_constraints=True)
    assert all(asked(each).endswith("\n\nOne word.") for each in await step(task()))
    step, _ = bind(GENERATOR, script, reformulations=1, show_constraints=True)
    [core, *_] = await step(task(constraints=""))
    assert asked(core).endswith(INPUT)


async def test_two_formulations_that_are_the_same_are_one(bind: Bind):
    forms = ["Odd one out: {INPUT}?", "odd  one out: {INPUT}?"]
    step, _ = bind(GENERATOR, {ANSWER: "cloud", FORM: forms})
    _, first, second = await step(task())
    assert isinstance(first, Record)
    assert isinstance(second, Drop) and second.reason == "same_formulation"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply("clo", model="fake", truncated=True), "truncated"),
        (Reply(" \n", model="fake"), "empty_output"),
    ],
)
async def test_without_a_whole_output_there_is_no_record_and_no_further_call(
    reply: Reply, reason: str, bind: Bind
):
    step, chat = bind(GENERATOR, {ANSWER: reply})
    [outcome] = await step(task("hi"))
    assert isinstance(outcome, Drop) and outcome.reason == reason and len(chat.asked) == 1


async def test_a_cut_formulation_is_dropped_and_the_core_stays(bind: Bind):
    cut = Reply("Odd one out: {INPUT}, that is, the", model="fake", truncated=True)
    step, _ = bind(GENERATOR, {ANSWER: "cloud", FORM: [cut]}, reformulations=1)
    core, other = await step(task())
    assert isinstance(core, Record) and isinstance(other, Drop) and other.reason == "truncated"


async def test_a_task_without_an_input_has_nothing_to_put_into_a_slot(bind: Bind):
    def refuse(request: Request) -> str:
        raise AssertionError("no formulation should be asked for")

    step, _ = bind(GENERATOR, {ANSWER: "cloud", FORM: refuse})
    [core] = await step(task(input=""))
    assert isinstance(core, Record) and core.last("user") == "Find the word that does not belong."
