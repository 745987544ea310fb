from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from engine.core import Call, Drop, EngineError, Hop, Outcome, Record
from engine.kit import as_step
from engine.measures.bias import figures
from engine.models.chat import Reply, Request, Scores
from engine.models.fake import FakeChat
from engine.prompting import Library
from engine.verifiers.judge_ensemble import SEATS, VERIFIER, Params
from tests.conftest import seed
from tests.verifiers.toy import ODD, PAIRS, pair

ANCHOR = {"instruction": "2 + 2?", "good": "4", "bad": "5", "language": "en"}
Said = str | Callable[[Request], str | Reply]


async def outcome(
    prompts: Library, record: Record, *said: Said, **params: Any
) -> tuple[Outcome, list[FakeChat]]:
    """What a panel makes of a record whose members say these things."""
    chats = [FakeChat({"judge_ensemble/judge": each}) for each in said]
    models = dict(zip(SEATS, chats, strict=True))
    step = as_step(VERIFIER, "step", Params(**params), models, prompts, seed=1)
    [found] = await step(record)
    return found, chats


@pytest.mark.parametrize("language", PAIRS)
async def test_a_panel_keeps_what_it_likes_with_what_each_of_it_said(
    prompts: Library, language: str
) -> None:
    kept, chats = await outcome(
        prompts, pair(language), "Right.\n[[5]]", "Fine [[4]]", "Was [[1]], now [[3]]"
    )
    assert isinstance(kept, Record)
    noted = kept.facts["judge_ensemble"]
    assert noted["scores"] == {"judge": 5, "judge_2": 4, "judge_3": 3}
    assert (noted["mean"], noted["spread"]) == (4, 2) and noted["words"] > 0
    assert noted["models"] == dict.fromkeys(SEATS, "fake")
    assert {call.role for call in kept.lineage[-1].calls} == set(SEATS)
    assert all(len(chat.asked) == 1 for chat in chats)


async def test_the_mean_or_the_majority_decides(prompts: Library) -> None:
    said = ("[[5]]", "[[3]]", "[[3]]")
    kept, _ = await outcome(prompts, pair("de"), *said)
    assert isinstance(kept, Record)
    drop, _ = await outcome(prompts, pair("de"), *said, decide="majority")
    assert isinstance(drop, Drop) and (drop.reason, drop.detail) == ("low_score", "scores 5, 3, 3")
    kept, _ = await outcome(prompts, pair("de"), "[[1]]", "[[4]]", "[[4]]", decide="majority")
    assert isinstance(kept, Record)


async def test_judges_far_apart_drop_the_record_where_that_is_wanted(prompts: Library) -> None:
    said = ("[[5]]", "[[5]]", "[[2]]")
    kept, _ = await outcome(prompts, pair("ar"), *said)
    drop, _ = await outcome(prompts, pair("ar"), *said, max_spread=2)
    assert isinstance(kept, Record)
    assert isinstance(drop, Drop) and drop.reason == "judges_disagree"


async def test_a_judge_without_a_score_is_asked_again_and_then_abstains(prompts: Library) -> None:
    kept, chats = await outcome(prompts, pair("hi"), "[[5]]", "[[4]]", "I like it a lot!")
    assert isinstance(kept, Record)
    assert kept.facts["judge_ensemble"]["scores"]["judge_3"] is None
    assert kept.facts["judge_ensemble"]["mean"] == 4.5
    assert [len(chat.asked) for chat in chats] == [1, 1, 2]
    assert chats[2].asked[0].take != chats[2].asked[1].take


async def test_a_reply_that_was_cut_has_not_come_to_its_score(prompts: Library) -> None:
    def cut(request: Request) -> Reply:
        return Reply("I first thought [[5]], but", "fake", truncated=True)

    kept, _ = await outcome(prompts, pair("th"), "[[4]]", "[[4]]", cut)
    assert isinstance(kept, Record)
    assert kept.facts["judge_ensemble"]["scores"]["judge_3"] is None


async def test_too_few_scores_are_an_error_and_never_a_pass(prompts: Library) -> None:
    with pytest.raises(EngineError, match="judge_2 gave no score; judge_3 gave no score"):
        await outcome(prompts, pair("sw"), "[[5]]", "good", "good")


async def test_a_judge_that_fails_its_anchors_loses_its_seat(prompts: Library) -> None:
    def sane(request: Request) -> str:
        return {"4": "[[5]]", "5": "[[1]]"}.get(request.inputs["response"], "[[4]]")

    kept, chats = await outcome(prompts, pair("en"), sane, "[[5]]", sane, anchors=[ANCHOR])
    assert isinstance(kept, Record)
    assert kept.facts["judge_ensemble"]["scores"] == {"judge": 4, "judge_2": None, "judge_3": 4}
    assert [len(chat.asked) for chat in chats] == [3, 2, 3]
    with pytest.raises(EngineError, match="judge_2 the judge got 1 of 1 anchors wrong"):
        await outcome(prompts, pair("en"), sane, "[[5]]", "[[5]]", anchors=[ANCHOR])


async def test_a_panel_of_two_leaves_the_third_alone(prompts: Library) -> None:
    kept, chats = await outcome(prompts, pair("zh-Hans"), "[[4]]", "[[4]]", "no", judges=2)
    assert isinstance(kept, Record) and not chats[2].asked


async def test_one_model_in_two_seats_is_asked_two_questions(prompts: Library) -> None:
    chat = FakeChat({"judge_ensemble/judge": "[[4]]"})
    models = dict.fromkeys(SEATS, chat)
    step = as_step(VERIFIER, "step", Params(), models, prompts, seed=1)
    await step(pair("de"))
    assert len({request.seed for request in chat.asked}) == 3


async def test_scores_are_expectations_where_digits_are_scored(prompts: Library) -> None:
    def score(request: Request) -> Scores:
        digit = int(request.messages[-1].content)
        return Scores(("d",), (math.log({4: 0.6, 5: 0.2}.get(digit, 0.01)),), "fake")

    chats = dict.fromkeys(SEATS, FakeChat({"judge_ensemble/digit": score}))
    step = as_step(VERIFIER, "step", Params(by="digits"), chats, prompts, seed=1)
    [kept] = await step(pair("sw"))
    assert isinstance(kept, Record)
    expected = (0.01 + 0.02 + 0.03 + 2.4 + 1.0) / 0.83
    assert kept.facts["judge_ensemble"]["mean"] == pytest.approx(expected, abs=1e-3)
    assert kept.facts["judge_ensemble"]["models"]["judge_3"] == "fake"


async def test_what_it_notes_is_what_the_figures_are_made_of(prompts: Library) -> None:
    records = []
    for scores in ((5, 5, 5), (4, 4, 4), (1, 1, 1), (2, 2, 3)):
        said = [f"[[{score}]]" for score in scores]
        found, _ = await outcome(prompts, pair("de"), *said, min_score=1)
        assert isinstance(found, Record)
        records.append(found)
    told = figures(records)
    assert told["judged"] == 4 and 0.9 < told["alpha"] <= 1 and told["abstained"] == 0


async def test_the_writer_is_read_from_the_lineage(prompts: Library) -> None:
    hop = Hop("w", "seed", (Call("evol/answer@1", "writer", "Qwen/Qwen3-8B", "k"),))
    record = Record("r", "de", pair("de").messages, lineage=(hop,))
    kept, _ = await outcome(prompts, record, "[[4]]", "[[4]]", "[[4]]")
    assert isinstance(kept, Record)
    assert kept.facts["judge_ensemble"]["writer"] == "Qwen/Qwen3-8B"


@pytest.mark.parametrize("response", [*ODD, "語 word " * 10**5])
async def test_odd_responses_end_clearly(prompts: Library, response: str) -> None:
    record = seed("Nini?", "sw", response)
    found, chats = await outcome(prompts, record, "[[4]]", "[[4]]", "[[4]]")
    assert isinstance(found, Record) == bool(response.strip()) == bool(chats[0].asked)


def test_a_panel_needs_its_judges() -> None:
    with pytest.raises(ValidationError, match="more than there are judges"):
        Params(judges=2, min_judges=3)
