"""Limits by the minute, kept in virtual time; see ``virtual``."""

import asyncio
import itertools

import pytest

from engine.core import Message
from engine.models.chat import Reply, Request
from engine.models.pool import Pool
from engine.models.rates import BURST_S, BYTES_PER_TOKEN, FIRST_REPLY, Rates
from tests.models.virtual import at_once, keep_asking, now


def request(text: str = "x", depth: int = 0, **sampling: int) -> Request:
    return Request((Message("user", text),), sampling, depth=depth)


class Endpoint:
    """Answers at once, and notes when it was asked what."""

    def __init__(self, tokens_in: int = 0, tokens_out: int = 0) -> None:
        self.usage = tokens_in, tokens_out
        self.asked: list[tuple[float, str]] = []

    async def chat(self, request: Request) -> Reply:
        self.asked.append((now(), request.messages[0].content))
        await asyncio.sleep(0.01)
        return Reply("ok", "m", *self.usage)

    def within(self, first: float, last: float) -> int:
        return sum(first <= at < last for at, _ in self.asked)


def asked_for(endpoint: Endpoint, requests: int, tokens: int, seconds: float = 240) -> None:
    async def work() -> None:
        pool = Pool([endpoint], 512, rates=Rates(requests, tokens, now), clock=now)
        await keep_asking(pool, 50, seconds)

    at_once(work)


def test_requests_of_a_minute_are_spread_over_it() -> None:
    endpoint = Endpoint()
    asked_for(endpoint, 120, 0)
    for start in (0, 37, 60, 180):
        assert 118 <= endpoint.within(start, start + 60) <= 120 + 2 * BURST_S
    assert endpoint.within(0, 1) <= 2 * BURST_S + 2


def test_a_limit_below_one_request_in_a_burst_lets_single_ones_through() -> None:
    endpoint = Endpoint()
    asked_for(endpoint, 3, 0)
    times = [at for at, _ in endpoint.asked]
    assert len(times) in (12, 13)
    assert all(later - sooner >= 19 for sooner, later in itertools.pairwise(times))


@pytest.mark.parametrize("tokens_out", [20, 600, 6000], ids=["short", "as thought", "long"])
def test_tokens_of_a_minute_are_kept_whatever_replies_turn_out_to_be(tokens_out: int) -> None:
    endpoint = Endpoint(400, tokens_out)
    asked_for(endpoint, 0, 60_000, 1200)
    spent = len([at for at, _ in endpoint.asked if at >= 120]) * (400 + tokens_out)
    assert 0.9 * 60_000 * 18 <= spent <= 1.1 * 60_000 * 18


def test_a_request_larger_than_a_minute_s_tokens_goes_and_the_next_waits_for_it() -> None:
    endpoint = Endpoint(3000, 0)
    asked_for(endpoint, 0, 1000, 900)
    times = [at for at, _ in endpoint.asked]
    assert 2 <= len(times) <= 8


def test_a_server_that_tells_no_usage_is_charged_the_estimate() -> None:
    endpoint = Endpoint(0, 0)
    asked_for(endpoint, 0, 60_000)
    assert endpoint.within(60, 120) == pytest.approx(60_000 / (FIRST_REPLY + 1), rel=0.05)


def test_while_the_minute_is_used_up_the_deepest_still_goes_first() -> None:
    endpoint = Endpoint()

    async def work() -> None:
        pool = Pool([endpoint], 512, rates=Rates(60, 0, now), clock=now)
        calls = [asyncio.create_task(pool.chat(request(f"{d}", d))) for d in (0, 0, 0, 1, 2, 1, 3)]
        await asyncio.gather(*calls)

    at_once(work)
    assert [text for _, text in endpoint.asked] == ["0", "0", "3", "2", "1", "1", "0"]


def test_cancelled_callers_leave_no_debt_and_no_alarm() -> None:
    endpoint = Endpoint()

    async def work() -> None:
        pool = Pool([endpoint], 512, rates=Rates(60, 0, now), clock=now)
        calls = [asyncio.create_task(pool.chat(request())) for _ in range(40)]
        await asyncio.sleep(5.5)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        assert pool.busy == (0,) and pool.waiting == 0
        began = now()
        await asyncio.sleep(3)
        await asyncio.gather(*(pool.chat(request()) for _ in range(3)))
        assert now() - began <= 4.1  # two were saved up

    at_once(work)


def test_a_request_is_estimated_by_its_bytes_and_the_usual_reply() -> None:
    async def work() -> None:
        rates = Rates(0, 1000, now)
        latin, chinese = rates.estimate(request("word " * 80)), rates.estimate(request("水" * 100))
        assert latin == 400 / BYTES_PER_TOKEN + FIRST_REPLY
        assert chinese == 300 / BYTES_PER_TOKEN + FIRST_REPLY
        assert rates.estimate(request("", max_tokens=5)) == 5
        assert rates.estimate(request("")) == FIRST_REPLY
        assert Rates(5, 0, now).estimate(request("x" * 10**6)) == 0

    at_once(work)
