from __future__ import annotations

import pytest

from engine.core import Drop, Record
from engine.filters.copied import FILTER
from tests.conftest import seed
from tests.filters.samples import GOOD

TEXT = (
    "Their going to the old mill, and than they will have a picnic by the lake. The weather is "
    "suppose to be fine all day, but Mira packs a umbrella, just in case."
)


async def _outcome(bind, record, **params):
    step, _ = bind(FILTER, **params)
    [outcome] = await step(record)
    return outcome


@pytest.mark.parametrize("language", GOOD)
async def test_a_question_handed_back_is_dropped_in_every_script(bind, language):
    instruction = GOOD[language][0]
    drop = await _outcome(bind, seed(instruction, language, instruction.upper() + " OK"))
    assert isinstance(drop, Drop) and drop.reason == "copied_from_prompt", drop


@pytest.mark.parametrize(
    "instruction, response, facts",
    [
        (f"Correct the mistakes:\n\n{TEXT}", TEXT.replace("Their", "They are"), {}),
        (f"Is this right? {TEXT}", TEXT, {}),
        (f"Add a title to this text: {TEXT}", f"A Day Out\n\n{TEXT}", {}),
        (f"{TEXT}\n\nWhat does Mira take along?", "Mira packs a umbrella, just in case.", {}),
        (f"Repeat this slowly\n\n{TEXT}", TEXT, {"input": TEXT}),
        (f'Correct the spelling of "{TEXT}"', TEXT, {}),
        (f"请改正下面的错别字：{GOOD['zh'][1]}", GOOD["zh"][1], {}),
        ("Which is larger, the sun or the moon?", "The sun", {}),
    ],
)
async def test_work_on_an_input_passes(bind, instruction, response, facts):
    assert isinstance(await _outcome(bind, seed(instruction, "en", response, **facts)), Record)


async def test_an_answer_that_takes_up_the_question_passes(bind):
    question, rest = GOOD["en"]
    assert isinstance(await _outcome(bind, seed(question, "en", f"{question} {rest}")), Record)


@pytest.mark.parametrize("language", ["en", "zh", "th", "ar"])
async def test_an_instruction_that_recites_its_document_is_dropped(bind, language):
    document = GOOD[language][1]
    half = document[: len(document) // 2]
    leak = seed(f"? {half}", language, document, document=document)
    for against in ("response", "document"):
        drop = await _outcome(bind, leak, field="instruction", against=against, min_share=0.5)
        assert drop.reason == f"copied_from_{against}"
    honest = seed(GOOD[language][0], language, document)
    settings = {"field": "instruction", "against": "response", "min_share": 0.5}
    assert isinstance(await _outcome(bind, honest, **settings), Record)
