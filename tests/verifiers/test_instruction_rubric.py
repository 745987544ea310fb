from __future__ import annotations

import json
from typing import Any

import pytest

from engine.core import Drop, EngineError, Record
from engine.models.chat import Request
from engine.verifiers.instruction_rubric import VERIFIER
from tests.conftest import Bind, seed
from tests.verifiers.toy import ODD, PAIRS, pair

WEIGHTS = (4, 5, 1)
ANCHOR = {"instruction": "2 + 2?", "good": "4", "bad": "5", "language": "en"}


def rubric(*weights: int) -> str:
    each = [{"criterion": f"Criterion {n}.", "weight": w} for n, w in enumerate(weights)]
    return json.dumps({"criteria": each})


def marks(*scores: Any) -> str:
    each = {f"c{n}": {"reason": f"Why {n}.", "score": s} for n, s in enumerate(scores, 1)}
    return json.dumps(each)


def script(graded: Any, written: Any = "") -> dict[str, Any]:
    written = written or rubric(*WEIGHTS)
    return {"instruction_rubric/criteria": written, "instruction_rubric/grade": graded}


@pytest.mark.parametrize("language", PAIRS)
async def test_a_response_is_graded_by_criteria_of_its_own_instruction(
    bind: Bind, language: str
) -> None:
    step, chat = bind(VERIFIER, script(marks(4, 5, 2)))
    [kept] = await step(pair(language))
    assert isinstance(kept, Record)
    noted = kept.facts["instruction_rubric"]
    assert noted["mean"] == pytest.approx((16 + 25 + 2) / 10)
    assert noted["criteria"][1] == {"criterion": "Criterion 1.", "weight": 5, "score": 5}
    assert noted["worst"] == "Why 3."
    written, graded = chat.asked
    assert (written.role, graded.role) == ("writer", "judge")
    assert PAIRS[language][1] not in "".join(m.content for m in written.messages)
    assert "- c2: Criterion 1." in graded.messages[0].content
    assert set(graded.schema["required"]) == {"c1", "c2", "c3"}  # type: ignore[index]


async def test_a_low_mean_is_dropped_and_says_what_was_worst(bind: Bind) -> None:
    step, _ = bind(VERIFIER, script(marks(3, 3, 3)))
    [drop] = await step(pair("de"))
    assert isinstance(drop, Drop) and drop.reason == "low_score"
    assert drop.detail == "mean 3.00; Criterion 1. 3: Why 2."


async def test_what_a_response_is_useless_without_is_not_outweighed(bind: Bind) -> None:
    step, _ = bind(VERIFIER, script(marks(5, 2, 5)))
    [drop] = await step(pair("ar"))
    assert isinstance(drop, Drop) and "Criterion 1. 2" in drop.detail
    step, _ = bind(VERIFIER, script(marks(5, 2, 5)), min_top=2)
    [kept] = await step(pair("ar"))
    assert isinstance(kept, Record)


@pytest.mark.parametrize("count", [3, 4, 5, 6, 7])
async def test_three_to_seven_criteria_are_graded(bind: Bind, count: int) -> None:
    step, chat = bind(VERIFIER, script(marks(*[4] * count), rubric(*[2] * count)))
    [kept] = await step(pair("hi"))
    assert isinstance(kept, Record)
    assert len(kept.facts["instruction_rubric"]["criteria"]) == count
    assert len(chat.asked[1].schema["required"]) == count  # type: ignore[index]


@pytest.mark.parametrize(
    ("written", "graded"),
    [
        (rubric(1, 2), marks(5, 5)),
        (rubric(*[1] * 8), marks(*[5] * 8)),
        (rubric(1, 2, 6), marks(5, 5, 5)),
        ("- is good", marks(5, 5, 5)),
        (rubric(*WEIGHTS), marks(5, 5)),
        (rubric(*WEIGHTS), marks(5, 5, 6)),
        (rubric(*WEIGHTS), marks(5, 5, 4.5)),
        (rubric(*WEIGHTS), marks(5, 5, 5, 5)),
        (rubric(*WEIGHTS), "All good: 5/5"),
        (rubric(*WEIGHTS), ""),
    ],
)
async def test_no_criterion_and_no_score_is_made_up(bind: Bind, written: str, graded: str) -> None:
    step, _ = bind(VERIFIER, script(lambda request: graded, lambda request: written))
    [drop] = await step(pair("th"))
    assert isinstance(drop, Drop) and drop.reason == "bad_reply"
    assert drop.record.verdicts[-1].verdict == "error"
    assert "instruction_rubric" not in drop.record.facts


async def test_anchors_try_criteria_and_judge_together(bind: Bind) -> None:
    def sane(request: Request) -> str:
        return marks(*[2 if request.inputs["response"] == "5" else 5] * 3)

    step, chat = bind(VERIFIER, script(sane), anchors=[ANCHOR])
    [kept] = await step(pair("sw"))
    assert isinstance(kept, Record) and len(chat.asked) == 5
    step, _ = bind(VERIFIER, script(lambda request: marks(5, 5, 5)), anchors=[ANCHOR])
    with pytest.raises(EngineError, match="1 of 1 anchors wrong"):
        await step(pair("sw"))
    step, _ = bind(VERIFIER, script(lambda request: "no"), anchors=[ANCHOR])
    with pytest.raises(EngineError, match="1 of 1 anchors wrong"):
        await step(pair("sw"))


@pytest.mark.parametrize("response", [*ODD, "語 word " * 10**5])
async def test_odd_responses_end_clearly(bind: Bind, response: str) -> None:
    step, _ = bind(VERIFIER, script(marks(5, 5, 5)))
    [found] = await step(seed("Nini?", "sw", response))
    assert isinstance(found, Record) == bool(response.strip())
    if isinstance(found, Drop):
        assert found.reason == "nothing_to_judge"
