from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from pydantic import ValidationError

from engine.core import Drop, Record
from engine.generators.cross_lingual_answers import GENERATOR
from engine.languages.agreement import judged
from engine.languages.answers import refused
from engine.languages.identify import identify
from engine.models.chat import Reply, Request
from engine.text.crossing import listed, sentences_for
from tests.conftest import Bind, needs_shared, seed
from tests.filters.samples import GOOD
from tests.generators.reversing import declarations, replies, written

ONIONS = "Why do onions make people cry, and what helps against it?"
LANGUAGES = ("en", "de", "zh", "ar", "hi", "th", "sw")
ANSWER = "cross_lingual_answers/answer"
KANNADA = "ಕನ್ನಡದಲ್ಲಿ ಉತ್ತರಿಸಿ."
"""A request in a language that the list does not have."""


def said(file: dict[str, str]) -> list[str]:
    takes = [file[name] for name in ("first", "second") if name in file]
    return [sample for take in takes for sample in take.split("\n---\n")]


@pytest.mark.parametrize("path", replies("cross_lingual_answers"), ids=lambda path: path.stem)
async def test_only_answers_that_are_told_to_be_in_the_language_count(
    path: Path, bind: Bind
) -> None:
    file = written(path)
    step, chat = bind(GENERATOR, {ANSWER: said(file)}, into={"sw": 1})
    [outcome] = await step(seed(ONIONS, "en"))
    assert sum(request.n for request in chat.asked) == len(said(file)), "only what is missing"
    if isinstance(outcome, Drop):
        assert outcome.reason == file["outcome"] and outcome.detail
        return
    assert str(len(outcome.facts["responses"])) == file["outcome"]
    for response in outcome.facts["responses"]:
        assert judged(identify(response, ("sw",)), "sw") == "right"


async def test_the_question_ends_with_a_request_in_the_language_asked_for(bind: Bind) -> None:
    samples = said(written(replies("cross_lingual_answers")[0]))
    step, chat = bind(GENERATOR, {ANSWER: samples}, into={"sw": 1}, least=2)
    [found] = await step(seed(ONIONS, "en", parallel_id="q7"))
    assert isinstance(found, Record)
    question, request = found.last("user").rsplit("\n", 1)
    listed = sentences_for("sw")
    assert listed and question == ONIONS and request in listed.answer
    assert found.facts["request"] == request and found.language == "sw"
    assert found.facts["instruction_language"] == "en"
    assert found.facts["output_language"] == "sw"
    assert found.facts["provenance"]["instruction"] == "native"
    assert found.lineage[-1].parent == "seed" and found.facts["parallel_id"] == "q7"
    [first, *_] = chat.asked
    assert first.messages[-1].content == found.last("user") and first.language == "sw"
    assert "Swahili" in first.messages[0].content


async def test_writers_take_turns_and_every_answer_keeps_its_writer(bind: Bind) -> None:
    def answer(request: Request) -> str:
        return f"{GOOD['sw'][1]} ({'abcdef'[len(chat.asked)]})"

    step, chat = bind(GENERATOR, {ANSWER: answer}, into={"sw": 1}, writers=3)
    [found] = await step(seed(ONIONS, "en"))
    assert isinstance(found, Record)
    roles = Counter(each["role"] for each in found.facts["written_by"])
    assert roles == {"writer": 2, "writer_2": 1, "writer_3": 1}
    assert {each["model"] for each in found.facts["written_by"]} == {"fake"}
    calls = Counter(call.role for call in found.lineage[-1].calls)
    assert set(calls) == set(roles), "who wrote is in the lineage, too"
    assert len({request.seed for request in chat.asked}) == len(chat.asked), "each draws anew"


@pytest.mark.slow
async def test_languages_are_drawn_by_weight_for_every_direction_and_reproducibly(
    bind: Bind,
) -> None:
    script = {ANSWER: lambda request: ""}
    weights = {"into": {"sw": 3, "de": 1, "en": 5}, "directions": {"de": {"hi": 1}}}
    drawn = []
    for _ in range(2):
        step, chat = bind(GENERATOR, script, **weights, takes=1)
        for number in range(400):
            await step(Record(f"r{number}", "en", seed(ONIONS).messages))
        drawn.append([request.language for request in chat.asked])
    assert drawn[0] == drawn[1]
    share = Counter(drawn[0])["sw"] / len(drawn[0])
    assert set(drawn[0]) == {"sw", "de"}, "a question's own language is never drawn"
    assert abs(share - 0.75) < 0.06
    for tag in ("de", "de-AT"):
        step, chat = bind(GENERATOR, script, **weights, takes=1)
        await step(seed(GOOD["de"][0], tag))
        assert {request.language for request in chat.asked} == {"hi"}


async def test_a_language_without_a_request_has_it_written_and_checked(bind: Bind) -> None:
    assert sentences_for("kn") is None
    answers = [f"{KANNADA} ಈರುಳ್ಳಿ ಕತ್ತರಿಸಿದಾಗ ಕಣ್ಣೀರು ಬರುತ್ತದೆ {word}" for word in ("ಒಂದು", "ಎರಡು")]
    script = {
        "cross_lingual_answers/request": json.dumps({"request": KANNADA}),
        ANSWER: answers,
    }
    step, chat = bind(GENERATOR, script, into={"kn": 1}, answers=2)
    [found] = await step(seed(ONIONS, "en"))
    assert isinstance(found, Record) and found.last("user") == f"{ONIONS}\n{KANNADA}"
    assert chat.asked[0].language == "kn" and "Kannada" in chat.asked[0].messages[0].content
    english = "Please write the whole of your answer in Wolof."
    for tag, bad in (("kn", "Please answer in Kannada."), ("wo", english), ("wo", ONIONS)):
        script["cross_lingual_answers/request"] = json.dumps({"request": bad})
        step, chat = bind(GENERATOR, script, into={tag: 1})
        [drop] = await step(seed(ONIONS, "en"))
        assert isinstance(drop, Drop) and drop.reason == "bad_request" and drop.detail == bad
        assert len(chat.asked) == 1


async def test_where_nobody_can_tell_the_job_says_what_becomes_of_an_answer(bind: Bind) -> None:
    short = ["Gesi.", "Kisu."]
    kept, _ = bind(GENERATOR, {ANSWER: short}, into={"sw": 1}, answers=2, unsure="keep")
    [found] = await kept(seed(ONIONS, "en"))
    assert isinstance(found, Record) and found.facts["responses"] == short
    strict, _ = bind(GENERATOR, {ANSWER: short}, into={"sw": 1}, answers=2, takes=1)
    [drop] = await strict(seed(ONIONS, "en"))
    assert isinstance(drop, Drop) and "unsure_language" in drop.detail


async def test_an_answer_cut_by_the_token_limit_does_not_count(bind: Bind) -> None:
    cut = Reply(GOOD["sw"][1], model="fake", truncated=True)
    step, _ = bind(GENERATOR, {ANSWER: cut}, into={"sw": 1}, takes=1)
    [drop] = await step(seed(ONIONS, "en"))
    assert isinstance(drop, Drop) and "cut_answer" in drop.detail


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (seed("", "en"), "no_instruction"),
        (seed(ONIONS, "en", "Gas."), "answered_already"),
        (seed("Jibu swali.", "sw"), "no_other_language"),
    ],
)
async def test_what_cannot_be_asked_costs_no_call(bind: Bind, record: Record, reason: str) -> None:
    step, chat = bind(GENERATOR, into={"sw": 1})
    [drop] = await step(record)
    assert isinstance(drop, Drop) and drop.reason == reason and not chat.asked


@pytest.mark.parametrize("into", [{}, {"sw": 0}, {"xx-nowhere": 1}])
def test_weights_that_cannot_be_are_refused(into: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        GENERATOR.params(into=into)


def test_more_answers_than_are_asked_for_cannot_be_demanded() -> None:
    with pytest.raises(ValidationError, match="least: 4 is more than the 3"):
        GENERATOR.params(into={"sw": 1}, answers=3, least=4)


@pytest.mark.parametrize("asked", LANGUAGES)
@pytest.mark.parametrize("answered", LANGUAGES)
async def test_every_two_of_seven_languages_make_a_record_and_no_third_gets_in(
    bind: Bind, asked: str, answered: str
) -> None:
    def answer(request: Request) -> str:
        """By turns in the language that is wanted and in one that is not."""
        number = len(chat.asked)
        others = [tag for tag in LANGUAGES if tag != answered]
        text = GOOD[answered if number % 2 else others[number % 6]][1]
        return f"{text} ({'abcdefghijkl'[number]})"

    step, chat = bind(GENERATOR, {ANSWER: answer}, into={answered: 1}, answers=2, takes=4)
    [found] = await step(seed(GOOD[asked][0], asked))
    if asked == answered:
        assert isinstance(found, Drop) and found.reason == "no_other_language"
        return
    assert isinstance(found, Record), found
    for response in found.facts["responses"]:
        assert response.startswith(GOOD[answered][1])


def test_every_listed_request_is_in_the_language_it_asks_for() -> None:
    assert len(listed()) >= 32 and {sentences_for(tag) is not None for tag in LANGUAGES} == {True}
    for tag, sentences in listed().items():
        for sentence in sentences.answer:
            assert refused(sentence, "", tag) == "", (tag, sentence)


@needs_shared
@pytest.mark.slow
async def test_of_real_text_hardly_any_in_its_language_is_refused_and_none_in_another() -> None:
    texts = {tag: text for _, tag, text in declarations()}
    good = bad = seen = 0
    for tag, text in texts.items():
        paragraphs = [" ".join(each.split()) for each in text.split("\n")]
        for answer in [each for each in paragraphs if len(each) > 60][:6]:
            seen += 1
            good += not refused(answer, "?", tag, proven=True)
            others = [other for other in texts if other.split("-")[0] != tag.split("-")[0]]
            bad += sum(not refused(answer, "?", other, proven=True) for other in others)
    assert seen > 100 and good / seen >= 0.95 and bad == 0, (good, bad, seen)
