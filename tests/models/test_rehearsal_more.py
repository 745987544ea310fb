"""What the rehearsal says when it is asked for more than a chat."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from engine.core import REHEARSAL, Message, ReplyError
from engine.models.chat import Request, Scores, Texts, Tool
from engine.models.rehearsal import Faults, Rehearsal
from engine.text import hashed
from engine.tools import read
from tests.conftest import ROOT

STOCKS = ROOT / "taxonomies" / "rehearsal"
MODEL = Rehearsal(STOCKS)
ASK = Request((Message("user", "Write about bread."),), inputs={"topic": "bread"}, language="de")
OPTIONS = ("Ja", "Nein", "不知道")
BAKE = Tool(
    "bake",
    "Bake.",
    {
        "type": "object",
        "properties": {
            "loaves": {"type": "integer", "minimum": 1, "maximum": 9},
            "kind": {"enum": ["rye", "wheat"]},
            "note": {"type": "string"},
        },
        "required": ["loaves", "kind", "note"],
        "additionalProperties": False,
    },
)
REST = Tool("rest", "Rest.", {"type": "object", "properties": {}})


def asked(request: Request, model: Rehearsal = MODEL):
    return asyncio.run(model.chat(request))


def scored(text: str, *before: str) -> Scores:
    turns = (*(Message("user", each) for each in before), Message("assistant", text))
    return asyncio.run(MODEL.score(Request(turns)))


def embedded(*texts: str) -> np.ndarray:
    vectors = asyncio.run(MODEL.embed(Texts(texts)))
    return np.stack([np.frombuffer(vector.floats, "<f4") for vector in vectors])


def test_samples_differ_and_the_first_is_the_reply_to_a_request_for_one() -> None:
    reply = asked(replace(ASK, n=8))
    assert len(reply.samples) == 8 and len(set(reply.texts)) > 4
    assert reply.text == reply.texts[0] == asked(ASK).text
    assert reply.model == REHEARSAL and reply.tokens_out > asked(ASK).tokens_out
    assert asked(replace(ASK, n=8)) == reply, "the same at every start"


def test_each_sample_has_faults_of_its_own() -> None:
    model = Rehearsal(STOCKS, Faults(empty=0.5))
    reply = asked(replace(ASK, n=60), model)
    assert 10 < sum(not text for text in reply.texts) < 50


def test_a_choice_is_drawn_from_the_options() -> None:
    found = Counter(asked(replace(ASK, options=OPTIONS, seed=seed)).text for seed in range(60))
    assert set(found) == set(OPTIONS)


@pytest.mark.parametrize("fault", ["refusal", "malformed", "repeat", "wrong_language", "empty"])
def test_a_faulty_choice_is_none_of_the_options(fault: str) -> None:
    model = Rehearsal(STOCKS, Faults(**{fault: 1.0}))
    assert asked(replace(ASK, options=OPTIONS), model).text not in OPTIONS


def test_calls_name_a_tool_and_follow_its_schema() -> None:
    names = Counter()
    for seed in range(30):
        reply = asked(replace(ASK, tools=(BAKE, REST), seed=seed))
        [call] = read(reply, [BAKE, REST]).calls
        names[call.name] += 1
        tool = {"bake": BAKE, "rest": REST}[call.name]
        jsonschema.validate(dict(call.arguments), dict(tool.parameters))
        assert reply.tokens_out > 0
    assert set(names) == {"bake", "rest"}


def test_a_faulty_call_is_refused_by_who_reads_it() -> None:
    reply = asked(replace(ASK, tools=(BAKE,)), Rehearsal(STOCKS, Faults(malformed=1.0)))
    with pytest.raises(ReplyError, match="not JSON"):
        read(reply, [BAKE])
    with pytest.raises(json.JSONDecodeError):
        json.loads(reply.tool_calls[0].arguments)


def test_a_model_that_declines_calls_nothing() -> None:
    reply = asked(replace(ASK, tools=(BAKE,)), Rehearsal(STOCKS, Faults(refusal=1.0)))
    assert reply.text and not reply.tool_calls


@pytest.mark.parametrize(
    "text", ["Bread is baked.", "面包是烤的。", "रोटी पकती है।", "x", "a\n\nb ", "語 word " * 20_000]
)
def test_every_character_is_in_a_scored_token(text: str) -> None:
    scores = scored(text, "Bread?")
    assert "".join(scores.tokens) == text
    assert len(scores.tokens) == len(scores.logprobs)
    assert all(-6 <= value <= 0 for value in scores.logprobs)
    assert scores.model == REHEARSAL and scores.tokens_in > 0


def test_a_text_about_what_was_asked_is_likelier() -> None:
    about = scored("Rye bread rises slowly.", "Tell me about rye bread.")
    other = scored("Rye bread rises slowly.", "Tell me about the tides.")
    assert about.mean_nll < other.mean_nll
    assert scored("Rye bread.").logprobs == scored("Rye bread.").logprobs


def test_nothing_has_no_tokens() -> None:
    assert scored("").tokens == ()


def test_vectors_are_the_hashed_ones_and_carry_the_rehearsals_name() -> None:
    texts = ("Bread and salt.", "面包和盐", "")
    assert (embedded(*texts) == np.stack([hashed.vector(text) for text in texts])).all()
    [vector] = asyncio.run(MODEL.embed(Texts(("bread",))))
    assert vector.model == REHEARSAL and vector.tokens_in == 2
