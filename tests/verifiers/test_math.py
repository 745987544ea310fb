from __future__ import annotations

from typing import Any

import pytest

from engine.core import Drop, Outcome, Record
from engine.kit import as_step
from engine.prompting import Library
from engine.verdicts import Policy
from engine.verifiers.math import VERIFIER
from tests.conftest import Bind, seed


async def judged(
    bind: Bind, response: str, reference: Any, language: str = "en", **params: Any
) -> Outcome:
    step, _ = bind(VERIFIER, **params)
    [outcome] = await step(seed("?", language, response, answer=reference))
    return outcome


@pytest.mark.parametrize(
    ("response", "reference", "language"),
    [
        ("Thus \\boxed{42}.", "42", "en"),
        ("Thus \\boxed{42}.", 42, "en"),
        ("Das Ergebnis lautet 1.234,5.", 1234.5, "de"),
        ("Das Ergebnis lautet 0,75.", "3/4", "de"),
        ("所以答案是3万。", "30000", "zh"),
        ("الإجابة هي ٣٫٥", "3,5", "ar"),
        ("अतः उत्तर १,२३,४५६ है।", "123456", "hi"),
        ("คำตอบคือ ๔๒ บาท", "42", "th"),
        ("Kwa hiyo jibu ni asilimia 50.", "50%", "sw"),
        ("The answer is 50%.", "0.5", "en"),
        ("The answer is $(x+1)^2$", "x^2 + 2x + 1", "en"),
        ("\\boxed{2\\sqrt{2}}", "\\sqrt{8}", "en"),
        ("The answer is (B) 42.", "B", "en"),
        ("الإجابة: (ب)", "B", "ar"),
        ("The answer is Nairobi.", "Nairobi", "en"),
        ("so we have 18 eggs", "9 + 9 = 18\n#### 18", "en"),
        ("\\boxed{7}", ["6", "7"], "en"),
        ("The answer is (B) 42.", "42", "en"),
    ],
)
async def test_the_same_answer_passes_however_it_is_written(
    bind: Bind, response: str, reference: Any, language: str
) -> None:
    found = await judged(bind, response, reference, language, timeout_s=60)
    assert isinstance(found, Record), found
    assert found.facts["math"]["answer"] and found.verdicts[-1].verdict == "pass"


@pytest.mark.parametrize(
    ("response", "reference", "reason"),
    [
        ("\\boxed{41}", "42", "wrong_answer"),
        ("\\boxed{x^3}", "x^2", "wrong_answer"),
        ("The answer is (C).", "B", "wrong_answer"),
        ("The answer is 5 kg.", "5 km", "wrong_answer"),
        ("\\boxed{1/3}", "0.333", "wrong_answer"),
        ("The answer is Paris.", "42", "wrong_answer"),
        ("I do not know.", "42", "no_answer"),
        ("", "42", "no_answer"),
        ("\x00\ud800", "42", "no_answer"),
        ("\\boxed{42}", None, "no_reference"),
        ("\\boxed{42}", "", "no_reference"),
        ("\\boxed{42}", True, "no_reference"),
        ("\\boxed{42}", [], "no_reference"),
        ("\\boxed{42}", {"a": 1}, "no_reference"),
    ],
)
async def test_another_answer_or_none_does_not(
    bind: Bind, response: str, reference: Any, reason: str
) -> None:
    found = await judged(bind, response, reference, timeout_s=60)
    assert isinstance(found, Drop) and found.reason == reason


async def test_a_reference_can_be_in_another_language_than_the_record(bind: Bind) -> None:
    said = "Das Ergebnis ist 1.234."
    assert isinstance(await judged(bind, said, "1,234", "de", reference_language="en"), Record)
    assert isinstance(await judged(bind, said, "1,234", "de"), Drop)


async def test_a_library_that_hangs_is_killed_and_the_verdict_is_an_error(prompts: Library) -> None:
    params = VERIFIER.params(timeout_s=0.3)
    step = as_step(VERIFIER, "step", params, {}, prompts, seed=1, policy=Policy(on_error="mark"))
    endless = seed("?", "en", "\\boxed{(x+1)^{100000}-x}", answer="(x+2)^{99999}")
    [record] = await step(endless)
    assert isinstance(record, Record) and record.verdicts[-1].verdict == "error"
    assert "no verdict in 0.3 s" in record.verdicts[-1].evidence
    [record] = await step(seed("?", "en", "\\boxed{2}", answer="2"))
    assert isinstance(record, Record) and record.verdicts[-1].verdict == "pass"


async def test_a_formula_that_cannot_be_read_is_an_error_not_a_wrong_answer(
    prompts: Library,
) -> None:
    params = VERIFIER.params(timeout_s=60)
    step = as_step(VERIFIER, "step", params, {}, prompts, seed=1, policy=Policy(on_error="drop"))
    [drop] = await step(seed("?", "en", "\\boxed{\\begin}", answer="x+2"))
    assert isinstance(drop, Drop) and drop.reason == "undecided_answer"


@pytest.mark.slow
async def test_a_megabyte_is_judged(bind: Bind) -> None:
    assert isinstance(await judged(bind, "कखग " * 250_000 + "\\boxed{42}", "42", "hi"), Record)
