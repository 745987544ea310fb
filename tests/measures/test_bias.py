from __future__ import annotations

import random
from typing import Any

import pytest

from engine.core import Record
from engine.measures.bias import Leanings, Line, family, figures

MODELS = {"judge": "Qwen/Qwen3-8B", "judge_2": "meta-llama/Llama-3.1-8B", "judge_3": "gemma-3-12b"}


def judged(
    scores: list[float | None], words: int = 50, writer: str = "", lang: str = "de"
) -> Record:
    said = dict(zip(MODELS, scores, strict=True))
    panel = {"scores": said, "models": MODELS, "words": words, "writer": writer}
    return Record("r", lang, facts={"judge_ensemble": panel})


def pair(forth: str, back: str, won: str, words: tuple[int, int] = (10, 10)) -> Record:
    facts: dict[str, Any] = {"winner": won, "orders": [forth, back], "words": list(words)}
    return Record("r", "sw", facts={"pairwise": facts})


def test_what_nobody_judged_has_no_figures() -> None:
    found = figures([Record("r", "en")])
    assert found["judged"] == found["pairs"] == 0
    assert found["alpha"] is found["position"] is found["length_slope"] is None
    assert found["own_family"] == {}


def test_agreement_is_told_for_all_and_by_language() -> None:
    rows = [judged([1, 1, 1]), judged([5, 5, 5]), judged([1, 5, None], lang="th")]
    rows += [judged([5, 1, None], lang="th")]
    found = figures(rows)
    assert found["alpha_by_language"]["de"] == 1.0 and found["alpha_by_language"]["th"] < 0
    assert found["alpha_by_language"]["th"] < found["alpha"] < 1
    assert found["abstained"] == round(2 / 12, 4)


def test_a_judge_that_likes_the_first_place_is_seen() -> None:
    found = figures([pair("A", "A", "tie")] * 3 + [pair("A", "B", "first")])
    assert found["position"] == pytest.approx(7 / 8 - 0.5)
    assert found["contradictory"] == 0.75
    fair = figures([pair("A", "B", "first"), pair("B", "A", "second"), pair("tie", "tie", "tie")])
    assert fair["position"] == 0 and fair["contradictory"] == 0


def test_a_judge_that_likes_length_has_a_slope() -> None:
    rows = [judged([score] * 3, round(10 * 2.718281828**score)) for score in (1, 2, 3, 4)]
    assert figures(rows)["length_slope"] == pytest.approx(1.0, abs=0.01)
    pairs = [pair("A", "B", "first", (20, 10)), pair("B", "A", "second", (10, 20))]
    assert figures(pairs)["pairs_length_slope"] == pytest.approx(1 / 0.6931, abs=1e-3)
    assert figures([judged([3, 3, 3], 50)] * 4)["length_slope"] is None


def test_a_judge_that_is_kinder_to_its_own_family_is_told_from_one_that_is_kind() -> None:
    own, other = "qwen2.5-72b-instruct", "mistral-small"
    rows = [judged([4, 3, 3], writer=own), judged([5, 3, 3], writer=own)]
    rows += [judged([3.5, 3, 3], writer=other)]
    assert figures(rows)["own_family"] == {"judge": 1.0}
    kind = [judged([5, 3, 3], writer=own), judged([5, 3, 3], writer=other)]
    assert figures(kind)["own_family"] == {"judge": 0.0}


@pytest.mark.parametrize(
    ("model", "of"),
    [
        ("Qwen/Qwen3-8B", "qwen"),
        ("qwen2.5-7b", "qwen"),
        ("/models/Llama-3.1-8B/", "llama"),
        ("gpt-4o", "gpt"),
        ("", ""),
        ("123", ""),
    ],
)
def test_the_family_of_a_model_is_in_its_name(model: str, of: str) -> None:
    assert family(model) == of


def test_a_line_is_found_again() -> None:
    draw, line = random.Random(1), Line()
    for _ in range(500):
        x = draw.gauss(3, 2)
        line.add(x, 0.7 * x - 2 + draw.gauss(0, 0.1))
    assert line.slope == pytest.approx(0.7, abs=0.01)
    assert Line().slope is None


def test_many_records_take_little_memory() -> None:
    leanings = Leanings()
    draw = random.Random(1)
    for _ in range(20_000):
        leanings.add(judged([draw.randint(1, 5) + draw.random() / 3 for _ in MODELS]))
    assert len(leanings._rows["de"]) <= 11**3
    assert abs(leanings.figures()["alpha"]) < 0.05
