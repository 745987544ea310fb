from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from rouge_score.rouge_scorer import RougeScorer

from engine.core import Drop, JobError, Outcome, Record
from engine.kit import Desk
from engine.passes.rouge_novelty import PASS, Params
from tests.conftest import SHARED, needs_shared, seed, settle

LIBRARY = RougeScorer(["rougeL"])
WORDS = st.sampled_from(["the", "cat", "dog.", "Sat,", "on", "Mat-1"])
CHINESE = "请写一首关于春天的短诗。"


def rows(texts: Iterable[str], prefix: str = "r") -> list[Record]:
    return [replace(seed(text), id=f"{prefix}{n}") for n, text in enumerate(texts)]


def kept(outcomes: Iterable[Outcome]) -> list[str]:
    return [outcome.id for outcome in outcomes if isinstance(outcome, Record)]


def kept_by_the_library(texts: list[str], threshold: float) -> list[str]:
    pool: dict[str, str] = {}
    for n, text in enumerate(texts):
        if all(LIBRARY.score(old, text)["rougeL"].fmeasure <= threshold for old in pool.values()):
            pool[f"r{n}"] = text
    return list(pool)


@given(
    st.lists(st.lists(WORDS, max_size=13).map(" ".join), max_size=15),
    st.sampled_from([0.3, 0.5, 0.6, 0.7, 1.0]),
)
def test_decisions_on_english_are_those_of_brute_force_with_rouge_score(texts, threshold):
    assert kept(settle(PASS, rows(texts), threshold=threshold)) == kept_by_the_library(
        texts, threshold
    )


def test_a_pair_at_the_threshold_is_kept_and_one_that_rounds_above_it_is_not():
    at = ["a b c d e f g 1 2 3", "a b c d e f g 4 5 6"]
    above = ["a b c d e f g", "a b c d e f g 1 2 3 4 5 6"]
    assert kept(settle(PASS, rows(at))) == kept_by_the_library(at, 0.7) == ["r0", "r1"]
    assert kept(settle(PASS, rows(above))) == kept_by_the_library(above, 0.7) == ["r0"]


def test_a_drop_names_the_nearest_earlier_text_and_how_near_it_is():
    texts = ["one two three four", "five six seven eight", "one two three four five"]
    _, _, drop = settle(PASS, rows(texts))
    assert isinstance(drop, Drop)
    assert (drop.reason, drop.detail) == ("not_novel", "ROUGE-L 0.889 with r0")
    assert drop.record.facts["novelty"] == {"nearest": "r0", "similarity": pytest.approx(8 / 9)}


def test_the_nearest_of_a_kept_record_is_a_fact_only_from_the_floor_on():
    texts = ["one two three four", "one two eight nine", "one five eight ten"]
    first, second, third = settle(PASS, rows(texts))
    assert second.facts["novelty"] == {"nearest": "r0", "similarity": 0.5}
    assert "novelty" not in first.facts
    assert third.facts["novelty"] == {"nearest": "r1", "similarity": 0.5}
    _, second, third = settle(PASS, rows(texts), report_floor=0.6)
    assert "novelty" not in second.facts and "novelty" not in third.facts
    *_, far = settle(PASS, rows([*texts, "four scores"]), report_floor=0)
    assert far.facts["novelty"] == {"nearest": "r0", "similarity": pytest.approx(1 / 3)}


@pytest.mark.parametrize(
    "text", [CHINESE, "春", "เขียนบทกวีสั้น", "اكتب قصيدة قصيرة", "Напиши стих", "एक कविता लिखो"]
)
def test_an_equal_instruction_is_found_in_every_script(text):
    assert kept(settle(PASS, rows([text, "Something else", text]))) == ["r0", "r1"]


def test_what_was_dropped_does_not_count_as_a_neighbour():
    chain = ["a b c d e f", "a b c d e x", "a b c d y x"]
    assert kept(settle(PASS, rows(chain))) == ["r0", "r2"]


def test_earlier_rounds_come_first():
    old = rows(["write a poem about spring"], "old")
    outcomes = settle(PASS, rows(["Write a poem about Spring!", "count to ten"]), old)
    assert kept(outcomes) == ["r1"]
    assert "old0" in outcomes[0].detail


def test_texts_of_a_file_count_as_kept_and_are_named_by_their_line(tmp_path):
    lines = [{"text": "count to ten"}, {"text": CHINESE}]
    path = tmp_path / "human.jsonl"
    path.write_text("\n\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    outcomes = settle(
        PASS, rows([CHINESE, "count sheep"]), against=path, against_field="text", report_floor=0.1
    )
    assert kept(outcomes) == ["r1"]
    assert outcomes[0].detail == "ROUGE-L 1.000 with human.jsonl:3"
    assert outcomes[1].facts["novelty"]["nearest"] == "human.jsonl:1"


@pytest.mark.parametrize("line", ["{", "[1]", '{"text": "a"}', '{"instruction": 3}', '"\\xff"'])
def test_a_line_without_the_text_is_the_users_mistake(tmp_path, line):
    path = tmp_path / "human.jsonl"
    path.write_text(f'{{"instruction": "ok"}}\n{line}\n', encoding="utf-8")
    with pytest.raises(JobError, match=r"human\.jsonl:2"):
        settle(PASS, rows(["a"]), against=path)


def test_a_folder_to_be_unlike_is_refused(tmp_path):
    with pytest.raises(ValidationError, match="not a file"):
        Params(against=tmp_path)


def test_the_response_or_the_bare_instruction_is_compared_where_asked():
    pair = [
        replace(seed("Sum up.\n\nText one is long", response="Yes", instruction="Sum up."), id="a"),
        replace(seed("Sum up.\n\nAnother input", response="No", instruction="Sum up."), id="b"),
        replace(seed("Sum up.", response="yes!"), id="c"),
    ]
    assert kept(settle(PASS, pair)) == ["a", "b", "c"]
    assert kept(settle(PASS, pair, field="bare_instruction")) == ["a"]
    assert kept(settle(PASS, pair, field="response")) == ["a", "b"]


def test_texts_without_words_are_kept():
    assert len(kept(settle(PASS, rows(["", "", "?!", "?!", "🙂"])))) == 5


def test_outcomes_come_one_by_one_as_records_arrive():
    def arriving():
        yield rows(["first"])[0]
        raise AssertionError("asked for a second record before the first outcome was taken")

    assert next(PASS.settle(arriving(), iter(()), Desk(Params(), "pass", "1"))).id == "r0"


def test_ten_thousand_equal_rows_leave_one():
    assert kept(settle(PASS, rows(["Schreib ein Gedicht über den Frühling."] * 10_000))) == ["r0"]


@pytest.mark.slow
def test_a_megabyte_is_compared_with_short_texts_and_with_itself():
    long = "wort und satz " * 75_000
    texts = ["wort und satz", long, "ganz anderes", long]
    assert kept(settle(PASS, rows(texts))) == ["r0", "r1", "r2"]


@needs_shared
def test_the_175_public_seed_tasks_are_as_near_to_each_other_as_was_measured():
    lines = (SHARED / "self_instruct_seed_tasks.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["instruction"] for line in lines]
    nearest = []
    for at, text in enumerate(texts):
        others = rows(texts[:at] + texts[at + 1 :], "other")
        (record,) = settle(PASS, rows([text]), others, threshold=1, report_floor=0)
        nearest.append(record.facts["novelty"]["similarity"])
    assert max(nearest) == pytest.approx(0.823529, abs=1e-6)
    assert sum(nearest) / 175 == pytest.approx(0.362492, abs=1e-6)
    assert sum(similarity > 0.7 for similarity in nearest) == 4
    assert sum(similarity > 0.5 for similarity in nearest) == 11
    assert len(kept(settle(PASS, rows(texts)))) == 173
