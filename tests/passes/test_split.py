from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.core import Hop, Record
from engine.kit import Desk
from engine.passes.split import PASS, Params
from tests.conftest import seed, settle


def rows(count: int, start: int = 0) -> list[Record]:
    return [replace(seed(f"Satz {n} 句子"), id=f"r{n}") for n in range(start, start + count)]


def descendant(id_: str, root: str, **facts: object) -> Record:
    hops = (Hop("evolve", root), Hop("length", id_), Hop("judge", id_))
    return replace(seed("x", **facts), id=id_, lineage=hops)


def splits(outcomes: list[Record]) -> dict[str, str]:
    return {record.id: record.facts["split"] for record in outcomes}


def test_nothing_is_dropped_and_shares_hold_on_average():
    counts = Counter(splits(settle(PASS, rows(4000), validation=0.1, test=0.2)).values())
    assert sum(counts.values()) == 4000
    assert counts["validation"] == pytest.approx(400, abs=80)
    assert counts["test"] == pytest.approx(800, abs=100)


def test_without_settings_one_in_twenty_is_for_validation_and_none_for_testing():
    counts = Counter(splits(settle(PASS, rows(4000))).values())
    assert set(counts) == {"train", "validation"}
    assert counts["validation"] == pytest.approx(200, abs=60)


@pytest.mark.parametrize("exact", [False, True])
def test_siblings_stay_together_even_when_they_arrive_apart(exact):
    arriving = [descendant(f"{child}/{root}", f"s{root}") for child in "abc" for root in range(300)]
    found = splits(settle(PASS, arriving, validation=0.3, test=0.3, exact=exact))
    assert set(found.values()) == {"train", "validation", "test"}
    for root in range(300):
        assert len({found[f"{child}/{root}"] for child in "abc"}) == 1


@pytest.mark.parametrize("document", ["春天的故事", {"title": "ربيع", "page": 3}, 7, ""])
def test_records_of_one_document_stay_together(document):
    of_one = [descendant(f"r{n}", f"s{n}", document=document) for n in range(60)]
    assert len(set(splits(settle(PASS, of_one, validation=0.5, group="document")).values())) == 1
    assert len(set(splits(settle(PASS, of_one, validation=0.5)).values())) == 2


@pytest.mark.parametrize("exact", [False, True])
def test_siblings_stay_together_when_only_some_have_the_group_or_another_value(exact):
    rows = []
    for n in range(200):  # seed n and n+1000 share a document; one child of each has no document
        rows += [descendant(f"a{n}", f"s{n}", document=f"文書{n}"), descendant(f"b{n}", f"s{n}")]
        rows += [descendant(f"c{n}", f"t{n}", document=f"文書{n}"), descendant(f"d{n}", f"t{n}")]
        rows += [descendant(f"e{n}", f"t{n}", document=f"وثيقة{n}")]
    settings = {"validation": 0.3, "test": 0.3, "group": "document", "exact": exact}
    found = splits(settle(PASS, rows, **settings))
    assert set(found.values()) == {"train", "validation", "test"}
    assert all(len({found[f"{kind}{n}"] for kind in "abcde"}) == 1 for n in range(200))
    assert found == splits(settle(PASS, rows, **settings))
    if not exact:
        assert found == splits(settle(PASS, rows[::-1], **settings))


def test_several_facts_may_make_relatives():
    rows = [descendant(f"r{n}", f"s{n}", document=n // 2, author=(n + 1) // 2) for n in range(60)]
    together = splits(settle(PASS, rows, validation=0.5, group=["document", "author"]))
    assert len(set(together.values())) == 1
    assert len(set(splits(settle(PASS, rows, validation=0.5, group="author")).values())) == 2


@pytest.mark.parametrize("exact", [False, True])
def test_relatives_of_an_earlier_round_decide_and_who_is_related_to_two_splits_is_dropped(exact):
    settings = {"validation": 0.5, "group": "document", "exact": exact}
    old = settle(PASS, [descendant(f"o{n}", f"s{n}", document=n) for n in range(60)], **settings)
    before = {record.facts["document"]: record.facts["split"] for record in old}
    new = [descendant(f"n{n}", f"t{n}", document=n) for n in range(60)]
    after = settle(PASS, new, old, **settings)
    assert [record.facts["split"] for record in after] == [before[n] for n in range(60)]
    held = next(n for n in before if before[n] == "validation")
    seen = next(n for n in before if before[n] == "train")
    bridge = [descendant("x", "u", document=held), descendant("y", "u", document=seen)]
    outcomes = settle(PASS, bridge, old, **settings)
    assert [outcome.reason for outcome in outcomes] == ["between_splits"] * 2
    assert outcomes[0].detail == "related to train and validation"


def test_a_chain_of_ten_thousand_relatives_is_one_family():
    rows = [descendant(f"r{n}", f"s{n // 2}", document=(n + 1) // 2) for n in range(10_000)]
    assert len(set(splits(settle(PASS, rows, validation=0.5, group="document")).values())) == 1


def test_a_record_without_the_group_goes_with_its_seed():
    loose = [descendant("a", "s"), descendant("b", "s"), *rows(40)]
    found = splits(settle(PASS, loose, validation=0.5, group="document"))
    assert found["a"] == found["b"]
    assert len(set(found.values())) == 2


def test_no_other_record_decides_where_one_goes():
    everything = splits(settle(PASS, rows(500), validation=0.3))
    backwards = splits(settle(PASS, rows(500)[::-1], validation=0.3))
    later = splits(settle(PASS, rows(250, 250), settle(PASS, rows(250)), validation=0.3))
    assert everything == backwards
    assert later == {id_: everything[id_] for id_ in later}


def test_a_larger_share_only_takes_from_train():
    small = splits(settle(PASS, rows(500), validation=0.1, test=0.1))
    large = splits(settle(PASS, rows(500), validation=0.3, test=0.2))
    assert all(large[id_] == split for id_, split in small.items() if split != "train")


def test_the_jobs_seed_decides_the_draw():
    drawn = [
        [r.facts["split"] for r in PASS.settle(rows(200), (), Desk(Params(), "split", name))]
        for name in ("1", "1", "2")
    ]
    assert drawn[0] == drawn[1] != drawn[2]


@given(
    st.integers(0, 120),
    st.sampled_from([0, 0.05, 0.1, 1 / 3, 0.5]),
    st.sampled_from([0, 0.05, 0.25, 0.5]),
    st.integers(0, 120),
)
def test_exact_shares_hold_after_every_record_and_over_rounds(count, validation, test, first):
    shares = {"validation": validation, "test": test, "exact": True}
    old = settle(PASS, rows(min(first, count)), **shares)
    new = settle(PASS, rows(count - len(old), len(old)), old, **shares)
    held = tested = 0
    for number, record in enumerate(old + new, 1):
        held += record.facts["split"] != "train"
        tested += record.facts["split"] == "test"
        assert number * (validation + test) - 1.001 < held < number * (validation + test) + 1.001
        assert abs(tested - number * test) < 2.001


def test_exact_shares_give_a_validation_record_as_soon_as_one_is_due():
    for job_seed in map(str, range(30)):
        desk = Desk(Params(exact=True), "split", job_seed)
        assert any(r.facts["split"] == "validation" for r in PASS.settle(rows(20), (), desk))


def test_exact_places_do_not_follow_a_period():
    found = settle(PASS, rows(2000), exact=True)
    places = {n % 20 for n, record in enumerate(found) if record.facts["split"] == "validation"}
    assert len(places) > 12


def test_a_family_seen_in_an_earlier_round_keeps_its_split_and_counts_once():
    old = [descendant(f"o{n}", f"s{n}") for n in range(100)]
    before = settle(PASS, old, validation=0.5, exact=True)
    new = [descendant(f"n{n}", f"s{n}") for n in range(100)]
    after = settle(PASS, new, before, validation=0.5, exact=True)
    assert [r.facts["split"] for r in after] == [r.facts["split"] for r in before]


@pytest.mark.parametrize("exact", [False, True])
def test_everything_or_nothing_may_be_held_out(exact):
    for shares, expected in [
        ({"validation": 1}, "validation"),
        ({"validation": 0, "test": 1}, "test"),
        ({"validation": 0}, "train"),
    ]:
        found = splits(settle(PASS, rows(50), exact=exact, **shares))
        assert set(found.values()) == {expected}


def test_outcomes_come_one_by_one_as_records_arrive():
    def arriving():
        yield rows(1)[0]
        raise AssertionError("asked for a second record before the first outcome was taken")

    for exact in (False, True):
        stream = PASS.settle(arriving(), iter(()), Desk(Params(exact=exact), "pass", "1"))
        assert next(stream).id == "r0"


@pytest.mark.slow
def test_ten_thousand_equal_rows_empty_texts_and_a_megabyte_are_all_the_same_to_it():
    same = [seed("")] * 10_000 + [seed("句" * 1_000_000)]
    assert len({record.facts["split"] for record in settle(PASS, same)}) == 1


def test_shares_of_more_than_everything_are_refused():
    with pytest.raises(ValidationError, match="more than 1"):
        Params(validation=0.6, test=0.5)
