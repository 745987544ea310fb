"""What a server does wrong, and how its calls come back; see ``virtual``."""

import asyncio
import math

import pytest

from engine.core import Message, ModelError
from engine.models.admission import AWAY_S, FIRST, PROBES, REFUSALS, ROW, Throttle
from engine.models.chat import Request
from engine.models.pool import Pool
from tests.models.virtual import (
    Client,
    Clock,
    Refusal,
    Server,
    at_once,
    keep_asking,
    now,
    raised,
    throttle,
)


def test_after_an_outage_calls_come_back_in_no_larger_crowd_than_answers_allow() -> None:
    server = Server(128)
    one = Throttle(4096, now)
    client = Client(server, one, lambda: Refusal(500) if 60 <= now() < 75 else None)
    pool = Pool([client], 4096, throttles=[one], clock=now)

    async def work() -> tuple[int, float]:
        failures = await keep_asking(pool, 400, 120)
        before = server.busy_s
        failures += await keep_asking(pool, 400, 60)
        return failures, (server.busy_s - before) / (128 * 60)

    failures, share = at_once(work)
    back = [(others, done) for t, others, done in client.tries if t >= 75]
    done_before = back[0][1]
    assert back[0][0] < PROBES  # all that were on their way had failed
    assert all(others < PROBES + done - done_before for others, done in back if done < 40_000)
    assert share >= 0.97  # and it is full again
    assert failures == 0  # nobody had used up all tries


def test_a_dead_server_is_known_to_be_dead_in_half_a_minute_and_left_in_peace() -> None:
    server = Server(128)
    one = Throttle(4096, now)
    client = Client(server, one, lambda: Refusal(500) if now() >= 30 else None)
    pool = Pool([client], 4096, throttles=[one], clock=now)

    async def work() -> int:
        return await keep_asking(pool, 400, 30 + 60)

    assert at_once(work) > 100  # those that were under way have failed after their tries
    tries = [t for t, _, _ in client.tries if t > 33]
    assert 0 < len(tries) < 300  # of about 1,000 that they would have made


def test_scattered_errors_are_no_outage() -> None:
    one = raised(100)
    level = one.level
    for i in range(200):
        if i % 20 == 0:
            one.failed(Refusal(500))
        else:
            one.answered(99.0, 100, 100, True)
    assert one.level == level


def test_a_row_of_failures_lets_in_probes_and_each_answer_one_more() -> None:
    clock = Clock()
    one = raised(100, clock)
    level = one.level
    for _ in range(ROW):
        assert one.level == level
        one.failed(Refusal(500))
    assert one.level == PROBES and not one.room(0)
    clock.now += AWAY_S
    assert one.room(PROBES - 1) and not one.room(PROBES)
    for i in range(1, level):
        one.answered(99.0, 1, 100, True)
        assert one.level == min(level, PROBES + i)


async def test_a_try_that_waits_for_its_turn_shares_the_fate_of_those_before_it() -> None:
    one = throttle(clock=(clock := Clock()))
    for _ in range(ROW):
        one.failed(Refusal(500))
    clock.now += AWAY_S
    entered = 0

    async def again() -> None:
        nonlocal entered
        await one.turn()
        entered += 1
        await asyncio.Event().wait()

    tasks = [asyncio.create_task(again()) for _ in range(PROBES + 3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert entered == PROBES
    one.failed(error := Refusal(500))
    await asyncio.wait(tasks[PROBES:])
    assert all(task.exception() is error for task in tasks[PROBES:])
    for task in tasks[:PROBES]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_turns_that_are_cancelled_in_any_moment_are_given_back() -> None:
    one = throttle(clock=(clock := Clock()))
    for _ in range(ROW):
        one.failed(Refusal(500))
    clock.now += AWAY_S
    leave = asyncio.Event()

    async def again() -> None:
        await one.turn()
        try:
            await leave.wait()
        finally:
            one.back()

    for unlucky in range(PROBES + 4):
        tasks = [asyncio.create_task(again()) for _ in range(PROBES + 4)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        leave.set()
        if unlucky % 2:
            await asyncio.sleep(0)  # turns have been handed on, and are not taken yet
        tasks[unlucky].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        leave.clear()
    entered = [asyncio.create_task(again()) for _ in range(PROBES)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    leave.set()
    async with asyncio.timeout(1):
        await asyncio.gather(*entered)


def test_a_retry_after_of_hours_is_not_believed_for_hours() -> None:
    clock = Clock()
    one = throttle(clock=clock)
    for _ in range(REFUSALS):
        one.failed(Refusal(429), pushed_back=True, after_s=86_400)
        one.answered(99.0, 100, 100, True)
    assert clock.now < one.paused_until <= clock.now + 600
    assert not one.room(0)
    clock.now = one.paused_until
    assert one.room(0)


def test_a_model_error_is_the_caller_s() -> None:
    one = Throttle(8, now)
    client = Client(Server(8), one, lambda: Refusal(500))
    pool = Pool([client], 8, throttles=[one], clock=now)

    async def work() -> None:
        with pytest.raises(ModelError, match="500"):
            await pool.chat(Request((Message("user", "x"),)))

    at_once(work)
    assert pool.busy == (0,) and not math.isinf(pool.level)


# -- replicas ---------------------------------------------------------------------------------


def pair(*servers: Server) -> tuple[list[Client], Pool]:
    throttles = [Throttle(4096, now) for _ in servers]
    clients = [Client(s, t) for s, t in zip(servers, throttles, strict=True)]
    return clients, Pool(clients, 4096, throttles=throttles, clock=now)


def test_what_a_dead_replica_lets_fall_is_answered_by_the_other() -> None:
    dead, alive = Server(64), Server(64)
    clients, pool = pair(dead, alive)
    clients[0].ails = lambda: Refusal(500) if now() >= 30 else None

    async def work() -> int:
        return await keep_asking(pool, 300, 180)

    assert at_once(work) == 0
    assert alive.busy_s >= 0.97 * 64 * 180
    assert len([t for t, _, _ in clients[0].tries if t >= 60]) <= (PROBES + 1) * 120
    assert pool.busy == (0, 0) and not pool.waiting


def test_a_replica_that_comes_back_is_full_again() -> None:
    gone, other = Server(64), Server(64)
    clients, pool = pair(gone, other)
    clients[0].ails = lambda: Refusal(500) if 30 <= now() < 90 else None

    async def work() -> float:
        assert await keep_asking(pool, 300, 150) == 0
        before = gone.busy_s
        await keep_asking(pool, 300, 60)
        return (gone.busy_s - before) / (64 * 60)

    assert at_once(work) >= 0.95


def test_when_all_replicas_are_dead_the_callers_are_told() -> None:
    clients, pool = pair(Server(8), Server(8))
    for client in clients:
        client.ails = lambda: Refusal(500)

    async def work() -> int:
        return await keep_asking(pool, 20, 120)

    assert at_once(work) >= 20
    assert pool.busy == (0, 0) and not pool.waiting


def test_a_slow_replica_holds_nobody_up() -> None:
    slow, fast = Server(32, token_s=0.1), Server(32)
    _, pool = pair(slow, fast)

    async def work() -> None:
        await keep_asking(pool, 300, 300)

    at_once(work)
    assert fast.busy_s >= 0.97 * 32 * 300 and slow.busy_s >= 0.95 * 32 * 300


def test_callers_that_leave_in_mid_trouble_leave_nothing_behind() -> None:
    server = Server(64)
    clients, pool = pair(server)
    clients[0].ails = lambda: Refusal(500) if int(now()) % 7 == 3 else None

    async def work() -> None:
        for _ in range(20):
            await keep_asking(pool, 150, 3.3)
        assert pool.busy == (0,) and not pool.waiting
        await asyncio.sleep(3)
        clients[0].ails = lambda: None
        await keep_asking(pool, FIRST, 30)  # nothing is held by those who left

    at_once(work)
    assert clients[0].here == 0 and pool.level >= FIRST
