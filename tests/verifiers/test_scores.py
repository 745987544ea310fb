"""IFD, IC-IFD, S-IFD, r-IFD, perplexity: each against values worked out from the toy scorer."""

from __future__ import annotations

import asyncio
import math
import statistics
from typing import Any

import pytest
from pydantic import ValidationError

from engine.core import Drop, Message, ModelError, Record
from engine.kit import Verifier, as_step
from engine.measures.losses import gains, s_ifd, threshold
from engine.models.chat import Reply, Request, Scores
from engine.models.fake import FakeChat
from engine.models.journal import Journal, Said
from engine.prompting import Library
from engine.verifiers import ic_ifd, ifd, perplexity, r_ifd
from engine.verifiers import s_ifd as s_ifd_
from tests.conftest import Bind, seed
from tests.verifiers.toy import ODD, PAIRS, SCRIPT, mean_nll, pair, pieces, scored

REVERSED = {**SCRIPT, "r_ifd/reverse": scored}
ALL: dict[str, Verifier[Any]] = {
    "ifd": ifd.VERIFIER,
    "ic_ifd": ic_ifd.VERIFIER,
    "s_ifd": s_ifd_.VERIFIER,
    "r_ifd": r_ifd.VERIFIER,
    "perplexity": perplexity.VERIFIER,
}
every_score = pytest.mark.parametrize("name", ALL)
every_language = pytest.mark.parametrize("language", PAIRS)


async def facts(bind: Bind, name: str, record: Record, **params: Any) -> dict[str, Any]:
    step, _ = bind(ALL[name], REVERSED, **params)
    [kept] = await step(record)
    assert isinstance(kept, Record), kept
    found: dict[str, Any] = kept.facts[f"scores_{name}"]
    return found


@every_language
async def test_ifd_in_both_forms_after_the_chat_and_after_an_empty_turn(
    bind: Bind, language: str
) -> None:
    asked, said = PAIRS[language]
    given, alone = mean_nll(said, asked), mean_nll(said)
    found = await facts(bind, "ifd", pair(language))
    assert found["ifd_losses"] == pytest.approx(given / alone, abs=1e-6) and given < alone
    assert found["ifd_perplexities"] == pytest.approx(math.exp(given - alone), abs=1e-6)
    assert (found["nll_given"], found["nll_alone"]) == (
        pytest.approx(given, abs=1e-6),
        pytest.approx(alone, abs=1e-6),
    )
    assert (found["model"], found["template"]) == ("toy", "chat")
    assert found["tokens"] == len(pieces(said))


async def test_ifd_by_hand(bind: Bind) -> None:
    # words: A cherry is a red fruit. -> .1 .6 .2 .1 .3 .6; "a" and "red" and "fruit." are asked for
    found = await facts(bind, "ifd", pair("en"))
    assert found["nll_alone"] == pytest.approx(1.9 / 6, abs=1e-6)
    assert found["nll_given"] == pytest.approx((0.9 + 0.05 + 0.15 + 0.3) / 6, abs=1e-6)
    assert found["ifd_losses"] == pytest.approx(1.4 / 1.9, abs=1e-6)


@every_language
async def test_ifd_in_plain_text_counts_the_tokens_behind_the_prompts(
    bind: Bind, language: str
) -> None:
    _, said = PAIRS[language]
    given = "### Frage\n{instruction}\n\n### Response: "
    found = await facts(
        bind, "ifd", pair(language), template="text", given=given, alone="### Response: "
    )
    assert found["tokens"] == len(pieces(said))
    assert found["nll_given"] == found["nll_alone"] == pytest.approx(mean_nll(said), abs=1e-6)
    bare = await facts(bind, "ifd", pair(language), template="text")
    assert bare["nll_alone"] == pytest.approx(mean_nll(said, skip=1), abs=1e-6)
    assert (bare["given"], bare["alone"]) == ("{instruction}\n", "")


async def test_an_input_stands_below_the_bare_instruction(bind: Bind) -> None:
    record = seed("Fasse zusammen.\n\nEs regnet.", "de", "Regen.", instruction="Fasse zusammen.")
    record = record.with_facts(input="Es regnet.")
    step, chat = bind(ifd.VERIFIER, SCRIPT, template="text")
    with_more = Record("r", "de", (*record.messages[:1], Message("assistant", "Regen fällt.")))
    await step(with_more.with_facts(**record.facts))
    texts = {request.messages[0].content for request in chat.asked}
    assert texts == {
        "Fasse zusammen.\nEs regnet.\nRegen fällt.",
        "Fasse zusammen.\nEs regnet.\n",
        "Regen fällt.",
    }


@every_language
async def test_ic_ifd_takes_the_instruction_from_the_same_text(bind: Bind, language: str) -> None:
    asked, said = PAIRS[language]
    found = await facts(bind, "ic_ifd", pair(language))
    question = mean_nll(f"{asked}\n", skip=1)  # the line break is one of its tokens, of no length
    given, alone = mean_nll(said), mean_nll(said, skip=1)
    assert found["nll_question"] == pytest.approx(question, abs=1e-6)
    assert found["nll_given"] == pytest.approx(given, abs=1e-6)
    assert found["ic_ifd"] == pytest.approx(given / (question * alone), abs=1e-5)


async def test_ic_ifd_by_hand(bind: Bind) -> None:
    # L(Q): a red fruit. and the break = (.1 + .3 + .6 + 0) / 4; L(A|Q) = 1.9 / 6; L(A) = 1.8 / 5
    found = await facts(bind, "ic_ifd", pair("en"))
    assert found["ic_ifd"] == pytest.approx((1.9 / 6) / (0.25 * 0.36), abs=1e-6)


async def test_a_token_in_which_prompt_and_response_meet_counts_with_the_response(
    bind: Bind,
) -> None:
    found = await facts(bind, "ic_ifd", pair("en"), joint=" ")  # the blank becomes one of " A"
    assert found["tokens"] == 6 and found["nll_given"] == pytest.approx(1.9 / 6, abs=1e-6)
    assert found["nll_question"] == pytest.approx(1.0 / 3, abs=1e-6)


@every_language
async def test_perplexity_of_a_response_and_of_an_instruction(bind: Bind, language: str) -> None:
    asked, said = PAIRS[language]
    found = await facts(bind, "perplexity", pair(language))
    assert found["perplexity"] == pytest.approx(math.exp(mean_nll(said, asked)), abs=1e-5)
    bare = await facts(bind, "perplexity", pair(language), field="instruction", after="nothing")
    assert bare["perplexity"] == pytest.approx(math.exp(mean_nll(asked, skip=1)), abs=1e-5)
    assert (found["template"], bare["template"]) == ("chat", "text")


@every_language
async def test_r_ifd_is_the_instructions_perplexity_with_and_without_the_response(
    bind: Bind, language: str
) -> None:
    asked, _ = PAIRS[language]
    step, chat = bind(r_ifd.VERIFIER, REVERSED)
    [kept] = await step(pair(language))
    assert isinstance(kept, Record)
    found = kept.facts["scores_r_ifd"]
    shown = next(request for request in chat.asked if request.prompt != "score")
    given = mean_nll(asked, " ".join(m.content for m in shown.messages[:-1]))
    assert found["r_ifd"] == pytest.approx(math.exp(given - mean_nll(asked)), abs=1e-5)
    assert found["r_ifd"] < 1 and found["prompt"].startswith("r_ifd/reverse@")
    assert {request.role for request in chat.asked} == {"judge"}


@every_language
async def test_s_ifd_of_the_clean_response_and_its_neighbours(bind: Bind, language: str) -> None:
    asked, said = PAIRS[language]
    step, chat = bind(s_ifd_.VERIFIER, SCRIPT, neighbours=5, noise=0.2)
    [kept] = await step(pair(language))
    assert isinstance(kept, Record)
    found = kept.facts["scores_s_ifd"]
    after = {r.messages[0].content: scored(r).logprobs for r in chat.asked}
    alone = after.pop("")
    clean = gains(after.pop(asked), alone)
    least = threshold(clean, 0.5)
    assert found["threshold"] == pytest.approx(least, abs=1e-6)
    assert found["s_ifd"] == pytest.approx(s_ifd(clean, least), abs=1e-6) and found["s_ifd"] < 1
    noisy = [r.messages[0].content for r in chat.asked if r.messages[0].content not in ("", asked)]
    noise = [gains(after[text], alone) for text in noisy]
    scores = [s_ifd(gained, threshold(gained, 0.5)) for gained in noise]
    assert found["s_ifd_mean"] == pytest.approx(statistics.fmean(scores), abs=1e-6)
    assert found["s_ifd_std"] == pytest.approx(statistics.pstdev(scores), abs=1e-6)
    assert found["neighbours"] == 5 and len(chat.asked) == 7
    assert said == chat.asked[0].messages[-1].content


async def test_s_ifd_without_neighbours_has_no_deviation(bind: Bind) -> None:
    found = await facts(bind, "s_ifd", pair("de"), neighbours=0, threshold=0.1)
    assert "s_ifd_std" not in found and found["threshold"] == 0.1


async def test_s_ifd_of_a_response_that_is_cut_into_other_tokens_is_none(bind: Bind) -> None:
    def whimsical(request: Request) -> Scores:
        found = scored(request)
        if request.messages[0].content:
            return found
        return Scores(found.tokens[1:], found.logprobs[1:], "toy")

    step, _ = bind(s_ifd_.VERIFIER, {"score": whimsical})
    [kept] = await step(pair("sw"))
    assert isinstance(kept, Record) and "scores_s_ifd" not in kept.facts
    verdict = kept.verdicts[-1]
    assert verdict.verdict == "skipped" and "other tokens" in verdict.evidence


@every_score
async def test_nothing_is_dropped_without_bounds_and_all_that_is_outside_of_them_is(
    bind: Bind, name: str
) -> None:
    found = await facts(bind, name, pair("de"))
    key = {"ifd": "ifd_losses", "s_ifd": "s_ifd_mean"}.get(name, name)
    score = found[key]
    for bounds, reason in (
        ({"min_score": score + 0.01}, "low_score"),
        ({"max_score": score - 0.01}, "high_score"),
    ):
        step, _ = bind(ALL[name], REVERSED, **bounds)
        [drop] = await step(pair("de"))
        assert isinstance(drop, Drop) and drop.reason == reason
        assert drop.record.facts[f"scores_{name}"][key] == score
    await facts(bind, name, pair("de"), min_score=score - 0.01, max_score=score + 0.01)


@every_score
@pytest.mark.parametrize("response", ODD)
async def test_what_has_no_score_is_skipped_or_fails_and_never_gets_one(
    bind: Bind, name: str, response: str
) -> None:
    def nothing(request: Request) -> Scores:
        found = scored(request)
        return found if len(found.tokens) > 3 else Scores((), (), "toy")

    record = Record("r", "ar", (Message("user", "سؤال"), Message("assistant", response)))
    step, _ = bind(ALL[name], {"score": nothing, "r_ifd/reverse": nothing})
    [kept] = await step(record)
    assert isinstance(kept, Record) and f"scores_{name}" not in kept.facts
    assert kept.verdicts[-1].verdict == "skipped"
    step, _ = bind(ALL[name], {"score": nothing, "r_ifd/reverse": nothing}, min_score=0.0)
    [drop] = await step(record)
    assert isinstance(drop, Drop) and drop.reason in ("nothing_to_score", "not_scorable")


@every_score
async def test_odd_characters_and_length_end_clearly(bind: Bind, name: str) -> None:
    odd = "Ni \ud800 nini \x00 hii \u200f?"
    record = Record("r", "sw", (Message("user", odd), Message("assistant", odd + " ndiyo")))
    await facts(bind, name, record)
    long = Record("r", "th", (Message("user", "ถาม"), Message("assistant", "ผลไม้ " * 10**5)))
    step, chat = bind(ALL[name], REVERSED)
    [kept] = await step(long)
    assert isinstance(kept, Record) and kept.verdicts[-1].verdict == "skipped" and not chat.asked
    assert "too long" in kept.verdicts[-1].evidence


@every_score
@pytest.mark.parametrize(
    "turns",
    [
        (),
        (Message("user", "Hi"),),
        (Message("assistant", "Hi"),),
        (Message("assistant", "Hi"), Message("user", "Hi")),
        (Message("user", "a b"), Message("assistant", "c d"), Message("assistant", "e f")),
    ],
)
async def test_what_is_no_exchange_is_not_scored(
    bind: Bind, name: str, turns: tuple[Message, ...]
) -> None:
    step, chat = bind(ALL[name], REVERSED)
    [kept] = await step(Record("r", "hi", turns))
    assert isinstance(kept, Record) and not chat.asked
    assert kept.verdicts[-1].verdict == "skipped"


@every_score
async def test_a_server_that_cannot_score_is_no_verdict(prompts: Library, name: str) -> None:
    class OnlyChats:
        async def chat(self, request: Request) -> Reply:
            return Reply("ok", "fake")

    kind = ALL[name]
    models = dict.fromkeys(("judge", "scorer"), OnlyChats())
    step = as_step(kind, "step", kind.params(), models, prompts, seed=1)
    with pytest.raises(ModelError, match="cannot score"):
        await step(pair("en"))


@every_score
async def test_a_second_start_asks_the_journal_and_not_the_model(
    prompts: Library, name: str
) -> None:
    class Book(dict[str, Said]):
        def recall(self, key: str) -> Said | None:
            return self.get(key)

        async def keep(self, said: Said) -> None:
            self[said.key] = said

    kind, book, found = ALL[name], Book(), []
    for chat in (FakeChat(REVERSED), FakeChat({})):
        journal = Journal(chat, "toy", book)
        models = dict.fromkeys(("judge", "scorer"), journal)
        step = as_step(kind, "step", kind.params(), models, prompts, seed=1)
        found.append(await step(pair("hi")))
    assert found[0] == found[1] and not chat.asked and book


@every_score
async def test_its_calls_are_made_side_by_side(prompts: Library, name: str) -> None:
    class Meeting:
        """Answers when everybody who can come is there."""

        def __init__(self) -> None:
            self.waiting, self.most = 0, 0

        async def chat(self, request: Request) -> Reply:
            raise AssertionError("nothing is written")

        async def embed(self, request: Any) -> Any:
            raise AssertionError("nothing is embedded")

        async def count(self, request: Request) -> Any:
            raise AssertionError("nothing is counted")

        async def score(self, request: Request) -> Scores:
            self.waiting += 1
            self.most = max(self.most, self.waiting)
            for _ in range(10):
                await asyncio.sleep(0)
            self.waiting -= 1
            return scored(request)

    kind, meeting = ALL[name], Meeting()
    models = dict.fromkeys(("judge", "scorer"), meeting)
    step = as_step(kind, "step", kind.params(), models, prompts, seed=1)
    await step(pair("zh-Hans"))
    assert meeting.most == {"ifd": 2, "ic_ifd": 3, "s_ifd": 6, "r_ifd": 2, "perplexity": 1}[name]


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("ifd", {"given": "Answer:"}),
        ("ifd", {"given": " \n"}),
        ("ifd", {"alone": "\n"}),
        ("ifd", {"min_score": 2, "max_score": 1}),
        ("perplexity", {"field": "instruction"}),
        ("s_ifd", {"share": 0}),
        ("ic_ifd", {"max_chars": 0}),
    ],
)
def test_settings_that_make_no_score_are_refused(name: str, params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ALL[name].params(**params)
