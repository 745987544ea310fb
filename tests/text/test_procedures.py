from __future__ import annotations

import random
from collections import Counter
from itertools import groupby

import pytest

from engine.text.numbered import items
from engine.text.procedures import gives_away, listed, prompt, varied, words_for

STEPS = ["lies", "步骤二", "سطر", "prüfe", "schreibe"]


@pytest.mark.parametrize("draw", range(20))
@pytest.mark.parametrize("count", [2, 3, 5])
def test_variants_are_what_they_are_called(draw: int, count: int) -> None:
    steps = STEPS[:count]
    rng = random.Random(draw)
    assert varied(steps, "none", rng) == [] and varied(steps, "steps", rng) == steps
    shuffled = varied(steps, "shuffled", rng)
    assert shuffled and Counter(shuffled) == Counter(steps) and shuffled != steps
    assert varied(steps, "reversed", rng) == steps[::-1]
    deleted = varied(steps, "deleted", rng)
    assert deleted and 0 < len(deleted) < count
    assert deleted == [step for step in steps if step in deleted], "in their order"
    repeated = varied(steps, "repeated", rng)
    assert repeated and len(repeated) > count
    assert [step for step, _ in groupby(repeated)] == steps, "right behind each other"
    assert varied(steps, "other", rng, ["x"]) == ["x"]


def test_too_few_steps_have_no_variant() -> None:
    rng = random.Random(1)
    for steps in ([], ["a"], ["a", "a"]):
        for variant in ("shuffled", "reversed", "deleted", "repeated", "other"):
            assert varied(steps, variant, rng) is None
    assert varied(["a", "b", "a"], "reversed", rng) is None


@pytest.mark.parametrize(
    ("steps", "answers", "known", "found"),
    [
        (["Say: A plumber, quickly!"], ["a plumber quickly"], [], "a plumber quickly"),
        (["Say polite or rude."], ["polite"], [], ""),
        (["如果漏水，就答马上叫水管工。"], ["马上叫水管工"], [], "马上叫水管工"),
        (["Choose hot tea or cold tea."], ["hot tea"], ["hot tea, cold tea"], ""),
        ([], ["a b"], [], ""),
        (["x"], [""], [], ""),
        (["слово " * 50_000], ["нет такого"], [], ""),
    ],
)
def test_an_answer_in_the_steps_is_found_unless_the_task_names_it(
    steps: list[str], answers: list[str], known: list[str], found: str
) -> None:
    assert gives_away(steps, answers, known) == found


@pytest.mark.parametrize("language", sorted(listed()))
def test_a_prompt_has_its_parts_in_order_in_every_language(language: str) -> None:
    said = listed()[language]
    examples = [
        {"input": "i1", "output": "o1", "explanation": "e1"},
        {"input": "i2", "output": "o2"},
    ]
    text = prompt("Definition.", STEPS, examples, "input", said)
    order = ["Definition.", said.steps, *STEPS, "i1", "o1", "e1", "i2", "o2", "input", said.output]
    places = [
        text.rindex(part) if part in ("input", said.output) else text.index(part) for part in order
    ]
    assert places == sorted(places)
    assert items(text)[: len(STEPS)] == STEPS or language not in ("en", "de")
    assert prompt("D", [], [], "", said) == "D"


def test_words_are_the_languages_own() -> None:
    assert words_for("es-MX") is listed()["es"] and words_for("yo") is None
