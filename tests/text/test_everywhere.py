from __future__ import annotations

from engine.core import Message, Record
from engine.text.everywhere import rewritten

FACTS = {"document": "a", "source": "a", "scores": {"mean": 1.5}, "tags": ["b", "a"], "n": None}


def upper_a(text: str) -> str:
    return text.replace("a", "A")


def test_turns_and_the_texts_among_facts_are_changed_and_the_origin_is_not():
    record = Record("r", "en", (Message("system", "a"), Message("user", "b")), FACTS)
    new = rewritten(record, upper_a)
    assert [m.content for m in new.messages] == ["A", "b"]
    assert new.facts == {**FACTS, "document": "A", "tags": ["b", "A"]}
    assert record.facts["document"] == "a"


def test_a_record_that_nothing_changes_is_the_same_one():
    record = Record("r", "th", (Message("user", "สวัสดี"),), {"x": [{"y": ["z"]}], "t": (1, "")})
    assert rewritten(record, upper_a) is record
    assert rewritten(Record("r", "en"), upper_a) == Record("r", "en")


def test_facts_can_be_spared():
    record = Record("r", "en", (), {"url": "a", "document": "a"})
    assert rewritten(record, upper_a, ("url",)).facts == {"url": "a", "document": "A"}


def test_deep_values_and_a_long_text_are_reached():
    record = Record("r", "en", (), {"rejected": {"turns": [{"content": "a" * 1_000_000}]}})
    assert rewritten(record, upper_a).facts["rejected"]["turns"][0]["content"][-1] == "A"
