from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from engine.core import Drop, Message, Record
from engine.generators import translate
from engine.generators.bactrian import GENERATOR
from engine.models.chat import Reply, Request
from engine.passes.parallel_ids import PASS
from tests.conftest import Bind, needs_shared, seed, settle
from tests.generators.reversing import declarations, replies
from tests.generators.reversing import written as parts

TEA = "Wie koche ich eine gute Kanne Tee?"
ANSWER = parts(next(path for path in replies("bactrian") if path.stem == "plain"))["answer"]


@pytest.mark.parametrize("path", replies("bactrian"), ids=lambda path: path.stem)
async def test_answers_as_models_write_them_are_kept_asked_again_or_dropped(path: Path, bind: Bind):
    said = parts(path)
    answers = [said[name] for name in ("answer", "again") if name in said]
    step, chat = bind(GENERATOR, {"bactrian/answer": answers})
    [found] = await step(seed(TEA, "de"))
    assert len(chat.asked) == len(answers)
    if said["outcome"] == "keep":
        assert isinstance(found, Record) and found.last("assistant") == answers[-1].strip()
    else:
        assert isinstance(found, Drop) and found.reason == said["outcome"]


async def test_the_answer_is_asked_for_in_the_target_language_from_the_prompt_alone(bind: Bind):
    record = seed(TEA, "de", parallel_id="alpaca-7", provenance={"instruction": "translated"})
    step, chat = bind(GENERATOR, {"bactrian/answer": ANSWER})
    [found] = await step(record)
    [request] = chat.asked
    assert request.messages[-1] == Message("user", TEA), "the bare prompt, and nothing else"
    assert "German" in request.messages[0].content and request.language == "de"
    assert found.facts["provenance"] == {"instruction": "translated", "response": "regenerated"}
    assert found.facts["translated_input"] and found.facts["translated_output"] is False
    assert found.facts["parallel_id"] == "alpaca-7"


async def test_a_native_prompt_is_answered_too_and_says_so(bind: Bind):
    step, _ = bind(GENERATOR, {"bactrian/answer": ANSWER})
    [found] = await step(seed(TEA, "de"))
    assert found.facts["provenance"]["instruction"] == "native"
    assert not found.facts["translated_input"] and found.facts["parallel_id"] == "seed"


async def test_an_answer_cut_by_the_token_limit_is_asked_for_again(bind: Bind):
    cut = Reply(ANSWER[:50], model="fake", truncated=True)
    step, chat = bind(GENERATOR, {"bactrian/answer": [cut, ANSWER]})
    [found] = await step(seed(TEA, "de"))
    assert isinstance(found, Record) and len(chat.asked) == 2


@pytest.mark.parametrize(
    "record, reason",
    [(seed("", "de"), "no_instruction"), (seed("  \n", "zh"), "no_instruction"),
     (seed(TEA, "de", "Mit Wasser."), "answered_already")],
)  # fmt: skip
async def test_what_cannot_be_asked_costs_no_call(bind: Bind, record: Record, reason: str):
    step, chat = bind(GENERATOR, {})
    [found] = await step(record)
    assert isinstance(found, Drop) and found.reason == reason and not chat.asked


SAMPLES = {
    "en": "The old bridge over the river was closed last winter, because the ice had broken it.",
    "de": "Die alte Brücke über den Fluss wurde im Winter gesperrt, weil das Eis sie zerstört hat.",
    "zh-Hans": "去年冬天，河上的老桥关闭了，因为冰把它弄坏了。",
    "ar": "أغلق الجسر القديم فوق النهر في الشتاء الماضي لأن الجليد كسره.",
    "hi": "पिछली सर्दियों में नदी पर बना पुराना पुल बंद कर दिया गया था, क्योंकि बर्फ़ ने उसे तोड़ दिया था।",
    "th": "สะพานเก่าข้ามแม่น้ำถูกปิดเมื่อฤดูหนาวที่แล้ว เพราะน้ำแข็งทำให้มันพัง",
    "sw": "Daraja la zamani juu ya mto lilifungwa wakati wa baridi kwa sababu barafu ililivunja.",
}  # fmt: skip


@pytest.mark.parametrize("language", SAMPLES)
async def test_good_answers_pass_in_every_language_and_those_of_others_do_not(
    bind: Bind, language: str
):
    for other, answer in SAMPLES.items():
        step, _ = bind(GENERATOR, {"bactrian/answer": answer}, takes=1)
        [found] = await step(seed("?!", language))
        assert isinstance(found, Record) == (other == language), (other, found)


async def test_every_language_ends_with_the_same_ids(bind: Bind):
    """The contract of the published rows: |ids(lang)| is one number, prompts MT, answers not."""

    def translated(request: Request) -> str:
        number = request.inputs["text"].split()[-1]
        refused = number == "3." and request.language == "sw"
        return "" if refused else f"{SAMPLES[request.language]} {number}"

    script = {"translate/translate": translated, "translate/repair": translated}
    into = ["de", "zh-Hans", "sw"]
    step, _ = bind(
        translate.GENERATOR, script, into=into, response="regenerate", back=False, takes=1
    )
    answer, _ = bind(GENERATOR, {"bactrian/answer": lambda request: SAMPLES[request.language]})
    found = []
    for n in range(6):
        record = Record(f"alpaca-{n}", "en", (Message("user", f"{SAMPLES['en']} {n}."),))
        for child in await step(record):
            found += await answer(child) if isinstance(child, Record) else []
    assert len(found) == 17
    kept = [each for each in settle(PASS, found, languages=into) if isinstance(each, Record)]
    ids: defaultdict[str, set[str]] = defaultdict(set)
    for record in kept:
        ids[record.language].add(record.facts["parallel_id"])
        assert record.facts["translated_output"] is False
        assert record.last("assistant") == SAMPLES[record.language]
    wanted = {f"alpaca-{n}" for n in (0, 1, 2, 4, 5)}
    assert dict(ids) == dict.fromkeys(into, wanted)


@needs_shared
@pytest.mark.slow
async def test_of_real_text_at_least_95_in_100_answers_are_in_their_language(bind: Bind):
    good, seen = 0, 0
    for _, tag, text in declarations():
        paragraphs = [" ".join(each.split()) for each in text.split("\n")]
        for answer in [each for each in paragraphs if len(each) > 60][:6]:
            step, _ = bind(GENERATOR, {"bactrian/answer": answer}, takes=1)
            [found] = await step(seed("?!", tag))
            good += isinstance(found, Record)
            seen += 1
    assert seen > 100 and good / seen >= 0.95, (good, seen)


async def test_a_fact_of_a_foreign_form_is_no_statement_of_origin(bind: Bind):
    step, _ = bind(GENERATOR, {"bactrian/answer": "Weil der Mond das Wasser zu sich zieht."})
    [made] = await step(seed("Warum steigt das Wasser?", language="de", provenance="web"))
    assert isinstance(made, Record)
    assert made.facts["provenance"] == {"instruction": "native", "response": "regenerated"}
