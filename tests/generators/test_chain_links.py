from __future__ import annotations

from engine.core import Record
from engine.generators.chain_links import GENERATOR
from engine.models.chat import Request
from tests.conftest import Bind, seed

NAME = "chain_links/composable"


def partner(id_: str) -> dict[str, object]:
    return {"id": id_, "task": f"do {id_}", "leads": True, "input": f"in {id_}", "output": "o"}


async def test_partners_are_parted_into_followers_and_strangers(bind: Bind) -> None:
    said = {"a": "yes", "b": "No.", "c": "perhaps", "d": "**Yes**", "e": "", "f": '"no"'}

    def judge(request: Request) -> str:
        return said[str(request.inputs["next_input"])[-1]]

    step, chat = bind(GENERATOR, {NAME: judge})
    leader = seed("x", response="the output", task="sum up", partners=[partner(n) for n in said])
    [record] = await step(leader)
    assert isinstance(record, Record)
    assert [each["id"] for each in record.facts["followers"]] == ["a", "d"]
    assert [each["id"] for each in record.facts["strangers"]] == ["b", "f"]
    assert record.facts["followers"][0] == {"id": "a", "task": "do a", "leads": True}
    assert chat.asked[0].inputs["output"] == "the output" and chat.asked[0].options == ("yes", "no")


async def test_without_a_partner_nobody_is_asked(bind: Bind) -> None:
    for partners in ([], None):
        step, chat = bind(GENERATOR)
        [record] = await step(seed("x", task="t", partners=partners))
        assert isinstance(record, Record) and record.facts["followers"] == [] and not chat.asked
