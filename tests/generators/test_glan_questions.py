"""GLAN's questions: what is drawn, what is asked, replies as models write them, and the chain."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, islice
from pathlib import Path
from typing import Any

import pytest

import engine
from engine.core import Drop, Record
from engine.filters import decontaminate
from engine.generators.glan_questions import GENERATOR
from engine.models.chat import Reply, Request
from engine.sources import documents, earlier_run, jsonl
from tests.conftest import ROOT, SHARED, Bind, needs_shared, read, seed

REPLIES = sorted((Path(__file__).parent / "replies" / "glan_questions").glob("*.txt"))
COURSE = [
    {"title": "Brut", "description": "Das Nest.", "concepts": ["Ei", "Made", "Puppe"]},
    {"title": "Tracht", "description": "", "concepts": ["Raps", "Linde"]},
    {"title": "Honig", "description": "Reife.", "concepts": ["Wasser", "Zucker", "Ei"]},
]
DECLARATIONS = {"path": "udhr2.zip", "language_from": "stem", "otherwise": "und"}
GOOD = "Erkläre mir bitte den Weg vom Ei zur Puppe."


def written(path: Path) -> tuple[str, str]:
    """What a model replied, and what must become of it."""
    reply, _, expected = path.read_text(encoding="utf-8").partition("\n=== outcome\n")
    return reply, expected.strip()


def course(language: str = "de", **facts: Any) -> Record:
    made = {"subject": "Bienen", "level": "Grundkurs", "topic": "a/b", "syllabus": COURSE}
    return seed("Bienen", language, "## 1. Brut", **{**made, **facts})


def kept(outcomes: Any) -> list[Record]:
    return [each for each in outcomes if isinstance(each, Record)]


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_questions_as_models_write_them_are_kept_or_drop_by_rule(
    path: Path, bind: Bind
) -> None:
    text, expected = written(path)
    reply = Reply(text, "fake", truncated="_cut" in path.stem)
    step, _ = bind(GENERATOR, {"glan_questions/write": reply}, questions=1)
    [outcome] = await step(course(path.stem.split("_")[0]))
    assert (outcome.reason if isinstance(outcome, Drop) else outcome.last("user")) == expected


async def test_a_question_knows_what_it_is_about_and_the_course_stays_behind(bind: Bind) -> None:
    step, chat = bind(GENERATOR, {"glan_questions/write": GOOD}, questions=8)
    found = kept(await step(course(votes=3, introduction="Wie Bienen leben.")))
    assert len(found) == 8 and len({each.id for each in found}) == 8
    by_title = {each["title"]: each["concepts"] for each in COURSE}
    for each, request in zip(found, chat.asked, strict=True):
        facts = each.facts
        assert facts.keys() == {"subject", "level", "topic", "sessions", "concepts"}
        assert 1 <= len(facts["sessions"]) <= 2 and 1 <= len(facts["concepts"]) <= 5
        pool = [concept for title in facts["sessions"] for concept in by_title[title]]
        assert set(facts["concepts"]) <= set(pool)
        for title, other in combinations(facts["sessions"], 2):
            for one, two in ((title, other), (other, title)):
                assert set(facts["concepts"]) - set(by_title[two]), f"something of {one} alone"
        assert [s.title for s in request.inputs["sessions"]] == facts["sessions"]
        assert list(request.inputs["concepts"]) == facts["concepts"]
        assert request.inputs["course"] == ["Brut", "Tracht", "Honig"]
        assert each.messages[0].role == "user" and len(each.messages) == 1
    assert len({str(each.facts["sessions"] + each.facts["concepts"]) for each in found}) == 8


async def test_draws_depend_on_the_record_and_not_on_the_hour(bind: Bind) -> None:
    runs = []
    for _ in range(2):
        step, _ = bind(GENERATOR, {"glan_questions/write": GOOD}, questions=6)
        runs.append([each.facts["concepts"] for each in kept(await step(course()))])
    assert runs[0] == runs[1]


@pytest.mark.parametrize(("share", "sizes"), [(0.0, {1}), (1.0, {2})])
async def test_the_share_across_two_sessions_is_a_setting(
    share: float, sizes: set[int], bind: Bind
) -> None:
    step, _ = bind(
        GENERATOR, {"glan_questions/write": GOOD}, questions=9, two_sessions=share, max_concepts=2
    )
    found = kept(await step(course()))
    assert {len(each.facts["sessions"]) for each in found} == sizes
    assert max(len(each.facts["concepts"]) for each in found) == 2


async def test_a_syllabus_gives_no_more_questions_than_it_has_combinations(bind: Bind) -> None:
    small = [{"title": "Brut", "concepts": ["Ei", "Made"]}]
    step, _ = bind(GENERATOR, {"glan_questions/write": GOOD}, questions=50)
    found = kept(await step(course(syllabus=small)))
    drawn = Counter(frozenset(each.facts["concepts"]) for each in found)
    assert drawn == Counter(map(frozenset, (["Ei"], ["Made"], ["Ei", "Made"])))


@pytest.mark.parametrize(
    "syllabus", [None, [], "text", [{"title": "Brut", "concepts": []}], [{"concepts": ["Ei"]}]]
)
async def test_a_record_without_a_syllabus_costs_no_call(syllabus: Any, bind: Bind) -> None:
    step, chat = bind(GENERATOR, {"glan_questions/write": GOOD})
    [drop] = await step(course(syllabus=syllabus))
    assert isinstance(drop, Drop) and drop.reason == "no_syllabus" and not chat.asked


async def test_one_bad_question_leaves_the_others_alone(bind: Bind) -> None:
    def said(request: Request) -> str:
        return "" if request.take == 1 else GOOD

    step, _ = bind(GENERATOR, {"glan_questions/write": said}, questions=3)
    outcomes = await step(course())
    told = [each.reason if isinstance(each, Drop) else "keep" for each in outcomes]
    assert told == ["keep", "too_short", "keep"]


@pytest.mark.parametrize(
    ("question", "item"),
    [
        (
            "Ein Imker erntet von vier Völkern je zwölf Kilo Honig und verkauft die Hälfte.",
            "Ein Imker erntet von vier Völkern je zwölf Kilo Honig und verkauft die Hälfte davon.",
        ),
        (
            "一位蜂农从四个蜂群各收十二公斤蜂蜜，卖掉一半，还剩多少？",
            "一位蜂农从四个蜂群各收十二公斤蜂蜜，卖掉一半，还剩多少公斤？",
        ),
    ],
)
async def test_a_question_of_a_benchmark_is_found_by_its_n_grams(
    question: str, item: str, bind: Bind, tmp_path: Path
) -> None:
    (tmp_path / "items.txt").write_text(f"{item}\n", encoding="utf-8")
    step, _ = bind(GENERATOR, {"glan_questions/write": [question, GOOD]}, questions=2)
    outcomes = kept(await step(course()))
    check, _ = bind(decontaminate.FILTER, against=tmp_path / "items.txt")
    told = [(await check(each))[0] for each in outcomes]
    assert [type(each) for each in told] == [Drop, Record]
    assert isinstance(told[0], Drop) and told[0].reason == "contaminated"


# -- a tree that was grown once is used again ----------------------------------------------------


MORE = """
version: 1
job: more
seed: 3
models: {writer: {use: rehearsal}}
source: {use: earlier_run, with: {path: out, step: tree}}
steps:
  ask: {use: glan_questions, with: {questions: 1}}
"""


def test_the_whole_chain_covers_disciplines_alike_and_another_job_starts_from_its_syllabi(
    tmp_path: Path,
) -> None:
    settings = ["target.accepted=88", "target.round=22", "steps.covered.with.size=88"]
    job = engine.load("glan", [*settings, "steps.even.with.cap=2"])
    records = list(engine.run(job, tmp_path / "out", rehearse=True).records())
    leaves = Counter((each.facts["topic"], each.language) for each in records)
    assert len(leaves) == 22 and set(leaves.values()) == {4}, "each discipline as often"
    fields = Counter((str(topic).split("/")[0], language) for topic, language in leaves)
    assert len(fields) >= 18 and max(fields.values()) == 2, "of 22; the largest field twice"

    syllabi = list(read(earlier_run.SOURCE, tmp_path, path="out", step="tree"))
    assert len(syllabi) == 44 and all(len(each.facts["syllabus"]) >= 3 for each in syllabi)
    (tmp_path / "more.yaml").write_text(MORE, encoding="utf-8")
    result = engine.run(engine.load(tmp_path / "more.yaml"), tmp_path / "again")
    asked = list(result.records())
    assert len(asked) == 44 and all(each.rehearsed for each in asked)
    assert [hop.step for hop in asked[0].lineage[-2:]] == ["source", "ask"]
    assert {hop.parent for each in asked for hop in each.lineage[:1]} <= {
        hop.parent for each in syllabi for hop in each.lineage[:1]
    }


async def test_a_file_of_syllabi_is_a_start_too(bind: Bind) -> None:
    fields = ["topic", "discipline", "subject", "level", "syllabus"]
    found = list(
        read(
            jsonl.SOURCE,
            ROOT / "engine/jobs/seeds",
            path="syllabi.jsonl",
            language_field="language",
            text="subject",
            keep=fields,
        )
    )
    assert {each.language for each in found} == {"es", "sw", "hi", "zh"}
    step, chat = bind(GENERATOR, {"glan_questions/write": GOOD}, questions=6)
    for record in found:
        assert len(kept(await step(record))) == 6
    assert {request.language for request in chat.asked} == {"es", "sw", "hi", "zh"}


@needs_shared
async def test_the_declaration_in_many_scripts_is_something_to_ask_about(bind: Bind) -> None:
    step, chat = bind(GENERATOR, {"glan_questions/write": GOOD}, questions=3)
    found = read(documents.SOURCE, SHARED, **DECLARATIONS)
    for record in islice(found, 60):
        lines = [line.strip() for line in record.facts["document"].splitlines() if line.strip()]
        rows = [{"title": lines[n], "concepts": lines[n + 1 : n + 4]} for n in (1, 5, 9)]
        outcomes = kept(await step(record.with_facts(subject=lines[0], syllabus=rows)))
        assert {len(each.facts["sessions"]) for each in outcomes} <= {1, 2}, record.facts["path"]
    assert len(chat.asked) >= 20 * 3
