"""Parts of a user's own that sample, choose, call tools, score and embed, run as whole jobs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

import engine
from engine.batching import Batch
from engine.core import REHEARSAL, JobError, Record
from engine.inspecting import call as journalled
from engine.ledger import Ledger
from engine.rounds import End
from engine.text import hashed

SAMPLES = '''
"""Two of four answers, by how little they are alike."""
from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel

from engine import Generator, Kit, Prompt
from engine.core import Message
from engine.kit import Flow

ANSWER = Prompt("more/answer", reply=str)


class Params(BaseModel, extra="forbid"):
    n: int = 4


class State(Flow, total=False):
    texts: list[str]


async def sample(state: State, runtime: Runtime[Kit[Params]]) -> State:
    kit = runtime.context
    asked = state["record"].last("user")
    return {"texts": await kit.ask_many(ANSWER, kit.params.n, question=asked)}


async def pick(state: State, runtime: Runtime[Kit[Params]]) -> State:
    record, texts = state["record"], sorted(set(state["texts"]))
    vectors = await runtime.context.embed(texts)
    near = vectors @ vectors.T
    order = sorted(range(len(texts)), key=lambda at: (near[at].sum(), at))[:2]
    made = [
        record.child(n, messages=(*record.messages, Message("assistant", texts[at])),
                     facts={"near": round(float(near[at].max()), 3), "of": len(texts)})
        for n, at in enumerate(order)
    ]
    return {"out": made}


def graph() -> StateGraph[Any, Any, Any, Any]:
    g = StateGraph(State, context_schema=Kit)
    g.add_node(sample).add_node(pick)
    g.add_edge(START, "sample")
    g.add_edge("sample", "pick")
    g.add_edge("pick", END)
    return g


GENERATOR = Generator(graph, Params, prompts=(ANSWER,), roles=("embedder",))
'''
LIKELY = '''
"""Keep what the model finds likelier after its question than alone, or not."""
from pydantic import BaseModel

from engine import Drop, Filter, Kit, Record


class Params(BaseModel, extra="forbid"):
    least: float = -99.0


async def check(record: Record, kit: Kit[Params]) -> Record | Drop:
    after = await kit.score(record.messages[:-1], record.last("assistant"))
    alone = await kit.score(None, record.last("assistant"))
    gain = round(alone.mean_nll - after.mean_nll, 3)
    if gain < kit.params.least:
        return Drop(record, "unlikely", str(gain))
    return record.with_facts(gain=gain, tokens=len(after.tokens))


FILTER = Filter(check, Params, roles=("scorer",))
'''
GRADE = '''
"""A grade out of three words."""
from pydantic import BaseModel

from engine import Kit, Prompt, Record, Verifier

GRADE = Prompt("more/grade", reply=str)


class Params(BaseModel, extra="forbid"):
    grades: tuple[str, ...] = ("good", "gut", "好")


async def check(record: Record, kit: Kit[Params]) -> Record:
    grade = await kit.choose(GRADE, kit.params.grades, text=record.last("assistant"))
    return record.with_facts(grade=grade)


VERIFIER = Verifier(check, Params, prompts=(GRADE,))
'''
LOOK = '''
"""What the model would look up, as calls of two tools."""
from pydantic import BaseModel, Field

from engine import Filter, Kit, Prompt, Record
from engine.kit import NoParams, Tool

LOOK = Prompt("more/look", reply=str)


class Search(BaseModel, extra="forbid"):
    words: str = Field(min_length=1)
    most: int = Field(ge=1, le=5)


SEARCH = Tool("search", "Search the library.", Search.model_json_schema())
STOP = Tool("stop", "Nothing more is needed.", {"type": "object", "properties": {}})


async def check(record: Record, kit: Kit[NoParams]) -> Record:
    said = await kit.call_tools(LOOK, [SEARCH, STOP], text=record.last("user"))
    calls = [{"name": call.name, "with": dict(call.arguments)} for call in said.calls]
    return record.with_facts(calls=calls)


FILTER = Filter(check, NoParams, prompts=(LOOK,))
'''
PARTS = {"samples": SAMPLES, "likely": LIKELY, "grade": GRADE, "look": LOOK}
PROMPTS = {
    "answer": ("[question, language]", "writer", "Answer in {{ language }}: {{ question }}"),
    "grade": ("[text]", "judge", "Grade with one word, good, gut or 好:\n{{ text }}"),
    "look": ("[text]", "writer", "What would you look up for this?\n{{ text }}"),
}
JOB = """
version: 1
job: more
seed: 3
models: {m: {use: rehearsal}}
source: {use: jsonl, with: {path: seeds.jsonl, language_field: language}}
steps:
  samples: {use: more_parts.samples}
  likely: {use: more_parts.likely}
  grade: {use: more_parts.grade}
  look: {use: more_parts.look}
sink: {use: jsonl}
run: {in_flight: 4}
"""
SEEDS = {
    "en": "Why do tides rise and fall?",
    "de": "Warum geht der Brotteig auf?",
    "zh": "为什么海水会涨潮和退潮？",
    "hi": "ज्वार क्यों आता है?",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a job, its parts and its prompts."""
    here = tmp_path_factory.mktemp("more")
    (here / "more_parts").mkdir()
    (here / "more_parts" / "__init__.py").touch()
    for name, text in PARTS.items():
        (here / "more_parts" / f"{name}.py").write_text(text, encoding="utf-8")
    (here / "prompts" / "more").mkdir(parents=True)
    for name, (inputs, role, text) in PROMPTS.items():
        header = f"---\npurpose: Try.\nrole: {role}\ninputs: {inputs}\n"
        body = f'---\n{{% turn "user" %}}\n{text}\n{{% endturn %}}\n'
        (here / "prompts" / "more" / f"{name}.j2").write_text(header + body, encoding="utf-8")
    rows = [
        {"instruction": f"{text} ({n})", "language": tag}
        for n in range(3)
        for tag, text in SEEDS.items()
    ]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (here / "seeds.jsonl").write_text(lines, encoding="utf-8")
    (here / "job.yaml").write_text(JOB, encoding="utf-8")
    return here


Run = Callable[..., engine.Result]


@pytest.fixture
def run(home: Path, tmp_path: Path) -> Run:
    def run(*changes: str, to: str = "out", **how: Any) -> engine.Result:
        return engine.run(engine.load(home / "job.yaml", changes), tmp_path / to, **how)

    return run


def records(result: engine.Result) -> list[Record]:
    return list(result.records())


def test_a_job_may_use_all_of_them_and_everything_is_in_the_lineage(run: Run) -> None:
    result = run()
    assert result.end is End.MET and result.failures() == []
    found = records(result)
    assert len(found) > len(SEEDS) * 3, "two of a seed, where its samples differ"
    for record in found:
        facts = record.facts
        assert facts["grade"] in ("good", "gut", "好") and facts["tokens"] > 0
        assert facts["calls"][0]["name"] in ("search", "stop")
        by_step = {hop.step: hop.calls for hop in record.lineage}
        assert {call.model for call in by_step["samples"]} == {REHEARSAL, hashed.NAME}
        assert [call.role for call in by_step["likely"]] == ["scorer", "scorer"]
        assert all(call.key for call in by_step["likely"] + by_step["grade"] + by_step["look"])
    assert {record.facts["grade"] for record in found} == {"good", "gut", "好"}


def test_every_answer_is_in_the_journal_and_serves_another_start(run: Run, tmp_path: Path) -> None:
    first = records(run())
    with_calls = calls(tmp_path / "out")
    assert {said["prompt"].partition("@")[0] for said in with_calls} == {
        "more/answer", "score", "more/grade", "more/look"}  # fmt: skip
    again = run(fresh=True)
    assert records(again) == first
    assert calls(tmp_path / "out") == with_calls, "nothing was asked a second time"


def calls(folder: Path) -> list[dict[str, Any]]:
    ledger = Ledger(folder)
    found = [journalled(said) for said in ledger.calls()]
    ledger.close()
    return found


@pytest.mark.slow
def test_shards_give_the_same_records(run: Run) -> None:
    assert records(run("run.shards=2", to="two")) == records(run(to="one"))


def test_a_named_embedder_is_asked_and_its_vectors_are_journalled(run: Run, tmp_path: Path) -> None:
    plain = records(run(to="plain"))
    roles = {"samples": "{writer: m, embedder: e}", "likely": "{scorer: m}", "grade": "{judge: m}"}
    given = [f"steps.{step}.models={each}" for step, each in roles.items()]
    named = records(run("models.e={use: rehearsal}", "steps.look.models={writer: m}", *given))
    # the rehearsal's vectors are the hashed ones: only who gave them differs
    assert [r.facts for r in named] == [r.facts for r in plain]
    kept = [said for said in calls(tmp_path / "out") if said["prompt"] == "embed"]
    assert kept and {said["role"] for said in kept} == {"embedder"}
    keys = {call.key for r in named for call in r.lineage[0].calls if call.prompt == "embed"}
    assert keys == {said["key"] for said in kept}


def test_a_faulty_model_costs_records_and_no_seed_is_lost(run: Run) -> None:
    faults = "{malformed: 0.2, refusal: 0.1, empty: 0.1, truncated: 0.1}"
    result = run(f"models.m.faults={faults}", "run.max_error_rate=1")
    assert result.failures() == []
    drops = [drop.reason for drop in result.drops()]
    assert records(result) and set(drops) <= {"bad_reply"}


def test_a_role_without_a_model_is_told_before_anything_runs(run: Run) -> None:
    with pytest.raises(JobError, match="the role 'scorer' has no model: add scorer: MODEL"):
        run("models.n={use: rehearsal}", "steps.samples.models={writer: m}")


# By batch files

LIVE = ("models.m={url: http://127.0.0.1:9/v1, model: sim}", "run.max_error_rate=1")


def asked(folder: Path) -> list[dict[str, Any]]:
    files = sorted((folder / "requests").glob("*.jsonl"))
    return [orjson.loads(line) for path in files for line in path.read_bytes().splitlines()]


def answered(folder: Path, message: Callable[[dict[str, Any]], list[dict[str, Any]]]) -> None:
    """Results for every request, as somebody's batch service would leave them."""
    lines = []
    for line in asked(folder):
        choices = [
            {"index": at, "message": said, "finish_reason": "stop"}
            for at, said in enumerate(message(line["body"]))
        ]
        body = {"model": "sim", "choices": choices, "usage": {"prompt_tokens": 5}}
        response = {"status_code": 200, "body": body}
        lines.append(orjson.dumps({"custom_id": line["custom_id"], "response": response}))
    (folder / "results" / "all.jsonl").write_bytes(b"\n".join(lines) + b"\n")


def as_a_server(body: dict[str, Any]) -> list[dict[str, Any]]:
    if "structured_outputs" in body:
        return [{"content": body["structured_outputs"]["choice"][-1]}]
    if "tools" in body:
        function = {"name": "search", "arguments": '{"words": "tide", "most": 2}'}
        return [{"content": None, "tool_calls": [{"function": function}]}]
    return [{"content": f"Answer {n} to it."} for n in range(body.get("n", 1))]


def test_samples_choices_and_tools_go_by_batch_files(run: Run, tmp_path: Path) -> None:
    batch = Batch(tmp_path / "waves")
    chain = (
        *LIVE,
        "steps={samples: {use: more_parts.samples}, grade: {use: more_parts.grade}, "
        "look: {use: more_parts.look}}",
    )
    ends = []
    while not ends or (ends[-1] is End.WAITING and len(ends) < 9):
        result = run(*chain, batch=batch)
        ends.append(result.end)
        if result.end is End.WAITING:
            answered(tmp_path / "waves", as_a_server)
    assert ends == [End.WAITING] * 3 + [End.MET]
    found = records(result)
    assert len(found) == 2 * 3 * len(SEEDS) and {r.facts["grade"] for r in found} == {"好"}
    assert found[0].facts["of"] == 4
    search = {"name": "search", "with": {"words": "tide", "most": 2}}
    assert all(record.facts["calls"] == [search] for record in found)
    bodies = [line["body"] for line in asked(tmp_path / "waves")]
    assert {body.get("n") for body in bodies} == {4, None}


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ("{likely: {use: more_parts.likely}}", "model m cannot score by one"),
        (
            "{samples: {use: more_parts.samples, models: {writer: m, embedder: m}}}",
            "model m cannot embed by one",
        ),
    ],
)
def test_scores_and_vectors_by_batch_files_are_refused_in_a_sentence(
    run: Run, tmp_path: Path, home: Path, steps: str, told: str
) -> None:
    rows = '{"instruction": "Why?", "response": "Because.", "language": "en"}\n'
    (home / "answered.jsonl").write_text(rows)
    source = ("source.with.path=answered.jsonl", "source.with.response=response")
    changes = (*LIVE, f"steps={steps}", *source)
    batch = Batch(tmp_path / "waves")
    result = run(*changes, batch=batch)
    if result.end is End.WAITING:
        answered(tmp_path / "waves", as_a_server)
        result = run(*changes, batch=batch)
    [failure] = result.failures()
    assert "a batch file holds chats only" in failure["error"] and told in failure["error"]
    assert "without --batch" in failure["error"]
