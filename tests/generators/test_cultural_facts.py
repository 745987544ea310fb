from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from engine.core import Drop, Outcome, Record
from engine.generators.cultural_facts import GENERATOR
from engine.text.culture_words import taxonomy
from tests.conftest import Bind, seed
from tests.generators.culture import KAZAKH, OFFICES, office
from tests.generators.reversing import replies, written

QUOTE = "Оқырман бір мезгілде бес кітапқа дейін 21 күнге ала алады."


def listed(*facts: dict[str, Any]) -> str:
    return json.dumps({"statements": facts}, ensure_ascii=False)


def fact(quote: str = QUOTE, statement: str = "Кітап 21 күнге беріледі.", **more: Any) -> Any:
    return {"statement": statement, "quote": quote, "domain": "legal", "scope": "regional"} | more


def told(outcome: Outcome) -> str:
    if isinstance(outcome, Drop):
        return f"drop {outcome.reason}"
    return f"keep {outcome.facts['domain']} {outcome.facts['value_scope']}"


@pytest.mark.parametrize("path", replies("cultural_facts"), ids=lambda path: path.stem)
async def test_lists_as_models_write_them_become_facts_or_drop_by_rule(
    path: Path, bind: Bind
) -> None:
    file = written(path)
    script = {"cultural_facts/list": file["reply"], "kit/again": file["reply"]}
    step, chat = bind(GENERATOR, script, facts=3)
    outcomes = await step(office())
    assert "\n".join(map(told, outcomes)) == file["outcome"]
    for outcome in outcomes:
        if isinstance(outcome, Record):
            start, end = outcome.facts["quote_span"]
            assert outcome.facts["quote"] == KAZAKH[start:end]
    if file["outcome"] == "drop no_grounded_fact":
        assert [request.take for request in chat.asked] == [0, 1], "it is asked once more"


async def test_one_call_lists_all_facts_of_a_document(bind: Bind) -> None:
    first, second = KAZAKH.split("\n\n")[1].split(". ")[:2]
    script = {
        "cultural_facts/list": listed(fact(f"{first}.", "Тегін."), fact(f"{second}.", "Қағаз."))
    }
    step, chat = bind(GENERATOR, script)
    made = await step(office(path="kk.md"))
    assert len(chat.asked) == 1 and chat.asked[0].inputs["count"] == 5
    assert len({record.id for record in made if isinstance(record, Record)}) == 2
    for record in made:
        assert isinstance(record, Record)
        assert record.facts["document_id"] == "doc" and record.facts["path"] == "kk.md"
        assert record.language == "kk"


async def test_places_count_from_the_files_beginning(bind: Bind) -> None:
    step, _ = bind(GENERATOR, {"cultural_facts/list": listed(fact())})
    [record] = await step(office(span=[1000, 1000 + len(KAZAKH)]))
    assert isinstance(record, Record)
    start = 1000 + KAZAKH.index(QUOTE)
    assert record.facts["quote_span"] == [start, start + len(QUOTE)]


@pytest.mark.parametrize("span", [None, 7, "12", ["a", "b"], [None], {"a": 1}, [[1]]])
async def test_a_fact_span_of_another_kind_counts_as_none(span: object, bind: Bind) -> None:
    step, _ = bind(GENERATOR, {"cultural_facts/list": listed(fact())})
    [record] = await step(office(span=span))
    assert isinstance(record, Record)
    assert KAZAKH[slice(*record.facts["quote_span"])] == QUOTE


@pytest.mark.parametrize("language", OFFICES)
async def test_facts_are_found_in_every_language(language: str, bind: Bind) -> None:
    document, _, answer = OFFICES[language]
    half = document[: len(document) * 2 // 3]
    quote = half[: max(half.rfind(mark) for mark in "。.।น ") + 1].strip()
    step, chat = bind(GENERATOR, {"cultural_facts/list": listed(fact(quote, answer))}, min_words=10)
    [record] = await step(office(language))
    assert isinstance(record, Record) and document.startswith(record.facts["quote"])
    assert chat.asked[0].language == language


@pytest.mark.parametrize(
    "record", [seed("Сәлем"), office("kk", "Тым қысқа."), office("th", "สั้นเกินไป")]
)
async def test_documents_that_will_not_do_cost_no_call(record: Record, bind: Bind) -> None:
    step, chat = bind(GENERATOR)
    [drop] = await step(record)
    assert isinstance(drop, Drop) and drop.reason in ("no_document", "document_too_short")
    assert not chat.asked


async def test_a_job_brings_domains_of_its_own(bind: Bind, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("domains: {loans: books lent, rooms: places}\ntasks: {ask: {asks: a question}}")
    script = {
        "cultural_facts/list": listed(fact(domain="loans"), fact(KAZAKH[30:80], domain="legal"))
    }
    step, chat = bind(GENERATOR, script, taxonomy=file)
    kept, dropped = await step(office())
    assert told(kept) == "keep loans regional"
    assert isinstance(dropped, Drop) and dropped.reason in (
        "unknown_domain",
        "quote_not_in_document",
    )
    assert chat.asked[0].inputs["categories"] == ["loans", "rooms"]
    assert "books lent" in chat.asked[0].messages[-1].content


async def test_domains_are_named_as_the_job_writes_them(bind: Bind, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("domains: {Verleih: Bücher, Räume: Orte}\ntasks: {ask: {asks: a question}}")
    script = {"cultural_facts/list": listed(fact(domain=" verleih"))}
    step, _ = bind(GENERATOR, script, taxonomy=file)
    [kept] = await step(office())
    assert told(kept) == "keep Verleih regional"


@pytest.mark.parametrize(
    "text",
    [
        "domains: {a: b}",
        "- 1",
        "domains: [",
        "tasks: {}",
        "",
        "domains: {a: b, A: c}\ntasks: {q: {asks: x}}",
    ],
)
def test_a_taxonomy_that_is_none_is_refused_with_its_place(text: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(ValidationError, match=r"mine\.yaml"):
        GENERATOR.params(taxonomy=file)


def test_the_shipped_taxonomy_has_domains_and_tasks() -> None:
    shipped = taxonomy()
    assert {"procedural", "legal", "customs"} <= shipped.domains.keys() and len(shipped.tasks) >= 5
