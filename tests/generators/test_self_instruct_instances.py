import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from engine.core import Drop, Outcome
from engine.generators.self_instruct_instances import GENERATOR
from engine.models.chat import Reply
from engine.text.instances import instance
from tests.conftest import SHARED, Bind, needs_shared, seed

NAME = "self_instruct_instances"
REPLIES = sorted((Path(__file__).parent / "replies" / NAME).glob("*.txt"))


def script(*pairs: tuple[str, str], classification: bool = False) -> dict[str, Any]:
    """One reply to whichever branch is taken; the other branch stays unscripted."""
    branch = "label_first" if classification else "input_first"
    instances = [{"input": given, "output": output} for given, output in pairs]
    return {
        f"{NAME}/classify": json.dumps({"is_classification": classification}),
        f"{NAME}/{branch}": json.dumps({"instances": instances}),
    }


def told(outcome: Outcome) -> str:
    record = outcome.record if isinstance(outcome, Drop) else outcome
    if isinstance(outcome, Drop) and outcome.reason == "bad_reply":
        return outcome.reason
    reason = outcome.reason if isinstance(outcome, Drop) else "keep"
    return f"{reason} | {record.facts['input']} | {record.last('assistant')}"


def squeezed(text: str) -> str:
    return " ".join(text.split())


def written(path: Path) -> tuple[str, str, list[str]]:
    """A task, the reply as a model wrote it, and what must become of each instance."""
    task, _, rest = path.read_text(encoding="utf-8").partition("\n=== reply\n")
    reply, _, expected = rest.partition("=== outcomes\n")
    return task, reply, [squeezed(line) for line in expected.splitlines()]


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_replies_as_models_write_them_become_instances_or_counted_drops(
    path: Path, bind: Bind
):
    task, reply, expected = written(path)
    branch, language = path.stem.split("_")[:2]
    answers = {
        f"{NAME}/classify": json.dumps({"is_classification": branch == "label"}),
        f"{NAME}/{branch}_first": reply,
    }
    step, _ = bind(GENERATOR, answers)
    outcomes = await step(seed(task, language=language))
    assert [squeezed(told(o)) for o in outcomes] == expected


async def test_a_classification_gets_its_labels_first_and_anything_else_its_inputs(bind: Bind):
    step, chat = bind(GENERATOR, script(("Kazi nzuri!", "sifa"), classification=True))
    await step(seed("Je, ujumbe huu ni sifa au lawama?", language="sw"))
    labels = chat.asked
    step, chat = bind(GENERATOR, script(("a", "b")))
    await step(seed("Schreibe ein Haiku."))
    inputs = chat.asked
    assert [a.prompt.split("@")[0] for a in (*labels, *inputs)] == [
        f"{NAME}/classify",
        f"{NAME}/label_first",
        f"{NAME}/classify",
        f"{NAME}/input_first",
    ]
    assert "in Swahili" in labels[1].messages[0].content
    assert all(a.sampling["temperature"] == 0 and a.schema for a in (*labels, *inputs))
    fields = [
        list(next(iter(a.schema["$defs"].values()))["properties"]) for a in (labels[1], inputs[1])
    ]
    assert fields == [["output", "input"], ["input", "output"]]


async def test_a_kept_instance_is_a_conversation_that_knows_its_parts(bind: Bind):
    step, _ = bind(GENERATOR, script(("很好吃", "正面"), classification=True))
    [record] = await step(
        seed("判断评论的情感", language="zh", source="pool", instruction="判断评论的情感。")
    )
    assert not isinstance(record, Drop)
    assert [m.role for m in record.messages] == ["user", "assistant"]
    assert record.last("user").startswith("判断评论的情感。\n") and "很好吃" in record.last("user")
    assert record.facts == {
        "source": "pool",
        "instruction": "判断评论的情感。",
        "input": "很好吃",
        "is_classification": True,
    }


async def test_without_input_the_instruction_stands_alone(bind: Bind):
    step, _ = bind(GENERATOR, script(("", "Drei Zeilen.")))
    [record] = await step(seed("Schreibe ein Haiku."))
    assert not isinstance(record, Drop) and record.last("user") == "Schreibe ein Haiku."


async def test_at_most_so_many_are_kept_and_the_same_ones_each_time(bind: Bind):
    answers = script(*((f"n{n}", f"m{n}") for n in range(9)), ("x", "x"))
    step, chat = bind(GENERATOR, answers, max_instances=4)
    outcomes = await step(seed("Ordne zu."))
    assert outcomes == await step(seed("Ordne zu."))
    assert chat.asked[1].inputs["count"] == 4
    reasons = Counter(o.reason if isinstance(o, Drop) else "keep" for o in outcomes)
    assert reasons == {"keep": 4, "surplus_instance": 5, "input_is_output": 1}
    assert len({(o.record if isinstance(o, Drop) else o).id for o in outcomes}) == 10


async def test_inputs_follow_in_several_layouts(bind: Bind):
    step, _ = bind(GENERATOR, script(*((f"n{n}", f"m{n}") for n in range(20))), max_instances=20)
    shown = {
        o.last("user").replace(o.facts["input"], "*")
        for o in await step(seed("नाम बताओ", language="hi"))
        if not isinstance(o, Drop)
    }
    assert len(shown) == 4 and all(text.startswith("नाम बताओ\n") for text in shown)


async def test_a_reply_cut_by_the_token_limit_is_asked_for_again(bind: Bind):
    answers = script(("اسم", "فعل"))
    whole = answers[f"{NAME}/input_first"]
    answers[f"{NAME}/input_first"] = [Reply(whole[:40], model="fake", truncated=True), whole]
    step, chat = bind(GENERATOR, answers)
    [record] = await step(seed("حوّل الكلمة.", language="ar"))
    assert not isinstance(record, Drop) and record.last("assistant") == "فعل"
    assert len(chat.asked) == 3


async def test_no_instance_at_all_is_a_reply_of_the_wrong_shape(bind: Bind):
    step, chat = bind(GENERATOR, script())
    [outcome] = await step(seed("Ordne zu."))
    assert isinstance(outcome, Drop) and outcome.reason == "bad_reply" and len(chat.asked) == 4


async def test_half_of_the_inputs_lose_their_label_in_the_turn_and_in_the_fact(bind: Bind):
    step, _ = bind(
        GENERATOR, script(*((f"Text: n{n}", f"m{n}") for n in range(20))), max_instances=20
    )
    kept = [o for o in await step(seed("Ordne zu.")) if not isinstance(o, Drop)]
    bare = [o for o in kept if not o.facts["input"].startswith("Text:")]
    assert 4 <= len(bare) <= 16
    assert all(o.facts["input"] in o.last("user") for o in kept)
    assert not any("Text:" in o.last("user") for o in bare)


@needs_shared
def test_the_reference_s_filters_say_the_same_of_every_human_instance():
    lines = (SHARED / "self_instruct_seed_tasks.jsonl").read_text(encoding="utf-8").splitlines()
    pairs = [(i["input"], i["output"]) for line in lines for i in json.loads(line)["instances"]]
    assert len(pairs) == 175
    for given, said in pairs:
        given, said = given.strip(), said.strip()
        wrong = given == said or not said or given.endswith(":") or said.endswith(":")
        assert bool(instance(given, said).fault) == wrong, (given, said)
