from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from engine.core import Drop, Outcome, Record
from engine.generators.cross_lingual_forms import GENERATOR
from engine.passes.aligned_rows import PASS
from tests.conftest import Bind, settle

ROWS = {
    "eu": ("Sagar uzta ona aurten", "Aurtengo uzta azken hamar urteetako onena da."),
    "en": ("A good apple harvest", "This year's harvest is the best in ten years."),
    "zh-Hans": ("今年苹果丰收", "今年的收成是十年来最好的。"),
}


def article(language: str, key: str = "a1", **more: Any) -> Record:
    headline, lead = ROWS[language]
    facts = {"article": key, "headline": headline, "lead": lead, "body": f"{lead} {lead}"}
    return Record(f"{key}-{language}", language, (), {**facts, **more})


def aligned(*rows: Record, **params: Any) -> list[Outcome]:
    return settle(PASS, rows, **{"key": "article", "facts": ["headline", "lead"], **params})


def test_each_row_gets_what_the_others_of_its_id_say() -> None:
    made = aligned(*map(article, ROWS), article("eu", "a2"))
    found = {o.id: o.facts["translations"] for o in made if isinstance(o, Record)}
    assert list(found) == ["a1-eu", "a1-en", "a1-zh-Hans", "a2-eu"]
    assert list(found["a1-eu"]) == ["en", "zh-Hans"] and found["a2-eu"] == {}
    assert found["a1-eu"]["en"] == dict(zip(("headline", "lead"), ROWS["en"], strict=True))


def test_languages_that_nobody_wants_answers_in_serve_and_drop() -> None:
    kept, *drops = aligned(*map(article, ROWS), languages=["eu"])
    assert isinstance(kept, Record) and set(kept.facts["translations"]) == {"en", "zh-Hans"}
    assert [each.reason for each in drops if isinstance(each, Drop)] == ["only_a_translation"] * 2


def test_what_a_row_brings_stays_and_rows_without_id_or_twice_drop() -> None:
    rows = [article("eu", translations={"fr": {}}), article("eu"), article("en", "")]
    made = aligned(*rows)
    assert sorted(o.reason for o in made if isinstance(o, Drop)) == [
        "not_aligned",
        "twice_in_a_language",
    ]
    assert [o.facts["translations"] for o in made if isinstance(o, Record)] == [{"fr": {}}]


@pytest.mark.parametrize("own", ["en: A harvest", 3, ["en"], None])
def test_translations_that_are_no_mapping_are_none(own: Any) -> None:
    first, _ = aligned(article("eu", translations=own), article("en"))
    assert isinstance(first, Record) and set(first.facts["translations"]) == {"en"}


async def test_a_task_may_show_the_article_in_the_language_that_asks(bind: Bind) -> None:
    [row, *_] = aligned(*map(article, ROWS), languages=["eu"])
    assert isinstance(row, Record)
    step, _ = bind(GENERATOR, languages={"zh-Hans": 1}, forms=["news_continuation_across"])
    [record] = await step(row)
    assert isinstance(record, Record) and ROWS["zh-Hans"][0] in record.last("user")
    assert record.last("assistant") == row.facts["body"]


def test_it_has_to_be_told_by_what_rows_are_aligned() -> None:
    with pytest.raises(ValidationError, match="key"):
        PASS.params(facts=["headline"])
