from __future__ import annotations

import asyncio
import os
import signal

import pytest

from engine.core import Drop, EngineError, Outcome, Record
from engine.kit import as_step
from engine.prompting import Library
from engine.sandbox.pool import shared
from engine.verifiers.execution import VERIFIER
from tests.conftest import Bind, seed
from tests.sandbox.walled import at_least, best, workers

ADD = "def add(a, b):\n    return a + b\n"


@pytest.fixture(autouse=True)
def walls() -> None:
    best()


def fenced(*blocks: str, language: str = "python") -> str:
    return "\n\n".join(f"Hier:\n```{language}\n{block}\n```" for block in blocks)


async def judged(bind: Bind, response: str, **facts: object) -> Outcome:
    step, _ = bind(VERIFIER, timeout_s=facts.pop("timeout_s", 10))
    (outcome,) = await step(seed("Schreibe add.", response=response, **facts))
    return outcome


async def reason(bind: Bind, response: str, **facts: object) -> str:
    outcome = await judged(bind, response, **facts)
    return outcome.reason if isinstance(outcome, Drop) else "kept"


async def test_code_that_passes_its_tests_is_kept_with_what_ran(bind: Bind) -> None:
    outcome = await judged(bind, fenced(ADD, "for n in range(3):\n    assert add(n, 1) == n + 1"))
    assert isinstance(outcome, Record)
    assert outcome.facts["execution"] == {"assertions": 3}


async def test_tests_may_stand_in_a_fact_as_text_or_as_a_list(bind: Bind) -> None:
    assert await reason(bind, fenced(ADD), tests="assert add(1, 2) == 3") == "kept"
    assert await reason(bind, fenced(ADD), tests=["assert add(1, 2) == 3"] * 2) == "kept"
    assert await reason(bind, fenced(ADD), tests=fenced("assert add(1, 2) == 4")) == "tests_failed"


async def test_a_failure_says_where(bind: Bind) -> None:
    outcome = await judged(bind, fenced(ADD, "assert add(2, 2) == 5, 'größer'"))
    assert isinstance(outcome, Drop) and outcome.reason == "tests_failed"
    assert "AssertionError: größer" in outcome.detail


async def test_functions_that_a_test_runner_would_call_are_called(bind: Bind) -> None:
    tests = "def test_add():\n    assert add(1, 2) == 3"
    assert await reason(bind, fenced(ADD, tests)) == "kept"
    assert await reason(bind, fenced(ADD, tests.replace("3", "4"))) == "tests_failed"


@pytest.mark.parametrize(
    ("code", "due"),
    [
        (ADD, "no_assertion_ran"),
        (ADD + "import sys\nassert add(1, 1) == 2\nsys.exit(0)", "left_before_the_end"),
        (ADD + "import os\nos._exit(0)", "left_before_the_end"),
        (ADD + "assert add(1, 1) ==", "unparsable_code"),
        (ADD + "x = bytearray(1 << 40)\nassert add(1, 1) == 2", "code_took_memory"),
        (ADD + "while True: print(add(1, 1))", "code_wrote_too_much"),
        (ADD + "import os\nos.abort()", "code_was_killed"),
    ],
)
async def test_what_is_no_pass_has_a_name(bind: Bind, code: str, due: str) -> None:
    assert await reason(bind, fenced(code)) == due


async def test_code_that_hangs_is_ended(bind: Bind) -> None:
    assert await reason(bind, fenced("while True: pass"), timeout_s=0.5) == "code_timed_out"


@pytest.mark.parametrize(
    "tests",
    [
        "assert True",
        "assert callable(add)",
        "add(1, 2)\nassert 1 + 1 == 2",
        "assert add(1, 2) in (3, None)",
    ],
)
async def test_tests_that_pass_without_the_solution_prove_nothing(bind: Bind, tests: str) -> None:
    assert await reason(bind, fenced(ADD, tests)) == "tests_prove_nothing"


async def test_a_program_without_functions_is_tried_without_its_statements(bind: Bind) -> None:
    assert await reason(bind, fenced("import math\nx = math.gcd(6, 4)", "assert x == 2")) == "kept"
    assert await reason(bind, fenced("x = 2", "assert True")) == "tests_prove_nothing"


async def test_methods_lambdas_and_checks_of_arguments_are_part_of_the_solution(bind: Bind) -> None:
    code = """
class Stack:
    def __init__(self): self.items = []
    def push(self, item):
        assert item is not None
        self.items.append(item)
last = lambda stack: stack.items[-1]
"""
    assert await reason(bind, fenced(code, "s = Stack(); s.push(3)\nassert last(s) == 3")) == "kept"
    assert await reason(bind, fenced(code + "Stack().push(1)")) == "no_assertion_ran"


async def test_failures_that_are_swallowed_are_no_pass(bind: Bind) -> None:
    tests = "assert add(1, 2) == 3\ntry:\n    assert add(1, 2) == 9\nexcept AssertionError: pass"
    assert await reason(bind, fenced(ADD, tests)) == "failures_are_hidden"


async def test_a_solution_that_finds_the_token_and_speaks_for_itself_is_no_pass(bind: Bind) -> None:
    forges = """
import os, sys
def add(a, b):
    frame = sys._getframe()
    while frame:
        for value in list(frame.f_locals.values()):
            if isinstance(value, str) and len(value) == 32:
                os.write(3, f"\\n{value} end 7 \\n".encode())
                os._exit(0)
        frame = frame.f_back
"""
    tests = "\n".join(f"assert add({n}, 1) == {n + 1}" for n in range(3))
    assert await reason(bind, fenced(forges, tests)) == "failures_are_hidden"


async def test_where_input_is_read_the_guarded_part_is_cut(bind: Bind) -> None:
    main = "if __name__ == '__main__':\n    print(add(int(input()), 1))\n"
    assert await reason(bind, fenced(ADD + main, "assert add(1, 2) == 3")) == "kept"
    calm = "if __name__ == '__main__':\n    assert add(1, 2) == 3\n"
    assert await reason(bind, fenced(ADD + calm)) == "kept"


@pytest.mark.parametrize(
    ("response", "due"),
    [
        ("", "no_code"),
        ("assert True", "no_code"),
        (fenced("assert True", language="bash"), "no_code"),
        (fenced("x = '\ud800'\nassert x"), "unparsable_code"),
        (fenced("x = 1\0\nassert x"), "unparsable_code"),
        (fenced("# \u202eassert\nx = 'שלום'\nassert x == 'שלום'"), "kept"),
        (fenced("def längste(wörter): return max(wörter, key=len)",
                "assert längste(['ab', '世界人']) == '世界人'"), "kept"),
        (fenced("x = '" + "y" * 1_000_000 + "'\nassert len(x) == 1_000_000"), "kept"),
        ("```python\n" + ADD + "assert add(1, 1) == 2", "kept"),  # cut before its closing fence
    ],
    ids=["empty", "no fence", "shell", "half a character", "nul", "right to left", "names",
         "a megabyte", "open"],
)  # fmt: skip
async def test_odd_input_has_a_clear_outcome(bind: Bind, response: str, due: str) -> None:
    assert await reason(bind, response) == due


async def test_a_sandbox_that_breaks_is_an_error_and_no_verdict(prompts: Library) -> None:
    others = workers()
    await shared(1).walls()
    (worker,) = set(workers()) - set(others)
    step = as_step(VERIFIER, "run", VERIFIER.params(workers=1), {}, prompts, seed=1)
    waits = fenced("import time\ntime.sleep(60)\nassert True")
    running = asyncio.ensure_future(step(seed("x", response=waits)))
    await asyncio.sleep(0)
    at_least(3, worker)
    os.kill(worker, signal.SIGKILL)
    with pytest.raises(EngineError, match="sandbox broke"):
        await running
    (kept,) = await step(seed("x", response=fenced(ADD, "assert add(1, 2) == 3")))
    assert isinstance(kept, Record)
