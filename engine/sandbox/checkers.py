"""Checkers: functions ``evaluate(response)`` that a model wrote to say whether a text obeys a rule.

A checker is run in the sandbox, once over all texts; what it says comes back on lines that begin
with a token drawn for the run, so that what it prints itself is not taken for its verdicts. A
checker is no attacker: one that looked for the token could forge them, and would gain nothing,
since only the others' agreement makes it count.

Source: Dong et al., "Self-play with Execution Feedback: Improving Instruction-following
Capabilities of Large Language Models" (AutoIF), 2024, arXiv:2406.13542 (cross-validation).
Differs: it runs behind walls, and true and false are only Python's own; functions that differ in
layout or comments alone count once; an argument the function lacks, a loop without end or an
error is an answer that agrees with nobody.
"""

from __future__ import annotations

import ast
import asyncio
import json
import textwrap
from collections.abc import Sequence
from typing import NamedTuple

from engine.sandbox.limits import Limits, Program
from engine.sandbox.pool import Sandbox
from engine.sandbox.proof import settled
from engine.text.code_blocks import PYTHON, code_blocks
from engine.text.python_code import parsed, shape

NAME = "evaluate"
REACHES_OUT = ("download", "requests")
"""A line with one of these words is taken out: a checker decides on the text alone."""
_ASK = """
import json as {mark}_json
for {mark}_at, {mark}_text in enumerate({mark}_json.loads({texts!r})):
    try:
        {mark}_said = {name}({mark}_text)
    except Exception:
        {mark}_said = None
    print("\\n{mark}", {mark}_at, {mark}_said is True, {mark}_said is False, flush=True)
"""

Said = bool | None
"""What a checker says of a text; ``None`` where it says neither yes nor no."""


class Case(NamedTuple):
    """A text, and whether it obeys."""

    text: str
    obeys: bool


class Agreed(NamedTuple):
    """What is left of checkers and cases when each has been held against the other."""

    checkers: list[str]
    accuracies: list[float]
    """Share (0..1) of the cases on which each checker is right, in the same order."""
    cases: list[Case]


def cleaned(reply: str) -> str:
    """The checker in a reply, without lines that reach out; ``""`` where there is none."""
    fenced = code_blocks(reply, PYTHON)
    code = "\n".join(block.code for block in fenced) if fenced else textwrap.dedent(reply)
    lines = [line for line in code.split("\n") if not any(w in line for w in REACHES_OUT)]
    tree = parsed(kept := "\n".join(lines).strip())
    defined = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)} if tree else set()
    return kept if NAME in defined else ""


def distinct(checkers: Sequence[str]) -> list[str]:
    """The checkers that do not say the same, however they are laid out; the first of each."""
    found: dict[str, str] = {}
    for code in checkers:
        if code and (said := shape(code)):
            found.setdefault(said, code)
    return list(found.values())


async def verdicts(
    box: Sandbox, checkers: Sequence[str], texts: Sequence[str], limits: Limits, mark: str
) -> list[list[Said]]:
    """What each checker says of each text, in their order.

    Args:
        box: where they run.
        checkers: as ``cleaned`` gives them.
        texts: any.
        limits: of one checker with all the texts.
        mark: letters and digits that nobody else writes.

    Raises:
        SandboxError: the sandbox broke, so nothing is known.
    """
    ask = _ASK.format(mark=f"_{mark}", texts=json.dumps(list(texts)), name=NAME)
    programs = [Program(code, ask) for code in checkers]
    runs = await asyncio.gather(*(settled(box, program, limits) for program in programs))
    return [_said(ran.stdout, f"_{mark}", len(texts)) for ran in runs]


def agreed(
    checkers: Sequence[str],
    cases: Sequence[Case],
    said: Sequence[Sequence[Said]],
    least: float,
) -> Agreed:
    """Keep the cases on which a checker is right, then the checkers that are right often enough.

    Args:
        checkers: different ones.
        cases: different ones.
        said: ``verdicts`` of these checkers on the texts of these cases.
        least: share (0..1) of the kept cases on which a checker has to be right.
    """
    right = [[s is c.obeys for s, c in zip(row, cases, strict=True)] for row in said]
    kept = [at for at in range(len(cases)) if any(row[at] for row in right)]
    shares = [sum(row[at] for at in kept) / len(kept) if kept else 0.0 for row in right]
    good = [at for at, share in enumerate(shares) if share >= least and kept]
    return Agreed(
        [checkers[at] for at in good],
        [round(shares[at], 4) for at in good],
        [cases[at] for at in kept],
    )


def shares(said: Sequence[Sequence[Said]], texts: int) -> list[float]:
    """The share (0..1) of checkers that say yes, for each of so many texts."""
    return [round(sum(row[at] is True for row in said) / len(said), 4) for at in range(texts)]


def _said(stdout: str, mark: str, texts: int) -> list[Said]:
    found: list[Said] = [None] * texts
    for line in stdout.split("\n"):
        match line.split(" "):
            case [first, at, yes, no] if first == mark and at.isdecimal() and int(at) < texts:
                found[int(at)] = yes == "True" if yes != no else None
    return found
