"""Self-validation: the model that made a task says how valid it is, and what is not goes.

Asked in typed JSON, first for the most serious flaw, then for three scores from 1 to 5: of the
instruction, of its input, of the output. A task is as valid as the worst of the three, and below
``min_score`` it drops (``not_valid``). The fact ``validity`` has the three, that ``score``, their
``sum``, the ``threshold``, the ``round`` and the ``variant``: the method whose model wrote the
task. The pass ``top_share`` ranks by it. No stronger model judges; so the role is ``writer``, and
it should be the very model that wrote: what it takes for valid is biased towards what it writes.

Source: Wang, Wang, Li, Chang, Zhang, Liu, Zhang, Zhang, "Harnessing the Power of David against
Goliath: Exploring Instruction Data Generation without Using Closed-Source Models", 2023,
arXiv:2308.12711 (the generating model selects among what it made).
Differs: the paper's prompt, thresholds and shares could not be read: the question is ours, and
the threshold is a setting.
"""

from __future__ import annotations

from pydantic import BaseModel, Field

from engine.core import Drop, Json, Outcome, Record
from engine.judging import fence
from engine.kit import Kit, Verifier
from engine.prompting import Prompt


class Validity(BaseModel, extra="forbid"):
    """What the model says of a task: the flaw first, so that it is looked for."""

    flaw: str = Field(min_length=1)
    instruction: int = Field(ge=1, le=5)
    input: int = Field(ge=1, le=5)
    output: int = Field(ge=1, le=5)


VALIDATE = Prompt("self_validation/validate", reply=Validity)


class Params(BaseModel, extra="forbid"):
    """What it takes to be valid."""

    min_score: int = Field(default=3, ge=1, le=5)
    """The least of the three scores (1..5) below which a task drops; 1 keeps all."""


async def check(record: Record, kit: Kit[Params]) -> Outcome:
    """Have the task scored; keep it, with its scores, if the worst of them is good enough."""
    task = str(record.facts.get("instruction") or record.last("user")).strip()
    output = record.last("assistant").strip()
    if not task or not output:
        return Drop(record, "nothing_to_judge", "an instruction and a response are needed")
    given = str(record.facts.get("input") or "")
    said = await kit.ask(VALIDATE, instruction=task, input=given, output=output, fence=fence(kit))
    scores = (said.instruction, said.input, said.output)
    noted: dict[str, Json] = said.model_dump() | {"score": min(scores), "sum": sum(scores)}
    noted |= {"threshold": kit.params.min_score, "variant": variant(record)}
    noted |= {"round": record.facts["round"]} if "round" in record.facts else {}
    validated = record.with_facts(validity=noted)
    if min(scores) >= kit.params.min_score:
        return validated
    why = f"{min(scores)} is below {kit.params.min_score}: {said.flaw}"
    return Drop(validated, "not_valid", why[:300])


def variant(record: Record) -> str:
    """The method that asked a model for this task first; empty where none was asked."""
    calls = (call for hop in record.lineage for call in hop.calls)
    return next((call.prompt.partition("/")[0] for call in calls), "")


VERIFIER = Verifier(check, Params, prompts=(VALIDATE,))
