from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from engine.constraints.reading import KINDS, listed, passes, results
from engine.core import Drop, Record
from engine.generators.constrained import GENERATOR
from engine.models.chat import Reply, Request
from engine.verifiers.constraints import VERIFIER
from tests.conftest import Bind, seed

NO_COMMA = {"types": ["punctuation:no_comma"], "max_constraints": 1}
ASKED = "Schlage fünf günstige Mittagessen vor."


def script(*answers: str, word: Any = ()) -> dict[str, Any]:
    return {"constrained/answer": list(answers), "constrained/word": word}


async def test_an_answer_that_meets_the_constraint_is_kept_with_its_pass_rate(bind: Bind) -> None:
    step, chat = bind(GENERATOR, script("Reis, Linsen", "Reis", "a, b", "c, d"), **NO_COMMA)
    [kept] = await step(seed(ASKED, "de"))
    assert isinstance(kept, Record) and kept.last("assistant") == "Reis"
    assert kept.last("user") == f"{ASKED}\n\nVerwende kein einziges Komma."
    assert kept.facts["constraints"] == [{"type": "punctuation:no_comma", "params": {}}]
    assert (kept.facts["pass_rate"], kept.facts["answers"]) == (0.25, 4)
    assert kept.facts["constraint_results"][0]["strict"] == "pass"
    assert kept.facts["seed_instruction"] == ASKED
    assert kept.facts["instruction"] == kept.last("user")
    assert len(chat.asked) == 4 or chat.asked[0].n == 4


async def test_where_no_answer_passes_the_seed_drops_and_says_what_was_broken(bind: Bind) -> None:
    step, _ = bind(GENERATOR, script("a, b", "a, b", "a, b", "a，b"), **NO_COMMA)
    [drop] = await step(seed(ASKED, "de"))
    assert isinstance(drop, Drop) and drop.reason == "no_answer_passes"
    assert drop.detail == "punctuation:no_comma 4x" and drop.record.facts["pass_rate"] == 0


async def test_what_every_answer_meets_can_be_too_easy(bind: Bind) -> None:
    step, _ = bind(GENERATOR, script("a", "b", "c", "d"), **NO_COMMA, max_pass_rate=0.75)
    [drop] = await step(seed(ASKED, "de"))
    assert isinstance(drop, Drop) and drop.reason == "too_easy"


async def test_several_answers_can_be_kept_each_a_record_of_its_own(bind: Bind) -> None:
    step, _ = bind(GENERATOR, script("a", "b", "c, d", "e"), **NO_COMMA, keep=4)
    kept = await step(seed(ASKED, "de"))
    assert {r.last("assistant") for r in kept if isinstance(r, Record)} == {"a", "b", "e"}
    assert len({r.id for r in kept if isinstance(r, Record)}) == 3


async def test_cut_answers_never_pass_and_count_as_failed(bind: Bind) -> None:
    cut = Reply("Reis", model="fake", truncated=True)
    step, _ = bind(GENERATOR, {"constrained/answer": cut, "constrained/word": ()}, **NO_COMMA)
    [drop] = await step(seed(ASKED, "de"))
    assert isinstance(drop, Drop) and drop.reason == "no_answer_passes"


async def test_an_input_stands_below_the_constraints_and_stays_a_fact(bind: Bind) -> None:
    step, _ = bind(GENERATOR, script("a", "b", "c", "d"), **NO_COMMA)
    [kept] = await step(seed("Fasse zusammen.\n\nText, lang.", "de", input="Text, lang."))
    assert isinstance(kept, Record)
    wanted = "Fasse zusammen.\n\nVerwende kein einziges Komma."
    assert kept.last("user") == f"{wanted}\n\nText, lang."
    assert kept.facts["instruction"] == wanted and kept.facts["input"] == "Text, lang."


async def test_an_unlisted_language_has_its_constraints_worded_by_a_model(bind: Bind) -> None:
    said = json.dumps({"sentences": ["Hiç virgül kullanma."]})
    step, chat = bind(GENERATOR, script("a", "b", "c", "d", word=[said]), **NO_COMMA)
    [kept] = await step(seed("Beş öğle yemeği öner.", "tr"))
    assert isinstance(kept, Record)
    assert kept.last("user") == "Beş öğle yemeği öner.\n\nHiç virgül kullanma."
    assert chat.asked[0].inputs["constraints"] == ["Do not use any commas."]
    assert chat.asked[0].inputs["language"] == "Turkish"


@pytest.mark.parametrize("sentences", [["Köprü yaz."], ["a", "b"], ["3 kez yaz."]])
async def test_a_wording_that_leaves_something_out_is_asked_for_once_more(
    bind: Bind, sentences: list[str]
) -> None:
    types = ["keywords:frequency"]
    replies = lambda request: json.dumps({"sentences": sentences})  # noqa: E731
    step, chat = bind(GENERATOR, script("a", word=replies), types=types, max_constraints=1)
    [drop] = await step(seed("Köprü hakkında yaz.", "tr"))
    assert isinstance(drop, Drop) and drop.reason == "unworded_constraint"
    assert [request.take for request in chat.asked] == [0, 1]


@pytest.mark.parametrize("text", ["", "  \n"])
async def test_a_seed_without_an_instruction_costs_no_call(bind: Bind, text: str) -> None:
    step, chat = bind(GENERATOR, script())
    [drop] = await step(seed(text, "de"))
    assert isinstance(drop, Drop) and drop.reason == "no_instruction" and not chat.asked


async def test_a_language_without_case_is_not_asked_for_capitals(bind: Bind) -> None:
    types = ["change_case:english_capital", "change_case:english_lowercase"]
    step, chat = bind(GENERATOR, script(), types=types)
    [drop] = await step(seed("请推荐午餐。", "zh"))
    assert isinstance(drop, Drop) and drop.reason == "too_few_constraints" and not chat.asked


@pytest.mark.parametrize("language", ["en", "zh", "hi", "th"])
async def test_what_is_kept_passes_the_verifier_and_nothing_else_is_kept(
    bind: Bind, language: str
) -> None:
    def reply(request: Request) -> str:
        return "好。" if request.seed % 2 else "<<A>>\n*b* *c* *d* *e* *f*\n" + "x " * 40

    step, _ = bind(GENERATOR, {"constrained/answer": reply, "constrained/word": ()})
    verify, _ = bind(VERIFIER)
    rates = set()
    for n in range(40):
        record = Record(f"r{n}", language, seed("写一首诗 poem कविता กลอน", language).messages)
        for outcome in await step(record):
            constraints = listed(outcome.facts["constraints"]) if isinstance(outcome, Record) else 0
            if isinstance(outcome, Record):
                assert 1 <= len(constraints) <= 3
                assert passes(results(outcome.last("assistant"), constraints, language))
                assert isinstance((await verify(outcome))[0], Record)
                rates.add(outcome.facts["pass_rate"])
            else:
                assert outcome.reason == "no_answer_passes"
    assert rates and 0 not in rates


@pytest.mark.parametrize(
    "params",
    [
        {"types": []},
        {"types": ["keywords:rhyme"]},
        {"types": ["language:response_language"]},
        {"min_constraints": 3, "max_constraints": 2},
        {"keep": 5, "answers": 4},
        {"max_pass_rate": 0},
    ],
)
def test_settings_that_cannot_be_are_mistakes_in_the_job(params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GENERATOR.params.model_validate(params)


def test_all_types_but_set_phrases_and_languages_are_drawn_by_default() -> None:
    left_out = set(KINDS) - set(GENERATOR.params().types)
    assert left_out == {"detectable_format:constrained_response", "language:response_language"}
