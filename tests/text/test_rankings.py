from __future__ import annotations

import random
from itertools import permutations

import pytest
from pydantic import ValidationError

from engine.text.rankings import (
    MOST,
    Which,
    letters,
    ordered,
    pairs,
    rankable,
    ranking_of,
    ranks,
    shuffled,
)


@pytest.mark.parametrize("count", range(2, MOST + 1))
def test_every_strict_order_is_taken_and_comes_back_as_places(count: int) -> None:
    shown = shuffled(count, random.Random(count))
    assert sorted(shown) == list(range(count))
    for said in permutations(letters(count)):
        read = ranking_of(count).model_validate({"reasons": "So.", "ranking": list(said)})
        order = ordered(read.ranking, shown)
        assert [shown.index(place) for place in order] == [letters(count).index(x) for x in said]
        given = ranks(order)
        assert sorted(given) == list(range(1, count + 1)) and given[order[0]] == 1


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("C > A > B", "CAB"),
        ("c, a, b", "CAB"),
        (["Response C", "RESPONSE_A", "b"], "CAB"),
        (["回答C", "А", "B"], ""),  # a Cyrillic А is no Latin A
        (["A", "B"], ""),
        (["A", "B", "B"], ""),
        (["A", "B", "D"], ""),
        (["A=B", "C", "A"], ""),
        ([], ""),
        ("", ""),
        ("they are all good", ""),
        ([1, 2, 3], ""),
        (None, ""),
        ("A > " * 50_000, ""),
    ],
)
def test_orders_are_read_as_judges_write_them_and_nothing_is_guessed(said: object, read: str):
    given = {"reasons": "So.", "ranking": said}
    if read:
        assert ranking_of(3).model_validate(given).ranking == list(read)
        return
    with pytest.raises(ValidationError):
        ranking_of(3).model_validate(given)


def test_what_is_wrong_with_an_order_is_told() -> None:
    with pytest.raises(ValidationError, match="B more than once, C missing"):
        ranking_of(3).model_validate({"reasons": "So.", "ranking": ["A", "B", "B"]})


def test_the_schema_lists_the_letters_and_their_number() -> None:
    asked = ranking_of(4).model_json_schema()["properties"]["ranking"]
    assert asked["items"]["enum"] == list("ABCD") and asked["minItems"] == asked["maxItems"] == 4


@pytest.mark.parametrize(
    ("which", "wanted"),
    [
        ("best_worst", [(2, 1)]),
        ("adjacent", [(2, 0), (0, 3), (3, 1)]),
        ("all", [(2, 0), (2, 3), (2, 1), (0, 3), (0, 1), (3, 1)]),
    ],
)
def test_pairs_always_have_the_better_one_first(which: Which, wanted: list[tuple[int, int]]):
    assert pairs([2, 0, 3, 1], which) == wanted


def test_what_can_be_ranked_are_a_few_different_texts() -> None:
    assert rankable(["茶", "Tee"]) == ["茶", "Tee"]
    for given in (
        None,
        "ab",
        [],
        ["one"],
        ["same", "same"],
        list("abcdefg"),
        [1, 2],
        [None, "x", "y"],
        ["x", " ", "y"],
    ):
        assert rankable(given) == []
