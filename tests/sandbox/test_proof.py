from __future__ import annotations

import pytest

from engine.sandbox.limits import Limits, Program
from engine.sandbox.pool import shared
from engine.sandbox.proof import proof
from tests.sandbox.walled import best

ADD = "def add(a, b):\n    return a + b\n"


@pytest.fixture(autouse=True)
def walls() -> None:
    best()


@pytest.mark.parametrize(
    ("code", "tests", "ends"),
    [
        (ADD, "assert add(1, 2) == 3", "proven"),
        (ADD, "assert add(1, 2) == 4", "failed"),
        (ADD, "add(1, 2)", "no_assertion"),
        (ADD, "assert callable(add)", "tests_prove_nothing"),
        (ADD, "try:\n    assert add(1, 2) == 3\nexcept BaseException: pass", "tests_prove_nothing"),
        (
            ADD,
            "assert add(1, 2) == 3\ntry:\n    assert False\nexcept AssertionError: pass",
            "failures_are_hidden",
        ),
        (f"{ADD}raise SystemExit(0)", "assert add(1, 2) == 4", "exited"),
        ("def f(:", "assert True", "unparsable"),
    ],
)
async def test_code_is_proven_or_it_is_said_why_not(code: str, tests: str, ends: str) -> None:
    assert await proof(shared(), Program(code, tests), Limits(5.0)) == ends
