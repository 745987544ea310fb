"""How well the cycle tells an instruction from a stranger's, as the area under the ROC curve.

``python -m tests.benchmarks.cycle_auc [TASKS] [--url URL --model MODEL] [--embed URL MODEL]
[--score]``: TASKS is a JSONL of instruction, input and output, by default the shipped seeds (104
in several languages). With a server each output's instruction is written anew, as the verifier
``cycle`` does, and compared with the real instruction and with that of another task (the next one
of the same language, so that a language does not give it away); ``--score`` adds r-IFD, on a
server that gives log-probabilities. Without a server the output itself is compared with the
instruction: what the embedder alone knows. Shared pairs should come out at 0.95 or more.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

import orjson

from engine import shipped
from engine.core import Message, Record
from engine.judging import exchange, fence
from engine.kit import Kit
from engine.measures.losses import loss, r_ifd
from engine.measures.ranking import auc
from engine.models.chat import Model
from engine.models.openai_chat import OpenAIChat
from engine.prompting import Library
from engine.scoring import in_chat
from engine.verifiers.cycle import REVERSE, WRITER, Params

ROOT = Path(__file__).parents[2]
TASKS = ROOT / "engine/jobs/seeds/quickstart_tasks.jsonl"


def records(path: Path) -> list[Record]:
    """The tasks of languages that have two or more, by language."""
    found = []
    for at, line in enumerate(path.read_bytes().splitlines()):
        task = orjson.loads(line)
        one = (task.get("instances") or [task])[0]
        asked = "\n\n".join(filter(None, (task["instruction"], one.get("input"))))
        turns = (Message("user", asked), Message("assistant", one["output"]))
        if asked.strip() and one["output"].strip():
            found.append(Record(str(at), task.get("language", "en"), turns))
    languages = [record.language for record in found]
    return sorted((r for r in found if languages.count(r.language) > 1), key=lambda r: r.language)


def strangers(rows: Sequence[Record]) -> list[int]:
    """For each record the next one of its language, around."""
    groups: dict[str, list[int]] = {}
    for at, record in enumerate(rows):
        groups.setdefault(record.language, []).append(at)
    after = {
        at: group[(n + 1) % len(group)] for group in groups.values() for n, at in enumerate(group)
    }
    return [after[at] for at in range(len(rows))]


def kit_of(record: Record, models: dict[str, Model]) -> Kit[Params]:
    return Kit(Params(), record, record.id, models, Library(shipped.folder("prompts")))


async def reconstructed(record: Record, models: dict[str, Model]) -> str:
    """The instruction as it is found from the response; the response itself without a writer."""
    if WRITER not in models:
        return record.last("assistant")
    kit, asked = kit_of(record, models), exchange(record)
    assert asked is not None
    return await kit.ask(REVERSE, response=asked.response, fence=fence(kit))


async def helped(record: Record, instruction: str, models: dict[str, Model]) -> float:
    """How much the response helps to find an instruction: the negative of r-IFD."""
    kit = kit_of(record, models)
    given, alone = await asyncio.gather(
        kit.score(REVERSE, instruction, response=record.last("assistant"), fence=fence(kit)),
        in_chat(kit, [Message("user", "")], instruction, WRITER),
    )
    return -r_ifd(loss(given.logprobs), alone.nll)


async def main() -> None:
    read = argparse.ArgumentParser(description=__doc__)
    read.add_argument("tasks", nargs="?", type=Path, default=TASKS)
    read.add_argument("--url")
    read.add_argument("--model")
    read.add_argument("--embed", nargs=2, metavar=("URL", "MODEL"))
    read.add_argument("--score", action="store_true")
    given = read.parse_args()
    models: dict[str, Model] = {}
    if given.url:
        models[WRITER] = OpenAIChat(given.url, given.model)
    if given.embed:
        models["embedder"] = OpenAIChat(*given.embed)
    rows = records(given.tasks)
    asked = [record.messages[0].content for record in rows]
    other = strangers(rows)
    written = await asyncio.gather(*(reconstructed(record, models) for record in rows))
    kit = kit_of(rows[0], models)
    near = (await kit.embed(written)) @ (await kit.embed(asked)).T
    true = [float(near[at, at]) for at in range(len(rows))]
    false = [float(near[at, other[at]]) for at in range(len(rows))]
    what = "reconstructed" if given.url else "response itself"
    print(f"{len(rows)} pairs, {len({r.language for r in rows})} languages, {what}")
    print(f"similarity: AUC {auc(true, false):.4f}")
    if given.score:
        both = [
            (helped(r, asked[at], models), helped(r, asked[other[at]], models))
            for at, r in enumerate(rows)
        ]
        good, bad = [await asyncio.gather(*side) for side in zip(*both, strict=True)]
        print(f"r-IFD: AUC {auc(good, bad):.4f}")


if __name__ == "__main__":
    asyncio.run(main())
