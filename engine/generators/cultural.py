"""Cultural: a fact of a document becomes an instruction and an answer with a quotation each claim.

Second half of the method; ``cultural_facts`` is the first. The answer is written as claims, each
with the words of the document on which it stands: the words have to be there, and every number of
a claim in them. Then a judge reads each claim beside its words alone. What does not stand is asked
for again, with what was wrong, and drops as ``ungrounded`` in the end. A record says where its
words are, which stages of verification it passed, and that no person has read it (``review:
pending``; the filter ``human_review`` takes their verdicts).

Source: Laiyk et al., "Instruction Tuning on Public Government and Cultural Data for Low-Resource
Language: a Case Study in Kazakh", 2025, arXiv:2502.13647, section 3. Domain by task, and quality
control in stages: WangchanThaiInstruct (VISTEC, 2025).
Differs: any language; a claim that names no words of the document cannot be written down; names
are left to the judge, since scripts without capitals do not mark them; people come last, not only.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field, field_validator

from engine.core import Drop, Message
from engine.kit import Flow, Generator, InputPath, Kit
from engine.languages.quality import answer_fault
from engine.prompting import Prompt
from engine.text.culture_words import complaint, taxonomy
from engine.text.grounding import STAGES, Place, Ruling, Written, cited, grounded, ruled, told
from engine.text.reversal import request, request_fault, shown

OF_THE_FACT = ("document", "quote", "quote_span")


WRITE = Prompt("cultural/write", reply=Written)
VERIFY = Prompt("cultural/verify", reply=Ruling)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    taxonomy: InputPath | None = None
    """A file of domains and tasks (see ``taxonomies/cultural.yaml``, which is used by default)."""
    takes: int = Field(default=2, ge=1, le=10)
    """How often a pair is asked for, at most."""
    max_document_chars: int = Field(default=6000, ge=200)
    """Characters of a document that are shown at most: three quarters head, the rest tail."""
    max_shared_words: int = Field(default=7, ge=1)
    """Longest run of words an instruction may share with its answer."""

    @field_validator("taxonomy")
    @classmethod
    def _readable(cls, path: Path | None) -> Path | None:
        taxonomy(path)
        return path


class State(Flow, total=False):
    """What the nodes pass on."""

    document: str
    task: str
    written: Written
    answer: str
    """The claims as one text."""
    places: list[Place]
    """Where the words of each claim stand in the document."""
    take: int
    wrong: list[str]
    """What the last pair was wrong in, told to the model that writes the next."""
    fault: str
    """Why the fact or the pair will not do; empty where it will."""


Run = Runtime[Kit[Params]]


async def open_fact(state: State, runtime: Run) -> State:
    """Draw the task to make of the fact."""
    facts, kit = state["record"].facts, runtime.context
    document = str(facts.get("document") or "")
    task = kit.random("task").choice([*taxonomy(kit.params.taxonomy).tasks])
    said = facts.get("statement") and facts.get("quote")
    fault = "" if document.strip() and said else "no_fact"
    return {"document": document, "task": task, "take": 0, "wrong": [], "fault": fault}


async def write(state: State, runtime: Run) -> State:
    """Ask for an instruction, and an answer claim by claim."""
    kit, facts = runtime.context, state["record"].facts
    task = taxonomy(kit.params.taxonomy).tasks[state["task"]]
    reply = await kit.ask(
        WRITE,
        take=state["take"],
        document=shown(state["document"], kit.params.max_document_chars),
        statement=facts["statement"],
        quote=facts["quote"],
        asks=task.asks,
        wrong=state["wrong"],
    )
    asked = request(reply.instruction, "Instruction")
    return {
        "written": Written(instruction=asked, claims=reply.claims),
        "answer": told(reply.claims, lines=task.lines),
        "take": state["take"] + 1,
    }


async def ground(state: State, runtime: Run) -> State:
    """Find the words of each claim, and its numbers in them; see that both sides will do."""
    written, answer, language = state["written"], state["answer"], state["record"].language
    places, wrong = grounded(written.claims, state["document"], language)
    most = runtime.context.params.max_shared_words
    fault = "ungrounded" if wrong else request_fault(written.instruction, answer, language, most)
    fault = fault or answer_fault(written.instruction, "", language)
    fault = fault or answer_fault(answer, written.instruction, language)
    wrong = wrong or [complaint(fault)] if fault else []
    return {"places": places, "wrong": wrong, "fault": fault}


async def verify(state: State, runtime: Run) -> State:
    """Have a judge read each claim beside the words quoted for it, and nothing else."""
    claims = state["written"].claims
    ruling = await runtime.context.ask(
        VERIFY,
        take=state["take"],
        instruction=state["written"].instruction,
        claims=cited(claims, state["places"], state["document"], state["record"].facts),
        count=len(claims),
    )
    fault, wrong = ruled(ruling, claims)
    return {"fault": fault, "wrong": wrong}


async def pair(state: State, runtime: Run) -> State:
    """Set both sides together, with the words, the stages passed and what is still to be done."""
    record, written = state["record"], state["written"]
    kept = {name: fact for name, fact in record.facts.items() if name not in OF_THE_FACT}
    kept |= {"fact_id": record.id, "task_type": state["task"], "review": "pending"}
    kept |= {"quotes": cited(written.claims, state["places"], state["document"], record.facts)}
    kept |= {"verification": [{"stage": s, "by": who, "verdict": "pass"} for s, who in STAGES]}
    kept |= {"provenance": {"instruction": "model", "response": "model", "quotes": "native"}}
    turns = (Message("user", written.instruction), Message("assistant", state["answer"]))
    made = replace(record.child(0), messages=turns, facts=kept)
    return {"out": [made.with_facts(review_id=made.id)]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop the fact, with what was wrong and the last pair as evidence."""
    said = [state["written"].model_dump_json()] if "written" in state else []
    evidence = " | ".join([*state["wrong"], *said])
    return {"out": [Drop(state["record"], state["fault"], evidence[:1000])]}


def after_open(state: State) -> Literal["write", "give_up"]:
    """Ask about what is a fact."""
    return "give_up" if state["fault"] else "write"


def after_ground(state: State, runtime: Run) -> Literal["verify", "write", "give_up"]:
    """Show the judge what stands as far as can be told without one."""
    return _again(state, runtime) if state["fault"] else "verify"


def after_verify(state: State, runtime: Run) -> Literal["pair", "write", "give_up"]:
    """Keep what the judge lets stand."""
    return _again(state, runtime) if state["fault"] else "pair"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``open_fact -> (write -> ground -> verify)* -> pair | give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (open_fact, write, ground, verify, pair, give_up):
        g.add_node(node)
    g.add_edge(START, "open_fact")
    g.add_conditional_edges("open_fact", after_open)
    g.add_edge("write", "ground")
    g.add_conditional_edges("ground", after_ground)
    g.add_conditional_edges("verify", after_verify)
    g.add_edge("pair", END)
    g.add_edge("give_up", END)
    return g


def _again(state: State, runtime: Run) -> Literal["write", "give_up"]:
    return "write" if state["take"] < runtime.context.params.takes else "give_up"


GENERATOR = Generator(graph, Params, prompts=(WRITE, VERIFY))
