from __future__ import annotations

import random

import pytest

from engine.symbolic.rewriting import (
    Rule,
    RuleError,
    Shape,
    draw_rules,
    family,
    listed,
    rewrite,
    rule_id,
    with_rule,
    without_rules,
)

SHAPE = Shape(left=(1, 3), right=(1, 3), string=(8, 16), fold=1, families=10)
ALPHABETS = {
    "Latn": "abcde",
    "Thai": "กขคงจ",
    "Deva": "कखगघङ",
    "Hans": "天地人山水",
    "Arab": "ابتثج",
}
every_alphabet = pytest.mark.parametrize("letters", ALPHABETS.values(), ids=ALPHABETS)


@pytest.mark.parametrize(
    ("rules", "text", "mode", "due"),
    [
        ([("ab", "x")], "cabab", "one", "cxab"),
        ([("ab", "x")], "cc", "one", "cc"),
        ([("", "x")][:0] or [("a", "")], "bab", "one", "bb"),
        ([("b", "x"), ("a", "y")], "ab", "step", "ax"),
        ([("z", "x"), ("a", "y")], "ab", "step", "yb"),
        ([("ab", "b"), ("b", "")], "aab", "repeat", ""),
        ([("a", "aa")], "a", "repeat", None),
        ([("ab", "ba")], "aabb", "repeat", "bbaa"),
        ([("กข", "ค")], "กกข", "one", "กค"),
        ([("木山", "羊")], "木木山木山", "one", "木羊木山"),
    ],
)
def test_the_first_place_of_the_first_rule_is_replaced(
    rules: list[tuple[str, str]], text: str, mode: str, due: str | None
) -> None:
    assert rewrite([Rule(*pair) for pair in rules], text, mode, 12) == due  # type: ignore[arg-type]


@every_alphabet
def test_drawn_rules_are_different_of_one_family_and_say_something(letters: str) -> None:
    for n in range(50):
        rules = draw_rules(letters, 3, SHAPE, random.Random(n))
        assert len({rule.left for rule in rules}) == 3
        assert len({family(rule, 10) for rule in rules}) == 1
        assert all(rule.left != rule.right and set(rule.left) <= set(letters) for rule in rules)


@every_alphabet
def test_a_planted_rule_applies_first_where_it_was_planted_and_a_no_op_changes_nothing(
    letters: str,
) -> None:
    for n in range(50):
        rng = random.Random(n)
        rules = [Rule(letters[:2], letters[2])]
        there, absent = (
            with_rule(rules, letters, SHAPE, rng),
            without_rules(rules, letters, SHAPE, rng),
        )
        assert there and rewrite(rules, there, "one") != there
        assert absent and rewrite(rules, absent, "one") == absent
        assert 8 <= len(there) <= 16 and 8 <= len(absent) <= 16


def test_where_no_string_is_without_the_rule_none_is_made_up() -> None:
    assert without_rules([Rule("a", "b")], "a", SHAPE, random.Random(0)) is None


def test_letters_of_a_rule_can_stand_several_times_in_a_row() -> None:
    folded = Shape((1, 2), (1, 2), (8, 16), 3, 1)
    rules = draw_rules("abc", 2, folded, random.Random(1))
    sides = [side for rule in rules for side in (rule.left, rule.right)]
    assert all(side == "".join(letter * 3 for letter in side[::3]) for side in sides)


def test_the_same_rules_have_the_same_id_and_others_another() -> None:
    one, two = Rule("a", "b"), Rule("c", "d")
    assert rule_id([one, two], "step") == rule_id((one, two), "step")
    assert rule_id([one, two], "step") != rule_id([two, one], "step")
    assert rule_id([one, two], "step") != rule_id([one, two], "repeat")
    assert rule_id([Rule("ab", "c")], "one") != rule_id([Rule("a", "bc")], "one")


@pytest.mark.parametrize("value", [None, [], "ab", [["a"]], [["", "b"]], [["a", 3]], [3]])
def test_what_are_no_rules_is_refused(value: object) -> None:
    with pytest.raises(RuleError):
        listed(value)
