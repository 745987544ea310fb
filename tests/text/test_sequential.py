from __future__ import annotations

import random

import pytest

from engine.text.sequential import examples, new_instruction, option, part_off, put_together


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("Option b, not C.", "B"),
        ("C. or prefix", "C"),
        ("选项：Ｂ．", "B"),
        ("not an optional suffix", "C"),
        ("U.S.A. is great", "D"),
        ("", "D"),
        ("слово " * 100_000, "D"),
    ],
)
def test_an_option_is_read_or_kept(reply: str, expected: str) -> None:
    assert option(reply) == expected


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("", ""),
        ("new INSTRUCTION # : x", "x"),
        ("New instruction: 写信 ### rest", "写信"),
        ("New instruction: " + "слово " * 100_000, ("слово " * 100_000).strip()),
    ],
)
def test_the_last_label_is_read(reply: str, expected: str) -> None:
    assert new_instruction(reply) == expected


@pytest.mark.parametrize(
    ("whole", "given"), [("", ""), ("x", ""), ("x", "x"), ("a x b", "x"), ("写信", "信写")]
)
def test_what_is_no_end_is_not_parted(whole: str, given: str) -> None:
    assert part_off(whole, given) is None


@pytest.mark.parametrize(
    "whole", ["Do this\n\nматериал", "材料\n\n做这个", "x " * 50_000 + "\n\ny"]
)
def test_what_was_parted_can_be_put_together(whole: str) -> None:
    for given in (whole.split("\n\n")[0], whole.split("\n\n")[1]):
        parted = part_off(whole, given)
        assert parted and put_together(*parted).split() == whole.split()


def test_examples_are_in_several_languages_and_whole() -> None:
    kinds = {
        kind: examples(kind, random.Random(1)) for kind in ("choose", *["decompose", "prefix"])
    }
    assert [len(found) for found in kinds.values()] == [5, 3, 3]
    assert any(not each["instruction"].isascii() for each in kinds["choose"])
