"""The load that servers tell, as they write it; and the page that is asked for it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from engine.models.metrics import LARGEST, Load, MetricsPage, address, parse
from tests.models.simulated import free_port

VLLM = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 12.0
vllm:num_requests_running{engine="1",model_name="m"} 10.0
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="m"} 3.0
vllm:num_requests_waiting{engine="1",model_name="m"} 0.0
vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 99.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.75
vllm:num_preemptions_total{engine="0",model_name="m"} 4.0
"""


def test_all_engines_of_a_vllm_are_counted_together() -> None:
    assert parse(VLLM) == Load(22, 3, 0.75, 4)


def test_other_servers_are_read_too() -> None:
    sglang = 'sglang:num_running_reqs{tp="0"} 7\nsglang:num_queue_reqs{tp="0"} 1e1\n'
    assert parse(sglang + "sglang:token_usage 0.5\n") == Load(7, 10, 0.5)
    assert parse("llamacpp:requests_processing 1\r\nllamacpp:requests_deferred 2\r\n") == Load(1, 2)


def test_a_page_without_a_load_says_nothing() -> None:
    assert parse("") is None
    assert parse("<html>404</html>") is None
    assert parse("python_gc_objects_collected_total 3.0\n" * 50_000) is None
    assert parse("vllm:num_requests_running 1e\nvllm:num_requests_waiting 2\n") is None


def test_the_page_is_beside_v1() -> None:
    assert address("http://h:8000/v1/") == address("http://h:8000/v1") == "http://h:8000/metrics"
    assert address("https://h/proxy/v1") == "https://h/proxy/metrics"


@contextlib.asynccontextmanager
async def page(*answers: bytes) -> AsyncIterator[str]:
    """A server that gives one answer after the other; its URL."""
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(left.pop(0))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


def answer(status: int, text: str = "") -> bytes:
    body = text.encode()
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


async def test_a_server_without_such_a_page_is_not_asked_again() -> None:
    async with page(answer(503), answer(404)) as url:
        meter = MetricsPage(url)
        assert await meter.read() is None and not meter.hopeless  # it may be starting
        assert await meter.read() is None and meter.hopeless
        await meter.close()


async def test_a_page_that_was_there_once_is_asked_again_after_a_failure() -> None:
    async with page(answer(200, VLLM), answer(404), answer(200, VLLM + "x" * LARGEST)) as url:
        meter = MetricsPage(url)
        assert await meter.read() == Load(22, 3, 0.75, 4)
        assert await meter.read() is None and not meter.hopeless
        await meter.close()
        assert await meter.read() == Load(22, 3, 0.75, 4)
        await meter.close()


async def test_nobody_at_the_address_is_no_reason_to_give_up() -> None:
    meter = MetricsPage(f"http://127.0.0.1:{free_port()}/v1")
    assert await meter.read() is None and not meter.hopeless
    await meter.close()
