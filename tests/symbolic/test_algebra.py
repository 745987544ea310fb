"""Formulas are compared in a process of their own, which can be killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.symbolic.algebra import Algebra, AlgebraError, shared
from engine.text.answers import answer

HANGS = """
import json, sys, time
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    if asked["one"] == "hang":
        time.sleep(600)
    if asked["one"] == "die":
        sys.exit("out of memory")
    if asked["one"] == "babble":
        print("yes", flush=True)
    print(json.dumps({"equal": asked["one"] == asked["other"]}), flush=True)
"""


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[Algebra]:
    script = tmp_path / "worker.py"
    script.write_text(HANGS)
    algebra = Algebra(script=script)
    yield algebra
    algebra.close()


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("x^2+2x+1", "(x+1)^2", True),
        ("\\sqrt{8}", "2\\sqrt{2}", True),
        ("\\frac{1}{\\sqrt{2}}", "\\frac{\\sqrt2}{2}", True),
        ("x^2", "x^3", False),
        ("(1, 2)", "(2, 1)", False),
        ("√4", "٢", True),
        ("5 km", "√25", True),
    ],
)
async def test_formulas_are_equal_by_algebra(one: str, other: str, equal: bool) -> None:
    left, right = answer(one, "ar"), answer(other, "ar")
    assert left and right
    assert await shared().same(left, right, 60) is equal


async def test_what_cannot_be_read_is_neither_equal_nor_different() -> None:
    assert await shared().equal("\\begin{", "x", 60) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [("hang", "no verdict in 0.2 s"), ("die", "out of memory"), ("babble", "Expecting value|int")],
)
async def test_a_process_that_hangs_dies_or_babbles_is_replaced(
    odd: Algebra, text: str, why: str
) -> None:
    with pytest.raises(AlgebraError, match=why):
        await odd.equal(text, "y", 0.2)
    assert await odd.equal("y", "y", 60) is True


async def test_nothing_of_the_users_environment_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "s3cret")
    script = tmp_path / "worker.py"
    script.write_text(
        'import json, os, sys\nprint("{}", flush=True)\nfor line in sys.stdin:\n'
        '    print(json.dumps({"equal": "SECRET_KEY" in os.environ}), flush=True)\n'
    )
    algebra = Algebra(script=script)
    assert await algebra.equal("x", "y", 60) is False
    algebra.close()
