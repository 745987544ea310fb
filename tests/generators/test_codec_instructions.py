from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.core import Drop
from engine.generators.codec_instructions import GENERATOR
from tests.conftest import SHARED, Bind, needs_shared, seed

REPLIES = sorted((Path(__file__).parent / "replies" / "codec_instructions").glob("*.txt"))
SEED = "Welche von drei Wohnungen passt zu uns?"
METADATA = json.dumps({"use_case": "Wohnungssuche", "skills": ["Vergleichen", "Abwägen"]})
DECODED = json.dumps({"instructions": ["Miete oder Kauf?", "Stadt oder Land?"]})
ENCODE, DECODE = "codec_instructions/encode", "codec_instructions/decode"


def told(outcomes: Any) -> list[str]:
    return [each.reason if isinstance(each, Drop) else each.last("user") for each in outcomes]


def written(path: Path) -> tuple[str, str]:
    """What a model replied, and what must become of it."""
    reply, _, expected = path.read_text(encoding="utf-8").partition("\n=== outcome\n")
    return reply, expected.strip()


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_metadata_and_instructions_as_models_write_them(path: Path, bind: Bind) -> None:
    reply, expected = written(path)
    kind, tag, *_ = path.stem.split("_")
    script = {ENCODE: METADATA, DECODE: DECODED} | {f"codec_instructions/{kind}": reply}
    step, _ = bind(GENERATOR, script)
    outcomes = await step(seed(SEED, language=tag))
    if kind == "decode" or isinstance(outcomes[0], Drop):
        assert " | ".join(told(outcomes)) == expected
    else:
        facts = outcomes[0].facts
        assert f"{facts['use_case']}: {'; '.join(facts['skills'])}" == expected


async def test_instructions_are_decoded_from_the_metadata_alone(bind: Bind) -> None:
    step, chat = bind(GENERATOR, {ENCODE: METADATA, DECODE: DECODED}, instructions=2)
    outcomes = await step(seed(SEED))
    assert told(outcomes) == ["Miete oder Kauf?", "Stadt oder Land?"]
    asked = chat.asked[1]
    assert asked.inputs["use_case"] == "Wohnungssuche"
    assert asked.inputs["skills"] == ["Vergleichen", "Abwägen"] and asked.inputs["count"] == 2
    assert not any(SEED in message.content for message in asked.messages)
    for each in outcomes:
        assert not isinstance(each, Drop)
        assert each.facts["seed_instruction"] == SEED
        assert each.facts["basic_instruction"] == each.last("user")
    assert len({each.id for each in outcomes if not isinstance(each, Drop)}) == 2


async def test_metadata_that_is_known_is_not_encoded_again(bind: Bind) -> None:
    step, chat = bind(GENERATOR, {DECODE: DECODED})
    for record in (seed("", use_case="Reisen", skills=["Planen"]),
                   seed(SEED, use_case="Reisen", skills=["Planen"])):  # fmt: skip
        assert told(await step(record)) == ["Miete oder Kauf?", "Stadt oder Land?"]
    assert {request.inputs["use_case"] for request in chat.asked} == {"Reisen"}


async def test_half_of_the_metadata_is_none(bind: Bind) -> None:
    step, chat = bind(GENERATOR, {ENCODE: METADATA, DECODE: DECODED})
    await step(seed(SEED, use_case="Reisen", skills="Planen"))
    assert chat.asked[1].inputs["use_case"] == "Wohnungssuche"


async def test_neither_instruction_nor_metadata_costs_no_call(bind: Bind) -> None:
    step, chat = bind(GENERATOR)
    assert told(await step(seed(" \n"))) == ["no_instruction"] and not chat.asked


@needs_shared
async def test_all_human_seed_tasks_are_encoded_and_decoded(bind: Bind) -> None:
    lines = (SHARED / "self_instruct_seed_tasks.jsonl").read_text("utf-8").splitlines()
    step, chat = bind(GENERATOR, {ENCODE: METADATA, DECODE: DECODED})
    for line in lines:
        instruction = json.loads(line)["instruction"]
        assert len(await step(seed(instruction, language="en"))) == 2
        assert instruction.strip() in chat.asked[-2].messages[-1].content
    assert len(chat.asked) == 2 * 175
