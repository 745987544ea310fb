from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.core import JobError, Message, Record
from engine.generators.merge import GENERATOR
from engine.models.chat import Request, Scores
from engine.passes.merge_pairs import PASS
from engine.text.partners import FACT, carried
from tests.conftest import Bind, seed, settle
from tests.passes.choosing import row

REPLIES = sorted((Path(__file__).parent / "replies" / "merge").glob("*.txt"))
FIRST = "Nenne vier Kräuter, die auf einem schattigen Balkon wachsen."
SECOND = "Nenne vier Gemüse, die auf einem schattigen Balkon wachsen."
BOTH = "Nenne vier Kräuter und vier Gemüse für einen schattigen Balkon."
MERGED = json.dumps({"instruction": BOTH, "input": "", "output": "Minze und Mangold."})


def pair(language: str = "de", **facts: Any) -> Record:
    """A record with a partner; either has two stars of quality unless its text says more."""
    other = seed(SECOND, language, "Mangold, Spinat.", source="b", licence="CC-BY-4.0")
    other = replace(other, id="other")
    facts = {"source": "a", "licence": "Apache-2.0", **facts}
    return seed(FIRST, language, "Minze, Petersilie.", **facts, **{FACT: carried(other)})


def quality(of: Callable[[Request], float]) -> Callable[[Request], Scores]:
    """A judge whose expectation is ``of``: its mass is on the two digits around it."""

    def score(request: Request) -> Scores:
        wanted, digit = of(request), int(request.messages[-1].content)
        share = max(0.0, 1 - abs(wanted - digit))
        return Scores(("d",), (math.log(share) if share else -60.0,), "judge-7b", key="k")

    return score


def scored(originals: Sequence[float], tries: Sequence[float]) -> Callable[[Request], Scores]:
    """Both originals, then each try, in turn; six digits each."""
    known: dict[str, float] = {}
    left = list(tries)

    def of(request: Request) -> float:
        asked = request.inputs["instruction"]
        if asked in (FIRST, SECOND):
            return originals[asked == SECOND]
        key = str((asked, request.inputs["response"]))
        if key not in known:
            known[key] = left.pop(0)
        return known[key]

    return quality(of)


def tries(*outputs: str) -> list[str]:
    return [json.dumps({"instruction": BOTH, "input": "", "output": each}) for each in outputs]


def written(path: Path) -> tuple[str, str]:
    """What a model replied, and what must become of it."""
    reply, _, expected = path.read_text(encoding="utf-8").partition("\n=== outcome\n")
    return reply, expected.strip()


def results(outcomes: Any) -> list[str]:
    return [each.facts["merge"]["result"] for each in outcomes]


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_merged_tasks_as_models_write_them_are_taken_or_not_by_rule(
    path: Path, bind: Bind
) -> None:
    reply, expected = written(path)
    script = {"merge/merge": reply, "merge/quality": scored([2, 2], [3])}
    step, _ = bind(GENERATOR, script, retries=0)
    tag = path.stem.split("_")[0]
    outcomes = await step(pair("de" if tag == "en" else tag))
    [first, *more] = outcomes
    assert isinstance(first, Record)
    if expected == "merged":
        assert results(outcomes) == ["merged"] and not more
        asked = json.loads(reply.strip("`").removeprefix("json"))
        assert first.facts["instruction"] == asked["instruction"]
        assert first.last("user") == "\n\n".join(filter(None, [*asked.values()][:2]))
    else:
        assert results(outcomes) == ["failed", "failed"]
        assert first.facts["merge"]["faults"] == [expected]


@pytest.mark.parametrize(
    ("originals", "got", "result", "calls"),
    [
        ((2.0, 4.0), [3.5], "merged", 1),
        ((2.0, 4.0), [3.0, 2.0, 3.0, 2.5], "failed", 4),  # no better than the mean is not better
        ((2.0, 4.0), [2.0, 3.0, 3.25], "merged", 3),
        ((2.0, 4.0), [1.0, 2.0, 2.5, 4.0], "merged", 4),
        ((5.0, 5.5), [5.0, 5.0, 5.0, 5.0, 6.0], "failed", 4),  # the fifth is never asked for
    ],
)
async def test_only_a_try_above_the_mean_is_taken_and_there_are_three_retries(
    originals: tuple[float, float], got: list[float], result: str, calls: int, bind: Bind
) -> None:
    said = tries(*(f"Antwort {n}" for n in range(len(got))))
    step, chat = bind(GENERATOR, {"merge/merge": said, "merge/quality": scored(originals, got)})
    outcomes = await step(pair())
    asked = [each for each in chat.asked if each.prompt.startswith("merge/merge")]
    assert len(asked) == calls and [each.take for each in asked] == [*range(calls)]
    assert set(results(outcomes)) == {result}
    told = outcomes[0].facts["merge"]
    assert told["wanted"] == pytest.approx(sum(originals) / 2, abs=1e-5)
    if result == "merged":
        assert told["quality"] == pytest.approx(got[calls - 1], abs=1e-5)
        assert told["faults"] == ["not_better"] * (calls - 1)
    else:
        assert told["best"] == pytest.approx(max(got[:calls]), abs=1e-5)


async def test_a_merged_record_says_what_it_was_made_from(bind: Bind) -> None:
    script = {"merge/merge": MERGED, "merge/quality": scored([2, 2], [5])}
    step, _ = bind(GENERATOR, script)
    [merged] = await step(pair(embedding={"model": "m"}, scores_deita={"quality": 1}))
    assert isinstance(merged, Record)
    assert merged.messages == (Message("user", BOTH), Message("assistant", "Minze und Mangold."))
    told = merged.facts["merge"]["originals"]
    assert [each["instruction"] for each in told] == [FIRST, SECOND]
    assert [each["output"] for each in told] == ["Minze, Petersilie.", "Mangold, Spinat."]
    assert told[1]["id"] == "other"
    assert merged.facts["licence"] == "Apache-2.0 AND CC-BY-4.0", "both bind"
    assert not {"partner", "embedding", "scores_deita"} & set(merged.facts), "they are another's"


async def test_both_originals_come_back_as_they_were(bind: Bind) -> None:
    script = {"merge/merge": MERGED, "merge/quality": scored([4, 4], [2])}
    step, _ = bind(GENERATOR, script, retries=0)
    first, second = await step(pair(kind="x"))
    assert isinstance(first, Record) and isinstance(second, Record)
    assert first.id == "seed" and first.id != second.id != "other"
    assert first.last("user") == FIRST and first.facts["kind"] == "x"
    assert second.last("user") == SECOND and second.last("assistant") == "Mangold, Spinat."
    assert second.facts["licence"] == "CC-BY-4.0" and "kind" not in second.facts
    assert second.facts["merge"]["original"] == "other"
    assert not any(FACT in each.facts for each in (first, second))


async def test_who_has_no_partner_stays_and_costs_no_call(bind: Bind) -> None:
    step, chat = bind(GENERATOR)
    [record] = await step(seed(FIRST, response="Minze."))
    assert isinstance(record, Record) and record.last("user") == FIRST
    assert results([record]) == ["unused"] and not chat.asked


async def test_a_judge_that_means_something_else_has_not_scored(bind: Bind) -> None:
    def silent(request: Request) -> Scores:
        return Scores(("d",), (-20.0,), "judge-7b", key="k")

    step, chat = bind(GENERATOR, {"merge/quality": silent})
    outcomes = await step(pair())
    assert results(outcomes) == ["failed", "failed"]
    assert outcomes[0].facts["merge"]["faults"][0].startswith("not_scored: the digits")  # type: ignore[union-attr]
    assert not [each for each in chat.asked if each.prompt.startswith("merge/merge")]


async def test_an_input_is_part_of_what_is_merged_and_scored(bind: Bind) -> None:
    given = pair(instruction="Nenne Kräuter.", input="Balkon: Nordseite")
    given = replace(given, messages=(Message("user", "Nenne Kräuter.\n\nBalkon: Nordseite"),))
    step, chat = bind(GENERATOR, {"merge/merge": MERGED, "merge/quality": quality(lambda _: 3)})
    await step(replace(given, messages=(*given.messages, Message("assistant", "Minze."))))
    shown = next(e for e in chat.asked if e.prompt.startswith("merge/merge")).inputs["tasks"]
    assert shown[0] == {
        "instruction": "Nenne Kräuter.",
        "input": "Balkon: Nordseite",
        "output": "Minze.",
    }
    assert "Nordseite" in chat.asked[0].inputs["instruction"]


async def test_a_partner_that_is_no_record_is_the_jobs_fault(bind: Bind) -> None:
    step, _ = bind(GENERATOR)
    with pytest.raises(JobError, match="holds no record"):
        await step(seed(FIRST, **{FACT: {"id": "x"}}))


async def test_merged_and_failed_and_unused_and_thinned_add_up_to_all_that_came(
    bind: Bind,
) -> None:
    texts = {f"r{n}": [1.0, 0.2 * (n // 2), 0.02 * (n % 2)] for n in range(10)}
    texts |= {"z": [-1.0, 0.3, 1.0]}
    fresh = [row(name, vector) for name, vector in texts.items()]
    fresh = [replace(e, messages=(*e.messages, Message("assistant", "ja"))) for e in fresh]
    outcomes = settle(PASS, fresh, clusters=2, per_cluster=8, threshold=0.5)
    left = [each for each in outcomes if isinstance(each, Record)]
    thinned = sum(getattr(each, "reason", "") == "thinned" for each in outcomes)

    def of(request: Request) -> float:
        good = request.inputs["instruction"] == BOTH and "1" in request.inputs["response"]
        return 5 if good else 2

    said = (json.dumps({"instruction": BOTH, "input": "", "output": str(n % 2)}) for n in range(99))
    script = {"merge/merge": lambda _: next(said), "merge/quality": quality(of)}
    step, _ = bind(GENERATOR, script, retries=0)
    made = [record for each in left for record in await step(each)]
    count = {kind: results(made).count(kind) for kind in ("merged", "failed", "unused")}
    assert count["merged"] == 2 and count["failed"] == 4 and thinned == 2 and count["unused"] == 1
    assert 2 * count["merged"] + count["failed"] + count["unused"] + thinned == len(fresh)
