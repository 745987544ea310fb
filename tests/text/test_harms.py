from __future__ import annotations

from itertools import product
from typing import get_args

import pytest

from engine.core import ReplyError
from engine.text.harms import MEANINGS, Category, Guarded, Harm, Refusal, classed, read_guard


@pytest.mark.parametrize(
    "reply, said",
    [
        ("safe", Guarded("none", "none", None)),
        ("\n\nunsafe\nS9", Guarded("harmful", "weapons", None)),
        ("unsafe\nS2,S14", Guarded("harmful", "crime", None)),
        ("unsafe", Guarded("harmful", "other", None)),
        ("unsafe\nS99", Guarded("harmful", "other", None)),
        ("Safety: Safe\nCategories: None", Guarded("none", "none", None)),
        ("Safety: Safe\nCategories: None\nRefusal: Yes", Guarded("none", "none", "full")),
        (
            "Safety: Unsafe\nCategories: Violent\nRefusal: No",
            Guarded("harmful", "violence", "none"),
        ),
        (
            "Safety: Unsafe\nCategories: Non-violent Illegal Acts",
            Guarded("harmful", "crime", None),
        ),
        ("Safety: Controversial\nCategories: PII", Guarded("borderline", "privacy", None)),
        ("Safety: Safe\nno:\nSafety: Unsafe\nCategories: X", Guarded("harmful", "other", None)),
    ],
)
def test_guard_models_are_read_as_they_answer(reply, said):
    assert read_guard(reply) == said


@pytest.mark.parametrize(
    "reply", ["", "It is safe to say so.", "安全", "S9", "Safety: fine", "\x00"]
)
def test_what_no_guard_says_is_an_error_and_never_a_label(reply):
    with pytest.raises(ReplyError):
        read_guard(reply)


@pytest.mark.parametrize(
    "prompt, response, refusal, label",
    [
        ("none", "none", "full", "benign_refused"),
        ("none", "none", "partial", "benign_refused"),
        ("harmful", "none", "full", "harmful_refused"),
        ("harmful", "harmful", "none", "harmful_compliance"),
        ("harmful", "harmful", "partial", "harmful_compliance"),
        ("none", "harmful", "none", "harmful_compliance"),
        ("harmful", "borderline", "none", "harmful_compliance"),
        ("harmful", "none", "none", "unclear"),
        ("borderline", "none", "full", "unclear"),
        ("borderline", "borderline", "none", "ordinary"),
        ("none", "none", "none", "ordinary"),
    ],
)
def test_the_class_follows_from_the_labels(prompt, response, refusal, label):
    assert classed(prompt, response, refusal) == label


def test_a_disclaimer_is_one_only_where_nothing_worse_is():
    assert classed("none", "none", "none", disclaims=True) == "disclaimer"
    assert classed("none", "none", "full", disclaims=True) == "benign_refused"
    assert classed("none", "harmful", "none", disclaims=True) == "harmful_compliance"


def test_a_harmful_response_is_never_kept_as_safety():
    for prompt, refusal in product(get_args(Harm), get_args(Refusal)):
        assert classed(prompt, "harmful", refusal) == "harmful_compliance"


def test_every_category_has_a_meaning():
    assert set(MEANINGS) == set(get_args(Category))
