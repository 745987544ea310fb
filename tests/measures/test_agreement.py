from __future__ import annotations

import itertools

import pytest

from engine.measures.agreement import alpha, majority, mean

_ = None
# Krippendorff 2011: four observers, twelve units, a category from 1 to 5, some missing
UNITS = list(
    zip(
        [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
        [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
        strict=True,
    )
)


def test_alpha_is_that_of_krippendorffs_own_example() -> None:
    assert alpha(UNITS, "nominal") == pytest.approx(0.743, abs=5e-4)
    assert alpha(UNITS, "ordinal") == pytest.approx(0.815, abs=5e-4)
    assert alpha(UNITS, "interval") == pytest.approx(0.849, abs=5e-4)


def test_nominal_alpha_is_as_worked_out_by_hand() -> None:
    # two judges: 1-1, 1-2, 2-2; coincidences o11 = 2, o22 = 2, o12 + o21 = 2; n1 = n2 = 3
    # 1 - (6 - 1) * 2 / (2 * 3 * 3) = 4 / 9
    assert alpha([(1, 1), (1, 2), (2, 2)], "nominal") == pytest.approx(4 / 9)


def test_agreement_on_everything_is_one_and_contradiction_is_below_zero() -> None:
    assert alpha([(1, 1), (5, 5), (3, 3, _)]) == pytest.approx(1)
    found = alpha([(1, 5), (5, 1)] * 5)
    assert found is not None and found < 0


def test_chance_is_about_zero() -> None:
    found = alpha(itertools.product(range(1, 6), repeat=2))
    assert found is not None and abs(found) < 0.05


@pytest.mark.parametrize("rows", [[], [(_, _)], [(3, _), (_, 4)], [(3, 3), (3, 3)]])
def test_alpha_is_not_made_up_where_it_is_not_defined(rows: list[tuple[float | None]]) -> None:
    assert alpha(rows) is None


def test_who_abstains_does_not_count() -> None:
    assert mean([4, None, 5]) == 4.5 and mean([None]) is None and mean([]) is None
    assert majority(["a", None, "a", "b"]) == "a"
    assert majority(["a", "b"]) is None and majority([None]) is None
    assert majority(["a", "b", "c"]) is None, "the most is not the majority"
