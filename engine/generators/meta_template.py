"""Meta-templates: a prompted dataset turned round, to teach a model to make tasks of texts.

A dataset with templates makes rows of input and target. Here its text is taken out of them: a slot
stands for it wherever the template prints it, and the row becomes a question, kind of task and
text, with the task as the answer. That is what Bonito was trained on. No model is asked: templates
and rows decide everything, and a row is kept only where the slot, filled in again, gives what the
template makes of the row.

Source: Nayak, Nan, Trost, Bach, "Learning to Generate Instruction Tuning Datasets for Zero-Shot
Task Adaptation", 2024, arXiv:2402.18334, section 3 (conditional task generation with attributes).
Differs: our own templates, in any language; the template of a row depends on the job's seed and the
row alone; templates run in a sandbox; rows that leak their text or hold a mark drop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field, field_validator, model_validator

from engine.core import Drop, Json, Message, Outcome
from engine.kit import Flow, Generator, InputPath, Kit
from engine.text.remixing import FAULTS, Rendered, copied
from engine.text.task_types import Parts, conditional, kinds, marked, short, written
from engine.text.template_bank import Ready, bank


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    templates: InputPath | None = None
    """A file of templates (see ``taxonomies/meta_template.yaml``, which is used by default)."""
    dataset: str = ""
    """Whose templates are used; empty: each row says it in its fact ``dataset``."""
    task_types: tuple[str, ...] = Field(default_factory=lambda: tuple(kinds()), min_length=1)
    """Types that templates are drawn from, by short or full names."""
    per_row: int = Field(default=1, ge=1, le=100)
    """Templates drawn for a row, none twice; each makes a record."""
    max_copied: int = Field(default=100, ge=1)
    """Characters of the text, at most, that may stand in the task one after the other."""

    @field_validator("task_types")
    @classmethod
    def _known(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(map(short, given)))

    @model_validator(mode="after")
    def _usable(self) -> Params:
        there = bank(self.templates)
        if self.dataset and self.dataset not in there:
            raise ValueError(f"no templates of {self.dataset!r}; there are {', '.join(there)}")
        return self


class State(Flow, total=False):
    """What the nodes pass on."""

    row: Mapping[str, Json]
    fitting: Sequence[Ready]
    drawn: Sequence[Ready]
    made: list[Rendered]
    """What came of each that was drawn."""
    reason: str
    """Why it ends without a record; empty while it goes on."""


Run = Runtime[Kit[Params]]


async def look(state: State, runtime: Run) -> State:
    """Take the row, and the templates of its dataset that print its text."""
    params, facts = runtime.context.params, state["record"].facts
    name = params.dataset or str(facts.get("dataset") or facts.get("source") or "")
    known = bank(params.templates)
    if name not in known:
        return {"reason": f"no_templates: of {name!r}"}
    row = facts["row"] if isinstance(facts.get("row"), Mapping) else facts
    fitting = [each for each in known[name] if each.task_type in params.task_types]
    return {"row": row, "fitting": fitting, "reason": "" if fitting else "no_template_fits"}


async def draw(state: State, runtime: Run) -> State:
    """Draw templates for the row."""
    kit, fitting = runtime.context, state["fitting"]
    count = min(kit.params.per_row, len(fitting))
    return {"drawn": kit.random("templates").sample(fitting, count)}


async def render(state: State, runtime: Run) -> State:
    """Render the row by each of them, with the slot in place of its text."""
    kit, made = runtime.context, list[Rendered]()
    for each in state["drawn"]:
        try:
            made.append(each.remix.render(state["row"], kit.random("wording", each.name)))
        except FAULTS as error:
            made.append(Rendered("", "", str(error), "template_failed"))
    return {"made": made}


async def turn_round(state: State, runtime: Run) -> State:
    """Ask for the task by kind and text; the task is the answer."""
    most, out = runtime.context.params.max_copied, list[Outcome]()
    for n, (each, made) in enumerate(zip(state["drawn"], state["made"], strict=True)):
        asked = conditional(each.task_type, made.context)
        task = Parts(made.input, made.target)
        turns = (Message("user", asked), Message("assistant", written(task)))
        facts: dict[str, Json] = {"template": each.name, "task_type": each.task_type}
        facts |= {"context": made.context, "task": list(task)}
        record, fault = state["record"].child(n, messages=turns, facts=facts), _fault(made, most)
        detail = f"{each.name}: {made.target[:200]}"
        out.append(Drop(record, fault, detail) if fault else record)
    return {"out": out}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a row that no template is for."""
    reason, _, detail = state["reason"].partition(": ")
    return {"out": [Drop(state["record"], reason, detail)]}


def _fault(made: Rendered, most: int) -> str:
    if made.fault:
        return made.fault
    if any(marked(part) for part in made[:3]):
        return "mark_in_text"
    leaks = any(copied(made.context, part, most) for part in (made.input, made.target))
    return "context_copied" if leaks else ""


def after_look(state: State) -> Literal["draw", "give_up"]:
    """Go on where there is a template."""
    return "give_up" if state["reason"] else "draw"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``look -> draw -> render -> turn_round``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (look, draw, render, turn_round, give_up):
        g.add_node(node)
    g.add_edge(START, "look")
    g.add_conditional_edges("look", after_look)
    g.add_edge("draw", "render")
    g.add_edge("render", "turn_round")
    g.add_edge("turn_round", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=())
