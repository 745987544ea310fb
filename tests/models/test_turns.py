"""Models that take turns, in time that passes at once: who comes, who has to go, and what waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

import pytest

from engine.core import JobError
from engine.models.turns import Turns
from tests.models.virtual import at_once, now


def alone(names: Collection[str]) -> bool:
    return len(names) < 2


@dataclass
class Room:
    """Where models come and go; notes each change, and that nobody is asked who is away."""

    fits: Callable[[Collection[str]], bool] = alone
    cost_s: float = 5.0
    here: set[str] = field(default_factory=set)
    came: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)

    def turns(self, *names: str) -> Turns:
        turns = Turns(names, self.fits, clock=now)
        for name in names:
            turns.enter(name, Guest(self, name))
        return turns

    def ask(self, turns: Turns, name: str, seconds: float = 1.0, depth: int = 0) -> Awaitable[None]:
        async def call() -> None:
            assert name in self.here
            await asyncio.sleep(seconds)
            assert name in self.here, "it left with a call on its way"
            self.answered.append(name)

        return turns.through(name, depth, call)


@dataclass
class Guest:
    room: Room
    name: str

    async def wake(self) -> None:
        await asyncio.sleep(self.room.cost_s)
        self.room.here.add(self.name)
        self.room.came.append(self.name)
        assert self.room.fits(self.room.here)

    async def rest(self) -> None:
        self.room.here.remove(self.name)


def test_a_chain_of_two_models_costs_one_change_for_each_batch_and_not_one_for_each_call() -> None:
    room = Room()

    async def work() -> float:
        turns = room.turns("writer", "judge")

        async def seed() -> None:
            for _ in range(3):
                await room.ask(turns, "writer", depth=0)
            await room.ask(turns, "judge", depth=1)

        async with asyncio.TaskGroup() as seeds:
            for _ in range(50):
                seeds.create_task(seed())
        return now()

    took = at_once(work)
    assert room.came == ["writer", "judge"] and len(room.answered) == 200
    assert took < 2 * room.cost_s + 4 + 1


def test_new_seeds_go_on_with_the_model_that_is_there_until_all_wait_for_the_other() -> None:
    room = Room()

    async def work() -> None:
        turns, slots = room.turns("writer", "judge"), asyncio.Semaphore(20)

        async def seed(i: int) -> None:
            async with slots:
                await room.ask(turns, "writer", seconds=1 + i % 3)
                if i % 2:  # the others are dropped, and make room for new ones
                    await room.ask(turns, "judge", depth=1)

        await asyncio.gather(*(seed(i) for i in range(100)))

    at_once(work)
    assert len(room.answered) == 150
    assert room.came == ["writer", "judge", "writer", "judge", "writer", "judge"]


def test_the_deepest_come_first_and_among_equals_the_most() -> None:
    room = Room()

    async def work() -> None:
        turns = room.turns("few", "many", "deep")
        asked = [("few", 0), *[("many", 0)] * 3, ("deep", 2)]
        await asyncio.gather(*(room.ask(turns, name, depth=depth) for name, depth in asked))

    at_once(work)
    assert room.came == ["deep", "many", "few"]


def test_models_that_fit_together_are_there_together() -> None:
    room = Room(fits=lambda names: len(names) < 3)

    async def work() -> None:
        turns = room.turns("a", "b", "c")
        await asyncio.gather(*(room.ask(turns, name, 30) for name in ("a", "b")))
        assert room.here == {"a", "b"}
        a = asyncio.ensure_future(room.ask(turns, "a", 100))
        await room.ask(turns, "c")
        assert room.here == {"a", "c"}, "only the idle one had to go"
        await a

    at_once(work)


def test_who_stands_in_nobodys_way_stays() -> None:
    devices = {"a": {0}, "b": {1}, "both": {0, 1}}

    def fits(names: Collection[str]) -> bool:
        return sum(len(devices[name]) for name in names) == len(
            set().union(*(devices[name] for name in names))
        )

    room = Room(fits)

    async def work() -> None:
        turns = room.turns("a", "b", "both")
        for name in ("a", "b", "both", "a"):
            await room.ask(turns, name)
        assert room.here == {"a"}
        await room.ask(turns, "b")
        assert room.here == {"a", "b"}

    at_once(work)


def test_a_few_that_ask_on_and_on_do_not_keep_many_waiting_for_ever() -> None:
    room = Room(cost_s=2.0)

    async def work() -> float:
        turns = room.turns("writer", "judge")

        async def talkative() -> None:
            for _ in range(1000):
                await room.ask(turns, "writer")

        talking = asyncio.create_task(talkative())
        await asyncio.sleep(5)
        await asyncio.gather(*(room.ask(turns, "judge", depth=1) for _ in range(40)))
        took = now()
        await talking
        return took

    assert 10 * room.cost_s < at_once(work) < 20 * room.cost_s, "not at once, and not at the end"
    assert room.came == ["writer", "judge", "writer"]


def test_a_pause_between_two_calls_is_no_reason_to_change() -> None:
    room = Room()

    async def work() -> None:
        turns = room.turns("writer", "judge")

        async def seed() -> None:
            for _ in range(20):
                await room.ask(turns, "writer")
                await asyncio.sleep(0.09)  # a commit of the journal

        others = asyncio.create_task(seed())
        await asyncio.sleep(6)
        await room.ask(turns, "judge", depth=1)
        await others

    at_once(work)
    assert room.came == ["writer", "judge"]


def test_a_call_that_is_given_up_while_it_waits_is_nobodys_turn() -> None:
    room = Room()

    async def work() -> None:
        turns = room.turns("writer", "judge")
        writer = asyncio.ensure_future(room.ask(turns, "writer", 20))
        await asyncio.sleep(10)
        judge = asyncio.ensure_future(room.ask(turns, "judge"))
        await asyncio.sleep(1)
        assert turns.told() == {"judge": "1 calls wait for its turn"}
        judge.cancel()
        await asyncio.wait([judge])
        await writer
        await asyncio.sleep(60)
        assert turns.told() == {}

    at_once(work)
    assert room.came == ["writer"]


@pytest.mark.parametrize("seconds", [4.0, 5.1, 5.2, 5.5, 9.0])
def test_whatever_the_moment_in_which_a_call_is_given_up_the_next_turn_comes(
    seconds: float,
) -> None:
    room = Room()

    async def work() -> None:
        turns = room.turns("writer", "judge")
        async with asyncio.TaskGroup() as calls:
            given_up = calls.create_task(room.ask(turns, "writer", 8))  # type: ignore[arg-type]
            calls.create_task(room.ask(turns, "judge", 1))  # type: ignore[arg-type]
            await asyncio.sleep(seconds)
            given_up.cancel()

    at_once(work)
    assert "judge" in room.answered


def test_a_model_that_cannot_come_says_why_to_all_who_wait_for_it() -> None:
    class Broken(Guest):
        async def wake(self) -> None:
            raise JobError("no such device")

    room = Room()

    async def work() -> None:
        turns = room.turns("writer")
        turns.enter("writer", Broken(room, "writer"))
        calls = [room.ask(turns, "writer") for _ in range(3)]
        found = await asyncio.gather(*calls, return_exceptions=True)
        assert [str(each) for each in found] == ["no such device"] * 3

    at_once(work)


def test_closed_it_leaves_nobody_waiting() -> None:
    room = Room()

    async def work() -> None:
        turns = room.turns("writer", "judge")
        calls = [asyncio.ensure_future(room.ask(turns, name, 60)) for name in ("writer", "judge")]
        await asyncio.sleep(10)
        await turns.close()
        await asyncio.wait(calls)
        assert sorted(call.cancelled() for call in calls) == [False, True]

    at_once(work)
