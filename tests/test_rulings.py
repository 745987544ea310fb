from __future__ import annotations

from typing import Any

from engine.core import Hop, Record, Verdict
from engine.rulings import COLUMNS, EXAMPLES, of


def said(number: int, language: str, source: str, **verdicts: Any) -> Record:
    """A record with these verdicts, by step."""
    hops = tuple(
        Hop(step, "p", (), Verdict(f"{step}_check", "0a1b2c3d", ruling, "why", 0.5))
        for step, ruling in verdicts.items()
    )
    return Record(f"r{number}", language, (), {"source": source}, (Hop("make", "p"), *hops))


def test_counts_and_rates_are_by_check_language_and_source() -> None:
    rulings = of(
        [said(1, "sw", "web", length="pass", judge="pass"), said(2, "de", "web", length="pass")],
        [said(3, "sw", "books", length="pass", judge="fail"), said(4, "sw", "web", length="fail")],
    )
    length, judge = rulings.table(["make", "length", "judge"])
    assert (length["pass"], length["fail"], length["rate"]) == (3, 1, 0.75)
    assert (judge["pass"], judge["fail"], judge["rate"]) == (1, 1, 0.5)
    assert length["check"] == "length_check 0a1b2c3d" and length["seconds"] == 2.0
    columns, rows = rulings.rates(["length", "judge"], "language")
    assert columns == ["sw", "de"]
    assert rows == [("length", ["67 % of 3", "100 % of 1"]), ("judge", ["50 % of 2", ""])]
    columns, rows = rulings.rates(["length", "judge"], "source")
    assert dict(rows)["judge"] == ["100 % of 1", "0 % of 1"] and columns == ["web", "books"]


def test_an_error_is_never_a_pass() -> None:
    [row] = of([said(1, "th", "", judge="error"), said(2, "th", "", judge="skipped")], []).table([])
    assert (row["pass"], row["error"], row["skipped"], row["rate"]) == (0, 1, 1, None)


def test_records_that_were_kept_though_they_failed_are_named() -> None:
    marked = [said(n, "ar", "", judge="fail") for n in range(EXAMPLES + 4)]
    [row] = of(marked, [said(99, "ar", "", judge="fail")]).table(["judge"])
    assert row["examples"] == [(f"r{n}", "fail: why") for n in range(EXAMPLES)]


def test_only_the_largest_languages_have_a_column() -> None:
    records = [said(n, f"x{n}", "", judge="pass") for n in range(COLUMNS + 5)]
    columns, _ = of(records, []).rates(["judge"], "language")
    assert len(columns) == COLUMNS


def test_a_run_without_checks_has_no_table() -> None:
    assert of([Record("a", "en")], []).table(["make"]) == []
