from __future__ import annotations

from typing import get_args

import pytest
from pydantic import ValidationError

from engine.core import Drop, Record
from engine.filters.refusal import FILTER as REFUSAL
from engine.filters.safety_route import FILTER, Params
from engine.kit import as_step
from engine.text.harms import Class
from engine.verdicts import Policy
from tests.conftest import seed


def labelled(label, **more):
    return seed("?", "de", "!", safety={"class": label, "category": "crime", **more})


async def run(bind, record, **params):
    step, _ = bind(FILTER, **params)
    [outcome] = await step(record)
    return outcome


def test_every_class_has_a_route():
    assert set(Params.model_fields) == set(get_args(Class))


@pytest.mark.parametrize("label", ["benign_refused", "disclaimer", "harmful_compliance"])
async def test_what_teaches_fear_or_harm_is_dropped(bind, label):
    drop = await run(bind, labelled(label))
    assert isinstance(drop, Drop) and (drop.reason, drop.detail) == (label, "crime")


async def test_deserved_refusals_are_the_safety_stratum_and_others_are_not(bind):
    kept = await run(bind, labelled("harmful_refused"))
    assert kept.facts["safety"]["stratum"] == "safety"
    assert kept.facts["safety"]["category"] == "crime"
    for label in ("ordinary", "unclear", "unanswered"):
        assert (await run(bind, labelled(label))).facts["safety"]["stratum"] == "general"


async def test_a_marked_class_is_kept_and_says_so(bind):
    new = await run(bind, labelled("unclear"))
    assert new.facts["safety"]["marked"] is True
    assert new.verdicts[0].evidence == "mark: unclear"
    assert (await run(bind, labelled("ordinary"))).facts["safety"]["marked"] is False


async def test_the_job_says_where_each_class_goes(bind):
    assert isinstance(await run(bind, labelled("benign_refused"), benign_refused="mark"), Record)
    assert isinstance(await run(bind, labelled("harmful_refused"), harmful_refused="drop"), Drop)
    with pytest.raises(ValidationError):
        Params(ordinary="burn")


@pytest.mark.parametrize("facts", [{}, {"safety": None}, {"safety": {"class": "nice"}}])
async def test_a_record_that_nobody_labelled_is_an_error_and_never_a_pass(prompts, facts):
    policy = Policy(on_error="drop")
    step = as_step(FILTER, "route", Params(), {}, prompts, seed=1, policy=policy)
    [drop] = await step(seed("?", "th", "!", **facts))
    assert drop.reason == "no_harm_label" and drop.record.verdicts[0].verdict == "error"


async def test_the_phrase_filter_spares_a_refusal_that_was_deserved(bind):
    said = "Es tut mir leid, aber ich kann Ihnen dabei leider nicht helfen."
    step, _ = bind(REFUSAL)
    [kept] = await step(seed("?", "de", said, safety={"prompt_harm": "harmful"}))
    assert kept.verdicts[0].verdict == "skipped"
    [drop] = await step(seed("?", "de", said, safety={"prompt_harm": "none"}))
    assert drop.reason == "refusal"
    strict, _ = bind(REFUSAL, spare_deserved=False)
    [drop] = await strict(seed("?", "de", said, safety={"prompt_harm": "harmful"}))
    assert drop.reason == "refusal"
