"""Self-Instruct, second half: inputs and outputs for one task.

The model says whether the task is a classification. If so, it names a label, then writes an
input that deserves it: asked for inputs first, models write nearly all for one label. Any other
task gets inputs first. Instances that cannot be right are dropped with their reason; of the
others at most a few are kept, each as a conversation.

Source: Wang et al., "Self-Instruct: Aligning Language Models with Self-Generated
Instructions", 2022, arXiv:2212.10560, section 2.2 (classification, output-first and input-first
generation, filtering), 3: 82,439 instances of 52,445 tasks; its code keeps at most 5 a task.
Differs: an instruct model answers in typed JSON, where the paper cut few-shot completions apart;
so there is no presence penalty (JSON repeats its keys), and a reply cut by the token limit is
asked for again instead of losing its last instance. The input follows the instruction in layouts
of our own that have no words; half of the inputs lose a lone label and blank lines, as there. The
human tasks are not appended (a job adds them as a source), and the order is not shuffled.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Generic, Literal, TypeVar

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Message, Outcome, Record
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.text.instances import (
    LAYOUTS,
    LOOSENED,
    Instance,
    compared,
    instance,
    laid_out,
    loosened,
)

T = TypeVar("T")


class Kind(BaseModel):
    """Whether a task is a classification with a finite set of labels."""

    is_classification: bool


class InputFirst(BaseModel):
    """Input, then output: a server that is held to the schema writes fields in this order."""

    input: str
    output: str


class LabelFirst(BaseModel):
    """Output, then input."""

    output: str
    input: str


class Instances(BaseModel, Generic[T]):
    """The instances of one task."""

    instances: list[T] = Field(min_length=1)


CLASSIFY = Prompt("self_instruct_instances/classify", reply=Kind)
LABEL_FIRST = Prompt("self_instruct_instances/label_first", reply=Instances[LabelFirst])
INPUT_FIRST = Prompt("self_instruct_instances/input_first", reply=Instances[InputFirst])


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    max_instances: int = Field(default=5, ge=1, le=20)
    """Instances asked for and kept per task, at most."""


class State(Flow, total=False):
    """What the nodes pass on."""

    task: str
    is_classification: bool
    instances: list[Instance]


Run = Runtime[Kit[Params]]


async def classify(state: State, runtime: Run) -> State:
    """Ask whether every right answer is one of a few labels."""
    task = str(state["record"].facts.get("instruction") or state["record"].last("user"))
    kind = await runtime.context.ask(CLASSIFY, instruction=task)
    return {"task": task, "is_classification": kind.is_classification}


async def label_first(state: State, runtime: Run) -> State:
    """Have labels named and an input written for each."""
    kit = runtime.context
    reply = await kit.ask(LABEL_FIRST, instruction=state["task"], count=kit.params.max_instances)
    return {"instances": [instance(i.input, i.output) for i in reply.instances]}


async def input_first(state: State, runtime: Run) -> State:
    """Have inputs written and answered."""
    kit = runtime.context
    reply = await kit.ask(INPUT_FIRST, instruction=state["task"], count=kit.params.max_instances)
    return {"instances": [instance(i.input, i.output) for i in reply.instances]}


async def clean(state: State, runtime: Run) -> State:
    """Rule out what cannot be right beside the others; what is wrong by itself is out already."""
    return {"instances": compared(state["instances"])}


async def sample(state: State, runtime: Run) -> State:
    """Keep as many as are wanted, by lot; everything else is a drop with its reason."""
    kit, instances = runtime.context, state["instances"]
    sound = [n for n, one in enumerate(instances) if not one.fault]
    chosen = kit.random("sample").sample(sound, min(kit.params.max_instances, len(sound)))
    out: list[Outcome] = []
    for n, one in enumerate(instances):
        if kit.random("loosen", n).random() < LOOSENED:
            one = replace(one, input=loosened(one.input))
        row = _conversation(n, one, state, kit.random("layout", n).choice(LAYOUTS))
        out.append(row if n in chosen else Drop(row, one.fault or "surplus_instance"))
    return {"out": out}


def _conversation(index: int, one: Instance, state: State, layout: str) -> Record:
    question = laid_out(state["task"], one.input, layout)
    turns = (Message("user", question), Message("assistant", one.output))
    facts = {
        "instruction": state["task"],
        "input": one.input,
        "is_classification": state["is_classification"],
    }
    return state["record"].child(index, messages=turns, facts=facts)


def after_classify(state: State) -> Literal["label_first", "input_first"]:
    """Labels come first where they decide what the input must be."""
    return "label_first" if state["is_classification"] else "input_first"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``classify -> label_first | input_first -> clean -> sample``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (classify, label_first, input_first, clean, sample):
        g.add_node(node)
    g.add_edge(START, "classify")
    g.add_conditional_edges("classify", after_classify)
    g.add_edge("label_first", "clean")
    g.add_edge("input_first", "clean")
    g.add_edge("clean", "sample")
    g.add_edge("sample", END)
    return g


GENERATOR = Generator(graph, Params, prompts=(CLASSIFY, LABEL_FIRST, INPUT_FIRST))
