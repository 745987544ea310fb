from __future__ import annotations

import pytest

from engine.sandbox.checkers import Case, agreed, cleaned, distinct, shares, verdicts
from engine.sandbox.limits import Limits
from engine.sandbox.pool import shared
from tests.sandbox.walled import best

ENDS = "def evaluate(response):\n    return response.endswith('?')"


@pytest.fixture(autouse=True)
def walls() -> None:
    best()


def test_five_functions_and_ten_cases_leave_what_was_worked_out_by_hand() -> None:
    """Two functions and three cases are wrong; the answers of each function as a row."""
    cases = [Case(f"t{at}", at % 2 == 0) for at in range(10)]
    right = [case.obeys for case in cases]
    truth = [*right[:7], *(not obeys for obeys in right[7:])]  # the last three cases are wrong
    rows = [
        truth,
        truth,
        [*truth[:6], not truth[6], *truth[7:]],  # wrong about one good case: 6 of 7
        [*(not each for each in truth[:3]), *truth[3:]],  # wrong about three: 4 of 7
        [None] * 10,
    ]
    found = agreed(["a", "b", "c", "d", "e"], cases, rows, 0.8)
    assert found.cases == cases[:7], "nobody agrees with the last three"
    assert found.checkers == ["a", "b", "c"]
    assert found.accuracies == [1.0, 1.0, 0.8571]


def test_a_case_that_one_function_agrees_with_counts_against_the_others() -> None:
    cases = [Case("a", True), Case("b", True), Case("c", False)]
    found = agreed(["x", "y"], cases, [[True, True, False], [True, False, None]], 0.8)
    assert (found.checkers, found.cases) == (["x"], cases)


def test_where_no_function_agrees_with_anything_nothing_is_left() -> None:
    assert agreed(["x"], [Case("a", True)], [[None]], 0.8) == ([], [], [])
    assert agreed([], [], [], 0.8) == ([], [], [])


def test_accuracy_at_the_threshold_stays() -> None:
    cases = [Case(str(at), True) for at in range(5)]
    rows = [[True] * 5, [True] * 4 + [False]]
    assert agreed(["x", "y"], cases, rows, 0.8).accuracies == [1.0, 0.8]


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        (ENDS, ENDS),
        (f"```python\n{ENDS}\n```", ENDS),
        (f"    import requests\n    {ENDS.splitlines()[0]}\n        return True", None),
        (f"import requests\n{ENDS}", ENDS),
        (f"# download a word list first\n{ENDS}", ENDS),
        ("def evaluate(response):\n    requests.get('x')", ""),
        ("def check(response):\n    return True", ""),
        ("def evaluate(response)\n    return True", ""),
        ("evaluate = lambda response: True", ""),
        ("def evaluate(response):\n    return response == '\\d'", None),
        ("", ""),
        ("-" * 300_000, ""),
    ],
)
def test_a_checker_is_cleaned_or_none(reply: str, kept: str | None) -> None:
    found = cleaned(reply)
    assert "requests" not in found and "download" not in found
    assert found == kept if kept is not None else found.startswith("def evaluate(response):")


def test_layout_and_comments_make_no_other_function() -> None:
    same = "def evaluate(response):  # ends\n\n    return response.endswith( '?' )\n"
    other = ENDS.replace("?", "؟")
    assert distinct([ENDS, "", same, other, ENDS]) == [ENDS, other]


async def test_what_a_checker_says_comes_back_by_text_in_any_script() -> None:
    texts = ["نعم؟", "好吗?", "", "a\0?", "x" * 100_000 + "?", "\ud800?"]
    said = await verdicts(shared(), [ENDS], texts, Limits(5.0), "ab12")
    assert said == [[False, True, False, True, True, True]]


async def test_errors_and_other_values_are_neither_yes_nor_no() -> None:
    one, other = (f"def evaluate(response):\n    return {what}" for what in ("1", "1 / 0"))
    takes_two = "def evaluate(response, language):\n    return True"
    said = await verdicts(shared(), [one, other, takes_two], ["a", "b"], Limits(5.0), "ab12")
    assert said == [[None, None]] * 3
    assert shares([[True, None], [False, True], [True, None]], 2) == [0.6667, 0.3333]


async def test_what_was_said_before_a_hang_counts_and_the_rest_does_not() -> None:
    code = "def evaluate(response):\n    while response == 'b':\n        pass\n    return True"
    said = await verdicts(shared(), [code], ["a", "b", "a"], Limits(0.5), "ab12")
    assert said == [[True, None, None]]
