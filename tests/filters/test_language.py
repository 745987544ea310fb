from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from engine.core import Drop, Outcome, Record
from engine.filters.language import FILTER, Params
from tests.conftest import Bind, seed
from tests.filters.samples import GOOD

MIXED = f"{GOOD['de'][1]} {GOOD['ar'][1]}"
INDONESIAN = "Semua orang dilahirkan merdeka dan mempunyai martabat dan hak-hak yang sama."


async def outcome(bind: Bind, record: Record, **params: Any) -> Outcome:
    step, _ = bind(FILTER, **params)
    [found] = await step(record)
    return found


def told(found: Outcome) -> str:
    return f"{found.reason} | {found.detail}" if isinstance(found, Drop) else "keep"


@pytest.mark.parametrize("language", GOOD)
async def test_a_record_in_its_language_is_kept_with_what_was_found(
    bind: Bind, language: str
) -> None:
    kept = await outcome(bind, seed(GOOD[language][0], language, GOOD[language][1]))
    assert isinstance(kept, Record)
    found = kept.facts["identified"]["response"]
    assert found["language"].split("-")[0] == language and found["confidence"] > 0.5


@pytest.mark.parametrize("language", sorted(set(GOOD) - {"en"}))
async def test_an_english_answer_is_dropped_and_says_where_and_what(
    bind: Bind, language: str
) -> None:
    drop = await outcome(bind, seed(GOOD[language][0], language, GOOD["en"][1]))
    assert told(drop) == f"wrong_language | response: en (1.00), wanted {language}"
    assert isinstance(drop, Drop) and "response" in drop.record.facts["identified"]


async def test_question_and_answer_may_have_languages_of_their_own(bind: Bind) -> None:
    crossed = seed(GOOD["en"][0], "sw", GOOD["sw"][1])
    assert told(await outcome(bind, crossed)).startswith("wrong_language | instruction: en")
    assert told(await outcome(bind, crossed, languages={"instruction": "en"})) == "keep"
    assert told(await outcome(bind, crossed, fields=["response"])) == "keep"


async def test_a_fact_can_be_told(bind: Bind) -> None:
    record = seed(GOOD["de"][0], "de", GOOD["de"][1], rejected=GOOD["en"][1], input=3)
    assert told(await outcome(bind, record, fields=["rejected"])).startswith("wrong_language")
    kept = await outcome(bind, record, fields=["input"])
    assert isinstance(kept, Record) and kept.verdicts[-1].verdict == "skipped"


@pytest.mark.parametrize(
    ("unsure", "end", "verdict"),
    [("keep", "keep", "pass"), ("skip", "keep", "skipped"), ("drop", "unsure_language", "fail")],
)
@pytest.mark.parametrize(
    "text", ["Ja.", "```\nx = 1\n```", "42", f"{GOOD['de'][1]} {GOOD['ar'][1]}"]
)
async def test_what_cannot_be_told_goes_by_the_policy(
    bind: Bind, unsure: str, end: str, verdict: str, text: str
) -> None:
    found = await outcome(bind, seed(GOOD["de"][0], "de", text), unsure=unsure)
    assert told(found).split(" | ")[0] == end
    record = found.record if isinstance(found, Drop) else found
    assert record.verdicts[-1].verdict == verdict


async def test_a_close_language_will_do_unless_it_is_refused(bind: Bind) -> None:
    record = seed("", "id", INDONESIAN)
    assert told(await outcome(bind, record)) == "keep"
    refused = await outcome(bind, record, close="refuse")
    assert told(refused) == "wrong_language | response: ms (0.69), wanted id"
    assert told(await outcome(bind, record, close="refuse", min_confidence=0.8)) == "keep"


async def test_the_script_counts_where_the_language_has_several(bind: Bind) -> None:
    simplified = seed("", "zh-Hant", GOOD["zh"][1])
    assert told(await outcome(bind, simplified)).startswith("wrong_script | response: zh-Hans")
    assert told(await outcome(bind, seed("", "zh-CN", GOOD["zh"][1]))) == "keep"


async def test_a_language_nobody_can_tell_is_held_to_its_script_and_against_english(
    bind: Bind,
) -> None:
    achuar = "Mash aents aka akiinamunam, iruntrar pénker pujustin aíniawai, niisha anentáimtin."
    assert told(await outcome(bind, seed("", "acu", achuar))) == "keep"
    assert told(await outcome(bind, seed("", "acu", GOOD["en"][1]))).startswith("wrong_language")
    assert told(await outcome(bind, seed("", "acu", GOOD["hi"][1]))).startswith("wrong_language")


async def test_one_turn_in_another_language_is_enough(bind: Bind) -> None:
    first = seed(GOOD["de"][0], "de", GOOD["de"][1])
    second = seed(GOOD["de"][0], "de", GOOD["en"][1])
    both = Record("r", "de", first.messages + second.messages)
    assert told(await outcome(bind, both)).startswith("wrong_language | response: en")


async def test_a_tag_that_nobody_knows_is_unsure(bind: Bind) -> None:
    record = seed("", "xx-unknown", GOOD["de"][1])
    assert told(await outcome(bind, record)) == "keep"
    assert told(await outcome(bind, record, unsure="drop")).startswith("unsure_language")


async def test_a_fasttext_model_of_the_users_own_is_asked_instead(bind: Bind) -> None:
    pytest.importorskip("fasttext")
    model = Path(__file__).parents[1] / "languages" / "tiny.bin"
    kept = await outcome(bind, seed("", "sw", GOOD["sw"][1]), model=model)
    assert isinstance(kept, Record) and kept.facts["identified"]["response"]["language"] == "sw"
    drop = await outcome(bind, seed("", "sw", GOOD["th"][1]), model=model)
    assert told(drop).startswith("wrong_language | response: th")


@pytest.mark.parametrize(
    "wrong", [{"unsure": "guess"}, {"min_confidence": 2}, {"languages": {"response": "not a tag"}},
              {"fields": []}, {"model": "nowhere.bin"}],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Params.model_validate(wrong, context={"base": Path()})
