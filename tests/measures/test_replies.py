"""What judges write, and the score that is in it: raw strings, most of them seen from models."""

from __future__ import annotations

import pytest

from engine.measures.replies import choice_in, score_in

TO_FIVE: list[tuple[str, float | None]] = [
    # the mark that was asked for
    ("[[4]]", 4),
    ("The answer is right.\n[[5]]", 5),
    ("[[1]]\n", 1),
    ("[[ 3 ]]", 3),
    ("Rating: [[2]].", 2),
    ("**[[4]]**", 4),
    ("`[[4]]`", 4),
    ("[[Score: 4]]", 4),
    ("[[rating = 3]]", 3),
    ("[[4/5]]", 4),
    ("[[4 / 5]]", 4),
    ("[[3.5]]", 3.5),
    ("[[3,5]]", 3.5),
    ("[[4.0]]", 4),
    ("[[4]] I hope this helps!", 4),
    # several marks: the last one decides
    ("At first I thought [[5]], but the sum is wrong. [[2]]", 2),
    ("[[1]] would be too harsh. [[3]] it is: [[3]]", 3),
    ("The form is [[rating]], so: [[4]]", 4),
    ("A would get [[5]] and B [[1]].", 1),
    ("[[4]]\n\nNote: 5 is the highest score, 1 the lowest.", 4),
    ("[[4]]\nConfidence: 3", 4),
    # the last mark is no score: nothing is made up
    ("[[4]] ... on reflection I cannot grade this: [[N/A]]", None),
    ("[[3]] [[?]]", None),
    ("[[rating]]", None),
    ("[[]]", None),
    ("[[6]]", None),
    ("[[0]]", None),
    ("[[10]]", None),
    ("[[-3]]", None),
    ("[[+3]]", None),
    ("[[4-5]]", None),
    ("[[4–5]]", None),
    ("[[4 or 5]]", None),
    ("[[4, 5]]", None),
    ("[[4]5]]", None),
    ("[[3.5.1]]", None),
    ("[[1e0]]", None),
    ("[[four]]", None),
    ("[[4/10]]", None),
    ("[[8/10]]", None),
    ("[[10/10]]", None),
    ("[[4%]]", None),
    ("[[½]]", None),
    ("[[²]]", None),
    ("[[nan]]", None),
    ("[[4]", None),
    ("[[4] ]", None),
    # digits of other scripts
    ("[[٤]]", 4),
    ("[[۴]]", 4),
    ("[[४]]", 4),
    ("[[৪]]", 4),
    ("[[๔]]", 4),
    ("[[４]]", 4),
    ("［［４］］", 4),
    ("[[፬]]", None),
    ("[[၄]]", 4),
    ("[[៤]]", 4),
    ("[[௪]]", 4),
    ("[[四]]", 4),
    ("[[٣٫٥]]", 3.5),
    ("[[٤/٥]]", 4),
    ("[[४/५]]", 4),
    ("[[४]] नहीं, [[२]]", 2),
    ("\u200f[[\u200f٤\u200f]]", 4),
    ("【【4】】", 4),
    # a last line that is a score
    ("4", 4),
    ("4.", 4),
    (" 5 \n\n", 5),
    ("Good work.\n4", 4),
    ("Score: 4", 4),
    ("score=4", 4),
    ("Final score (1-5): 4", 4),
    ("**Score:** 4", 4),
    ("Score: **4**", 4),
    ("### Score: 4", 4),
    ("Score: 4/5", 4),
    ("4/5", 4),
    ("[4]", 4),
    ("Score: [4]", 4),
    ("Feedback: fine. [RESULT] 4", None),
    ("Feedback: fine.\n[RESULT] 4", 4),
    ("[RESULT] 4", 4),
    ("评分：4", 4),
    ("评分：4分", 4),
    ("評価：４点", 4),
    ("점수: 4점", 4),
    ("التقييم: ٤", 4),
    ("अंक: ४", 4),
    ("คะแนน: ๔", 4),
    ("Alama: 4", 4),
    ("Оценка: 4", 4),
    ("Note : 4,5", 4.5),
    ("Bewertung: 3,5", 3.5),
    # numbers that are no score
    ("", None),
    (" \n ", None),
    ("The response is great: 5/5 would read again.", None),
    ("I found 3 errors.", None),
    ("It lists 4 of the 5 rivers, as in [2].", None),
    ("Train leaves at 12:04", None),
    ("Score: 9", None),
    ("Score: 8/10", None),
    ("Score: 4 because it is short", None),
    ("4 out of 5", None),
    ("Score: four", None),
    ("Scores: 4, 5", None),
    ("3\nThat is all.", None),
    ("I cannot grade this.", None),
    ("5" * 40, None),
    ("\x00", None),
    ("\ud800[[4]]\udfff", 4),
]
TO_TEN: list[tuple[str, float | None]] = [
    ("[[10/10]]", 10),
    ("10/10", 10),
    ("[[7]]", 7),
    ("[[١٠/١٠]]", 10),
    ("Score: 10", 10),
    ("[[7.5]]", 7.5),
    ("[[4/5]]", None),
    ("[[十]]", 10),
    ("[[11]]", None),
    ("[[100]]", None),
]


def test_there_are_about_a_hundred_replies() -> None:
    assert len(TO_FIVE) + len(TO_TEN) >= 100


@pytest.mark.parametrize(("reply", "score"), TO_FIVE)
def test_the_score_of_a_reply_on_a_scale_to_five(reply: str, score: float | None) -> None:
    assert score_in(reply, 1, 5) == score


@pytest.mark.parametrize(("reply", "score"), TO_TEN)
def test_the_score_of_a_reply_on_a_scale_to_ten(reply: str, score: float | None) -> None:
    assert score_in(reply, 1, 10) == score


@pytest.mark.parametrize(("reply", "score"), TO_FIVE)
def test_where_scores_are_whole_a_fraction_is_none(reply: str, score: float | None) -> None:
    whole = score if score is not None and score == int(score) else None
    assert score_in(reply, 1, 5, whole=True) == whole


@pytest.mark.parametrize(
    ("reply", "choice"),
    [
        ("[[A]]", "A"),
        ("Not [[A]] but [[B]]", "B"),
        ("[[b]]", "B"),
        ("**[[C]]**", "C"),
        ("[[A]] or [[?]]", None),
        ("[[D]]", None),
        ("A", None),
        ("", None),
        ("【【A】】", "A"),
    ],
)
def test_the_last_choice_counts_and_nothing_else_does(reply: str, choice: str | None) -> None:
    assert choice_in(reply, ("A", "B", "C")) == choice


@pytest.mark.parametrize(
    "text",
    ["[" * 500_000, "1" * 1_000_000, "[[" * 200_000 + "4", "Score: " * 100_000, "语" * 10**6],
)
@pytest.mark.slow
def test_a_megabyte_is_read_in_no_time_and_holds_no_score(text: str) -> None:
    assert score_in(text, 1, 5) is None and choice_in(text, ("A",)) is None
    assert score_in(text + "\n[[3]]", 1, 5) == 3
