from __future__ import annotations

import itertools
import random
import zipfile
from collections import Counter
from dataclasses import replace

import orjson
import pytest
from pydantic import ValidationError

from engine.core import Drop, JobError, Record
from engine.languages.tags import normalise
from engine.mixtures import planned
from engine.passes.language_mix import PASS, Params
from engine.selection.mixing import Mixes
from tests.conftest import SHARED, needs_shared, seed, settle
from tests.passes.choosing import drops, ids, kept, reasons, said
from tests.passes.test_balance import languages, speakers

POOL = {"de": 80, "eu": 90, "sw": 60, "th": 5}
MIX = {"shares": {"eu": 0.5, "sw": 0.3, "de": 0.2}}


def parallel(count: int, *tags: str) -> list[Record]:
    """Examples that exist in every one of these languages."""
    return [
        replace(seed(f"{tag} {n}", tag, example=f"e{n:03}"), id=f"{tag}{n:03}")
        for tag in tags
        for n in range(count)
    ]


@pytest.mark.parametrize(
    "ask, counts",
    [
        ({"size": 100, **MIX}, {"eu": 50, "sw": 30, "de": 20}),
        ({"size": 7, **MIX}, {"eu": 4, "sw": 2, "de": 1}),
        ({"size": 47, "temperature": 1}, {"de": 16, "eu": 18, "sw": 12, "th": 1}),
        ({"size": 20, "temperature": 1e6}, {"de": 5, "eu": 5, "sw": 5, "th": 5}),
        ({"size": 65, "unimax": True}, {"de": 20, "eu": 20, "sw": 20, "th": 5}),
        ({"size": 30, "languages": ["de", "sw"]}, {"de": 15, "sw": 15}),
        (
            {"size": 50, "pinch": {"base": "de", "languages": ["th", "sw"], "examples": 5}},
            {"de": 45, "sw": 3, "th": 2},
        ),
        (
            {"size": 60, "sweep": {"order": ["de", "eu", "sw"], "take": 2, "mode": "grow"}},
            {"de": 20, "eu": 20},
        ),
        (
            {"size": 60, "sweep": {"order": ["de", "eu", "sw"], "take": 2, "mode": "constant"}},
            {"de": 30, "eu": 30},
        ),
    ],
)
def test_a_plan_is_realised_exactly(ask, counts):
    assert languages(settle(PASS, speakers(**POOL), **ask)) == counts


def test_the_order_in_which_records_arrive_decides_nothing_and_another_seed_draws_others():
    mixed = speakers(**POOL)
    random.Random(3).shuffle(mixed)
    first = settle(PASS, speakers(**POOL), size=100, **MIX)
    again = settle(PASS, iter(mixed), size=100, **MIX)
    assert sorted(ids(first)) == sorted(ids(again))
    from engine.kit import Desk

    desk = Desk(Params(size=100, **MIX), "pass", "2")
    assert sorted(ids(PASS.settle(speakers(**POOL), (), desk))) != sorted(ids(first))


def test_a_language_that_lacks_records_ends_the_run_and_says_how_often_it_would_be_repeated():
    ask = {"size": 100, "shares": {"de": 0.8, "th": 0.2}}
    with pytest.raises(JobError, match=r"th has 5 of 20 \(4\.00 times\); at most 1 times"):
        settle(PASS, speakers(**POOL), **ask)
    with pytest.raises(JobError, match="yo has 0 of 20"):
        settle(PASS, speakers(**POOL), size=100, shares={"de": 0.8, "yo": 0.2})
    with pytest.raises(JobError, match=r"th has 5 of 20 \(4\.00 times\); at most 3 times"):
        settle(PASS, speakers(**POOL), max_epochs=3, **ask)
    with pytest.raises(JobError, match="unimax: 235 of 236"):
        settle(PASS, speakers(**POOL), size=236, unimax=True)


def test_it_is_repeated_within_the_epochs_or_where_the_job_says_so_and_the_factor_is_noted():
    ask = {"size": 100, "shares": {"de": 0.8, "th": 0.2}}
    for more in ({"max_epochs": 4}, {"short": "repeat"}):
        found = kept(settle(PASS, speakers(**POOL), **ask, **more))
        th = [said(record) for record in found if record.language == "th"]
        assert [each["copies"] for each in th] == [4] * 5
        assert {each["repetition"] for each in th} == {4.0}


def test_nothing_takes_the_place_of_what_is_missing_and_later_rounds_bring_it():
    ask = {"size": 100, "short": "wait", "shares": {"de": 0.8, "th": 0.2}}
    old = kept(settle(PASS, speakers(**POOL), **ask))
    assert Counter(record.language for record in old) == {"de": 80, "th": 5}
    more = [replace(record, id=f"new{record.id}") for record in speakers(de=50, th=50)]
    assert languages(settle(PASS, more, old, **ask)) == {"th": 15}
    both = [*old, *kept(settle(PASS, more, old, **ask))]
    assert settle(PASS, [], both, **ask) == []


def test_drops_say_why():
    found = settle(PASS, speakers(**POOL), size=100, **MIX)
    assert Counter(reasons(found).values()) == {"over_quota": 60 + 40 + 30, "not_planned": 5}
    assert drops(found)["th000"].reason == "not_planned"


def test_the_first_of_each_language_has_the_whole_plan():
    found = settle(PASS, speakers(**POOL), size=100, **MIX)
    noted = [said(each) for each in found]
    plans = [each["plan"] for each in noted if "plan" in each]
    assert len(plans) == 3 and all(plan == plans[0] for plan in plans)
    assert plans[0]["eu"] == {"planned": 50, "there": 90, "repetition": 0.5556}
    assert all(each["mix"] == "shares" and each["seed"] for each in noted)
    assert orjson.loads(orjson.dumps(noted)) == noted


def test_a_card_is_told_what_was_planned_and_what_was_kept():
    mixes = Mixes()
    for record in kept(settle(PASS, speakers(**POOL), size=100, short="wait", **MIX))[:90]:
        mixes.add(record)
    [(step, kind, lines)] = mixes.tables()
    assert (step, kind) == ("pass", "shares")
    assert [(line.language, line.planned, line.there) for line in lines] == [
        ("de", 20, 80),
        ("eu", 50, 90),
        ("sw", 30, 60),
    ]
    assert sum(line.accepted for line in lines) == 90
    assert not Mixes().tables()


# -- parallel rows ---------------------------------------------------------------------------

TAGS = ("ar", "en", "sw", "zh")


def test_each_example_is_kept_in_one_language_only():
    found = settle(PASS, parallel(50, *TAGS), size=50, by="example", languages=list(TAGS))
    assert languages(found) == {"ar": 13, "en": 13, "sw": 12, "zh": 12}
    examples = [record.facts["example"] for record in kept(found)]
    assert len(set(examples)) == 50
    assert set(reasons(found).values()) == {"other_language"}


def test_whole_examples_are_kept_in_every_language():
    rows = parallel(50, *TAGS)[:-20]  # the last 20 examples lack Chinese
    found = settle(PASS, rows, size=80, by="example", languages=list(TAGS), parallel="all")
    assert languages(found) == dict.fromkeys(TAGS, 20)
    by_tag = {t: {r.facts["example"] for r in kept(found) if r.language == t} for t in TAGS}
    assert len(set(map(frozenset, by_tag.values()))) == 1
    with pytest.raises(JobError, match="zh has 30 of 40"):
        settle(PASS, rows, size=160, by="example", languages=list(TAGS), parallel="all")


def test_one_language_an_example_is_a_part_of_all_languages():
    ask = {"by": "example", "languages": list(TAGS)}
    one = settle(PASS, parallel(50, *TAGS), size=20, **ask)
    every = settle(PASS, parallel(50, *TAGS), size=80, parallel="all", **ask)
    assert set(ids(one)) < set(ids(every))


def test_pinches_and_sweeps_are_nested():
    def run(**ask: object) -> set[str]:
        return set(ids(settle(PASS, parallel(60, *TAGS), by="example", **ask)))

    others = ["ar", "sw", "zh"]
    pinches = [
        {i for i in run(size=60, pinch={"base": "en", "languages": others, "examples": k})}
        for k in (4, 17, 40)
    ]
    for small, large in itertools.pairwise(pinches):
        assert {i for i in small if not i.startswith("en")} < large
        assert {i for i in large if i.startswith("en")} < small
    grown = [
        run(size=60, sweep={"order": ["en", *others], "take": k, "mode": "grow"})
        for k in (1, 2, 3, 4)
    ]
    assert all(small < large for small, large in itertools.pairwise(grown))


def test_an_example_that_an_earlier_round_kept_is_not_kept_in_another_language():
    ask = {"size": 40, "by": "example", "languages": list(TAGS), "short": "wait"}
    old = kept(settle(PASS, parallel(20, *TAGS), **ask))
    assert len(old) == 20
    new = settle(PASS, [replace(r, id=f"n{r.id}") for r in parallel(40, *TAGS)], old, **ask)
    together = [*old, *kept(new)]
    assert Counter(r.language for r in together) == dict.fromkeys(TAGS, 10)
    assert len({r.facts["example"] for r in together}) == 40


def test_a_row_that_names_no_example_is_dropped():
    found = settle(PASS, [*parallel(4, "en"), seed("x")], size=2, by="example", languages=["en"])
    assert reasons(found)["seed"] == "no_group" and len(kept(found)) == 2


@pytest.mark.parametrize(
    "ask, why",
    [
        ({}, "say one of"),
        ({"unimax": True, **MIX}, "shares, unimax"),
        ({"shares": {"de": 0.5, "sw": 0.4}}, "sum to 0.9"),
        ({"shares": {"de": 1.5, "sw": -0.5}}, "greater than 0"),
        ({"languages": ["de", "de"]}, "said twice"),
        ({"pinch": {"base": "de", "languages": ["de"], "examples": 1}}, "leave it out"),
        ({"pinch": {"base": "de", "languages": ["sw"], "examples": 99}}, "more examples"),
        ({"sweep": {"order": ["de"], "take": 2, "mode": "grow"}}, "order has 1"),
        ({"languages": ["de", "sw", "th"], "by": "e", "parallel": "all"}, "divide evenly"),
        ({"languages": ["de"], "by": "e", "max_epochs": 2}, "not repeated"),
        ({"temperature": 0.5}, "greater than or equal to 1"),
        ({"shares": {"?!": 1.0}}, "BCP-47"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(ask, why):
    with pytest.raises(ValidationError, match=why):
        Params(size=10, **ask)


def test_nothing_comes_of_nothing():
    assert settle(PASS, [], size=5, short="wait", **MIX) == []
    assert not any(
        isinstance(each, Drop) for each in settle(PASS, [], size=5, unimax=True, short="wait")
    )


# -- real text -------------------------------------------------------------------------------

REAL = """afr amh arb ben bul ces eng eus fin fra heb hin hun ind isl ita jpn kat kor lin nld pol
rus som spa swh tha tur ukr vie yor zul"""


def declarations() -> list[Record]:
    """Every line of the declaration in each language; lines of one number stand for parallel."""
    found = []
    with zipfile.ZipFile(SHARED / "udhr2.zip") as archive:
        for name in REAL.split():
            lines = archive.read(f"udhr2/{name}.txt").decode().splitlines()
            texts = [line.strip() for line in lines if len(line.strip()) > 20]
            tag = normalise(name)
            found += [
                replace(seed(text, tag, line=n), id=f"{tag}{n:03}") for n, text in enumerate(texts)
            ]
    return found


@needs_shared
@pytest.mark.parametrize(
    "ask", [{"temperature": 3}, {"temperature": 1, "cap": 40}, {"unimax": True}]
)
def test_over_real_text_in_thirty_languages_every_quota_is_met(ask):
    given = declarations()
    there = Counter(record.language for record in given)
    assert len(there) >= 30
    found = settle(PASS, given, size=900, **ask)
    plan = planned(Params(size=900, **ask), there)
    assert languages(found) == {tag: n for tag, n in plan.quotas.items() if n}
    assert sum(plan.quotas.values()) == 900


@needs_shared
def test_over_real_lines_each_is_kept_in_one_language_of_thirty():
    given = declarations()
    tags = sorted({record.language for record in given})
    size = len({record.facts["line"] for record in given if record.language == "en"})
    found = settle(PASS, given, size=size, by="line", languages=tags)
    counts = languages(found)
    assert sum(counts.values()) == size == len({r.facts["line"] for r in kept(found)})
    assert max(counts.values()) - min(counts[tag] for tag in tags) <= 1
