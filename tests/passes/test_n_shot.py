from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from engine.core import Hop, JobError, Message, Record
from engine.passes.n_shot import PASS
from engine.rows import row
from engine.text.sizes import estimated_tokens
from tests.conftest import seed, settle

QUESTIONS = {
    "en": "How many goats are there?", "de": "Wie viele Ziegen sind es?", "zh-Hans": "有几只山羊？",
    "ar": "كم عدد الماعز؟", "hi": "कितनी बकरियाँ हैं?", "th": "มีแพะกี่ตัว", "sw": "Kuna mbuzi wangapi?",
}  # fmt: skip


def rows(count: int = 12, language: str = "en", split: str = "train") -> list[Record]:
    asked = QUESTIONS[language]
    return [
        replace(seed(f"{asked} {n}", language, f"{n}.", split=split), id=f"{language}{n:03}")
        for n in range(count)
    ]


def packed(records: list[Record], **ask: Any) -> list[Record]:
    found = settle(PASS, records, **ask)
    assert all(isinstance(each, Record) for each in found), "nothing is dropped"
    return [each for each in found if isinstance(each, Record)]


def shown(record: Record) -> list[str]:
    return list(record.facts["n_shot"]["ids"])


@pytest.mark.parametrize("language", QUESTIONS)
def test_examples_of_the_rows_own_language_stand_before_it(language: str) -> None:
    others = rows(12, "en" if language != "en" else "de")
    given = [*rows(12, language), *others]
    texts = {record.id: record.messages for record in given}
    for record in packed(given, fewest=2, most=3):
        ids = shown(record)
        assert 2 <= len(ids) <= 3 and len(set(ids)) == len(ids) and record.id not in ids
        assert {each[:-3] for each in ids} == {record.language}
        turns = [turn for each in ids for turn in texts[each]]
        assert record.messages == (*turns, *texts[record.id])
        assert record.facts["n_shot"]["turns"] == len(turns)
        assert record.facts["n_shot"]["loss"] == "last_answer"


def test_how_many_is_drawn_evenly_from_fewest_to_most() -> None:
    found = packed(rows(600), most=3, pool_limit=50)
    counts = Counter(len(shown(record)) for record in found)
    chi_square = sum((counts[n] - 150) ** 2 / 150 for n in range(4))
    assert counts.total() == 600 and chi_square < 16.3, "p = 0.001 at 3 degrees of freedom"
    assert all(len(shown(r)) == r.facts["n_shot"]["wanted"] for r in found)


def test_held_out_rows_are_nobodys_examples_and_get_training_rows_themselves() -> None:
    given = [*rows(6), *rows(40, "sw", "validation"), *rows(3, "sw"), *rows(4, "de", "test")]
    given = [replace(r, id=f"{r.id}-{r.facts['split']}") for r in given]
    found = packed(given, fewest=3)
    for record in found:
        assert all(each.endswith("-train") for each in shown(record))
    held = [r for r in found if r.facts["split"] == "validation"]
    assert all(len(shown(record)) == 3 for record in held)
    assert all(not shown(r) for r in found if r.facts["split"] == "test"), "no training row there"


def test_a_row_without_a_split_ends_the_run_unless_the_job_holds_nothing_out() -> None:
    given = [replace(r, facts={}) for r in rows(4)]
    with pytest.raises(JobError, match="put the pass `split` before n_shot"):
        settle(PASS, given)
    assert all(shown(record) for record in packed(given, fewest=1, unsplit="accept"))


def test_relatives_are_no_examples() -> None:
    given = [replace(r, lineage=(Hop("s", f"seed{n // 6}"),)) for n, r in enumerate(rows(12))]
    for record in packed(given, fewest=3):
        assert len({int(each[2:]) // 6 for each in (record.id, *shown(record))}) == 2


@pytest.mark.parametrize("unit", ["tokens", "characters"])
def test_context_and_row_stay_within_the_cap(unit: str) -> None:
    given = rows(20)
    given += [replace(r, id=f"long{r.id}", messages=(Message("user", "字" * 900), r.messages[1]))
              for r in rows(20)]  # fmt: skip
    found = packed(given, fewest=3, most=6, max_length=120, unit=unit)
    short = [record for record in found if not record.id.startswith("long")]
    for record in short:
        texts = [turn.content for turn in record.messages]
        size = sum(map(len, texts)) if unit == "characters" else estimated_tokens(*texts)
        assert size <= 120 and record.facts["n_shot"]["length"] <= 120
    assert any(shown(record) for record in short)
    for record in (record for record in found if record.id.startswith("long")):
        assert not shown(record) and len(record.messages) == 2, "too long by itself: alone"


def test_order_of_arrival_decides_nothing() -> None:
    given = [*rows(80), *rows(30, "th")]
    one, two = (packed(each, pool_limit=20) for each in (given, given[::-1]))
    assert {r.id: r.messages for r in one} == {r.id: r.messages for r in two}


def test_a_system_turn_stays_first_and_examples_bring_none() -> None:
    system = Message("system", "Be brief.")
    given = [replace(r, messages=(system, *r.messages)) for r in rows(5)]
    for record in packed(given, fewest=2):
        assert [turn.role for turn in record.messages].count("system") == 1
        assert record.messages[0] == system
        assert row(record, "messages")["messages"][0]["role"] == "system"


def test_what_earlier_rounds_kept_may_be_shown_without_the_context_it_was_given() -> None:
    before = packed(rows(6), fewest=2)
    fresh = [replace(r, id=f"new{n}") for n, r in enumerate(rows(1))]
    [found] = [r for r in settle(PASS, fresh, before, fewest=5, most=5) if isinstance(r, Record)]
    assert len(shown(found)) == 5 and len(found.messages) == 12


def test_rows_that_are_no_single_exchange_are_no_examples_but_get_some() -> None:
    several = replace(rows(1)[0], id="several", messages=rows(1)[0].messages * 2)
    half = replace(rows(1)[0], id="half", messages=rows(1)[0].messages[:1])
    found = packed([several, half, *rows(3)], fewest=5, most=5)
    assert {each for record in found for each in shown(record)} == {"en000", "en001", "en002"}
    assert len(found[0].messages) == 10


def test_examples_may_wait_in_a_fact_with_what_they_carry() -> None:
    given = [r.with_facts(segments=[{"text": r.last("user"), "sw": "?"}]) for r in rows(5)]
    for before, record in zip(given, packed(given, fewest=2, most=2, place="fact",
                              carry=["segments", "absent"]), strict=True):  # fmt: skip
        assert record.messages == before.messages and record.facts["n_shot"]["turns"] == 0
        for example in record.facts["examples"]:
            assert set(example) == {"id", "instruction", "response", "segments"}
            assert example["segments"][0]["text"] == example["instruction"]


def test_a_range_the_wrong_way_round_is_told() -> None:
    with pytest.raises(ValidationError, match="fewest is 4, and most only 3"):
        PASS.params(fewest=4)


@pytest.mark.parametrize("noted", [5, "x", {"turns": "x"}, {}])
def test_a_fact_of_another_kind_by_that_name_hurts_no_row(noted: object) -> None:
    found = packed([r.with_facts(n_shot=noted) for r in rows(3)], fewest=1, most=1)
    assert all(len(shown(record)) == 1 for record in found)


def test_what_an_example_carries_does_not_take_the_place_of_what_it_says() -> None:
    given = [r.with_facts(instruction="Another one", id=7) for r in rows(3)]
    for record in packed(given, fewest=1, most=1, place="fact", carry=["instruction", "id"]):
        [example] = record.facts["examples"]
        assert example["instruction"] != "Another one" and example["id"] in shown(record)
