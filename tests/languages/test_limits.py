from __future__ import annotations

from pathlib import Path

import pytest

from engine.core import JobError
from engine.languages.limits import (
    Band,
    Limit,
    Limits,
    Measured,
    calibrated,
    read,
    verdict,
    written,
)

HEAD = "version: 1\ntail: 0.05\n"
ROWS = [Measured("en", "zh-CN", "m", {"chrf": float(n), "length_ratio": n / 10}) for n in range(40)]


def file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "l.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    return path


def test_limits_are_percentiles_that_occur_with_no_more_than_the_tail_beyond():
    limits, few = calibrated(ROWS, 0.05, 30)
    limit = limits.of("en", "zh-Hans", "m")
    assert limit and limit.count == 40 and not few
    assert limit.bands["chrf"] == Band(min=2.0)
    assert limit.bands["length_ratio"] == Band(min=0.2, max=3.7)
    passing = [row for row in ROWS if verdict(row.quality, limit)[0] == ""]
    assert len(passing) == 36, "at most 5 % beyond each of two ends"


@pytest.mark.parametrize("tail", [0.01, 0.05, 0.2])
def test_at_least_the_rest_of_the_set_passes_each_limit(tail: float):
    limit = calibrated(ROWS, tail, 1)[0].of("en", "zh-CN", "m")
    assert limit
    held = sum(limit.bands["chrf"].holds(row.quality["chrf"]) for row in ROWS)
    assert held >= (1 - tail) * len(ROWS)


def test_each_translator_and_each_pair_has_its_own():
    rows = [*ROWS, *(Measured("en", "de", "m", {"chrf": 80.0 + n}) for n in range(9))]
    rows += [Measured("en", "zh-Hans", "other", {"chrf": 60.0 + n}) for n in range(30)]
    limits, few = calibrated(rows, 0.05, 30)
    assert set(limits.pairs) == {"en>zh-Hans"} and set(limits.pairs["en>zh-Hans"]) == {"m", "other"}
    assert few == [("en>de", "m", 9)]
    assert limits.of("en", "de", "m") is None and limits.of("zh-Hans", "en", "m") is None


def test_what_only_some_rows_have_is_not_limited():
    rows = [*ROWS[:39], Measured("en", "zh-CN", "m", {"length_ratio": 1.0})]
    limit = calibrated(rows, 0.05, 30)[0].of("en", "zh-CN", "m")
    assert limit and set(limit.bands) == {"length_ratio"}


def test_too_few_are_an_error_that_says_how_many():
    with pytest.raises(JobError, match=r"no pair has 100 translations: en>zh-Hans by m: 40"):
        calibrated(ROWS, 0.05, 100)
    with pytest.raises(JobError, match="there are none"):
        calibrated([], 0.05, 1)


def test_what_is_written_is_read_again(tmp_path: Path):
    limits = calibrated(ROWS, 0.05, 30)[0]
    path = tmp_path / "l.yaml"
    path.write_text(written(limits), encoding="utf-8")
    assert read(path) == limits


@pytest.mark.parametrize(
    "text, why",
    [
        ("chrf: 50\npairs: {}\n", "Spanish"),
        ("min_chrf: 50\npairs: {}\n", "36 in Chinese"),
        ("pairs:\n  '*': {m: {count: 9, bands: {chrf: {min: 50}}}}\n", "engine calibrate"),
        ("pairs:\n  all: {m: {count: 9, bands: {chrf: {min: 50}}}}\n", "per language pair"),
        ("pairs:\n  en>*: {m: {count: 9, bands: {chrf: {min: 50}}}}\n", "per language pair"),
        ("pairs:\n  en>de: {'*': {count: 9, bands: {chrf: {min: 50}}}}\n", "translator"),
        (
            "pairs:\n  en>de: {m: {count: 9, bands: {chrf: {min: 50}}}}\n"
            "  en>zh-Hans: {m: {count: 9, bands: {chrf: {min: 50}}}}\n",
            "one chrF limit for all languages",
        ),
        ("pairs:\n  en>de: {m: {count: 9, bands: {bleu: {min: 50}}}}\n", "no measure is called"),
        ("pairs: {en>de: [}\n", "is no YAML"),
    ],
)
def test_a_single_limit_for_all_languages_is_refused_with_the_reason(
    tmp_path: Path, text: str, why: str
):
    with pytest.raises(JobError, match=why):
        read(file(tmp_path, text))
    with pytest.raises(JobError, match="cannot be read"):
        read(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    "vector, reason",
    [({"chrf": 40, "length_ratio": 1}, ""), ({"chrf": 39.9}, "low_chrf"),
     ({"length_ratio": 2.1}, "odd_length"), ({"length_ratio": 0.4}, "odd_length"), ({}, "")],
)  # fmt: skip
def test_the_first_measure_beyond_its_limit_is_the_reason(vector: dict[str, float], reason: str):
    bands = {"chrf": Band(min=40), "length_ratio": Band(min=0.5, max=2)}
    assert verdict(vector, Limit(count=30, bands=bands))[0] == reason
    assert Limits(tail=0.1, pairs={}).uses("chrf") is False
