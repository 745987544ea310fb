from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import engine
from engine import curating
from engine.core import Drop, Record
from engine.curating import Asked
from engine.filters.human_review import FILTER
from engine.job import load
from tests.conftest import ROOT, Bind, seed


def lines(folder: Path, *said: dict[str, Any]) -> Path:
    file = folder / "verdicts.jsonl"
    file.write_text("\n".join(json.dumps(each, ensure_ascii=False) for each in said) + "\n\n")
    return file


def record(**facts: Any) -> Record:
    said = [{"stage": "claims", "by": "judge", "verdict": "pass"}]
    return seed("ถามว่าอะไร", "th", "ตอบว่าอย่างนี้", verification=said, **facts)


@pytest.mark.parametrize("pending", ["keep", "hold"])
async def test_without_a_verdict_a_record_waits_and_is_kept_or_held_back(pending: str, bind: Bind):
    step, _ = bind(FILTER, pending=pending)
    [outcome] = await step(record())
    held = isinstance(outcome, Drop)
    assert held == (pending == "hold")
    seen = outcome.record if isinstance(outcome, Drop) else outcome
    assert (seen.facts["review"], seen.facts["review_id"]) == ("pending", "seed")
    assert seen.verdicts[-1].verdict == ("fail" if held else "skipped")
    assert not held or outcome.reason == "awaiting_review"


async def test_an_accepted_record_passes_and_its_log_says_who(bind: Bind, tmp_path: Path):
    said = {"id": "seed", "verdict": "accepted", "reviewer": "Dana", "note": "ok"}
    step, _ = bind(FILTER, verdicts=lines(tmp_path, said), pending="hold")
    [kept] = await step(record())
    assert kept.facts["review"] == "accepted" and kept.verdicts[-1].verdict == "pass"
    assert kept.facts["verification"] == [
        {"stage": "claims", "by": "judge", "verdict": "pass"},
        {"stage": "review", "by": "human", "verdict": "accepted", "reviewer": "Dana", "note": "ok"},
    ]
    [again] = await step(kept)
    assert again.facts["verification"] == kept.facts["verification"], "nobody is logged twice"


async def test_a_rejected_record_drops_with_the_note(bind: Bind, tmp_path: Path):
    said = {"id": "seed", "verdict": "rejected", "note": "not our custom"}
    step, _ = bind(FILTER, verdicts=lines(tmp_path, said))
    [drop] = await step(record())
    assert (drop.reason, drop.detail) == ("rejected_by_reviewer", "not our custom")
    assert drop.record.facts["review"] == "rejected"


async def test_a_correction_takes_the_place_of_what_was_there(bind: Bind, tmp_path: Path):
    said = {"id": "seed", "verdict": "corrected", "response": "ตอบใหม่"}
    step, _ = bind(FILTER, verdicts=lines(tmp_path, said))
    [kept] = await step(record(provenance={"instruction": "model", "response": "model"}))
    assert (kept.last("user"), kept.last("assistant")) == ("ถามว่าอะไร", "ตอบใหม่")
    assert kept.facts["provenance"] == {"instruction": "model", "response": "human"}
    assert kept.facts["review"] == "corrected" and kept.id == "seed"


@pytest.mark.parametrize("before", [7, "ตรวจแล้ว", {"a": 1}])
async def test_facts_of_another_kind_are_no_log_and_no_provenance(
    before: Any, bind: Bind, tmp_path: Path
):
    said = {"id": "seed", "verdict": "corrected", "response": "ตอบใหม่"}
    step, _ = bind(FILTER, verdicts=lines(tmp_path, said))
    record = seed("ถามว่าอะไร", "th", "ตอบว่าอย่างนี้", verification=before, provenance=before)
    [kept] = await step(record)
    assert [each["verdict"] for each in kept.facts["verification"]] == ["corrected"]
    assert kept.facts["provenance"]["response"] == "human"


async def test_the_log_ends_with_the_verdict_that_holds(bind: Bind, tmp_path: Path):
    said = [{"id": "seed", "verdict": word} for word in ("accepted", "rejected", "accepted")]
    step, _ = bind(FILTER, verdicts=lines(tmp_path, *said))
    [kept] = await step(record())
    log = [each["verdict"] for each in kept.facts["verification"]]
    assert log == ["pass", "accepted", "rejected", "accepted"]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("34a8f455322371c3", True),
        ("34a8f45532237c2", True),
        ("34a8f4553223771c2", True),
        ("34a8f455322371c", True),
        ("b9a8f455322371c3", False),
        ("868aaaf664d15eef", False),
    ],
)
async def test_a_record_that_waits_asks_whether_an_id_of_the_file_was_mistyped(
    written: str, told: bool, bind: Bind, tmp_path: Path
):
    step, _ = bind(FILTER, verdicts=lines(tmp_path, {"id": written, "verdict": "rejected"}))
    [kept] = await step(record(review_id="34a8f455322371c2"))
    asks = f"waits for review; is {written} of verdicts.jsonl meant?"
    assert (kept.verdicts[-1].evidence == asks) == told
    assert told or kept.verdicts[-1].evidence == "waits for review"


async def test_ids_that_count_are_like_their_neighbours_and_nobody_is_asked(
    bind: Bind, tmp_path: Path
):
    step, _ = bind(
        FILTER, verdicts=lines(tmp_path, {"id": "row-0000000017", "verdict": "rejected"})
    )
    [kept] = await step(record(review_id="row-0000000018"))
    assert kept.verdicts[-1].evidence == "waits for review"


def test_a_file_in_another_encoding_is_refused_by_its_name(tmp_path: Path):
    file = tmp_path / "verdicts.jsonl"
    file.write_bytes('{"id": "a", "verdict": "rejected", "note": "ไทย"}'.encode("cp874"))
    with pytest.raises(ValidationError, match=r"verdicts\.jsonl: not UTF-8"):
        FILTER.params(verdicts=file)


async def test_every_stage_has_to_accept_and_the_last_line_of_a_stage_holds(
    bind: Bind, tmp_path: Path
):
    def by(stage: str, verdict: str, **more: str) -> dict[str, str]:
        return {"id": "seed", "stage": stage, "verdict": verdict, **more}

    async def state(*said: dict[str, str]) -> tuple[str, str]:
        file = lines(tmp_path, *said)
        step, _ = bind(FILTER, verdicts=file, stages=["annotator", "expert"])
        [outcome] = await step(record())
        seen = outcome.record if isinstance(outcome, Drop) else outcome
        return seen.facts["review"], seen.last("assistant")

    old = "ตอบว่าอย่างนี้"
    first = by("annotator", "accepted")
    assert await state(first) == ("pending", old)
    assert await state(first, by("expert", "accepted")) == ("accepted", old)
    assert await state(first, by("expert", "rejected")) == ("rejected", old)
    assert await state(by("annotator", "rejected")) == ("rejected", old)
    second = by("expert", "accepted")
    assert await state(by("annotator", "rejected"), first, second) == ("accepted", old)
    fixed = by("annotator", "corrected", response="ก"), by("expert", "corrected", response="ข")
    assert await state(*fixed) == await state(*reversed(fixed)) == ("corrected", "ข")


async def test_the_id_that_people_saw_is_found_wherever_the_record_has_been(
    bind: Bind, tmp_path: Path
):
    file = lines(tmp_path, {"id": "seen", "verdict": "accepted"})
    step, _ = bind(FILTER, verdicts=file)
    for facts in ({"review_id": "seen"}, {"id": "seen"}):
        [kept] = await step(record(**facts))
        assert kept.facts["review"] == "accepted"


@pytest.mark.parametrize(
    "line",
    [
        '{"id": "a"}',
        '{"id": "a", "verdict": "fine"}',
        '{"id": "", "verdict": "accepted"}',
        '{"id": "a", "verdict": "corrected"}',
        '{"id": "a", "verdict": "accepted", "response": "new"}',
        '{"id": "a", "verdict": "accepted", "stage": "typist"}',
        '{"id": "a", "verdict": "accepted", "score": 3}',
        "accepted",
    ],
)
def test_a_line_that_is_no_verdict_is_refused_with_its_number(line: str, tmp_path: Path):
    file = tmp_path / "verdicts.jsonl"
    file.write_text('{"id": "b", "verdict": "accepted"}\n' + line)
    with pytest.raises(ValidationError, match=r"verdicts\.jsonl:2"):
        FILTER.params(verdicts=file)


def test_people_speak_after_a_run_and_the_same_job_takes_their_word(tmp_path: Path):
    """Run, read, write the verdicts, run anew: ids stay, and no record leaves unread."""
    job = tmp_path / "job.yaml"
    shipped = (ROOT / "engine/jobs/cultural.yaml").read_text(encoding="utf-8")
    job.write_text(shipped.replace("path: culture ", f"path: {ROOT / 'engine/jobs/culture'} "))
    first = list(engine.run(load(job), tmp_path / "out", rehearse=True).records())
    assert first and {record.facts["review"] for record in first} == {"pending"}
    verdicts = [{"id": r.facts["review_id"], "verdict": "accepted"} for r in first[:-1]]
    lines(tmp_path, *verdicts, {"id": first[-1].facts["review_id"], "verdict": "rejected"})
    said = job.read_text(encoding="utf-8")
    said = said.replace("# verdicts: verdicts.jsonl ", "verdicts: verdicts.jsonl ")
    job.write_text(said.replace("pending: keep ", "pending: hold "))
    second = list(engine.run(load(job), tmp_path / "out", rehearse=True, fresh=True).records())
    assert {r.id for r in second} == {r.id for r in first[:-1]}
    assert {r.facts["review"] for r in second} == {"accepted"}
    assert all(r.facts["verification"][-1]["by"] == "human" for r in second)


def test_a_dataset_that_was_read_by_people_is_curated_by_its_ids(tmp_path: Path):
    rows = [{"id": f"r{n}", "instruction": f"Swali {n}?", "output": f"Jibu {n}."} for n in range(3)]
    dataset = tmp_path / "rows.jsonl"
    dataset.write_text("\n".join(map(json.dumps, rows)))
    said = ({"id": "r0", "verdict": "accepted"}, {"id": "r1", "verdict": "rejected"})
    check = f"human_review:pending=hold,verdicts={lines(tmp_path, *said)}"
    job = curating.write(Asked(dataset, [check], "sw", keep=["id"]), tmp_path / "out")
    result = engine.run(load(job), tmp_path / "out", rehearse=True)
    assert [each.facts["id"] for each in result.records()] == ["r0"]
