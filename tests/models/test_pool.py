import asyncio
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core import Message, ModelError
from engine.models.chat import Reply, Request
from engine.models.pool import Pool


def request(depth: int = 0, text: str = "x") -> Request:
    return Request((Message("user", text),), depth=depth)


class Gate:
    """A model whose calls end when the test says so; knows how many it had at once."""

    def __init__(self, name: str = "gate") -> None:
        self.name = name
        self.open: list[tuple[Request, asyncio.Future[Reply]]] = []
        self.seen: list[str] = []
        self.peak = 0

    async def chat(self, asked: Request) -> Reply:
        ends: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        entry = (asked, ends)
        self.open.append(entry)
        self.seen.append(asked.messages[0].content)
        self.peak = max(self.peak, len(self.open))
        try:
            return await ends
        finally:
            self.open.remove(entry)

    def answer(self, index: int = 0) -> None:
        self.open[index][1].set_result(Reply("ok", self.name))

    def fail(self, error: Exception, index: int = 0) -> None:
        self.open[index][1].set_exception(error)


async def settled() -> None:
    """Let every task go as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


def ask(pool: Pool, depth: int = 0, text: str = "x") -> asyncio.Task[Reply]:
    return asyncio.create_task(pool.chat(request(depth, text)))


async def test_the_least_busy_replica_gets_the_call() -> None:
    gates = [Gate("a"), Gate("b"), Gate("c")]
    pool = Pool(gates, 4)
    calls = [ask(pool) for _ in range(6)]
    await settled()
    assert pool.busy == (2, 2, 2)
    gates[1].answer()
    await settled()
    calls.append(ask(pool))
    await settled()
    assert pool.busy == (2, 2, 2) and len(gates[1].seen) == 3
    for gate in gates:
        while gate.open:
            gate.answer()
            await settled()
    assert [(await call).text for call in calls] == ["ok"] * 7
    assert pool.busy == (0, 0, 0)


async def test_no_replica_ever_has_more_than_its_limit() -> None:
    gates = [Gate(), Gate()]
    pool = Pool(gates, 3)
    calls = [ask(pool) for _ in range(20)]
    await settled()
    assert pool.busy == (3, 3) and pool.waiting == 14
    while any(gate.open for gate in gates):
        next(gate for gate in gates if gate.open).answer()
        await settled()
    await asyncio.gather(*calls)
    assert [gate.peak for gate in gates] == [3, 3]


async def test_the_deepest_waits_least_and_equals_go_in_order_of_arrival() -> None:
    gate = Gate()
    pool = Pool([gate], 1)
    depths = [0, 0, 2, 1, 2, 0]
    calls = [ask(pool, depth, f"{i}:{depth}") for i, depth in enumerate(depths)]
    for _ in depths:
        await settled()
        gate.answer()
    await asyncio.gather(*calls)
    assert gate.seen == ["0:0", "2:2", "4:2", "3:1", "1:0", "5:0"]


async def test_an_error_reaches_the_caller_and_frees_the_slot() -> None:
    gate = Gate()
    pool = Pool([gate], 1)
    first, second = ask(pool), ask(pool)
    await settled()
    gate.fail(ModelError("down"))
    await settled()
    gate.answer()
    with pytest.raises(ModelError, match="down"):
        await first
    assert (await second).text == "ok"
    assert pool.busy == (0,)


async def test_a_replica_that_failed_is_passed_over_until_the_others_are_full() -> None:
    dead, alive = Gate("dead"), Gate("alive")
    pool = Pool([dead, alive], 2)
    first = ask(pool)
    await settled()
    dead.fail(ModelError("down"))
    await asyncio.gather(first, return_exceptions=True)
    calls = [ask(pool) for _ in range(2)]
    await settled()
    assert pool.busy == (0, 2)
    calls.append(ask(pool))
    await settled()
    assert pool.busy == (1, 2)
    dead.answer()  # it is back: it counts like the others again
    await settled()
    alive.answer()
    await settled()
    calls.append(ask(pool))
    await settled()
    assert pool.busy == (1, 1)
    dead.answer()
    alive.answer()
    await asyncio.gather(*calls)


async def test_a_bug_in_a_replica_frees_the_slot_too() -> None:
    gate = Gate()
    pool = Pool([gate], 1)
    call = ask(pool)
    await settled()
    gate.fail(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        await call
    assert pool.busy == (0,)


async def test_cancelled_waiters_leave_the_queue() -> None:
    gate = Gate()
    pool = Pool([gate], 1)
    running, waiting, last = ask(pool), ask(pool, 5), ask(pool, text="last")
    await settled()
    assert pool.waiting == 2
    waiting.cancel()
    await settled()
    assert pool.waiting == 1
    gate.answer()
    await settled()
    assert gate.seen[-1] == "last"
    gate.answer()
    await asyncio.gather(running, last)
    assert pool.busy == (0,)


async def test_a_slot_given_to_a_waiter_that_ends_in_the_same_moment_is_passed_on() -> None:
    gate = Gate()
    pool = Pool([gate], 1)
    running, unlucky, lucky = ask(pool), ask(pool, 9), ask(pool, text="lucky")
    await settled()
    gate.answer()
    # runs after the first call has handed its slot on, and before the unlucky one can take it
    asyncio.get_running_loop().call_soon(unlucky.cancel)
    await settled()
    assert running.done() and unlucky.cancelled()
    assert gate.seen[-1] == "lucky" and pool.busy == (1,)
    gate.answer()
    await lucky
    assert pool.busy == (0,)


def test_a_pool_without_replicas_or_room_is_refused() -> None:
    with pytest.raises(ValueError):
        Pool([], 1)
    with pytest.raises(ValueError):
        Pool([Gate()], 0)


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["ask", "answer", "fail", "crash", "cancel", "step", "turn"]), st.integers()
    ),
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(moves=MOVES, replicas=st.integers(1, 3), room=st.integers(1, 3))
def test_whatever_happens_slots_are_counted_exactly(
    moves: list[tuple[str, int]], replicas: int, room: int
) -> None:
    asyncio.run(_play(moves, replicas, room))


async def _play(moves: list[tuple[str, int]], replicas: int, room: int) -> None:
    gates = [Gate(str(i)) for i in range(replicas)]
    pool = Pool(gates, room)
    calls: list[asyncio.Task[Reply]] = []
    for move, number in moves:
        _one(move, number, pool, gates, calls)
        if move == "step":  # otherwise moves fall into the same turn of the loop
            await asyncio.sleep(0)
        if move == "turn":
            await settled()
            assert pool.busy == tuple(len(gate.open) for gate in gates)
            assert all(0 <= busy <= room for busy in pool.busy)
            assert not pool.waiting or all(busy == room for busy in pool.busy)
    await settled()
    while any(gate.open for gate in gates):
        for gate in gates:
            for ends in [ends for _, ends in gate.open]:
                if not ends.done():
                    ends.set_result(Reply("ok", gate.name))
        await settled()
    assert all(call.done() for call in calls)
    assert pool.busy == (0,) * replicas and pool.waiting == 0
    await asyncio.gather(*calls, return_exceptions=True)


def _one(
    move: str, number: int, pool: Pool, gates: list[Gate], calls: list[asyncio.Task[Reply]]
) -> None:
    endings = [ends for gate in gates for _, ends in gate.open if not ends.done()]
    if move == "ask":
        calls.append(ask(pool, number % 4))
    elif move == "cancel" and calls:
        calls[number % len(calls)].cancel()
    elif move == "answer" and endings:
        endings[number % len(endings)].set_result(Reply("ok", "m"))
    elif move in ("fail", "crash") and endings:
        error = ModelError("down") if move == "fail" else ValueError("bug")
        endings[number % len(endings)].set_exception(error)


async def test_order_holds_under_many_waiters() -> None:
    gate = Gate()
    pool = Pool([gate], 1)
    first = ask(pool, text="first")
    await settled()
    depths = list(itertools.islice(itertools.cycle([3, 0, 7, 1]), 200))
    calls = [ask(pool, depth, f"{depth:02d}/{i:03d}") for i, depth in enumerate(depths)]
    for _ in range(201):
        await settled()
        gate.answer()
    await asyncio.gather(first, *calls)
    expected = sorted(gate.seen[1:], key=lambda t: (-int(t[:2]), t[3:]))
    assert gate.seen[1:] == expected
