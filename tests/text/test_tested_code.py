from __future__ import annotations

from engine.text.tested_code import taken_apart

CODE, TESTS = "```python\ndef f(x):\n    return x\n```", "```python\nassert f(1) == 1\n```"


def test_the_parts_stand_on_both_sides_of_the_mark() -> None:
    found = taken_apart(f"La solución.\n\n{CODE}\n\nFin.\n<tests>\n{TESTS}\n</tests>\n")
    assert found.response == f"La solución.\n\n{CODE}\n\nFin."
    assert found.code == "def f(x):\n    return x" and found.tests == "assert f(1) == 1"
    assert (found.fault, found.detail) == ("", "")


def test_the_mark_may_be_bold_a_heading_or_in_capitals() -> None:
    for mark in ("**<tests>**", "### <TESTS>", "  `<tests>`  "):
        assert taken_apart(f"{CODE}\n{mark}\n{TESTS}").fault == "", mark


def test_a_mark_within_a_line_is_none() -> None:
    assert taken_apart(f"{CODE}\nUnter <tests> steht mehr.\n{TESTS}").fault == "no_test_part"


def test_an_empty_and_a_very_long_reply_have_no_test_part() -> None:
    for reply in ("", " " * 1_000_000, "`" * 1_000_000, "测试" * 500_000):
        assert taken_apart(reply).fault == "no_test_part"
