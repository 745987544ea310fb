"""Records become rows in four formats; what cannot be expressed is refused, not mangled."""

import json
from dataclasses import replace

import pyarrow as pa
import pytest

from engine.core import Call, Hop, JobError, Message, Record
from engine.rows import FORMATS, row, schema
from engine.text.instances import LAYOUTS, laid_out
from tests.conftest import seed

CALLS = (
    Call("answer@1a2b3c", "writer", "big-model", "k1", 12, 34),
    Call("judge@4d5e6f", "judge", "small-model", "k2", 5, 6),
    Call("judge@4d5e6f", "judge", "small-model", "k3", 7, 8),
)


def full() -> Record:
    """A record that every format can express."""
    record = seed("Wie spät ist es?", response="Zwölf.", rejected="Keine Ahnung.", source="lines")
    return replace(record, lineage=(Hop("evolve", "parent0", CALLS), Hop("length", "seed")))


@pytest.mark.parametrize("format", FORMATS)
def test_every_row_fits_its_schema_and_says_where_it_comes_from(format):
    made = row(full().with_facts(licence="CC-BY-4.0"), format)
    assert list(made) == schema(format).names
    back = pa.Table.from_pylist([made], schema=schema(format)).to_pylist()[0]
    assert back == made
    assert (made["source"], made["licence"], made["language"]) == ("lines", "CC-BY-4.0", "de")
    assert made["models"] == ["big-model", "small-model"]
    assert made["lineage"][0]["calls"][0] == {
        "prompt": "answer@1a2b3c",
        "role": "writer",
        "model": "big-model",
        "key": "k1",
        "tokens_in": 12,
        "tokens_out": 34,
    }
    assert made["lineage"][1] == {"step": "length", "parent": "seed", "calls": []}
    assert made["rehearsal"] is False


def test_one_rehearsed_call_marks_the_row():
    call = Call("answer@1a2b3c", "writer", "rehearsal", "k")
    assert row(replace(full(), lineage=(Hop("s", "p", (call,)),)), "messages")["rehearsal"] is True


def test_messages_keep_every_turn_in_order():
    turns = (Message("system", "s"), Message("user", "u"), Message("assistant", "a"))
    made = row(replace(full(), messages=turns), "messages")["messages"]
    assert [(m["role"], m["content"]) for m in made] == [(m.role, m.content) for m in turns]


def test_sharegpt_has_its_own_names_for_the_speakers():
    turns = (Message("system", "s"), Message("user", "u"), Message("assistant", "a"))
    made = row(replace(full(), messages=turns), "sharegpt")["conversations"]
    assert [m["from"] for m in made] == ["system", "human", "gpt"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_alpaca_takes_instruction_and_input_apart(layout: str):
    asked = laid_out("把下文译成德文。", "你好", layout)
    record = seed(asked, response="Hallo", instruction="把下文译成德文。", input="你好")
    made = row(record, "alpaca")
    assert (made["instruction"], made["input"], made["output"]) == (
        "把下文译成德文。",
        "你好",
        "Hallo",
    )


@pytest.mark.parametrize(
    "asked", ["Translate this: hello", "Übersetze: hello", "Übersetze:\n\nhello\n\nPlease."]
)
def test_alpaca_follows_the_message_where_the_facts_are_out_of_date(asked: str):
    record = seed(asked, response="Hallo", instruction="Übersetze:", input="hello")
    made = row(record, "alpaca")
    assert (made["instruction"], made["input"]) == (asked, "")


def test_alpaca_refuses_a_second_exchange():
    record = full()
    with pytest.raises(JobError, match=r"record seed cannot be written as alpaca.*messages"):
        row(replace(record, messages=record.messages * 2), "alpaca")


def test_preference_is_prompt_chosen_and_rejected_as_messages():
    made = row(full(), "preference")
    assert made["prompt"] == [{"role": "user", "content": "Wie spät ist es?"}]
    assert made["chosen"] == [{"role": "assistant", "content": "Zwölf."}]
    assert made["rejected"] == [{"role": "assistant", "content": "Keine Ahnung."}]


def test_preference_refuses_a_record_without_a_losing_answer():
    with pytest.raises(JobError, match=r"record seed cannot be written as preference.*'rejected'"):
        row(seed("a", response="b"), "preference")


def test_facts_are_json_with_sorted_keys():
    made = row(seed("a", response="b", zebra=[1, {"x": None}], apple="Ä"), "messages")["facts"]
    assert made == '{"apple": "Ä", "zebra": [1, {"x": null}]}'


def test_half_a_surrogate_pair_and_nul_do_not_stop_the_writer():
    made = row(seed("x\ud83d\x00y", response="\ud83d\ude00", note="\udc00"), "messages")
    table = pa.Table.from_pylist([made], schema=schema("messages"))
    user, assistant = table.to_pylist()[0]["messages"]
    assert user["content"] == "x\ufffd\x00y"
    assert assistant["content"] == "😀"
    assert json.loads(made["facts"]) == {"note": "\ufffd"}
