from __future__ import annotations

import json
from dataclasses import replace
from typing import Literal

import pytest
from pydantic import BaseModel

from engine.core import Message
from engine.models.chat import Request
from engine.models.rehearsal import Faults, Rehearsal
from engine.shipped import folder


class Claim(BaseModel):
    claim: str
    quote: str
    scope: Literal["shared", "regional"]


class Found(BaseModel):
    span: str
    instruction: str


TEXTS = {
    "sw": "Kisima\n\nKisima kiko nyuma ya shule, na maji yake ni baridi hata wakati wa kiangazi "
    "kikali.",
    "th": "บ่อน้ำ\n\n" + "บ่อน้ำอยู่หลังโรงเรียน น้ำเย็นแม้ในฤดูร้อน " * 3,
}  # fmt: skip


def request(text: str, seed: int = 0) -> Request:
    turns = (Message("user", "Quote."),)
    inputs = {"document": text, "origin": "Swahili"}
    return Request(turns, schema=Found.model_json_schema(), seed=seed, inputs=inputs)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_what_is_to_be_a_quotation_is_a_line_of_the_longest_input(text: str) -> None:
    model = Rehearsal(folder("taxonomies") / "rehearsal")
    for seed in range(20):
        said = json.loads((await model.chat(request(text, seed))).text)
        assert said["span"] == text.splitlines()[2].strip() and said["instruction"] != said["span"]


async def test_without_a_text_or_with_a_fault_there_is_none() -> None:
    model = Rehearsal(folder("taxonomies") / "rehearsal")
    assert json.loads((await model.chat(request(""))).text)["span"]
    faulty = Rehearsal(folder("taxonomies") / "rehearsal", Faults(refusal=1))
    said = json.loads((await faulty.chat(request(TEXTS["sw"]))).text)
    assert said["span"] not in TEXTS["sw"]


async def test_a_claim_says_what_the_quotation_beside_it_says() -> None:
    """Numbers of a claim that are not in its quotation are what checks of grounding look for."""
    model = Rehearsal(folder("taxonomies") / "rehearsal")
    for seed in range(20):
        asked = replace(request(TEXTS["sw"], seed), schema=Claim.model_json_schema())
        said = Claim.model_validate_json((await model.chat(asked)).text)
        assert said.claim == said.quote == TEXTS["sw"].splitlines()[2]
