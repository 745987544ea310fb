from __future__ import annotations

from dataclasses import replace

from engine.core import Message, Record
from engine.passes.in_context_examples import PASS
from tests.conftest import settle
from tests.generators.reversing import paper, seed_pair


def shown(record: Record) -> list[str]:
    return [example["instruction"] for example in record.facts["examples"]]


def scored(n: int, score: object, language: str = "en") -> Record:
    return replace(
        seed_pair(n, language, source="web"), id=f"web{n}"
    ).with_facts(curation={"score": score})  # fmt: skip


def test_each_document_is_dealt_seed_pairs_and_nothing_is_dropped():
    pairs, papers = [*map(seed_pair, range(10))], [paper(id=f"d{n}") for n in range(30)]
    found = settle(PASS, [*pairs, *papers], count=4)
    assert [each.id for each in found] == [each.id for each in (*pairs, *papers)]
    assert found[:10] == pairs, "seed pairs go on as they are"
    for record in found[10:]:
        assert len(set(shown(record))) == 4
    assert len({tuple(shown(record)) for record in found[10:]}) > 10, "not the same for all"


def test_order_of_arrival_decides_nothing():
    records = [*map(seed_pair, range(300)), *(paper(id=f"d{n}") for n in range(5))]
    one, two = (settle(PASS, each, pool_limit=20) for each in (records, records[::-1]))
    assert {r.id: r.facts.get("examples") for r in one} == {
        r.id: r.facts.get("examples") for r in two
    }


def test_examples_are_in_the_records_own_language_or_there_are_none():
    pairs = [seed_pair(n, ("en", "zh")[n % 2]) for n in range(6)]
    found = settle(PASS, [*pairs, paper("zh"), paper("sw", id="other")], count=5)
    assert {pairs[int(text.split()[1][:-1])].language for text in shown(found[-2])} == {"zh"}
    assert len(shown(found[-2])) == 3 and shown(found[-1]) == []


def test_with_a_score_the_best_pairs_are_examples_from_the_threshold_on():
    pairs = [scored(n, score) for n, score in enumerate((4.49, 4.5, 5, 0, None, "5", True))]
    found = settle(PASS, [*pairs, paper()], score="curation.score", min_score=4.5, count=9)
    assert set(shown(found[-1])) == {"Question 1?", "Question 2?"}
    assert set(shown(found[1])) == {"Question 2?"}, "nobody is its own example"


def test_without_a_score_only_seeds_are_examples():
    found = settle(PASS, [scored(1, 5), seed_pair(2), paper()])
    assert shown(found[-1]) == ["Question 2?"]


def test_pairs_too_long_for_a_prompt_and_half_pairs_are_no_examples():
    long = replace(seed_pair(1), messages=(Message("user", "字" * 400), Message("assistant", "答")))
    half = replace(seed_pair(2), id="half", messages=seed_pair(2).messages[:1])
    found = settle(PASS, [long, half, paper()], max_words=200)
    assert shown(found[-1]) == []


def test_rounds_only_look_back():
    early = [scored(1, 5)]
    assert shown(settle(PASS, [paper()], early, score="curation.score")[0]) == ["Question 1?"]
    late = settle(PASS, early, [scored(2, 5)], score="curation.score")
    assert shown(late[0]) == ["Question 2?"]


def test_no_records_give_no_outcomes():
    assert settle(PASS, []) == []
