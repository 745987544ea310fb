from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel

from engine.core import Drop, Finding, JobError, ModelError, Outcome, Record, Stopped, Verdict
from engine.kit import Filter, Kit, NoParams, Policy, as_step
from engine.models.fake import FakeChat
from engine.prompting import Library, Prompt
from engine.verdicts import EVIDENCE, CheckError, version
from tests.conftest import seed

SAY = Prompt("kit/again", reply=str)
PAIR = seed("Taja mito mitatu.", "sw", "Tana, Nile, Kongo.")


class Bound(BaseModel, extra="forbid"):
    least: int = 3


async def ruled(
    prompts: Library, check: Any, script: Any = None, record: Record = PAIR, **policy: Any
) -> Outcome:
    """What becomes of a record under this policy."""
    models = {"writer": FakeChat(script or {}), "any": FakeChat(script or {})}
    kind = Filter(check, NoParams)
    step = as_step(kind, "look", NoParams(), models, prompts, 1, policy=Policy(**policy))
    [outcome] = await step(record)
    return outcome


def said(outcome: Outcome) -> Verdict:
    [verdict] = (outcome.record if isinstance(outcome, Drop) else outcome).verdicts
    return verdict


def refuse(record: Record, kit: Kit[Any]) -> Outcome:
    return Drop(record, "too_short", "3 words, at least 8")


def broken(record: Record, kit: Kit[Any]) -> Outcome:
    raise ZeroDivisionError("by\nzero")


async def hanging(record: Record, kit: Kit[Any]) -> Outcome:
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


async def test_a_record_that_passes_carries_who_said_so(prompts: Library) -> None:
    kept = await ruled(prompts, lambda record, kit: record)
    verdict = said(kept)
    assert isinstance(kept, Record) and verdict.verdict == "pass"
    assert verdict.check == __name__ and len(verdict.version) == 8 and verdict.seconds >= 0


async def test_a_record_that_fails_is_dropped_with_the_evidence(prompts: Library) -> None:
    drop = await ruled(prompts, refuse)
    assert isinstance(drop, Drop)
    assert (drop.reason, drop.detail) == ("too_short", "3 words, at least 8")
    assert said(drop).verdict == "fail"
    assert said(drop).evidence == "too_short: 3 words, at least 8"


async def test_a_record_that_fails_may_be_kept_with_the_mark(prompts: Library) -> None:
    kept = await ruled(prompts, refuse, on_fail="mark")
    assert isinstance(kept, Record) and kept.messages == PAIR.messages
    assert said(kept).verdict == "fail"


@pytest.mark.parametrize("ruling", ["pass", "skipped"])
async def test_a_check_may_say_more_than_yes(prompts: Library, ruling: Any) -> None:
    kept = await ruled(prompts, lambda record, kit: Finding(record, ruling, "no letters in it"))
    assert isinstance(kept, Record)
    assert (said(kept).verdict, said(kept).evidence) == (ruling, "no letters in it")


@pytest.mark.parametrize("check", [broken, hanging], ids=["crashes", "hangs"])
async def test_a_broken_check_is_an_error_and_the_policy_decides(
    prompts: Library, check: Any
) -> None:
    limit = 0.01 if check is hanging else 0
    dropped = await ruled(prompts, check, on_error="drop", timeout_s=limit)
    assert isinstance(dropped, Drop) and dropped.reason == "check_error"
    marked = await ruled(prompts, check, on_error="mark", timeout_s=limit)
    assert isinstance(marked, Record)
    assert said(dropped).verdict == said(marked).verdict == "error"
    assert said(marked).evidence in ("ZeroDivisionError: by zero", "no verdict in time")
    with pytest.raises(CheckError, match="could not decide"):
        await ruled(prompts, check, timeout_s=limit)


async def test_a_killed_tool_that_a_check_reports_is_an_error_too(prompts: Library) -> None:
    def killed(record: Record, kit: Kit[Any]) -> Finding:
        return Finding(record, "error", "the sandbox was killed")

    dropped = await ruled(prompts, killed, on_error="drop")
    assert isinstance(dropped, Drop) and dropped.reason == "check_error"
    assert said(dropped).evidence == "the sandbox was killed"


async def test_an_error_is_never_mistaken_for_a_failure_to_be_marked(prompts: Library) -> None:
    with pytest.raises(CheckError):
        await ruled(prompts, broken, on_fail="mark")


async def test_a_judge_that_cannot_be_read_is_an_error_and_drops_the_record(
    prompts: Library,
) -> None:
    typed = Prompt("kit/again", reply=Bound)

    async def judge(record: Record, kit: Kit[Any]) -> Outcome:
        await kit.ask(typed, error="-")
        return record

    drop = await ruled(prompts, judge, {"kit/again": "nonsense"})
    assert isinstance(drop, Drop) and drop.reason == "bad_reply"
    assert said(drop).verdict == "error"


@pytest.mark.parametrize("error", [ModelError("gone"), Stopped("over"), JobError("wrong")])
async def test_what_is_not_the_check_s_own_error_passes_through(
    prompts: Library, error: Exception
) -> None:
    def check(record: Record, kit: Kit[Any]) -> Outcome:
        raise error

    with pytest.raises(type(error)):
        await ruled(prompts, check, on_error="drop")


async def test_evidence_is_one_line_of_bounded_length(prompts: Library) -> None:
    def wordy(record: Record, kit: Kit[Any]) -> Outcome:
        return Drop(record, "wordy", "far\ttoo\nlong " * 100)

    drop = await ruled(prompts, wordy)
    assert isinstance(drop, Drop) and len(drop.detail) == EVIDENCE
    assert drop.detail.startswith("far too long far") and drop.detail.endswith("...")


def test_the_version_changes_with_the_settings() -> None:
    kind = Filter(refuse, Bound)
    assert version(kind, Bound()) == version(kind, Bound(least=3)) != version(kind, Bound(least=4))


def test_seconds_do_not_make_verdicts_differ() -> None:
    assert Verdict("c", "1", "pass", "", 0.1) == Verdict("c", "1", "pass", "", 2.5)
