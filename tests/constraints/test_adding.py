from __future__ import annotations

import random

import pytest

from engine.constraints.adding import FORM, NUMBER, offer, picked, wordings
from engine.constraints.conflicts import clashes
from engine.constraints.kinds import Ground
from engine.constraints.stock import stock_for


def ground(language: str, text: str, at: int) -> Ground:
    return Ground(language, text, stock_for(language), random.Random(at))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Erkläre, wie man einen Umzug plant."),
        ("ar", "اشرح كيف ننظم الانتقال إلى بيت جديد."),
        ("zh", "说明怎样计划搬家。"),
        ("eu", "Azaldu nola prestatu etxe-aldaketa bat."),
        ("th", ""),
    ],
)
def test_what_is_offered_can_stand_together_and_is_said(language: str, text: str) -> None:
    for at in range(20):
        here = ground(language, text, at)
        found = offer(here)
        forms = [each for each in found if each.type in FORM]
        assert 1 <= len(forms) <= 3 and len(found) - len(forms) <= 2
        assert {each.type for each in found} <= {*FORM, *NUMBER}
        assert not list(clashes(found, language))
        assert all(wordings(found, here))


def test_a_picked_condition_is_the_one_with_its_number_if_it_is_said() -> None:
    here = ground("de", "Erkläre, wie man einen Umzug plant.", 1)
    found, said = offer(here), wordings(offer(ground("de", here.instruction, 1)), here)
    said = wordings(found, here)
    assert picked(found, [2, 1], [said[1], said[0]], "de") == [found[1], found[0]]
    for numbers in ([0], [len(found) + 1], [1, 1]):
        assert picked(found, numbers, [said[0]] * len(numbers), "de") == []
    assert picked(found, [4], ["Schreibe schön."], "de") == [], "the number is left out"
