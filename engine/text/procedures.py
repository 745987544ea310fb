"""Procedures of tasks: as a model wrote them, in their variants, and within a prompt.

A procedure is a list of steps that holds for every instance of a task. The words around it are
data, by language (``taxonomies/step_by_step.yaml``).

Source: Wu et al., "Improving Cross-Task Generalization with Step-by-Step Instructions", 2023,
arXiv:2305.04429.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Literal

from pydantic import BaseModel

from engine.text.lengths import words
from engine.text.numbered import numbered
from engine.text.phrasebooks import entry_for, phrasebook
from engine.text.phrases import folded

Variant = Literal["none", "steps", "shuffled", "reversed", "deleted", "repeated", "other"]
SHARE = 0.3
"""Share of steps that are left out, or said twice: one at least."""
TELLING_WORDS = 2
"""Words of an answer from which on a procedure that holds it gives it away."""


class Words(BaseModel, extra="forbid", frozen=True):
    """One language's labels; the file says what each is."""

    steps: str
    example: str
    input: str
    output: str
    reason: str


@lru_cache(maxsize=1)
def listed() -> Mapping[str, Words]:
    """Every language there is, by its tag."""
    return phrasebook("step_by_step", Words)


def words_for(language: str) -> Words | None:
    """The words of a tag or of its base language; ``None``: not listed."""
    return entry_for(listed(), language)


def varied(
    steps: Sequence[str], variant: Variant, rng: random.Random, other: Sequence[str] = ()
) -> list[str] | None:
    """The steps in a variant; ``None`` where they are too few or too alike for it.

    ``other`` are the steps of another task, for the variant of that name.
    """
    if variant in ("none", "steps", "other"):
        return {"none": [], "steps": list(steps), "other": list(other) or None}[variant]
    if len(set(steps)) < 2:
        return None
    if variant == "repeated":
        twice = set(_some(steps, rng))
        return [step for at, step in enumerate(steps) for _ in range(1 + (at in twice))]
    if variant == "deleted":
        gone = set(_some(steps, rng))
        return [step for at, step in enumerate(steps) if at not in gone]
    if variant == "reversed":
        return list(reversed(steps)) if list(reversed(steps)) != list(steps) else None
    return _shuffled(steps, rng)


def gives_away(steps: Sequence[str], answers: Sequence[str], known: Sequence[str]) -> str:
    """The first answer that the steps hold, though ``known`` texts do not; empty where none.

    Answers of a single word are no proof: "red" may stand in any procedure.
    """
    said, before = folded("\n".join(steps)), folded("\n".join(known))
    for answer in answers:
        plain = folded(answer)
        if (
            words(answer) >= TELLING_WORDS
            and plain.strip()
            and plain in said
            and plain not in before
        ):
            return answer
    return ""


def prompt(
    definition: str,
    steps: Sequence[str],
    examples: Sequence[Mapping[str, str]],
    input: str,
    said: Words,
) -> str:
    """Definition, steps, examples, input: what the user says; parts that are empty are left out."""
    parts = [definition.strip()]
    if steps:
        parts.append(f"{said.steps}\n{numbered(steps)}")
    for n, example in enumerate(examples, start=1):
        lines = [said.example.format(n=n)]
        fields = (("input", said.input), ("output", said.output), ("explanation", said.reason))
        lines += [f"{label} {example[name]}" for name, label in fields if example.get(name)]
        parts.append("\n".join(lines))
    if input:
        parts.append(f"{said.input} {input}\n{said.output}")
    return "\n\n".join(parts)


def _some(steps: Sequence[str], rng: random.Random) -> list[int]:
    """Some places, but not all."""
    return rng.sample(range(len(steps)), min(max(1, int(len(steps) * SHARE)), len(steps) - 1))


def _shuffled(steps: Sequence[str], rng: random.Random) -> list[str]:
    """Another order of the steps, which are not all alike."""
    order = list(steps)
    while order == list(steps):
        rng.shuffle(order)
    return order
