"""What a job says about training between rounds, and whether it fits the rest of the job."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from pydantic import BaseModel, Field

from engine.core import Json
from engine.prompting import Library

GIVEN = frozenset({"instruction", "response", "examples", "fence", "language"})
"""Inputs that a prompt may have to be learnt by: a pair has no others."""


class RolePart(BaseModel, extra="forbid", strict=True):
    """What one role learns: to answer a prompt with the target."""

    prompt: str
    """The prompt that it is asked in the job, and learns to answer, without examples."""
    target: Literal["instruction", "response"]
    """The side of a kept pair that it learns to write; the other one fills the prompt."""
    where: dict[str, str] = Field(default_factory=dict)
    """Facts that a pair must have to be learnt from, e.g. ``{side: answer}``."""
    base: str = ""
    """Folder or hub id of the weights; those of the model's ``serve`` where left out."""


class TrainPart(BaseModel, extra="forbid", strict=True):
    """Training between rounds; needs the extra ``train``."""

    reads: str = Field(alias="from")
    """The step whose kept pairs are learnt from: all that earlier rounds kept."""
    roles: dict[str, RolePart] = Field(min_length=1)
    """Each role gets an adapter of its own."""
    min_pairs: int = Field(default=32, ge=1)
    """With fewer pairs a role is not trained: it goes on as it is."""
    rank: int = Field(default=16, ge=1, le=512)
    """Rank of the adapters; the server takes up to its ``max-lora-rank``."""
    alpha: int = Field(default=32, ge=1)
    """Their scale is alpha / rank."""
    epochs: float = Field(default=2, gt=0)
    """How often each pair is seen."""
    learning_rate: float = Field(default=1e-4, gt=0)
    """Of AdamW at its peak; it falls to 0 linearly."""
    batch: int = Field(default=8, ge=1)
    """Pairs in a step."""
    max_tokens: int = Field(default=2048, ge=16)
    """Longer pairs are cut there, in tokens of the model."""
    devices: list[int | str] = Field(default_factory=list)
    """GPUs to train on, as CUDA_VISIBLE_DEVICES knows them; those that the run sees if empty."""


def fault(
    train: TrainPart,
    steps: Collection[str],
    roles: Mapping[str, Collection[str]],
    library: Library,
) -> tuple[tuple[str, ...], str]:
    """Where below ``train`` something does not fit the job, and why; two empties where all does.

    Args:
        train: what the job says.
        steps: names of its steps.
        roles: the models that play each role, whatever the step.
        library: where the prompts are.

    Raises:
        JobError: there is no such prompt.
    """
    if train.reads not in steps:
        return ("from",), f"no step is called {train.reads!r}; there are {', '.join(steps)}"
    for role, part in train.roles.items():
        if len(roles.get(role, ())) != 1:
            asked = ", ".join(sorted(roles)) or "none"
            return ("roles", role), f"one model is to play this role; the job asks {asked}"
        inputs = {name for t in library.variants(part.prompt) for name in t.header.inputs}
        if strange := inputs - GIVEN:
            return ("roles", role, "prompt"), f"a kept pair has no {', '.join(sorted(strange))}"
        if part.target in inputs:
            return ("roles", role, "target"), f"{part.prompt} shows the {part.target} already"
    return (), ""


def learnt(facts: Mapping[str, Json], where: Mapping[str, str]) -> bool:
    """Whether a record with these facts is one to learn from."""
    return all(facts.get(name) == value for name, value in where.items())
