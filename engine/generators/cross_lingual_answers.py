"""Cross-lingual answers: asked in one language, answered several times in another.

A question in language a is followed by a request, in language b, to answer in b, and several
models, or one several times, answer. An answer counts only where it is told to be in b: of a pair
with one in another language, a model would learn which language to write and nothing of which
answer is better. As many as are missing are asked for again. The step ``cross_lingual_feedback``
behind this one ranks what will do.

For b one is drawn by weight, whatever other records get; exact quotas of directions are for the
pass ``balance``, by ``instruction_language`` and ``output_language``. The request is a sentence of
``taxonomies/cross_in.yaml``; for a language that is not listed the writer puts it, one call more.

Source: Lai, Mesgar, Fraser, "LLMs Beyond English: Scaling the Multilingual Capability of LLMs with
Cross-Lingual Feedback", 2024, arXiv:2406.01771.
Differs: the request is always in the language that it asks for; every answer is proven to be.
"""

from __future__ import annotations

from typing import Annotated, Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field, model_validator

from engine.core import Drop, Json, Message
from engine.fields import Tag
from engine.kit import Flow, Generator, Kit
from engine.languages.answers import provenance, refused
from engine.prompting import Prompt
from engine.text.crossing import sentences_for
from engine.text.questions import unanswered
from engine.text.rankings import MOST
from engine.writers import WRITERS, Answer, answered

Weight = Annotated[float, Field(gt=0, le=1e9)]


class Clause(BaseModel, extra="forbid"):
    """A sentence that asks for an answer in some language."""

    request: str = Field(min_length=1, max_length=200)


REQUEST = Prompt("cross_lingual_answers/request", reply=Clause)
ANSWER = Prompt("cross_lingual_answers/answer", reply=str)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    into: dict[Tag, Weight] = Field(min_length=1, examples=[{"sw": 2, "en": 1}])
    """Language to answer in -> its relative weight; a question's own is never drawn for it."""
    directions: dict[Tag, dict[Tag, Weight]] = {}
    """Language asked in -> what stands for ``into`` there."""
    writers: int = Field(default=1, ge=1, le=len(WRITERS))
    """Roles that answer in turn, of ``writer``, ``writer_2`` and ``writer_3``."""
    answers: int = Field(default=4, ge=2, le=MOST)
    """Different answers to a question, of all writers together."""
    least: int = Field(default=2, ge=2, le=MOST)
    """Answers that will do; a question that has fewer in the end drops."""
    takes: int = Field(default=2, ge=1, le=10)
    """How often answers are asked for, at most: first all of them, then those missing."""
    unsure: Literal["drop", "keep"] = "drop"
    """What becomes of an answer whose language nobody can tell; ``keep`` is for languages that
    the identifier does not know."""

    @model_validator(mode="after")
    def _can_be_enough(self) -> Params:
        if self.least > self.answers:
            raise ValueError(f"least: {self.least} is more than the {self.answers} answers asked")
        return self


class State(Flow, total=False):
    """What the nodes pass on."""

    question: str
    language: str
    """Tag of the language to answer in."""
    request: str
    """Asks for an answer in that language, in it; empty until it has been written."""
    replies: list[Answer]
    answers: list[Answer]
    """Those of the replies that will do."""
    take: int
    """How often answers have been asked for."""
    fault: str
    """Why the question, the request or a reply will not do, as a slug; empty where all do."""


Run = Runtime[Kit[Params]]


async def open_question(state: State, runtime: Run) -> State:
    """Draw the language to answer in, and one of the sentences that ask for it."""
    kit, record = runtime.context, state["record"]
    asked, fault = unanswered(record)
    own, directions = record.language.split("-")[0], kit.params.directions
    weights = directions.get(record.language) or directions.get(own) or kit.params.into
    others = {tag: weight for tag, weight in weights.items() if tag.split("-")[0] != own}
    fault = fault or ("" if others else "no_other_language")
    drawn = kit.random("answered_in").choices([*others], [*others.values()])[0] if others else ""
    listed = sentences_for(drawn)
    request = kit.random("request").choice(listed.answer) if listed else ""
    return State(question=asked, language=drawn, request=request, answers=[], take=0, fault=fault)


async def write_request(state: State, runtime: Run) -> State:
    """Have the sentence written, and see that it is in the language it asks for."""
    reply = await runtime.context.ask(REQUEST, language=state["language"])
    fault = refused(reply.request, state["question"], state["language"])
    return {"request": reply.request, "fault": "bad_request" if fault else ""}


async def answer(state: State, runtime: Run) -> State:
    """Have the missing answers written, by the writers in turn."""
    kit, take, language = runtime.context, state["take"], state["language"]
    asked = {"question": state["question"], "request": state["request"]}

    async def sample(seat: Kit[Params], count: int) -> list[str]:
        return await seat.ask_many(ANSWER, count, take=take, language=language, **asked)

    wanted = range(len(state["answers"]), kit.params.answers)
    replies = await answered(kit, kit.params.writers, wanted, sample)
    return {"replies": replies, "take": take + 1}


async def sift(state: State, runtime: Run) -> State:
    """Keep those that are whole, proven to be in the language, and different."""
    found, fault, proven = list(state["answers"]), "", runtime.context.params.unsure == "drop"
    for reply in state["replies"]:
        before, asked = [each.text for each in found], state["question"]
        wrong = refused(reply.text, asked, state["language"], before, proven=proven)
        fault = wrong or fault
        found += [] if wrong else [reply]
    return {"answers": found, "fault": fault}


async def keep(state: State) -> State:
    """Put question and request together; note the answers and who wrote which."""
    record, language, found = state["record"], state["language"], state["answers"]
    facts: dict[str, Json] = {"request": state["request"]}
    facts |= {"instruction_language": record.language, "output_language": language}
    facts |= {"responses": [str(each.text) for each in found]}
    facts |= {"written_by": [{"role": each.role, "model": each.model} for each in found]}
    facts |= {"provenance": provenance(record, response="model", rejected="model")}
    turns = (*record.messages[:-1], Message("user", f"{state['question']}\n{state['request']}"))
    return {"out": [record.child(0, language=language, messages=turns, facts=facts)]}


async def give_up(state: State) -> State:
    """Drop a question that cannot be asked, or has too few answers that will do."""
    if not state["take"]:
        return {"out": [Drop(state["record"], state["fault"], state["request"])]}
    told = f"{len(state['answers'])} in {state['language']}; the last refused: {state['fault']}"
    return {"out": [Drop(state["record"], "too_few_answers", told)]}


def after_open(state: State) -> Literal["answer", "write_request", "give_up"]:
    """Ask by a sentence that is listed, or have one written."""
    if state["fault"]:
        return "give_up"
    return "answer" if state["request"] else "write_request"


def after_request(state: State) -> Literal["answer", "give_up"]:
    """Go on with a request that is in its language."""
    return "give_up" if state["fault"] else "answer"


def after_sift(state: State, runtime: Run) -> Literal["keep", "answer", "give_up"]:
    """Ask for what is missing while there are takes left."""
    params, there = runtime.context.params, len(state["answers"])
    if there < params.answers and state["take"] < params.takes:
        return "answer"
    return "keep" if there >= params.least else "give_up"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``open_question -> write_request? -> (answer -> sift)* -> keep``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (open_question, write_request, answer, sift, keep, give_up):
        g.add_node(node)
    g.add_edge(START, "open_question")
    g.add_conditional_edges("open_question", after_open)
    g.add_conditional_edges("write_request", after_request)
    g.add_edge("answer", "sift")
    g.add_conditional_edges("sift", after_sift)
    g.add_edge("keep", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=(REQUEST, ANSWER), roles=WRITERS[1:])
