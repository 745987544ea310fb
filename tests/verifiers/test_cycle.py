from __future__ import annotations

import pytest

from engine.core import Drop, Message, Record
from engine.kit import as_step
from engine.models.chat import Scores
from engine.models.fake import FakeChat
from engine.prompting import Library
from engine.text import hashed
from engine.verifiers.cycle import VERIFIER
from tests.conftest import Bind, seed
from tests.verifiers.toy import ODD, PAIRS, pair

FOUND = {
    "en": "Which fruit is red? Name one red fruit.",
    "de": "Nenne mir eine Frucht, die rot ist.",
    "zh-Hans": "请说出一种红色水果的名字。",
    "ar": "اذكر اسم فاكهة حمراء",
    "hi": "किसी एक लाल फल का नाम बताओ",
    "th": "ช่วยบอกชื่อผลไม้สีแดง",
    "sw": "Taja jina la tunda moja jekundu",
}
STRANGER = {
    "en": "How do I change a bicycle tyre at home?",
    "de": "Wie wechsle ich zu Hause einen Fahrradreifen?",
    "zh-Hans": "怎样在家换自行车轮胎？",
    "ar": "كيف أبدل إطار الدراجة في البيت؟",
    "hi": "घर पर साइकिल का टायर कैसे बदलें?",
    "th": "เปลี่ยนยางจักรยานเองที่บ้านอย่างไร",
    "sw": "Nitabadilishaje mpira wa baiskeli nyumbani?",
}


@pytest.mark.parametrize("language", PAIRS)
async def test_an_instruction_that_is_found_again_keeps_its_record(
    bind: Bind, language: str
) -> None:
    step, chat = bind(VERIFIER, {"cycle/reverse": FOUND[language]}, min_similarity=0.3)
    [kept] = await step(pair(language))
    assert isinstance(kept, Record), kept
    found = kept.facts["scores_cycle"]
    assert found["instruction"] == FOUND[language] and found["similarity"] > 0.2
    assert found["embedder"] == hashed.NAME and found["prompt"].startswith("cycle/reverse@")
    body = "".join(m.content for m in chat.asked[0].messages)
    assert PAIRS[language][1] in body and PAIRS[language][0] not in body


@pytest.mark.parametrize("language", PAIRS)
async def test_a_response_that_suggests_another_instruction_is_dropped(
    bind: Bind, language: str
) -> None:
    step, _ = bind(VERIFIER, {"cycle/reverse": STRANGER[language]}, min_similarity=0.3)
    [drop] = await step(pair(language))
    assert isinstance(drop, Drop) and drop.reason == "cycle_broken"
    assert drop.record.facts["scores_cycle"]["similarity"] < 0.3


async def test_the_nearest_of_several_reconstructions_counts(bind: Bind) -> None:
    replies = [STRANGER["sw"], FOUND["sw"], " "]
    step, chat = bind(VERIFIER, {"cycle/reverse": replies}, n=3)
    [kept] = await step(pair("sw"))
    assert isinstance(kept, Record) and chat.asked[0].n == 3
    assert kept.facts["scores_cycle"]["instruction"] == FOUND["sw"]


async def test_a_model_that_embeds_is_asked_where_there_is_one(prompts: Library) -> None:
    asked, found = PAIRS["de"][0], FOUND["de"]
    chat = FakeChat({"cycle/reverse": found}, {asked: (3, 4), found: (4, 3)})
    models = {"writer": chat, "embedder": chat}
    step = as_step(VERIFIER, "step", VERIFIER.params(), models, prompts, seed=1)
    [kept] = await step(pair("de"))
    assert isinstance(kept, Record)
    assert kept.facts["scores_cycle"]["similarity"] == pytest.approx(0.96)
    assert kept.facts["scores_cycle"]["embedder"] == "fake"


@pytest.mark.parametrize(("given", "kept"), [(1.0, True), (4.0, False)])
async def test_r_ifd_decides_too_where_it_is_wanted(
    prompts: Library, given: float, kept: bool
) -> None:
    class Both(FakeChat):
        async def score(self, request: object) -> Scores:
            shown = getattr(request, "prompt", "") != "score"
            return Scores(("a", "b"), (-given,) * 2 if shown else (-2.0, -2.0), "fake")

    chat = Both({"cycle/reverse": FOUND["hi"]})
    params = VERIFIER.params(r_ifd=True)
    step = as_step(VERIFIER, "step", params, {"writer": chat}, prompts, seed=1)
    [outcome] = await step(pair("hi"))
    record = outcome if isinstance(outcome, Record) else outcome.record
    assert isinstance(outcome, Record) == kept
    assert record.facts["scores_cycle"]["r_ifd"] == pytest.approx(2.718281828 ** (given - 2), 1e-5)


async def test_a_model_that_writes_nothing_has_found_nothing(bind: Bind) -> None:
    step, _ = bind(VERIFIER, {"cycle/reverse": " "}, n=2)
    [drop] = await step(pair("ar"))
    assert isinstance(drop, Drop) and drop.reason == "bad_reply"
    assert drop.record.verdicts[-1].verdict == "error"


@pytest.mark.parametrize("response", ODD)
async def test_odd_responses_end_clearly(bind: Bind, response: str) -> None:
    step, _ = bind(VERIFIER, {"cycle/reverse": "ถามอะไร"})
    record = Record("r", "th", (Message("user", "ถามอะไร"), Message("assistant", response)))
    [outcome] = await step(record)
    assert isinstance(outcome, Record) == bool(response.strip())


@pytest.mark.slow
async def test_a_megabyte_is_compared(bind: Bind) -> None:
    step, _ = bind(VERIFIER, {"cycle/reverse": "x" * 10**6})
    [kept] = await step(seed("x" * 10**6, "en", "y" * 10**6))
    assert isinstance(kept, Record)
