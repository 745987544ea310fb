from typing import Any

import pytest

from engine.core import JobError
from engine.models.auto import Found, find
from tests.models.simulated import SILENT, Act, Simulated, free_port, refuses, serving

KEY = "sk-very-secret"
EMBEDDERS = [{"id": "nomic-embed-text:latest"}, {"id": "BAAI/bge-m3"}, {"id": "e5-large"}]


def model(name: str, owner: str = "vllm", **more: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "owned_by": owner, **more}


def named(server: Simulated, **env: str) -> dict[str, str]:
    return {"OPENAI_BASE_URL": server.url, **env}


async def test_with_nothing_set_and_nobody_there_it_is_the_rehearsal_and_says_so() -> None:
    port = free_port()
    found = await find({}, ports=[port])
    assert (found.kind, found.model, found.url) == ("rehearsal", "rehearsal", "")
    assert str(port) in found.why and "rehearsal" in found.why


async def test_a_server_on_this_machine_is_taken_and_called_by_its_own_name() -> None:
    async with serving(models=[model("Qwen/Qwen3-4B")]) as server:
        found = await find({}, ports=[free_port(), server.port])
    assert found == Found(
        "server",
        f"vLLM on port {server.port} answers as Qwen/Qwen3-4B",
        server.url,
        "Qwen/Qwen3-4B",
    )


async def test_the_earlier_port_wins() -> None:
    async with (
        serving(models=[model("a")]) as first,
        serving(models=[model("b")]) as second,
    ):
        assert (await find({}, ports=[second.port, first.port])).model == "b"
        assert (await find({}, ports=[first.port, second.port])).model == "a"


@pytest.mark.parametrize(
    "models",
    [
        [],
        EMBEDDERS,
        [{"id": "x", "type": "embeddings"}],
        [{"name": "no id"}, "no mapping"],
        Act(b"<html>my own project</html>"),
        Act(b'["a list"]'),
        Act(b'{"data": null}'),
        refuses(404),
        refuses(401),
        refuses(302, Location="http://example.org/"),
        SILENT,
    ],
    ids=str,
)
async def test_whoever_lists_no_model_that_writes_is_passed_over(models: Any) -> None:
    async with serving(models=models) as other, serving(models=[model("writer")]) as server:
        found = await find({}, ports=[other.port, server.port])
        assert found.model == "writer"
        assert (await find({}, ports=[other.port])).kind == "rehearsal"


async def test_among_local_models_the_first_that_writes_is_taken_unless_one_is_wanted() -> None:
    models = [EMBEDDERS[0], model("gemma3:4b", "library"), model("qwen3:8b", "library")]
    async with serving(models=models) as server:
        found = await find({}, ports=[server.port])
        wanted = await find({"OPENAI_MODEL": "qwen3:8b"}, ports=[server.port])
    assert found.model == "gemma3:4b"
    assert found.why.startswith("Ollama") and "OPENAI_MODEL" in found.why
    assert wanted.model == "qwen3:8b"


async def test_a_server_on_this_machine_is_not_shown_the_key() -> None:
    async with serving(models=[model("m")]) as server:
        found = await find({"OPENAI_API_KEY": KEY}, ports=[server.port])
    assert found.api_key == "-"
    assert "authorization" not in server.headers[0]


async def test_the_named_server_goes_before_this_machines() -> None:
    async with (
        serving(models=[model("far")]) as far,
        serving(models=[model("near")]) as near,
    ):
        found = await find(named(far, OPENAI_API_KEY=KEY), ports=[near.port])
        assert (found.kind, found.url, found.model, found.api_key) == (
            "server",
            far.url,
            "far",
            KEY,
        )
        assert far.headers[0]["authorization"] == f"bearer {KEY}"
        assert not near.headers
    assert far.url in found.why
    assert KEY not in repr(found) and KEY not in found.why


async def test_the_named_model_is_used_even_where_there_is_no_list_of_models() -> None:
    async with serving(models=refuses(404)) as server:
        found = await find(named(server, OPENAI_MODEL="mine"))
    assert found.model == "mine"


async def test_a_slash_at_the_end_of_the_address_does_not_matter() -> None:
    async with serving() as server:
        found = await find({"OPENAI_BASE_URL": server.url + "/ "})
    assert found.url == server.url


async def test_a_named_server_that_does_not_answer_is_an_error_and_no_rehearsal() -> None:
    url = f"http://127.0.0.1:{free_port()}/v1"
    async with serving() as near:
        with pytest.raises(JobError, match=f"OPENAI_BASE_URL: {url} does not answer"):
            await find({"OPENAI_BASE_URL": url, "OPENAI_MODEL": "m"}, ports=[near.port])


async def test_a_named_server_that_stays_silent_is_an_error() -> None:
    async with serving(models=SILENT) as server:
        with pytest.raises(JobError, match=r"nothing within 0\.05 s"):
            await find(named(server), named_s=0.05)


@pytest.mark.parametrize(
    ("models", "words"),
    [
        (refuses(401, f"bad key {KEY}"), "OPENAI_API_KEY"),
        (refuses(403), "OPENAI_API_KEY"),
        (refuses(503), "answers 503"),
        (refuses(404), "mostly in /v1"),
        ([], "lists no model that writes text"),
        (EMBEDDERS, "lists no model that writes text"),
        ([model("a"), model("b"), *EMBEDDERS], "OPENAI_MODEL: set it to one of .*: a, b$"),
    ],
    ids=str,
)
async def test_what_is_wrong_with_a_named_server_is_said(models: Any, words: str) -> None:
    async with serving(models=models) as server:
        with pytest.raises(JobError, match=words) as caught:
            await find(named(server, OPENAI_API_KEY=KEY))
    assert server.url in str(caught.value) and KEY not in str(caught.value)


@pytest.mark.parametrize("url", ["127.0.0.1:8000/v1", "http://user:hunter2@host/v1"])
async def test_an_address_that_is_none_is_the_users_to_mend(url: str) -> None:
    with pytest.raises(JobError) as caught:
        await find({"OPENAI_BASE_URL": url})
    assert "hunter2" not in str(caught.value)
