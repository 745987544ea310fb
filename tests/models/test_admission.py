"""The level of a pool, found in virtual time; see ``virtual``."""

import asyncio
import itertools

import pytest

from engine.models.admission import (
    FIRST,
    FIRST_METERED,
    PROBES,
    REFUSALS,
    WAITING_SHARE,
    Throttle,
)
from engine.models.metrics import Load
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


def used(server: Server, pool: Pool, many: int, seconds: float = 240.0) -> float:
    """The share of its slots that the server used."""

    async def work() -> float:
        await keep_asking(pool, many, seconds)
        return server.busy_s / (server.slots * seconds)

    return at_once(work)


def metered(server: Server) -> Pool:
    server.tells = True
    return Pool([server], 4096, meters=[server], clock=now)


# -- the level is found ----------------------------------------------------------------------


@pytest.mark.parametrize("slots", [16, 64, 256])
@pytest.mark.parametrize("tells", [True, False], ids=["metrics", "latencies"])
def test_a_cold_server_is_soon_full_and_its_queue_stays_small(slots: int, tells: bool) -> None:
    server = Server(slots)
    pool = metered(server) if tells else Pool([server], 4096, clock=now)
    queues = []

    async def work() -> float:
        async def look() -> None:
            await asyncio.sleep(60)
            while True:
                queues.append(len(server.queue))
                await asyncio.sleep(1)

        looking = asyncio.create_task(look())
        await keep_asking(pool, 3 * slots, 240)
        looking.cancel()
        return server.busy_s / (slots * 240)

    assert at_once(work) >= 0.97
    assert sum(queues) / len(queues) <= max(8, (0.2 if tells else 0.35) * slots)
    assert server.longest_queue <= max(FIRST_METERED, slots if tells else 1.5 * slots)


@pytest.mark.parametrize(
    "server",
    [
        Server(64, noise=0.3),
        Server(64, strain=0.01),
        Server(64, prompt_s=3.0, noise=0.1),
        Server(64, spread=0.0),
        Server(64, spread=0.0, strain=0.01),
        Server(4),
        Server(1),
    ],
    ids=["uneven", "slower when fuller", "long prompts", "equal", "equal, slower", "four", "one"],
)
def test_latencies_alone_fill_servers_of_other_kinds(server: Server) -> None:
    pool = Pool([server], 4096, clock=now)
    seconds = 480 if server.slots == 1 else 240  # it takes a while until it has told enough
    assert used(server, pool, 3 * server.slots + 50, seconds) >= 0.97
    assert pool.level <= 2 * server.slots + 16


def test_a_moment_in_which_this_machine_was_busy_is_no_queue() -> None:
    clock = Clock()
    one = throttle(clock=clock)

    def answers(many: int, seconds: float) -> None:
        for i in range(many):
            tokens = 50 + 37 * (i % 20)
            clock.now += 1
            one.answered(clock.now - seconds - 0.01 * tokens, one.level, tokens, True)

    answers(400, 0.05)
    level = one.level
    answers(max(8, level // 4), 3.0)
    assert one.level >= level
    answers(400, 0.05)
    assert one.level > level


def test_a_server_without_slots_is_not_flooded_once_more_calls_bring_nothing() -> None:
    server = Server(10_000, strain=0.05)
    pool = Pool([server], 4096, clock=now)
    used(server, pool, 2000)
    alone, all_of_them = 1 / (1 + server.strain), pool.level / (1 + server.strain * pool.level)
    assert all_of_them >= 0.75 / server.strain > alone  # most of what it can do
    assert pool.level <= 400  # of the 2,000 that would


def test_few_callers_do_not_raise_the_level() -> None:
    server = Server(64)
    pool = Pool([server], 4096, clock=now)
    used(server, pool, FIRST)
    assert pool.level == FIRST


def test_the_level_never_exceeds_what_the_job_allows() -> None:
    server = Server(256)
    server.tells = True
    pool = Pool([server], 24, meters=[server], clock=now)
    used(server, pool, 100, 60)
    assert pool.level == 24 and server.peak == 24


def test_two_servers_of_different_size_are_both_full() -> None:
    small, large = Server(16), Server(128)
    pool = Pool([small, large], 4096, clock=now)

    async def work() -> None:
        await keep_asking(pool, 500, 240)

    at_once(work)
    assert small.busy_s >= 0.95 * 16 * 240 and large.busy_s >= 0.95 * 128 * 240


# -- what the server tells --------------------------------------------------------------------


def test_the_server_s_own_queue_decides() -> None:
    one = raised(100)
    before = one.level
    one.measured(Load(before - 50, 50), before, True)
    assert one.level == before - 50 + int(WAITING_SHARE * 50)
    one.measured(Load(one.level - 1, 1), one.level, True)
    assert before - 50 + 7 < one.level <= before - 50 + 14
    level = one.level
    one.measured(Load(level, 0), level, False)  # nobody waits here: no reason to grow
    assert one.level == level


def test_what_others_let_wait_is_not_charged_to_us() -> None:
    one = raised(100)
    before = one.level
    one.measured(Load(400, 40), before, True)
    assert before <= one.level <= before + 10


def test_a_reading_that_misses_most_of_our_calls_is_of_another_server() -> None:
    one = raised(100)
    before = one.level
    assert not one.measured(Load(10, 0), before, True)
    assert one.level == before


def test_preemptions_lower_the_level_and_keep_it_low_for_a_while() -> None:
    clock = Clock()
    one = raised(200, clock)
    one.measured(Load(180, 20, 0.99, 5), one.level, True)
    assert one.level == 200  # those before this run say nothing
    one.measured(Load(180, 20, 0.99, 9), 200, True)
    assert one.level == int(0.95 * 180)
    clock.now += 10
    one.measured(Load(170, 0, 0.9, 9), one.level, True)
    assert one.level == int(0.95 * 180)
    clock.now += 30
    one.measured(Load(170, 0, 0.9, 9), one.level, True)
    assert one.level > int(0.95 * 180)


def test_a_full_cache_without_a_queue_gets_a_few_more_and_not_twice_as_many() -> None:
    one = throttle()
    one.measured(Load(FIRST_METERED, 0, 0.99), FIRST_METERED, True)
    assert FIRST_METERED < one.level <= (1 + WAITING_SHARE) * FIRST_METERED


# -- too much ---------------------------------------------------------------------------------


def test_a_429_halves_the_level_once_for_all_calls_under_way() -> None:
    clock = Clock()
    one = raised(200, clock)
    before = one.level
    for _ in range(REFUSALS - 1):
        one.failed(Refusal(429), pushed_back=True)
        one.answered(99.0, 100, 100, True)
    assert one.level == before
    for _ in range(3 * REFUSALS):
        one.failed(Refusal(429), pushed_back=True)
        one.answered(99.0, 100, 100, True)
    assert one.level == before // 2
    clock.now += 3
    one.failed(Refusal(429), pushed_back=True)
    assert one.level == before // 4


def test_a_refusal_now_and_then_changes_nothing() -> None:
    clock = Clock()
    one = raised(200, clock)
    for i in range(2000):
        one.sent()
        one.back()
        if i % 20 == 0:
            one.failed(Refusal(429), pushed_back=True, after_s=30)
        else:
            one.answered(99.0, 100, 100, True)
    assert one.level == 200 and one.room(199)


def test_near_the_level_that_was_refused_it_grows_by_ones() -> None:
    clock = Clock()
    one = raised(200, clock)
    refused = one.level
    for _ in range(REFUSALS):
        one.failed(Refusal(429), pushed_back=True)
        one.answered(99.0, 100, 100, True)
    assert one.level == refused // 2
    levels = [one.level]
    while levels[-1] < refused:
        one.measured(Load(levels[-1], 0), levels[-1], True)
        levels.append(one.level)
    near = [b - a for a, b in itertools.pairwise(levels) if a > 0.85 * refused]
    assert near and set(near) == {1}


def test_an_endpoint_that_refuses_beyond_a_hundred_calls_is_kept_near_them() -> None:
    server = Server(10_000)
    one = Throttle(4096, now)
    client = Client(server, one, lambda: Refusal(429) if server.running > 100 else None)
    pool = Pool([client], 4096, throttles=[one], clock=now)

    async def work() -> None:
        await keep_asking(pool, 400, 600)

    at_once(work)
    assert server.busy_s >= 0.7 * 100 * 600
    assert len(client.tries) <= 1.1 * server.done  # refusals are rare


def test_retry_after_closes_that_replica_and_reopens_it_with_probes() -> None:
    servers = [Server(100), Server(100)]
    throttles = [Throttle(50, now), Throttle(50, now)]
    until = [60.0, 0.0]

    def ails(i: int) -> Refusal | None:
        return Refusal(429, after_s=60 - now()) if 30 <= now() < until[i] else None

    clients = [Client(s, t) for s, t in zip(servers, throttles, strict=True)]
    clients[0].ails, clients[1].ails = lambda: ails(0), lambda: ails(1)
    pool = Pool(clients, 50, throttles=throttles, clock=now)

    async def work() -> None:
        await keep_asking(pool, 150, 120)

    at_once(work)
    times = [t for t, _, _ in clients[0].tries]
    assert not [t for t in times if 31 <= t < 60]
    assert [t for t in times if 60 <= t < 62] and [t for t in times if t > 100]
    done = min(done for t, _, done in clients[0].tries if t >= 60)
    for t, others, answered in clients[0].tries:
        assert t < 60 or others < PROBES + answered - done
    assert len([t for t, _, _ in clients[1].tries if 31 <= t < 60]) > 100
