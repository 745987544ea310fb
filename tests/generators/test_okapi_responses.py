from __future__ import annotations

from pathlib import Path

import pytest

from engine.core import Drop, Message, Record
from engine.generators.okapi_responses import GENERATOR
from engine.models.chat import Reply, Request
from engine.text.sameness import bare
from tests.conftest import Bind, seed
from tests.filters.samples import GOOD
from tests.generators.reversing import replies, written

TEA = "Wie koche ich eine gute Kanne Tee?"
LANGUAGES = ("en", "de", "zh", "ar", "hi", "th", "sw")


def said(file: dict[str, str]) -> list[str]:
    """What the model says, sample by sample, over all takes."""
    takes = [file[name] for name in ("first", "second", "third") if name in file]
    return [sample for take in takes for sample in take.split("\n---\n")]


@pytest.mark.parametrize("path", replies("okapi_responses"), ids=lambda path: path.stem)
async def test_samples_as_models_write_them_come_to_four_different_ones_or_none(
    path: Path, bind: Bind
) -> None:
    file = written(path)
    step, chat = bind(GENERATOR, {"okapi_responses/respond": said(file)})
    [outcome] = await step(seed(TEA, "de"))
    assert sum(request.n for request in chat.asked) == len(said(file)), "only what is missing"
    assert [request.take for request in chat.asked] == list(range(len(chat.asked)))
    if isinstance(outcome, Drop):
        assert outcome.reason == file["outcome"]
        return
    responses = outcome.facts["responses"]
    assert str(len(responses)) == file["outcome"]
    assert len({bare(each, punctuation=False) for each in responses}) == 4, "all different"
    assert set(responses) <= {each.strip() for each in said(file)}, "letter by letter the model's"


async def test_the_record_stays_a_question_and_says_whose_the_answers_are(bind: Bind) -> None:
    file = written(next(p for p in replies("okapi_responses") if p.stem == "four_at_once"))
    step, chat = bind(GENERATOR, {"okapi_responses/respond": said(file)})
    given = seed(TEA, "de", provenance={"instruction": "translated"}, parallel_id="alpaca-7")
    [found] = await step(given)
    assert isinstance(found, Record) and found.messages == given.messages
    assert found.facts["writers"] == ["fake"] and found.facts["parallel_id"] == "alpaca-7"
    assert found.facts["provenance"] == {
        "instruction": "translated", "response": "regenerated", "rejected": "regenerated",
    }  # fmt: skip
    [request] = chat.asked
    assert request.n == 4 and request.messages[-1] == Message("user", TEA)
    assert "German" in request.messages[0].content


async def test_an_answer_cut_by_the_token_limit_does_not_count(bind: Bind) -> None:
    cut = Reply("Koche das Wasser auf und lass es", model="fake", truncated=True)
    good = said(written(replies("okapi_responses")[0]))[:2]
    step, chat = bind(GENERATOR, {"okapi_responses/respond": [cut, good[0], good[1]]}, responses=2)
    [found] = await step(seed(TEA, "de"))
    assert isinstance(found, Record) and cut.text not in found.facts["responses"]
    assert len(chat.asked) == 2


@pytest.mark.parametrize(
    ("record", "reason"),
    [(seed("", "sw"), "no_instruction"), (seed(TEA, "de", "Mit Wasser."), "answered_already")],
)
async def test_what_cannot_be_asked_costs_no_call(bind: Bind, record: Record, reason: str) -> None:
    step, chat = bind(GENERATOR)
    [drop] = await step(record)
    assert isinstance(drop, Drop) and drop.reason == reason and not chat.asked


@pytest.mark.parametrize("language", LANGUAGES)
async def test_responses_are_in_the_record_s_language_in_all_seven(
    bind: Bind, language: str
) -> None:
    own = GOOD[language][1]
    others = [GOOD[tag][1] for tag in LANGUAGES if tag != language]

    def sample(request: Request) -> str:
        assert request.language == language
        return own if request.take == 1 else others[request.take % 6]

    step, _ = bind(GENERATOR, {"okapi_responses/respond": sample}, responses=2, takes=9)
    [drop] = await step(seed("?!", language))
    assert isinstance(drop, Drop) and drop.detail.startswith("1 that differ")
