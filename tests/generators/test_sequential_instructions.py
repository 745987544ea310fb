from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from engine.core import Drop, Record
from engine.generators.sequential_instructions import GENERATOR
from engine.models.chat import Reply, Request
from tests.conftest import SHARED, Bind, needs_shared, seed

NAME = "sequential_instructions"
REPLIES = sorted((Path(__file__).parent / "replies" / NAME).glob("*.txt"))
OPTIONS = [path for path in REPLIES if path.stem.startswith("option_")]
NEW = [path for path in REPLIES if path.stem.startswith("new_")]
ROUTES = {"A": "decompose", "B": "prefix", "C": "suffix"}


def script(choose: Any, **more: Any) -> dict[str, Any]:
    names = {"part": '{"input": ""}', "choose": choose, "respond": "Antwort", **more}
    return {f"{NAME}/{name}": said for name, said in names.items()}


def written(path: Path) -> tuple[str, str]:
    """What a model replied, and what must be read in it."""
    reply, _, expected = path.read_text(encoding="utf-8").partition("\n=== outcome\n")
    return reply, expected.strip()


def asked(chat: Any) -> list[str]:
    return [r.prompt.partition("@")[0].removeprefix(f"{NAME}/") for r in chat.asked]


@pytest.mark.parametrize("path", OPTIONS, ids=lambda path: path.stem)
async def test_options_are_read_in_the_papers_order_and_lead_to_their_node(
    path: Path, bind: Bind
) -> None:
    reply, expected = written(path)
    new = dict.fromkeys(ROUTES.values(), "New instruction: neu")
    step, chat = bind(GENERATOR, script(reply, **new), iterations=1)
    [record] = await step(seed("Alt.", path.stem.split("_")[1]))
    assert isinstance(record, Record) and record.facts["options"] == [expected]
    route = [ROUTES[expected]] if expected in ROUTES else []
    assert asked(chat) == ["part", "choose", *route, "respond"]


@pytest.mark.parametrize("path", NEW, ids=lambda path: path.stem)
async def test_the_text_after_the_last_label_is_the_new_instruction(path: Path, bind: Bind) -> None:
    reply, expected = written(path)
    step, _ = bind(GENERATOR, script("Option C", suffix=reply), iterations=1)
    [record] = await step(seed("Alt.", path.stem.split("_")[1]))
    assert isinstance(record, Record)
    assert record.facts["instruction"] == (expected or "Alt.")
    assert record.facts["changed"] == bool(expected)


@pytest.mark.parametrize("said", ["Option D", "I cannot decide.", ""])
async def test_what_is_kept_or_cannot_be_read_falls_through_unchanged(
    said: str, bind: Bind
) -> None:
    step, chat = bind(GENERATOR, script(said), iterations=3)
    given = seed(
        "  Kürze das:\n\nEs regnet. ", response=" Regen. ", input="Es regnet.", licence="X"
    )
    [record] = await step(given)
    assert isinstance(record, Record) and record.messages == given.messages
    assert asked(chat) == ["choose"] * 3 and record.facts["options"] == ["D", "D", "D"]
    assert record.facts["changed"] is False and record.facts["licence"] == "X"


async def test_each_iteration_goes_on_from_the_one_before(bind: Bind) -> None:
    script_ = script(
        ["Option C", "Option D", "B."],
        suffix="New instruction: Zähle und sortiere. ###",
        prefix="New instruction: Lies vor, zähle und sortiere.",
    )
    step, chat = bind(GENERATOR, script_, iterations=3)
    [record] = await step(seed("Zähle.", response="alt"))
    assert isinstance(record, Record)
    given = [r.inputs["instruction"] for r in chat.asked if "choose" in r.prompt]
    assert given == ["Zähle.", "Zähle und sortiere.", "Zähle und sortiere."]
    assert [h["instruction"] for h in record.facts["history"]] == [
        "Zähle und sortiere.",
        "Zähle und sortiere.",
        "Lies vor, zähle und sortiere.",
    ]
    assert [h["changed"] for h in record.facts["history"]] == [True, False, True]
    assert record.last("assistant") == "Antwort" and record.facts["iteration"] == 3


@pytest.mark.parametrize(
    ("whole", "copied", "side", "user"),
    [
        ("Übersetze: Guten Tag", "Guten Tag", "after", "Neu.\n\nGuten Tag"),
        ("Guten Tag\n\nÜbersetze das.", " Guten Tag ", "before", "Guten Tag\n\nNeu."),
        ("Was heißt Guten Tag auf Suaheli?", "Guten Tag", "after", "Neu."),
        ("Übersetze: Guten Tag", "Good day", "after", "Neu."),
        ("Guten Tag", "Guten Tag", "after", "Neu."),
        ("翻译：周末开放。", "周末开放。", "after", "Neu.\n\n周末开放。"),
    ],
)
async def test_an_input_is_parted_off_word_for_word_and_stays_on_its_side(
    whole: str, copied: str, side: str, user: str, bind: Bind
) -> None:
    part = json.dumps({"input": copied})
    step, chat = bind(
        GENERATOR, script("C.", part=part, suffix="New instruction: Neu."), iterations=1
    )
    [record] = await step(seed(whole))
    assert isinstance(record, Record)
    assert record.last("user") == user and record.facts["side"] == side
    text = str(chat.asked[1].messages[-1].content)
    instruction = str(chat.asked[1].inputs["instruction"])
    if record.facts["input"]:
        first, last = (copied.strip(), instruction) if side == "before" else (instruction, copied)
        assert text.rindex(f"{first}\n") < text.rindex(last), "the input stands on its side"


async def test_examples_come_in_drawn_orders_and_all_of_them(bind: Bind) -> None:
    orders = Counter()
    for name in range(12):
        step, chat = bind(GENERATOR, script("D", suffix=""), iterations=1, part_inputs=False)
        record = seed(f"Satz {name}")
        await step(Record(f"r{name}", "de", record.messages))
        orders[tuple(each["option"] for each in chat.asked[0].inputs["examples"])] += 1
    assert len(orders) > 6 and {tuple(sorted(o)) for o in orders} == {("A", "B", "C", "C", "D")}
    step, chat = bind(GENERATOR, script("A.", decompose="New instruction: a"), iterations=1)
    await step(seed("x"))
    assert len(chat.asked[2].inputs["examples"]) == 3
    assert "###" in (chat.asked[2].sampling["stop"])


async def test_a_new_instruction_can_be_checked_and_rewritten(bind: Bind) -> None:
    review = ['{"sound": true, "rewrite": ""}', '{"sound": false, "rewrite": " besser "}']
    texts = ["New instruction: eins", "New instruction: zwei"]
    step, chat = bind(GENERATOR, script("A.", decompose=texts, review=review), review=True)
    [record] = await step(seed("Alt."))
    assert isinstance(record, Record)
    assert [h["instruction"] for h in record.facts["history"]] == ["eins", "besser"]
    assert asked(chat).count("review") == 2


async def test_a_cut_instruction_is_none_and_a_cut_response_drops(bind: Bind) -> None:
    cut = Reply("New instruction: neu und", "fake", truncated=True)
    step, _ = bind(GENERATOR, script("A.", decompose=cut), iterations=1)
    [record] = await step(seed("Alt.", response="alt"))
    assert isinstance(record, Record) and record.last("assistant") == "alt"
    step, _ = bind(GENERATOR, script("D", respond=Reply("halb", "fake", truncated=True)))
    [drop] = await step(seed("Alt."))
    assert isinstance(drop, Drop) and drop.reason == "cut_response"


async def test_nothing_to_extend_costs_no_call(bind: Bind) -> None:
    step, chat = bind(GENERATOR, script("D"))
    [drop] = await step(seed())
    assert isinstance(drop, Drop) and drop.reason == "no_instruction" and not chat.asked


@needs_shared
async def test_the_public_seed_tasks_keep_their_inputs_to_the_letter(bind: Bind) -> None:
    def write(request: Request) -> str:
        return f"New instruction: First list the facts, then: {request.inputs['instruction']}"

    lines = (SHARED / "self_instruct_seed_tasks.jsonl").read_text(encoding="utf-8").splitlines()
    step, _ = bind(GENERATOR, script("B.", prefix=write), iterations=1)
    for task in map(json.loads, lines):
        given = task["instances"][0]["input"]
        whole = "\n\n".join(filter(None, (task["instruction"], given)))
        [record] = await step(seed(whole, "en", input=given))
        assert isinstance(record, Record) and record.facts["changed"]
        assert record.last("user").endswith(given.strip())
        assert record.facts["input"] == given.strip()
