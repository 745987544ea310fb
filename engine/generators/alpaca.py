"""Alpaca: Self-Instruct in one step, with a model that already follows instructions.

A model is shown a list of requirements and three human tasks, each a block of instruction, input
and output, and writes the list's remaining blocks. There is no question whether a task is a
classification, and no second call for instances. A block without its labels, a task that breaks
a rule and the last block of a reply that was cut end here with their reasons; whether a task is
new is decided later, over all of them, by the pass ``rouge_novelty``. Takes draws of the source
``pool``, with human tasks only.

Source: Taori, Gulrajani, Zhang, Dubois, Li, Guestrin, Liang, Hashimoto, "Stanford Alpaca: An
Instruction-following LLaMA model", 2023, tatsu-lab/stanford_alpaca @761dc5b, a simplification of
Wang et al. 2022, arXiv:2212.10560. 52,002 rows; 3 tasks shown, a list of 20, temperature 1.
Differs: an instruct model is asked to go on with the list, in the draw's language. A label with
another number than its block's is read, where it cost the block there; a block without output is
dropped. No bias against the end of the text. Unfit words exist for several languages.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, cast

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import Field

from engine.core import Drop, Message, Outcome, Record
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt, Text
from engine.text.phrases import phrase_lists
from engine.text.shown_tasks import tasks_shown
from engine.text.task_blocks import Block, blocks, labels, read_blocks
from engine.text.task_rules import TaskRules

LAST = 20
"""The highest number in a list: the prompt's stop string is the next one."""

PROPOSE = Prompt("alpaca/propose", reply=str)


class Params(TaskRules):
    """What a task must be like, and how many are asked for."""

    tasks: int = Field(default=LAST, ge=2, le=LAST)
    """Tasks in a list, those shown among them."""


class State(Flow, total=False):
    """What the nodes pass on."""

    reply: Text
    blocks: list[Block]


Run = Runtime[Kit[Params]]


async def propose(state: State, runtime: Run) -> State:
    """Show the draw's tasks as blocks and have the list continued."""
    last = runtime.context.params.tasks
    given = state["record"].facts.get("demonstrations")
    shown = tasks_shown(given, "instruction")[: last - 1]
    first = len(shown) + 1
    reply = await runtime.context.ask(
        PROPOSE,
        tasks=blocks(shown),
        first=first,
        last=last,
        reply_labels=[label for number in range(first, last + 1) for label in labels(number)],
    )
    return {"reply": cast(Text, reply)}


async def parse(state: State, runtime: Run) -> State:
    """Cut the reply into blocks; where the token limit cut it, the last one is lost."""
    reply, language = state["reply"], state["record"].language
    return {"blocks": read_blocks(reply, language, truncated=reply.truncated)}


async def sift(state: State, runtime: Run) -> State:
    """Keep the tasks that pass every rule; the others go with the first rule they break."""
    draw, params = state["record"], runtime.context.params
    return {"out": [_sifted(n, block, draw, params) for n, block in enumerate(state["blocks"])]}


async def give_up(state: State, runtime: Run) -> State:
    """No block came of this draw."""
    reason = "truncated" if state["reply"].truncated else "no_block"
    return {"out": [Drop(state["record"], reason, state["reply"][:200])]}


def after_parse(state: State) -> Literal["sift", "give_up"]:
    """Go on with what there is."""
    return "sift" if state["blocks"] else "give_up"


def _sifted(index: int, block: Block, draw: Record, params: Params) -> Outcome:
    facts = {k: v for k, v in draw.facts.items() if k != "demonstrations"}
    facts |= {"instruction": block.instruction, "input": block.input}
    asked = f"{block.instruction}\n\n{block.input}".strip()
    turns = (Message("user", asked), Message("assistant", block.output))
    child = replace(
        draw.child(index, messages=turns if asked and block.output else ()), facts=facts
    )
    if block.fault:
        return Drop(child, block.fault, block.text[:200])
    lists = phrase_lists("alpaca.yaml")
    more = {tag: kinds.get("blocked", ()) for tag, kinds in lists.items()}
    reason, detail = params.fault(block.instruction, draw.language, more)
    return Drop(child, reason, detail) if reason else child


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``propose -> parse -> sift | give_up``."""
    g = StateGraph(State, context_schema=Kit)
    g.add_node(propose).add_node(parse).add_node(sift).add_node(give_up)
    g.add_edge(START, "propose")
    g.add_edge("propose", "parse")
    g.add_conditional_edges("parse", after_parse)
    g.add_edge("sift", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=(PROPOSE,))
