"""Blank seeds have a language, and there is no end to them."""

from collections import Counter
from itertools import islice

import pytest
from pydantic import ValidationError

from engine.kit import Well
from engine.sources.blank import SOURCE
from tests.conftest import read


def test_languages_come_as_often_as_their_weights_say(tmp_path):
    found = list(
        islice(read(SOURCE, tmp_path, languages={"de": 2, "zh_hans": 1}, licence="MIT"), 30)
    )
    assert Counter(record.language for record in found) == {"de": 20, "zh-Hans": 10}
    assert len({record.id for record in found}) == 30
    assert found[0].messages == () and found[0].facts == {"source": "source", "licence": "MIT"}


def test_a_later_round_goes_on_where_the_last_one_stopped():
    params = SOURCE.params(languages=["ar", "th", "sw"])
    whole = list(islice(SOURCE.read(Well(params, "s", 0, "1", lambda step: iter(()))), 10))
    rest = SOURCE.read(Well(params, "s", 1, "1", lambda step: iter(()), start=4))
    assert whole[4:] == list(islice(rest, 6))


@pytest.mark.parametrize(
    "languages", [[], {}, ["no tag"], {"de": 0}, {"de": float("inf")}, "de", [3]]
)
def test_what_is_no_language_is_a_mistake(languages):
    with pytest.raises(ValidationError):
        SOURCE.params(languages=languages)


def test_there_is_no_end_to_it():
    assert SOURCE.endless
