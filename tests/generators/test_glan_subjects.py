"""GLAN's subjects: lists as models write them, their union, and what a record knows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.core import Drop, Record
from engine.generators.glan_subjects import GENERATOR
from engine.passes import balance, exact_duplicate
from engine.sources import taxonomy
from tests.conftest import Bind, read, seed, settle

REPLIES = sorted((Path(__file__).parent / "replies" / "glan_subjects").glob("*.txt"))
NAMES = ["Agriculture", "Animals", "Beekeeping"]


def written(path: Path) -> tuple[str, str]:
    """What a model replied, and what must become of it."""
    reply, _, expected = path.read_text(encoding="utf-8").partition("\n=== outcome\n")
    return reply, expected.strip()


def listed(*names: str, level: str = "first year") -> str:
    row = {"level": level, "introduction": "What it is.", "subtopics": ["one", " ", "two "]}
    return json.dumps({"subjects": [{"name": name, **row} for name in names]})


def discipline(language: str = "de", **facts: Any) -> Record:
    return seed(language=language, **{"topic": "a/b/beekeeping", "names": NAMES, **facts})


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_lists_as_models_write_them_are_read_or_drop_by_rule(path: Path, bind: Bind) -> None:
    reply, expected = written(path)
    step, _ = bind(GENERATOR, {"glan_subjects/list": reply}, samples=1)
    outcomes = await step(discipline(path.stem.split("_")[0]))
    told = [each.reason if isinstance(each, Drop) else each.last("user") for each in outcomes]
    assert " | ".join(told) == expected


async def test_ten_lists_are_asked_for_at_once_and_their_union_has_each_subject_once(
    bind: Bind,
) -> None:
    lists = [listed("Honey", "Wax")] * 4 + [listed("wax!", "Pollen", level="expert")] * 6
    step, chat = bind(GENERATOR, {"glan_subjects/list": lists})
    found = [each for each in await step(discipline()) if isinstance(each, Record)]
    assert [request.n for request in chat.asked] == [10]
    assert [each.facts["subject"] for each in found] == ["Honey", "Wax", "Pollen"]
    assert [each.facts["votes"] for each in found] == [4, 10, 6]
    assert [each.facts["level"] for each in found] == ["first year", "first year", "expert"]
    assert found[0].facts["subtopics"] == ["one", "two"]
    assert {each.facts["discipline"] for each in found} == {"Beekeeping"}
    assert {each.facts["topic"] for each in found} == {"a/b/beekeeping"}
    assert len({each.id for each in found}) == 3


async def test_a_list_that_stays_broken_is_left_out_and_the_others_count(bind: Bind) -> None:
    lists = [listed("Honey"), "no JSON", listed("Wax"), "still none", "nor now"]
    step, _ = bind(GENERATOR, {"glan_subjects/list": lists}, samples=3)
    assert [each.last("user") for each in await step(discipline())] == ["Honey", "Wax"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("language", "name"),
    [("sw", "Sheria ya jinai"), ("de", "Strafrecht"), ("th", "กฎหมายอาญา"), ("fi", "Criminal law")],
)
async def test_the_discipline_is_named_in_the_records_language_where_the_tree_has_it(
    language: str, name: str, bind: Bind, tmp_path: Path
) -> None:
    seeds = read(taxonomy.SOURCE, tmp_path, path="knowledge", language=language)
    [record] = [each for each in seeds if each.facts["topic"].endswith("/criminal_law")]
    step, chat = bind(GENERATOR, {"glan_subjects/list": listed("Versuch")}, samples=1)
    [found] = await step(record)
    assert chat.asked[0].inputs["discipline"] == name == found.facts["discipline"]  # type: ignore[union-attr]
    assert len(chat.asked[0].inputs["above"]) == 2
    assert chat.asked[0].language == language


async def test_a_seed_without_a_discipline_costs_no_call(bind: Bind) -> None:
    step, chat = bind(GENERATOR, {"glan_subjects/list": listed("Honey")})
    [drop] = await step(seed())
    assert isinstance(drop, Drop) and drop.reason == "no_discipline" and not chat.asked


async def test_a_subject_of_two_disciplines_is_kept_in_one_and_none_gets_more_than_another(
    bind: Bind,
) -> None:
    step, _ = bind(
        GENERATOR,
        {"glan_subjects/list": lambda r: listed("Statistics", *"ABCD"[: r.inputs["count"]])},
        samples=1,
    )
    found = []
    for n, topic in enumerate(("x/psychology", "x/mathematics")):
        record = Record(f"s{n}", "en", (), {"topic": topic, "names": [topic]})
        outcomes = await step(record)
        found += [e for e in outcomes if isinstance(e, Record)]
    settled = settle(exact_duplicate.PASS, found, field="instruction", punctuation=False)
    kept = [each for each in settled if isinstance(each, Record)]
    assert [each.facts["subject"] for each in kept] == ["Statistics", *"ABCD"]
    even = settle(balance.PASS, found, by=["topic"], cap=3)
    topics = [each.facts["topic"] for each in even if isinstance(each, Record)]
    assert sorted(topics) == ["x/mathematics"] * 3 + ["x/psychology"] * 3
