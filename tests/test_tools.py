"""What a model called, held against what it was offered."""

from __future__ import annotations

import json

import pytest

from engine.core import ReplyError
from engine.models.chat import Reply, Tool, ToolCall
from engine.tools import check, read, told

FIND = Tool(
    "find",
    "Find a book.",
    {
        "type": "object",
        "properties": {"书名": {"type": "string"}, "pages": {"$ref": "#/$defs/pages"}},
        "required": ["书名"],
        "$defs": {"pages": {"type": "array", "items": {"type": "integer"}}},
    },
)


def reply(name: str, arguments: str, text: str = "") -> Reply:
    return Reply(text, "m", tool_calls=(ToolCall(name, arguments),))


def test_tools_that_can_be_offered_pass() -> None:
    check([FIND, Tool("stop", "Stop.", {"type": "object"})])


@pytest.mark.parametrize(
    ("tools", "why"),
    [
        ([], "at least one"),
        ([FIND, FIND], "names of their own"),
        ([Tool("x", "", {"type": "objekt"})], "the parameters of x: 'objekt'"),
    ],
)
def test_tools_that_cannot_be_offered_are_the_parts_mistake(tools: list[Tool], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        check(tools)


def test_references_within_a_schema_hold() -> None:
    found = read(reply("find", '{"书名": "红楼梦", "pages": [1, 2]}'), [FIND])
    assert found.calls[0].arguments == {"书名": "红楼梦", "pages": [1, 2]}
    with pytest.raises(ReplyError, match=r"pages\.1: 'two' is not of type 'integer'"):
        read(reply("find", '{"书名": "x", "pages": [1, "two"]}'), [FIND])


def test_a_schema_cannot_have_an_address_fetched() -> None:
    remote = Tool("x", "", {"type": "object", "properties": {"a": {"$ref": "http://h.test/s"}}})
    with pytest.raises(Exception, match="Unresolvable") as caught:
        read(reply("x", '{"a": 1}'), [remote])
    assert "http://h.test/s" in str(caught.value)


def test_a_long_argument_that_is_wrong_is_told_briefly() -> None:
    with pytest.raises(ReplyError) as caught:
        read(reply("find", json.dumps({"书名": ["長"] * 100_000})), [FIND])
    assert len(str(caught.value)) < 400


def test_a_reply_can_be_told_as_text_for_the_next_turn() -> None:
    said = reply("find", '{"书名": "नमस्ते"}', " Moment. ")
    assert told(said) == 'Moment.\n{"name": "find", "arguments": {"书名": "नमस्ते"}}'
    assert told(Reply("", "m")) == ""
