from __future__ import annotations

from collections import Counter

import pytest
from pydantic import ValidationError

from engine.core import JobError
from engine.passes.temperature_mix import PASS, Params
from tests.conftest import settle
from tests.passes.choosing import kept, said
from tests.passes.test_balance import languages, speakers

POOL = {"de": 800, "sw": 200, "yo": 50}


@pytest.mark.parametrize(
    "ask, counts",
    [
        ({"size": 210}, {"de": 160, "sw": 40, "yo": 10}),
        ({"size": 210, "temperature": 2}, {"de": 120, "sw": 60, "yo": 30}),
        ({"size": 60, "temperature": 1e6}, {"de": 20, "sw": 20, "yo": 20}),
        ({"size": 600, "method": "unimax"}, {"de": 350, "sw": 200, "yo": 50}),
        ({"size": 450, "cap": 200}, {"de": 200, "sw": 200, "yo": 50}),
        ({"size": 9000}, POOL),
    ],
)
def test_quotas_are_those_of_the_formulas(ask, counts):
    assert languages(settle(PASS, speakers(**POOL), **ask)) == counts


def test_a_share_beyond_what_a_group_has_goes_to_the_others_or_is_refused():
    ask = {"size": 600, "temperature": 1e6}
    assert languages(settle(PASS, speakers(**POOL), **ask)) == {"de": 350, "sw": 200, "yo": 50}
    with pytest.raises(JobError, match="yo 50 of 200"):
        settle(PASS, speakers(**POOL), short="refuse", **ask)
    with pytest.raises(JobError, match="all groups 1050 of 1051"):
        settle(PASS, speakers(**POOL), short="refuse", size=1051, method="unimax")


def test_nothing_is_meant_twice_unasked():
    found = settle(PASS, speakers(**POOL), size=5000)
    assert not any("copies" in said(each) for each in found)


def test_with_epochs_copies_are_noted_and_add_up_to_the_size():
    found = settle(PASS, speakers(de=40, sw=10), size=60, method="unimax", max_epochs=3)
    copies = Counter()
    for record in kept(found):
        copies[record.language] += said(record).get("copies", 1)
    assert copies == {"de": 30, "sw": 30}
    uneven = settle(PASS, speakers(de=40, sw=10), size=50, method="unimax", max_epochs=3)
    assert Counter(said(r).get("copies", 1) for r in kept(uneven) if r.language == "sw") == {
        2: 5,
        3: 5,
    }


def test_copies_of_earlier_rounds_count():
    ask = {"size": 60, "method": "unimax", "max_epochs": 3}
    old = kept(settle(PASS, speakers(sw=10), **ask))
    assert sum(said(record)["copies"] for record in old) == 30
    assert languages(settle(PASS, speakers(de=40), old, **ask)) == {"de": 30}


def test_a_temperature_below_one_is_refused():
    with pytest.raises(ValidationError):
        Params(size=3, temperature=0.5)
