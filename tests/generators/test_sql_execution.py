from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

import pytest
from pydantic import ValidationError

from engine.core import Drop, Outcome, Record
from engine.generators.sql_execution import GENERATOR
from engine.verifiers.sql_answer import VERIFIER
from tests.conftest import Bind

GERMAN = [["Kuh", 24, "Nord"], ["Ziege, weiß", 31, "O'Hof"], ["Gans", 58, "Nord"]]
TABLES: dict[str, Any] = {
    "en": {"columns": ["City", "Height"], "rows": [["Bern", "540"], ["Graz", "353"], ["Ur", "6"]]},
    "de": {"columns": ["Tier|Rasse", "Zahl", "Stall"], "rows": GERMAN},
    "zh": {"columns": ["茶园", "面积"], "rows": [["云顶", 120], ["竹坞", 85], ["石桥", 210]]},
    "ar": {"columns": ["البضاعة", "السعر"], "rows": [["تمر", 14], ["لوز", 38], ["عسل", 52]]},
    "hi": {"columns": ["फसल", "उपज"], "rows": [["गेहूँ", 84], ["चना", 28], ["धान", 120]]},
    "th": {"columns": ["ผลไม้", "ราคา"], "rows": [["เงาะ", 27], ["มังคุด", 48], ["ลำไย", 36]]},
    "sw": {"columns": ["Bidhaa", "Bei"], "rows": [["Mchele", 280], ["Nyanya", 150], ["Viazi", 12]]},
}


def seed(table: Any, language: str = "en", name: str = "seed") -> Record:
    return Record(name, language, (), {"table": table})


async def made(bind: Bind, record: Record, **params: Any) -> list[Outcome]:
    step, chat = bind(GENERATOR, **params)
    out = list(await step(record))
    assert not chat.asked
    return out


@pytest.mark.parametrize("language", TABLES)
async def test_every_row_is_right_when_it_runs_again(bind: Bind, language: str) -> None:
    verify, _ = bind(VERIFIER)
    out = await made(bind, seed(TABLES[language], language), queries=12)
    assert len(out) >= 6
    for record in out:
        assert isinstance(record, Record)
        assert f"```sql\n{record.facts['sql']}\n```" in record.facts["instruction"]
        assert record.last("user") == f"{record.facts['instruction']}\n\n{record.facts['input']}"
        [checked] = await verify(record)
        assert isinstance(checked, Record) and checked.verdicts[-1].verdict == "pass"
    assert len({r.facts["sql"] for r in out if isinstance(r, Record)}) == len(out)
    assert len({r.id for r in out if isinstance(r, Record)}) == len(out)


async def test_kinds_and_styles_are_mixed_and_can_be_chosen(bind: Bind) -> None:
    drawn: Counter[str] = Counter()
    for n in range(60):
        for record in await made(bind, seed(TABLES["de"], "de", f"s{n}")):
            assert isinstance(record, Record)
            drawn.update([record.facts["kind"], record.facts["rendering"]])
    assert len(drawn) >= 9
    only: dict[str, Any] = {"kinds": ["count"], "styles": ["markdown"]}
    [record] = await made(bind, seed(TABLES["de"], "de"), **only)
    assert isinstance(record, Record)
    assert (record.facts["kind"], record.facts["rendering"]) == ("count", "markdown")
    assert record.facts["input"].startswith("| Tier\\|Rasse | Zahl | Stall |\n| --- |")


async def test_the_same_seed_gives_the_same_row(bind: Bind) -> None:
    one, other = [await made(bind, seed(TABLES["hi"], "hi")) for _ in range(2)]
    assert one == other


async def test_a_long_table_is_cut_before_the_query_runs(bind: Bind) -> None:
    table = {"columns": ["n"], "rows": [[n] for n in range(500)]}
    for record in await made(bind, seed(table), queries=20, max_rows=5):
        assert isinstance(record, Record)
        assert len(record.facts["table"]["rows"]) == 5 and "499" not in record.last("user")


async def test_what_is_too_long_to_learn_from_is_drawn_again_or_given_up(bind: Bind) -> None:
    for record in await made(bind, seed(TABLES["en"]), queries=20, max_values=1):
        assert isinstance(record, Record) and ", " not in record.last("assistant")
    [drop] = await made(bind, seed(TABLES["zh"], "zh"), max_answer=1, kinds=["lookup"])
    assert isinstance(drop, Drop) and drop.reason == "no_usable_query"
    assert drop.detail.startswith("8 draws, the last: ")
    [drop] = await made(bind, seed(TABLES["en"]), max_table=10)
    assert isinstance(drop, Drop) and drop.reason == "table_too_long"


async def test_small_letters_are_small_everywhere(bind: Bind) -> None:
    [record] = await made(bind, seed(TABLES["en"]), lowercase=True, kinds=["lookup"])
    assert isinstance(record, Record) and "Bern" not in record.last("user")


@pytest.mark.parametrize(
    ("table", "language", "reason"),
    [
        (None, "en", "no_table"),
        ({"columns": ["a"], "rows": [["x", "y"]]}, "en", "no_table"),
        ("\ud800" * 100, "en", "no_table"),
        (TABLES["en"], "eu", "unworded_language"),
        (TABLES["zh"], "zh-Hant", "unworded_language"),
        ({"columns": ["a"], "rows": [[None]]}, "en", "no_usable_query"),
    ],
)
async def test_what_cannot_be_asked_drops(
    bind: Bind, table: Any, language: str, reason: str
) -> None:
    [drop] = await made(bind, seed(table, language), kinds=["lookup", "sum"])
    assert isinstance(drop, Drop) and drop.reason == reason


async def test_hostile_cells_are_text(bind: Bind) -> None:
    cells = ["'; DROP TABLE t; --", '"', "\x00\ud800", "‏ע", "a\nb", "|", "\\|", "{n1:cell}", "😀"]
    table = {"columns": ["q\"';", "n"], "rows": [[cell, n] for n, cell in enumerate(cells)]}
    verify, _ = bind(VERIFIER)
    out = await made(bind, seed(table), queries=40)
    assert len(out) > 10
    for record in out:
        assert isinstance(record, Record) and isinstance((await verify(record))[0], Record)


def test_a_kind_that_no_template_has_is_a_mistake_in_the_job() -> None:
    with pytest.raises(ValidationError, match="no template is of the kind 'poems'"):
        GENERATOR.params.model_validate({"kinds": ["poems"]})


async def test_the_check_finds_what_was_changed(bind: Bind) -> None:
    [record] = await made(bind, seed(TABLES["en"]))
    assert isinstance(record, Record)
    wrong = dataclasses.replace(record.messages[-1], content="Wien")
    verify, _ = bind(VERIFIER)
    [drop] = await verify(dataclasses.replace(record, messages=(record.messages[0], wrong)))
    assert isinstance(drop, Drop) and drop.reason == "wrong_answer"
