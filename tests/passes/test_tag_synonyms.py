from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.core import Record
from engine.passes.tag_synonyms import PASS
from tests.conftest import seed, settle


def rows(*tags: list[str], prefix: str = "r") -> list[Record]:
    made = [seed(f"Frage {n}", label={"tags": each, "macro": "x"}) for n, each in enumerate(tags)]
    return [replace(record, id=f"{prefix}{n}") for n, record in enumerate(made)]


def merged(*tags: list[str], kept: Any = (), **params: Any) -> list[list[str]]:
    outcomes = settle(PASS, rows(*tags), kept, **params)
    return [each.facts["label"]["tags"] for each in outcomes if isinstance(each, Record)]


def test_the_spelling_that_most_records_have_stands_for_all() -> None:
    found = merged(
        ["algorithms", "logic"], ["algorithm"], ["algorithms"], ["analyses"], ["analysis"]
    )
    assert found == [
        ["algorithms", "logic"],
        ["algorithms"],
        ["algorithms"],
        ["analyses"],
        ["analyses"],
    ]


def test_every_word_has_to_be_the_same_but_for_its_ending() -> None:
    apart = ["organic chemistry", "inorganic chemistry", "java", "javascript", "c", "c++ code"]
    assert merged(apart) == [apart]
    assert merged(["word lists"], ["word list"], ["list words"]) == [
        ["word list"], ["word list"], ["list words"],
    ]  # fmt: skip


def test_short_words_digits_and_single_characters_are_the_same_only_as_a_whole() -> None:
    apart = ["covid18", "covid19", "sum", "sums", "物理", "物流", "化学", "数学题", "数学"]
    assert merged(apart) == [apart]
    assert merged(["Übungen", "übung"], ["übung"]) == [["übung"], ["übung"]]


def test_an_instruction_has_a_tag_once() -> None:
    assert merged(["tide", "tides", "moon"]) == [["tide", "moon"]]


def test_no_ending_may_differ_where_the_job_says_so() -> None:
    assert merged(["tide"], ["tides"], ending=0) == [["tide"], ["tides"]]


def test_earlier_rounds_have_decided() -> None:
    before = rows(["tides"], prefix="k")
    assert merged(["tide"], ["tide"], ["tide"], kept=before) == [["tides"]] * 3


def test_the_rest_of_the_label_stays_and_what_has_no_tags_passes() -> None:
    [tagged, bare] = settle(PASS, [*rows(["tide"]), seed("ohne")])
    assert isinstance(tagged, Record) and tagged.facts["label"]["macro"] == "x"
    assert isinstance(bare, Record) and "label" not in bare.facts


def test_the_order_of_records_decides_nothing() -> None:
    texts = [["tides", "moon"], ["tide"], ["moons"], ["tide", "moon"]]
    assert merged(*texts) == list(reversed(merged(*reversed(texts))))


def test_many_and_long_tags_take_no_time() -> None:
    many = [[f"tag{n} {'x' * 50}", "河" * 2000] for n in range(3000)]
    assert merged(*many) == many
