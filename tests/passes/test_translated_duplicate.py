from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from engine.core import Drop, JobError, Outcome, Record
from engine.passes.translated_duplicate import PASS
from engine.text.embedding import FACT, embedding_fact
from tests.conftest import seed, settle

LANGUAGES = ["en", "de", "zh", "ar", "hi", "th", "sw"]
RNG = np.random.default_rng(8)
THEME = RNG.standard_normal(48) * 0.7
MEANINGS = THEME + RNG.standard_normal((40, 48))


def row(meaning: int, language: str, shift: int = 0, **facts: object) -> Record:
    noise = np.random.default_rng([meaning, shift, LANGUAGES.index(language)])
    made = (MEANINGS[meaning] + noise.standard_normal(48) / 5).astype(np.float32)
    fact = {FACT: embedding_fact(made, "labse", "instruction")}
    return replace(
        seed(f"{language} {meaning}", language, **fact, **facts), id=f"{language}{meaning}"
    )


def kept(outcomes: Iterable[Outcome]) -> list[str]:
    return [outcome.id for outcome in outcomes if isinstance(outcome, Record)]


def two_languages(one: str, two: str, **facts: object) -> list[Record]:
    """Twelve meanings each, of which the last four of one are the first four of the other."""
    left = [row(n, one, **facts) for n in range(12)]
    return left + [row(n, two, **facts) for n in range(8, 20)]


@pytest.mark.parametrize("one, two", [*pairwise(LANGUAGES)])
def test_of_translations_the_first_is_kept_and_the_other_says_of_what_it_is_one(one, two):
    outcomes = settle(PASS, two_languages(one, two))
    drops = [outcome for outcome in outcomes if isinstance(outcome, Drop)]
    assert [drop.record.id for drop in drops] == [f"{two}{n}" for n in range(8, 12)]
    assert all(drop.detail.endswith(f"with {one}{drop.record.id[2:]} ({one})") for drop in drops)
    assert {drop.reason for drop in drops} == {"translated_duplicate"}


def test_copies_within_a_language_are_another_pass_es_business():
    rows = [row(n % 6, "de", shift=n) for n in range(12)]
    assert len(kept(settle(PASS, rows))) == 12


def test_translations_on_purpose_stay():
    rows = [
        replace(r, facts={**r.facts, "parallel": int(r.id[2:])}) for r in two_languages("en", "de")
    ]
    assert len(kept(settle(PASS, rows))) == 24
    assert len(kept(settle(PASS, rows, parallel="row"))) == 20
    same_row = [replace(r, facts={**r.facts, "parallel": r.id}) for r in two_languages("en", "de")]
    assert len(kept(settle(PASS, same_row))) == 20


def test_of_three_languages_one_record_of_a_meaning_is_left():
    rows = [row(n, language) for language in ("zh", "ar", "sw") for n in range(10)]
    assert kept(settle(PASS, rows)) == [f"zh{n}" for n in range(10)]


def test_what_earlier_rounds_kept_stays_and_comes_first():
    old, new = two_languages("en", "de")[:12], two_languages("en", "de")[12:]
    outcomes = settle(PASS, new, old)
    assert kept(outcomes) == [f"de{n}" for n in range(12, 20)]
    assert settle(PASS, [], two_languages("en", "de")) == []
    later = [row(n, "zh") for n in range(30, 36)]
    assert len(kept(settle(PASS, later, two_languages("en", "de")))) == 6


def test_a_wider_margin_or_cosine_finds_less():
    rows = two_languages("en", "de")
    assert len(kept(settle(PASS, rows, margin=3))) == 24
    assert len(kept(settle(PASS, rows, min_cosine=1))) == 24


def test_records_without_a_text_stay_and_nothing_is_nothing():
    empty = [replace(seed("", "de"), id=f"e{n}") for n in range(3)]
    outcomes = settle(PASS, [*empty, *two_languages("en", "de")])
    assert kept(outcomes)[:3] == ["e0", "e1", "e2"] and len(kept(outcomes)) == 23
    assert settle(PASS, []) == [] and settle(PASS, [row(1, "th")]) == [row(1, "th")]


def test_ten_thousand_equal_rows_in_two_languages_lose_no_more_than_one():
    one, two = row(1, "en"), row(1, "de")
    rows = [replace(each, id=f"{each.language}{n}") for n in range(5000) for each in (one, two)]
    assert len(kept(settle(PASS, rows))) >= 9999


def test_vectors_that_know_spelling_only_are_refused():
    fact = {FACT: embedding_fact(np.ones(4, np.float32), "hashed-ngrams", "instruction")}
    with pytest.raises(JobError, match="know nothing of translations"):
        settle(PASS, [seed("eins", **fact)])
