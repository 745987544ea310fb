"""What one model call costs the engine, on one core, with a model that answers at once.

    python tests/benchmarks/cost_per_call.py [--seeds 3000]

Three calls a seed through a LangGraph method of three nodes, a filter, the journal and the
ledger on disk: everything that a run has but HTTP. Each line leaves one part out or in, all in
one process and one sitting; the parts are the differences. CPU is the whole process's, the
ledger's writer thread included.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel

from engine.core import Message, Record, stable_id
from engine.filters import length
from engine.kit import Filter, Flow, Generator, Kit, NoParams, Step, as_step
from engine.ledger import Ledger
from engine.models.chat import Chat, Reply, Request
from engine.models.journal import Journal
from engine.plan import SINK, Feed, Plan, Stage
from engine.prompting import Library, Prompt
from engine.runner import Runner

CALLS = 3
TEXT = "The river rises in the hills and carries salt, timber and letters to the harbour. " * 8


class Verdict(BaseModel):
    usable: bool


ANSWER = Prompt("bench/answer", reply=str)
REVISE = Prompt("bench/revise", reply=str)
JUDGE = Prompt("bench/judge", reply=Verdict)
PROMPTS = {
    "answer": "---\npurpose: Answer.\ninputs: [instruction]\nsampling: {temperature: 0.7}\n---\n"
    '{% turn "system" %}\nYou answer well.\n{% endturn %}\n'
    '{% turn "user" %}\n{{ instruction }}\n{% endturn %}\n',
    "revise": "---\npurpose: Revise.\ninputs: [instruction, text]\n---\n"
    '{% turn "user" %}\n{{ instruction }}\n\n{{ text }}\n{% endturn %}\n',
    "judge": "---\npurpose: Judge.\ninputs: [instruction, text]\n---\n"
    '{% turn "user" %}\n{{ instruction }}\n\n{{ text }}\n{% endturn %}\n',
}


class State(Flow, total=False):
    text: str
    usable: bool


Run = Runtime[Kit[NoParams]]


async def answer(state: State, runtime: Run) -> State:
    asked = state["record"].last("user")
    return {"text": await runtime.context.ask(ANSWER, instruction=asked)}


async def revise(state: State, runtime: Run) -> State:
    asked = state["record"].last("user")
    return {"text": await runtime.context.ask(REVISE, instruction=asked, text=state["text"])}


async def judge(state: State, runtime: Run) -> State:
    record = state["record"]
    asked = record.last("user")
    verdict = await runtime.context.ask(JUDGE, instruction=asked, text=state["text"])
    turns = (*record.messages, Message("assistant", state["text"]))
    return {"out": [record.child(0, messages=turns, facts={"usable": verdict.usable})]}


def graph() -> StateGraph[Any, Any, Any, Any]:
    g: StateGraph[Any, Any, Any, Any] = StateGraph(State, context_schema=Kit)
    g.add_node(answer).add_node(revise).add_node(judge)
    g.add_edge(START, "answer")
    g.add_edge("answer", "revise")
    g.add_edge("revise", "judge")
    g.add_edge("judge", END)
    return g


async def by_hand(record: Record, kit: Kit[Any]) -> Record:
    """The same three calls without LangGraph."""
    asked = record.last("user")
    text = await kit.ask(ANSWER, instruction=asked)
    text = await kit.ask(REVISE, instruction=asked, text=text)
    verdict = await kit.ask(JUDGE, instruction=asked, text=text)
    turns = (*record.messages, Message("assistant", text))
    return record.child(0, messages=turns, facts={"usable": verdict.usable})


class Instant:
    """Answers at once."""

    async def chat(self, request: Request) -> Reply:
        await asyncio.sleep(0)
        return Reply('{"usable": true}' if request.schema else TEXT, "instant", 100, 150)


class Nowhere:
    """A book that keeps nothing: the journal without the disk."""

    def recall(self, key: str) -> None:
        return None

    async def keep(self, said: object) -> None:
        return None


@dataclass(frozen=True)
class Line:
    name: str
    ms: float
    per_s: float


def seeds(n: int) -> list[Record]:
    return [
        Record(
            stable_id(str(i)), "en", (Message("user", f"Describe place {i} in five sentences."),)
        )
        for i in range(n)
    ]


def steps(chat: Chat, library: Library, *, langgraph: bool = True) -> dict[str, Step]:
    prompts = (ANSWER, REVISE, JUDGE)
    method: Any = (
        Generator(graph, NoParams, prompts) if langgraph else Filter(by_hand, NoParams, prompts)
    )
    return {
        "chain": as_step(method, "chain", NoParams(), {"writer": chat}, library, 1),
        "length": as_step(length.FILTER, "length", length.Params(), {}, library, 1),
    }


async def bare(made: dict[str, Step], n: int) -> None:
    """The steps alone, 256 at a time."""
    slots = asyncio.Semaphore(256)

    async def one(record: Record) -> None:
        try:
            for out in await made["chain"](record):
                assert isinstance(out, Record)
                await made["length"](out)
        finally:
            slots.release()

    async with asyncio.TaskGroup() as tasks:
        for record in seeds(n):
            await slots.acquire()
            tasks.create_task(one(record))


async def full(folder: Path, library: Library, n: int, chat: Chat, *, langgraph: bool) -> None:
    ledger = Ledger(folder, write=True)
    made = steps(Journal(chat, "instant", ledger), library, langgraph=langgraph)
    plan = Plan(
        feeds=(Feed("source", lambda round, start, kept: iter(seeds(n))),),
        stages=(Stage(made),),
        after={"source": ("chain",), "chain": ("length",), "length": (SINK,)},
    )
    await Runner(plan, ledger).go()
    assert ledger.waiting(SINK) == n
    ledger.close()


def measure(name: str, n: int, work: Callable[[], Awaitable[None]]) -> Line:
    cpu, wall = time.process_time(), time.perf_counter()
    asyncio.run(work())  # type: ignore[arg-type]
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return Line(name, 1000 * cpu / (CALLS * n), CALLS * n / wall)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3000)
    n = parser.parse_args().seeds
    chat = Instant()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "bench").mkdir()
        for name, text in PROMPTS.items():
            (root / "bench" / f"{name}.j2").write_text(text)
        library = Library(root, Path(__file__).parents[2] / "prompts")
        nowhere = Journal(chat, "instant", Nowhere())
        asyncio.run(bare(steps(chat, library), 200))  # warm: imports, templates, adapters
        plain = measure(
            "rendering, kit, filter", n, lambda: bare(steps(chat, library, langgraph=False), n)
        )
        graphs = measure("+ LangGraph", n, lambda: bare(steps(chat, library), n))
        keys = measure("+ journal without disk", n, lambda: bare(steps(nowhere, library), n))
        hand = measure(
            "all but LangGraph", n, lambda: full(root / "h", library, n, chat, langgraph=False)
        )
        whole = measure("everything", n, lambda: full(root / "f", library, n, chat, langgraph=True))
    print(f"{n} seeds, {CALLS} calls each; CPU of the whole process per call")
    for line in (plain, graphs, keys, hand, whole):
        print(f"  {line.name:28} {line.ms:6.2f} ms  {line.per_s:6.0f} calls/s")
    print(
        f"  of these: LangGraph {graphs.ms - plain.ms:.2f}, journal key {keys.ms - graphs.ms:.2f},",
        end=" ",
    )
    print(f"journal and ledger on disk {whole.ms - keys.ms:.2f} ms")
    print(f"  peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
