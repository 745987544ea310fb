from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.core import Drop, Record
from engine.generators.auto_if_constraints import GENERATOR
from engine.text.lengths import words
from engine.text.phrases import phrase_lists
from tests.conftest import Bind, seed

REPLIES = sorted((Path(__file__).parent / "replies" / "auto_if_constraints").glob("*.txt"))
PROPOSE = "auto_if_constraints/propose"


def written(path: Path) -> tuple[str, str]:
    """What a model replied, and what must become of it."""
    reply, _, expected = path.read_text(encoding="utf-8").partition("\n=== outcome\n")
    return reply, expected.strip()


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_proposals_as_models_write_them_are_kept_or_drop_by_rule(
    path: Path, bind: Bind
) -> None:
    reply, expected = written(path)
    step, _ = bind(GENERATOR, {PROPOSE: reply}, examples=30)
    outcomes = await step(seed(language=path.stem.split("_")[0]))
    told = [each.reason if isinstance(each, Drop) else "keep" for each in outcomes]
    assert " ".join(told) == expected


async def test_each_constraint_is_a_record_that_knows_its_seeds_queries(bind: Bind) -> None:
    said = json.dumps({"constraints": ["Ende mit einem Reim.", "Nutze kein Adjektiv."]})
    step, _ = bind(GENERATOR, {PROPOSE: said})
    kept = await step(seed(language="de", demonstrations=[{"instruction": "Hallo?"}]))
    assert [each.last("user") for each in kept if isinstance(each, Record)] == [
        "Ende mit einem Reim.",
        "Nutze kein Adjektiv.",
    ]
    assert kept[0].facts["demonstrations"] == [{"instruction": "Hallo?"}]


async def test_examples_are_the_languages_own_or_english_where_it_has_none(bind: Bind) -> None:
    lists = phrase_lists("auto_if.yaml")
    for language, of in (("hi", "hi"), ("zh-Hans", "zh"), ("eu", "en")):
        step, chat = bind(GENERATOR, {PROPOSE: '{"constraints": ["..."]}'}, examples=4, count=7)
        await step(seed(language=language))
        shown = chat.asked[0].inputs["examples"]
        assert len(set(shown)) == 4 and set(shown) <= set(lists[of]["constraints"])
        assert "Write 7 new conditions" in chat.asked[0].messages[-1].content


def test_our_seed_constraints_are_constraints_by_our_own_rule() -> None:
    for tag, kinds in phrase_lists("auto_if.yaml").items():
        assert len(set(kinds["constraints"])) == len(kinds["constraints"]) >= 8, tag
        assert all(2 <= words(text) <= 60 for text in kinds["constraints"]), tag
