"""What the engine relies on, asked of a real vLLM."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from engine.core import Message, ModelError
from engine.models.chat import Request
from tests.server.conftest import Live

SCHEMA = {
    "type": "object",
    "properties": {"score": {"type": "integer", "minimum": 1, "maximum": 5}},
    "required": ["score"],
    "additionalProperties": False,
}


def request(text: str = "Tell me about bread.", **changes: object) -> Request:
    sampling = {"max_tokens": 24, **changes.pop("sampling", {})}  # type: ignore[dict-item]
    return Request((Message("user", text),), sampling, **changes)  # type: ignore[arg-type]


def test_what_it_can_do_was_found_out_before_the_first_call(live: Live) -> None:
    found = live.server.abilities
    assert found.version.startswith("0.") and found.max_model_len == 2048
    for name in ("chat", "json_schema", "choice", "logprobs", "prompt_logprobs", "tokenize"):
        assert getattr(found, name), name
    assert found.lora and found.metrics and not found.embeddings


def test_it_chats_and_counts_tokens(live: Live) -> None:
    reply = live.loop.run(live.chat.chat(request()))
    assert reply.text and reply.model == "tiny"
    assert reply.tokens_in > 5 and reply.tokens_out == 24 and reply.truncated


def test_the_same_seed_gives_the_same_text_and_another_seed_another(live: Live) -> None:
    texts = [live.loop.run(live.chat.chat(request(seed=seed))).text for seed in (5, 5, 6)]
    assert texts[0] == texts[1] != texts[2]


def test_n_samples_come_from_one_request(live: Live) -> None:
    texts = [choice["message"]["content"] for choice in live.ask(n=4)["choices"]]
    assert len(set(texts)) == 4


def test_a_reply_follows_its_json_schema(live: Live) -> None:
    for seed in range(5):
        reply = live.loop.run(live.chat.chat(request(schema=SCHEMA, seed=seed)))
        assert 1 <= json.loads(reply.text)["score"] <= 5


def test_a_reply_is_one_of_the_choices(live: Live) -> None:
    choices = ["bread", "вода", "塩"]
    reply = live.ask(structured_outputs={"choice": choices})
    assert reply["choices"][0]["message"]["content"] in choices


def test_log_probabilities_come_with_each_token(live: Live) -> None:
    tokens = live.ask(logprobs=True, top_logprobs=3)["choices"][0]["logprobs"]["content"]
    assert len(tokens) == 24 and all(token["logprob"] <= 0 for token in tokens)
    assert all(len(token["top_logprobs"]) >= 3 for token in tokens)


def test_a_prompt_is_scored_token_by_token(live: Live) -> None:
    reply = live.ask("a b c", max_tokens=1, prompt_logprobs=0, add_generation_prompt=False)
    first, *others = reply["prompt_logprobs"]
    assert first is None and len(others) == reply["usage"]["prompt_tokens"] - 1
    values = [next(iter(token.values()))["logprob"] for token in others]
    assert all(math.isfinite(value) and value < 0 for value in values)


@pytest.mark.parametrize("text", ["bread and salt", "хлеб и соль", "面包和盐", ""])
def test_tokens_come_back_as_the_text_they_were(live: Live, text: str) -> None:
    tokens = live.post("/tokenize", prompt=text, add_special_tokens=False).json()["tokens"]
    assert live.post("/detokenize", tokens=tokens).json()["prompt"] == text


def test_an_adapter_is_loaded_and_answers_otherwise(live: Live, tiny: Path) -> None:
    adapter = str(tiny.with_name(f"{tiny.name}-lora"))
    loaded = live.post("/v1/load_lora_adapter", lora_name="adapted", lora_path=adapter)
    assert loaded.status_code == 200, loaded.text
    own = live.ask(temperature=0)["choices"][0]["message"]["content"]
    adapted = live.ask(temperature=0, model="adapted")["choices"][0]["message"]["content"]
    assert own != adapted
    assert live.post("/v1/unload_lora_adapter", lora_name="adapted").status_code == 200


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (request("word " * 5000), "refused: 400 .*maximum context length"),
        (request(schema={"type": "nonsense"}), "refused: 400 .*JSON schema"),
        (request(sampling={"max_tokens": 99999}), "refused: 400 "),
        (request(sampling={"model": "another"}), "refused: 404 .*another"),
    ],
    ids=["too long a prompt", "bad schema", "too many tokens", "unknown model"],
)
def test_what_it_refuses_is_told_in_its_own_words(live: Live, asked: Request, why: str) -> None:
    with pytest.raises(ModelError, match=why):
        live.loop.run(live.chat.chat(asked))


def test_nobody_else_on_the_machine_can_use_it(live: Live) -> None:
    import httpx

    found = httpx.get(f"{live.server.root}/v1/models", trust_env=False)
    assert found.status_code == 401
