from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from engine.core import JobError, Message, Record
from engine.kit import Well
from engine.sources.unpaired import SOURCE
from tests.conftest import read

COUNT = 40


def answer(n: int) -> str:
    return f"Answer {n} tells at some length what there is to tell about thing number {n}."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Forty questions of two languages, each right before its answer."""
    pairs = [f"What is thing number {n}?\n\n{answer(n)}" for n in range(COUNT)]
    (tmp_path / "en.md").write_text("\n\n".join(pairs), encoding="utf-8")
    hindi = [f"चीज़ {n} क्या है?\n\nचीज़ {n} एक छोटी सी चीज़ है जो घर में रखी रहती है।" for n in range(3)]
    (tmp_path / "hi.md").write_text("\n\n".join(hindi), encoding="utf-8")
    return tmp_path


def seeds(folder: Path, **more: Any) -> list[Record]:
    asked = {"path": ".", "language_from": "stem", "min_words": 8, **more}
    return list(read(SOURCE, folder, **asked))


def pair(seed: Record) -> Record:
    """A kept pair of this seed."""
    human, other = str(seed.facts["segment"]), "made by a model"
    sides = (human, other) if seed.facts["side"] == "question" else (other, human)
    turns = (Message("user", sides[0]), Message("assistant", sides[1]))
    return Record(f"p{seed.id}", seed.language, turns, {"side": seed.facts["side"]})


def keeping(records: list[Record]) -> Callable[[str], Iterator[Record]]:
    return lambda step: iter(records if step == "best" else ())


def of(found: list[Record], side: str, language: str = "en") -> list[str]:
    return [
        str(r.facts["segment"]) for r in found if r.facts["side"] == side and r.language == language
    ]


def test_pools_are_disjoint_and_hold_each_text_once(folder: Path) -> None:
    (folder / "fr.md").write_text((folder / "en.md").read_text("utf-8"), encoding="utf-8")
    found = seeds(folder)
    texts = [str(r.facts["segment"]) for r in found]
    assert len(texts) == len(set(texts)) == 2 * COUNT + 6
    questions = {t for r in found if r.facts["side"] == "question" for t in [r.facts["segment"]]}
    assert len(questions) == COUNT + 3 and not questions & (set(texts) - questions)


def test_every_segment_is_a_verbatim_span_of_its_document(folder: Path) -> None:
    for seed in seeds(folder):
        start, end = seed.facts["span"]
        text = (folder / str(seed.facts["path"])).read_text("utf-8")
        assert text[start:end] == seed.facts["segment"]
        assert seed.messages == () and "document" not in seed.facts


def test_the_order_of_one_pool_tells_nothing_of_the_other(folder: Path) -> None:
    """A permutation test: the two orders agree no more than shuffled ones do."""
    found = seeds(folder)
    first = [int(text.split()[-1].rstrip("?")) for text in of(found, "question")]
    second = [int(text.split()[1]) for text in of(found, "answer")]
    assert sorted(first) == sorted(second) == list(range(COUNT))
    place = {n: at for at, n in enumerate(second)}

    def agreement(order: list[int]) -> float:
        """Mean distance between the places of a question and of its own answer."""
        return sum(abs(at - place[n]) for at, n in enumerate(order)) / COUNT

    draw = random.Random(1)
    chance = sorted(agreement(draw.sample(first, COUNT)) for _ in range(2000))
    share = sum(value <= agreement(first) for value in chance) / len(chance)
    assert 0.01 < share < 0.99
    assert sum(a == b for a, b in zip(first, second, strict=True)) <= 5
    paired = sum(value <= agreement(second) for value in chance) / len(chance)
    assert paired == 0, "the test would see pools that had kept their order"


def test_languages_and_sides_take_turns(folder: Path) -> None:
    found = seeds(folder)
    assert [(r.language, r.facts["side"]) for r in found[:4]] == [
        ("en", "answer"),
        ("en", "question"),
        ("hi", "answer"),
        ("hi", "question"),
    ]
    assert {r.language for r in found[12:]} == {"en"}


def test_the_first_round_shows_no_examples_and_asks_for_no_kept_pairs(folder: Path) -> None:
    def kept(step: str) -> Iterator[Record]:
        raise AssertionError("there is nothing before the first round")

    for seed in seeds(folder, kept=kept, grow_from="best"):
        assert seed.facts["examples"] == {"question": [], "answer": []}
        assert seed.facts["round"] == 0


def test_later_rounds_show_only_what_earlier_ones_kept_by_language_and_side(folder: Path) -> None:
    before = [pair(seed) for seed in seeds(folder)[:12]]
    found = seeds(folder, round=2, kept=keeping(before), grow_from="best", examples=2)
    sides = {"answer": "assistant", "question": "user"}
    texts = {(r.language, str(r.facts["side"])): set[str]() for r in before}
    for record in before:
        side = str(record.facts["side"])
        texts[record.language, side].add(record.last(sides[side]))  # type: ignore[arg-type]
    for seed in found:
        assert seed.facts["round"] == 2
        for side, key in (("answer", "response"), ("question", "instruction")):
            shown = [example[key] for example in seed.facts["examples"][side]]
            assert len(shown) == len(set(shown)) == 2
            assert set(shown) <= texts[seed.language, side], "the human side of a kept pair"


def test_a_round_goes_on_where_the_last_stopped_and_what_was_not_kept_comes_again(
    folder: Path,
) -> None:
    first = seeds(folder)
    params = SOURCE.params.model_validate(
        {"path": ".", "language_from": "stem", "min_words": 8, "grow_from": "best"},
        context={"base": folder},
    )

    def at(round: int, start: int, kept: list[Record]) -> list[Record]:
        return list(SOURCE.read(Well(params, "source", round, "1", keeping(kept), start)))

    kept = [pair(seed) for seed in first[:10:2]]
    found = at(1, 10, kept)
    assert [s.facts["segment"] for s in found[: len(first) - 10]] == [
        s.facts["segment"] for s in first[10:]
    ]
    again = {s.facts["segment"] for s in found[len(first) - 10 :]}
    assert again == {s.facts["segment"] for s in first[1:10:2]}, "not those that were kept"
    assert not {s.id for s in found} & {s.id for s in first}, "ids name the round"
    everything = [pair(seed) for seed in first]
    assert at(2, len(first), everything) == []
    assert list(islice(at(1, 10, kept), 5)) == found[:5], "the same at every start"


def test_examples_are_the_latest_where_there_are_too_many(folder: Path) -> None:
    before = [pair(seed) for seed in seeds(folder)]
    found = seeds(
        folder, round=1, kept=keeping(before), grow_from="best", examples=20, pool_limit=3
    )
    assert all(len(e) == 3 for seed in found for e in seed.facts["examples"].values())


def test_a_corpus_without_a_segment_and_settings_that_cannot_be_meant_are_refused(
    tmp_path: Path,
) -> None:
    (tmp_path / "en.md").write_text("Too short.")
    with pytest.raises(JobError, match="no text reads like"):
        seeds(tmp_path)
    with pytest.raises(ValidationError, match="min_words is above max_words"):
        seeds(tmp_path, min_words=30, max_words=20)
