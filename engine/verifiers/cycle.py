"""Cycle: can the instruction be found again from its response alone?

A model that sees nothing but the response writes the instruction it answers. If the pair belongs
together, what it writes is near the real one: the cosine of their vectors is ``similarity`` (the
best of ``n`` reconstructions). With ``r_ifd`` the model that writes also scores the real
instruction, with the response shown and without; below 1, the response helps to find it.
``facts["scores_cycle"]`` keeps the reconstruction, both numbers, and what embedded and wrote.

Without a model in the role ``embedder`` the vectors are hashed character n-grams, which know
spelling and no meaning: enough to tell a pair from a stranger in one language, not to tell two
near instructions apart. How well any threshold separates true from shuffled pairs in your data
``tests/benchmarks/cycle_auc.py`` says, as the area under the curve.

Source: Shen et al., "Cycle-Instruct: Fully Seed-Free Instruction Tuning via Dual Self-Training and
Cycle Consistency", 2025, arXiv:2508.16100 (consistency both ways); Li et al., "Selective
Reflection-Tuning", 2024, arXiv:2402.10110 (r-IFD).
Differs: nothing is trained; consistency is a check on one record.
"""

from __future__ import annotations

import asyncio

from pydantic import BaseModel, Field

from engine.asking import EMBEDDER
from engine.core import Drop, Finding, Json, Message, Outcome, Record, ReplyError
from engine.judging import exchange, fence
from engine.kit import Kit, Verifier
from engine.measures.losses import loss, r_ifd
from engine.prompting import Prompt
from engine.scoring import NOT_SCORED, in_chat, version_of

REVERSE = Prompt("cycle/reverse", reply=str)
WRITER = "writer"


class Params(BaseModel, extra="forbid"):
    """How far the instruction may be from what the response suggests."""

    n: int = Field(default=1, ge=1, le=8)
    """Reconstructions; the nearest counts."""
    min_similarity: float = Field(default=0.2, ge=-1, le=1)
    """A cosine below this drops the record. It belongs to the embedder: of hashed n-grams, two
    English instructions that have nothing to do with each other have 0.17 in the median and 0.34
    in one case of 20 (measured on 175 seed tasks); of most models they have more."""
    r_ifd: bool = False
    """Whether r-IFD is computed; the writer's server must give log-probabilities (vLLM)."""
    max_r_ifd: float = Field(default=1.0, gt=0)
    """With ``r_ifd``: a higher ratio drops the record."""


async def check(record: Record, kit: Kit[Params]) -> Outcome | Finding:
    """Reconstruct the instruction and compare."""
    params = kit.params
    if (asked := exchange(record)) is None:
        return Drop(record, "nothing_to_compare", "an instruction and a response are needed")
    mark = fence(kit)
    found = await kit.ask_many(REVERSE, params.n, response=asked.response, fence=mark)
    texts = [text for text in found if text.strip()]
    if not texts:
        raise ReplyError("no reconstruction holds a word")
    vectors = await kit.embed([asked.instruction, *texts])
    near = vectors[1:] @ vectors[0]
    best = int(near.argmax())
    noted: dict[str, Json] = {
        "instruction": str(texts[best]),
        "similarity": round(float(near[best]), 4),
        "embedder": _embedder(kit),
        "prompt": version_of(kit, REVERSE),
    }
    if params.r_ifd:
        try:
            noted["r_ifd"] = round(await _r_ifd(kit, asked.instruction, asked.response, mark), 6)
        except NOT_SCORED as error:
            return Finding(record, "error", str(error), "not_scorable")
    return _decided(record.with_facts(scores_cycle=noted), noted, params)


async def _r_ifd(kit: Kit[Params], asked: str, said: str, mark: str) -> float:
    given, alone = await asyncio.gather(
        kit.score(REVERSE, asked, response=said, fence=mark),
        in_chat(kit, [Message("user", "")], asked, WRITER),
    )
    return r_ifd(loss(given.logprobs), alone.nll)


def _embedder(kit: Kit[Params]) -> str:
    return next((call.model for call in kit.hop("").calls if call.role == EMBEDDER), "")


def _decided(record: Record, noted: dict[str, Json], params: Params) -> Outcome:
    if noted["similarity"] < params.min_similarity:
        told = f"{noted['similarity']} to {noted['instruction']!r}"
        return Drop(record, "cycle_broken", told[:500])
    if noted.get("r_ifd", 0) > params.max_r_ifd:
        return Drop(record, "cycle_broken", f"r-IFD {noted['r_ifd']}")
    return record


VERIFIER = Verifier(check, Params, prompts=(REVERSE,), roles=(EMBEDDER,))
