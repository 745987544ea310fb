from __future__ import annotations

import pytest
from pydantic import ValidationError

from engine.core import Drop, Record
from engine.filters.phase import FILTER
from engine.passes.phase_split import PASS
from tests.conftest import Bind, seed, settle


@pytest.mark.parametrize(
    ("phase", "reason"),
    [("reward", ""), ("supervised", "other_phase"), ("", "no_phase"), (None, "no_phase")],
)
async def test_only_the_phases_that_are_wanted_stay(
    bind: Bind, phase: str | None, reason: str
) -> None:
    step, _ = bind(FILTER, keep=["reward", "reinforcement"])
    [found] = await step(seed("สวัสดี", "th", phase=phase))
    assert (found.reason if isinstance(found, Drop) else "") == reason


async def test_jobs_that_keep_a_phase_each_share_no_instruction_and_lose_none(bind: Bind) -> None:
    counts = {"supervised": 5, "reward": 4, "reinforcement": 6}
    given = [Record(f"r{n}", "en") for n in range(15)]
    made: list[str] = []
    for phase in counts:
        step, _ = bind(FILTER, keep=[phase])
        for record in settle(PASS, given, counts=counts):
            assert isinstance(record, Record)
            [found] = await step(record)
            made += [found.id] if isinstance(found, Record) else []
    assert sorted(made) == sorted(each.id for each in given)


def test_a_job_says_which_phase_it_is_for() -> None:
    with pytest.raises(ValidationError):
        FILTER.params(keep=[])
