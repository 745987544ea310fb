"""Self-Instruct, first half: new tasks from a list of known ones.

A model is shown a numbered list of tasks and continues it. What it writes is cut into tasks, and
every task that is too short or too long, that needs eyes or hands, that is one more "Write a
program", or that is not in the language asked for, ends here with its reason. Whether a task is
new is decided later, over all of them, by the pass ``rouge_novelty``; inputs and outputs are
written by ``self_instruct_instances``. Takes draws of the source ``pool``.

For an open model alone (Wang et al. 2023, arXiv:2308.12711) two strategies are added in the job:
extrapolation (``machine`` of ``pool``: all tasks shown are earlier rounds' own) and
self-validation (``self_validation``, then ``top_share``).

Source: Wang et al., "Self-Instruct: Aligning Language Models with Self-Generated
Instructions", 2022, arXiv:2212.10560, section 2.2 and appendix A. 175 human tasks gave 52,445
instructions with 82,439 instances, 54 % of them fully valid; 8 tasks shown, stop at the 16th,
temperature 0.7, top_p 0.5, presence penalty 2; 4 to 150 words.
Differs: an instruct model is asked to continue the list, in the draw's language; presence
penalty 0.5, since makers of open models warn that a high one mixes languages. A blank line
ends a task, not the reply. The words of unfit tasks exist for several languages. "Starts with a
character outside ASCII" stood for "not English" and is "mostly in another script" here; an
opening ¿ or ¡ is no punctuation mark. Lengths count characters where a script has no spaces.
A list has 2048 tokens, twice the original's: in Hindi or Thai the same tasks take as many.
The first letter is capitalised and the rest left alone, where the original lower-cased it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, cast

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from engine.core import Drop, Message, Outcome, Record
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt, Text
from engine.text.numbered import items, numbered
from engine.text.shown_tasks import tasks_shown
from engine.text.task_rules import TaskRules
from engine.text.wording import capitalised

NEW = 7
"""Tasks asked for: the paper's 9 to 15."""
LAST = 15
"""The highest number in a list: the prompt's stop string is the next one."""

PROPOSE = Prompt("self_instruct/propose", reply=str)


class Params(TaskRules):
    """What a task must be like."""


class State(Flow, total=False):
    """What the nodes pass on."""

    reply: Text
    tasks: list[str]
    """As the model wrote them, without their numbers."""


Run = Runtime[Kit[Params]]


async def propose(state: State, runtime: Run) -> State:
    """Show the draw's tasks as a list and have it continued."""
    tasks = tasks_shown(state["record"].facts.get("demonstrations"), "instruction")
    shown = [str(task["instruction"]) for task in tasks][: LAST - 1]
    reply = await runtime.context.ask(
        PROPOSE,
        tasks=numbered(shown),
        first=len(shown) + 1,
        last=min(len(shown) + NEW, LAST),
    )
    return {"reply": cast(Text, reply)}


async def parse(state: State, runtime: Run) -> State:
    """Cut the list into tasks; a reply that the token limit cut counts for nothing."""
    return {"tasks": [] if state["reply"].truncated else items(state["reply"])}


async def sift(state: State, runtime: Run) -> State:
    """Keep the tasks that pass every rule; the others go with the first rule they break."""
    found = enumerate(state["tasks"])
    return {"out": [_sifted(n, text, state["record"], runtime.context.params) for n, text in found]}


async def give_up(state: State, runtime: Run) -> State:
    """No task came of this draw."""
    reason = "truncated" if state["reply"].truncated else "no_instruction"
    return {"out": [Drop(state["record"], reason, state["reply"][:200])]}


def after_parse(state: State) -> Literal["sift", "give_up"]:
    """Go on with what there is."""
    return "sift" if state["tasks"] else "give_up"


def _sifted(index: int, text: str, draw: Record, params: Params) -> Outcome:
    task = capitalised(text, draw.language)
    facts = {k: v for k, v in draw.facts.items() if k != "demonstrations"}
    child = replace(
        draw.child(index, messages=(Message("user", task),)), facts={**facts, "instruction": task}
    )
    reason, detail = params.fault(task, draw.language)
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
