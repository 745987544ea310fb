from __future__ import annotations

from typing import Any

from engine.core import Drop, Outcome, Record
from engine.kit import Filter, Kit, NoParams, Policy, as_step
from engine.models.chat import Request
from engine.models.fake import FakeChat
from engine.prompting import Library
from engine.repair import graph
from tests.conftest import seed

PAIR = seed("Nenne drei Flüsse in Kenia.", "de", "Tana.")
GOOD = "Tana, Athi und Ewaso Ng'iro."


def three_words(record: Record, kit: Kit[Any]) -> Outcome:
    words = len(record.last("assistant").split())
    return record if words >= 3 else Drop(record, "too_short", f"{words} words, at least 3")


async def repaired(
    prompts: Library, replies: Any, repairs: int = 2, record: Record = PAIR
) -> tuple[Outcome, list[Request]]:
    writer = FakeChat({"kit/repair": replies})
    policy = Policy(on_fail="repair", repairs=repairs)
    kind = Filter(three_words, NoParams)
    step = as_step(kind, "length", NoParams(), {"writer": writer}, prompts, 1, policy=policy)
    [outcome] = await step(record)
    return outcome, writer.asked


async def test_a_response_that_failed_is_written_anew_with_the_reason(prompts: Library) -> None:
    kept, asked = await repaired(prompts, [GOOD])
    assert isinstance(kept, Record)
    assert kept.last("assistant") == GOOD and kept.last("user") == PAIR.last("user")
    assert kept.facts["repairs"] == 1 and kept.id == PAIR.id
    assert kept.verdicts[0].verdict == "pass"
    said = asked[0].messages[-1].content
    assert "too short. 1 words, at least 3" in said and "German" in said and "Tana." in said
    assert [call.role for call in kept.lineage[0].calls] == ["writer"]


async def test_it_ends_after_so_many_repairs_and_the_record_is_dropped(prompts: Library) -> None:
    drop, asked = await repaired(prompts, ["Athi.", "Immer noch.", GOOD], repairs=2)
    assert isinstance(drop, Drop) and drop.reason == "too_short"
    assert len(asked) == 2, "no third one"
    assert drop.record.last("assistant") == "Immer noch."
    assert drop.record.verdicts[0].evidence == "too_short: 2 words, at least 3"


async def test_a_second_repair_starts_from_the_first(prompts: Library) -> None:
    kept, asked = await repaired(prompts, ["Athi.", GOOD])
    assert isinstance(kept, Record) and kept.facts["repairs"] == 2
    assert "Athi." in asked[1].messages[-1].content
    assert asked[0].seed != asked[1].seed


async def test_what_passes_at_once_asks_nobody(prompts: Library) -> None:
    kept, asked = await repaired(prompts, [], record=seed("Nenne drei.", "de", GOOD))
    assert isinstance(kept, Record) and not asked and "repairs" not in kept.facts


async def test_a_record_without_a_response_cannot_be_repaired(prompts: Library) -> None:
    drop, asked = await repaired(prompts, [], record=seed("Nenne drei.", "de"))
    assert isinstance(drop, Drop) and not asked


async def test_a_writer_that_says_nothing_leaves_the_record_failed(prompts: Library) -> None:
    drop, _ = await repaired(prompts, "")
    assert isinstance(drop, Drop) and drop.record.last("assistant") == "Tana."


def test_the_loop_is_drawn_as_edges() -> None:
    drawn = graph().compile().get_graph()
    edges = {(edge.source, edge.target) for edge in drawn.edges}
    assert {("write", "check"), ("check", "write"), ("check", "__end__")} <= edges
