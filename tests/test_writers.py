from __future__ import annotations

from engine.asking import Kit
from engine.core import Record
from engine.kit import NoParams
from engine.models.fake import FakeChat
from engine.prompting import Library, Prompt
from engine.writers import Answer, answered

ASK = Prompt("bactrian/answer", reply=str)


async def asked(prompts: Library, writers: int, wanted: range) -> list[Answer]:
    chats = {
        role: FakeChat({"bactrian/answer": [f"{role} {n}" for n in range(9)]})
        for role in ("writer", "writer_2", "writer_3")
    }
    kit = Kit(NoParams(), Record("seed", "sw"), "1", chats, prompts)

    async def sample(seat: Kit[NoParams], count: int) -> list[str]:
        return await seat.ask_many(ASK, count, instruction="Kwa nini?")

    return await answered(kit, writers, wanted, sample)


async def test_every_writer_answers_when_it_is_its_turn(prompts: Library) -> None:
    found = await asked(prompts, 2, range(5))
    assert [each.text for each in found] == [
        "writer 0", "writer 1", "writer 2", "writer_2 0", "writer_2 1",
    ]  # fmt: skip
    assert all(each.text.startswith(each.role) and each.model == "fake" for each in found)


async def test_what_is_missing_is_asked_of_whoever_is_next(prompts: Library) -> None:
    assert [each.role for each in await asked(prompts, 3, range(4, 6))] == ["writer_2", "writer_3"]
    assert await asked(prompts, 3, range(4, 4)) == []
