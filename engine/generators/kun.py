"""Kun: an instruction to a raw text, judged by itself, and the text polished into its answer.

A label model writes the instruction to which the text holds the answer; rules clean it; a judge
that is shown the instruction alone tags it good or bad; then the text is rewritten as the answer
to that instruction, and rules clean that. Whatever a rule drops has its reason. The rules' words
are data by language, ``taxonomies/kun.yaml``. The raw text stays with the record as ``document``.

Source: Zheng et al., "Kun: Answer Polishment for Chinese Self-Alignment with Instruction
Back-Translation", 2024, arXiv:2401.06477, section 3; code Zheng0428/COIG-Kun at a9c6df1.
Differs: in every language, where the original is Chinese; the models are shown examples (the pass
``in_context_examples``) or served trained; the rules for lines and gaps of the instruction come
before its judge, so that what is judged is what is kept; texts are bounded in words, not tokens,
and the filter by perplexity is left to the verifier of that name. An answer has room for 3072
tokens, there 1024: 400 words of Hindi take some 1800.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Message
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.text import polishing
from engine.text.lengths import words
from engine.text.reversal import document_fault, request

LABEL = Prompt("kun/label", reply=str)
JUDGE = Prompt("kun/judge", reply=str)
POLISH = Prompt("kun/polish", reply=str)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    min_words: int = Field(default=30, ge=1)
    """Shorter texts drop; in scripts without spaces, characters' worth in words."""
    max_words: int = Field(default=400, ge=1)
    """Longer texts drop; 400 words are some 512 tokens of English or Chinese."""
    min_answer_characters: int = Field(default=20, ge=0)
    """Shorter answers drop: Han characters, elsewhere as many words as those carry (20: 13)."""


class State(Flow, total=False):
    """What the nodes pass on."""

    document: str
    instruction: str
    answer: str
    fault: str
    """Why it ends without a record, as a slug; empty while it goes on."""
    detail: str


Run = Runtime[Kit[Params]]


async def open_text(state: State, runtime: Run) -> State:
    """Take the raw text; one that is missing, too short or too long ends here."""
    text, params = str(state["record"].facts.get("document") or ""), runtime.context.params
    long = "document_too_long" if words(text) > params.max_words else ""
    return {"document": text, "fault": document_fault(text, params.min_words) or long, "detail": ""}


async def keep_seed(state: State, runtime: Run) -> State:
    """Let a seed pair through: people wrote both sides."""
    return {"out": [state["record"].with_facts(origin="seed")]}


async def label(state: State, runtime: Run) -> State:
    """Ask for the instruction to which the text holds the answer."""
    given = state["record"].facts.get("examples") or []
    reply = await runtime.context.ask(LABEL, document=state["document"], examples=given)
    return {"instruction": request(reply, "Task")}


async def clean_instruction(state: State, runtime: Run) -> State:
    """Cut what runs on, and drop what needs a text that its reader does not see."""
    text, language = polishing.cleaned_instruction(state["instruction"]), state["record"].language
    fault = polishing.instruction_fault(text, language)
    return {"instruction": text, "fault": fault, "detail": state["instruction"]}


async def judge(state: State, runtime: Run) -> State:
    """Have the instruction judged without the text or an answer."""
    kit, language = runtime.context, state["record"].language
    mark, tags = f"{kit.random('fence').getrandbits(48):012x}", list(polishing.labels(language))
    said = await kit.ask(JUDGE, instruction=state["instruction"], labels=tags, fence=mark)
    fault = "" if polishing.judged_good(said, language) else "instruction_not_good"
    return {"fault": fault, "detail": f"{state['instruction']} | {said}"}


async def polish(state: State, runtime: Run) -> State:
    """Have the text rewritten as the answer to the instruction."""
    asked, raw = state["instruction"], state["document"]
    reply = await runtime.context.ask(POLISH, instruction=asked, document=raw)
    cut = getattr(reply, "truncated", False)
    return {"answer": reply.strip(), "fault": "cut_answer" if cut else "", "detail": reply[-80:]}


async def clean_answer(state: State, runtime: Run) -> State:
    """Drop an answer that is too short, stuck, or speaks of itself or its source."""
    least = runtime.context.params.min_answer_characters
    fault = polishing.answer_fault(state["answer"], state["record"].language, least)
    return {"fault": fault, "detail": state["answer"]}


async def pair(state: State, runtime: Run) -> State:
    """The instruction with its polished answer."""
    turns = (Message("user", state["instruction"]), Message("assistant", state["answer"]))
    left = {name: fact for name, fact in state["record"].facts.items() if name != "examples"}
    left |= {"origin": "augmented"}
    return {"out": [replace(state["record"].child(0), messages=turns, facts=left)]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop the text, with what was wrong as evidence."""
    return {"out": [Drop(state["record"], state["fault"], state["detail"])]}


def after_open(state: State) -> Literal["keep_seed", "label", "give_up"]:
    """Go on with a text that will do; a pair needs nothing."""
    if state["record"].last("user").strip() and state["record"].last("assistant").strip():
        return "keep_seed"
    return "give_up" if state["fault"] else "label"


def after_clean_instruction(state: State) -> Literal["judge", "give_up"]:
    """Have judged what the rules leave."""
    return "give_up" if state["fault"] else "judge"


def after_judge(state: State) -> Literal["polish", "give_up"]:
    """Answer good instructions only."""
    return "give_up" if state["fault"] else "polish"


def after_polish(state: State) -> Literal["clean_answer", "give_up"]:
    """Go on with a whole answer."""
    return "give_up" if state["fault"] else "clean_answer"


def after_clean_answer(state: State) -> Literal["pair", "give_up"]:
    """Keep what the rules leave."""
    return "give_up" if state["fault"] else "pair"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``open_text -> label -> clean_instruction -> judge -> polish -> clean_answer -> pair``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (open_text, keep_seed, label, clean_instruction, judge, polish, clean_answer):
        g.add_node(node)
    g.add_node(pair)
    g.add_node(give_up)
    g.add_edge(START, "open_text")
    g.add_conditional_edges("open_text", after_open)
    g.add_edge("label", "clean_instruction")
    g.add_conditional_edges("clean_instruction", after_clean_instruction)
    g.add_conditional_edges("judge", after_judge)
    g.add_conditional_edges("polish", after_polish)
    g.add_conditional_edges("clean_answer", after_clean_answer)
    g.add_edge("keep_seed", END)
    g.add_edge("pair", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=(LABEL, JUDGE, POLISH))
