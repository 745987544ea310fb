from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from engine.core import Drop, JobError, Outcome, Record
from engine.passes.semantic_duplicate import PASS
from engine.text.embedding import FACT, embedding_fact
from engine.text.hashed import vector
from tests.conftest import seed, settle


def row(id_: str, text: str, language: str = "en", made: np.ndarray | None = None) -> Record:
    made = vector(text) if made is None else made
    fact = {FACT: embedding_fact(made, "hashed-ngrams", "instruction")} if made.any() else {}
    return replace(seed(text, language, **fact), id=id_)


def kept(outcomes: Iterable[Outcome]) -> list[str]:
    return [outcome.id for outcome in outcomes if isinstance(outcome, Record)]


@pytest.mark.parametrize(
    "one, two",
    [
        ("Write a poem about the spring", "write a poem about the spring!"),
        ("Schreib ein Gedicht über den Frühling", "Schreib ein Gedicht über den Frühling?"),
        ("请写一首关于春天的短诗", "请写一首关于春天的短诗。"),
        ("اكتب قصيدة قصيرة عن الربيع", "اكتب قصيدة قصيرة عن الربيع؟"),
        ("वसंत पर एक छोटी कविता लिखो", "वसंत पर एक छोटी कविता लिखो।"),
        ("จงเขียนบทกวีเกี่ยวกับฤดูใบไม้ผลิ", "จงเขียนบทกวีเกี่ยวกับฤดูใบไม้ผลิ!"),
        ("Andika shairi fupi kuhusu majira", "Andika shairi fupi kuhusu majira."),
    ],
)
def test_the_second_of_two_near_vectors_is_dropped_and_says_of_whom(one, two):
    rows = [row("a", one), row("b", "Ein Rezept 77 mit Linsen"), row("c", two)]
    first, other, drop = settle(PASS, rows, threshold=0.8)
    assert (first, other) == (rows[0], rows[1])
    assert isinstance(drop, Drop) and drop.reason == "semantic_duplicate"
    assert drop.detail == f"cosine {vector(one) @ vector(two):.3f} with a"


def test_the_threshold_is_a_cosine():
    angle = [0.0, 0.2, 0.5]
    rows = [row(f"r{n}", "x", made=np.array([np.cos(a), np.sin(a)])) for n, a in enumerate(angle)]
    assert kept(settle(PASS, rows, threshold=0.99)) == ["r0", "r1", "r2"]
    assert kept(settle(PASS, rows, threshold=0.97)) == ["r0", "r2"]
    assert kept(settle(PASS, rows, threshold=0.87)) == ["r0"]


def test_within_languages_only_those_of_one_are_compared():
    rows = [
        row("a", "Hallo Welt", "de"),
        row("b", "Hallo Welt", "nl"),
        row("c", "Hallo Welt", "de"),
    ]
    assert kept(settle(PASS, rows)) == ["a"]
    assert kept(settle(PASS, rows, languages="within")) == ["a", "b"]


def test_earlier_rounds_come_first_and_stay_whatever_they_are():
    old = [row("o0", "数到十"), row("o1", "数到十")]
    outcomes = settle(PASS, [row("a", "数到十"), row("b", "من واحد")], old)
    assert kept(outcomes) == ["b"] and outcomes[0].detail == "cosine 1.000 with o0"


def test_a_vector_may_be_left_behind():
    kept_one, drop = settle(PASS, [row("a", "eins"), row("b", "eins")], forget=True)
    assert FACT not in kept_one.facts and FACT not in drop.record.facts


def test_records_without_a_text_are_kept_and_nothing_is_nothing():
    assert kept(settle(PASS, [row("a", ""), row("b", "\n"), row("c", "")])) == ["a", "b", "c"]
    assert settle(PASS, []) == []


def test_ten_thousand_equal_rows_leave_one():
    same = row("r", "Zähle bis zehn!")
    outcomes = settle(PASS, (replace(same, id=f"r{n}") for n in range(10_000)), threshold=1)
    assert kept(outcomes) == ["r0"]


@pytest.mark.parametrize("text", ["长" * 350_000, "\ud83d kaputt", "\u202bنعم\u202c\0"])
def test_odd_texts_are_compared_like_any(text):
    assert kept(settle(PASS, [row("a", text), row("b", text)])) == ["a"]


def test_without_vectors_the_job_is_told_what_is_missing():
    with pytest.raises(JobError, match="put the filter embed before"):
        settle(PASS, [seed("ohne Vektor")])


def test_the_same_records_give_the_same_outcomes():
    rows = [row(f"r{n}", f"Satz {n * n % 97} über Zahl {n % 13}") for n in range(400)]
    outcomes = settle(PASS, rows, threshold=0.8)
    assert outcomes == settle(PASS, iter(rows), threshold=0.8)
    assert 20 < len(kept(outcomes)) < 380
    assert [getattr(o, "record", o) for o in outcomes] == rows
