"""Cross-lingual forms: news and dictionaries as tasks, asked in one language, answered in another.

No model. What people wrote in a language is the answer, letter by letter: the headline, summary or
text of an article; an example, the definition or the synonyms of a word. The instruction is one of
a few sentences in a widely spoken language (``taxonomies/cross_lingual_forms.yaml``), and may show
the same article or word as people have put it in that language. Some tasks stand behind solved ones
of other rows (from the pass ``other_rows``). Drawn are the form, the language that asks and the
sentence; all three are in the record.

Source: Philippy et al., "LuxInstruct: A Cross-Lingual Instruction Tuning Dataset For
Luxembourgish", 2025, arXiv:2510.07074, section 3 (the parts made from news and a dictionary).
Differs: any languages; forms and sentences are ours; an answer that a row says is not native, or
that is in another language, makes no record.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field, field_validator

from engine.core import Drop, Message
from engine.fields import tag
from engine.kit import Flow, Generator, Kit
from engine.languages.fixed_forms import (
    Posed,
    Row,
    book,
    fields,
    fitting,
    own_words,
    pose,
    rows_in,
    with_examples,
    words_of,
)
from engine.languages.quality import answer_fault

Weight = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    languages: dict[str, Weight] = Field(default={"en": 1.0, "fr": 1.0, "de": 1.0}, min_length=1)
    """BCP-47 tags of the languages to ask in, each with a relative weight; a row's own is never
    drawn for it."""
    forms: list[str] = Field(default_factory=lambda: [*book().forms], min_length=1)
    """The forms to draw from, by their names in ``taxonomies/cross_lingual_forms.yaml``."""
    per_row: int = Field(default=1, ge=1, le=20)
    """Forms drawn for a row, none twice; each makes a record."""
    few_shot: float = Field(default=0.3, ge=0, le=1)
    """Share (0..1) of tasks that stand behind solved ones, where there are other rows."""
    shots: int = Field(default=2, ge=1, le=10)
    """Solved tasks before such a task, at most."""

    @field_validator("languages")
    @classmethod
    def _worded(cls, given: dict[str, float]) -> dict[str, float]:
        tags = {tag(name): weight for name, weight in given.items()}
        return {name: weight for name, weight in tags.items() if words_of(name)}

    @field_validator("forms")
    @classmethod
    def _known(cls, given: list[str]) -> list[str]:
        if unknown := set(given) - book().forms.keys():
            raise ValueError(f"no form {', '.join(unknown)}; there are {', '.join(book().forms)}")
        return list(dict.fromkeys(given))


class State(Flow, total=False):
    """What the nodes pass on."""

    left: dict[str, list[str]]
    """Language that may ask -> forms not drawn yet that the row has all fields for."""
    asked_in: str
    form: str
    posed: Posed
    others: list[Row]
    """Rows to solve before the task is asked; none where it stands alone."""
    asked: str
    """The whole of what the user says."""


Run = Runtime[Kit[Params]]


async def open_row(state: State, runtime: Run) -> State:
    """See which languages can ask for what of this row."""
    params, record = runtime.context.params, state["record"]
    native = [name for name in params.forms if own_words(record.facts, name)]
    fit = {each: fitting(record.facts, native, each, record.language) for each in params.languages}
    return {"left": {each: names for each, names in fit.items() if names}, "out": []}


async def draw(state: State, runtime: Run) -> State:
    """Draw the language that asks, the form, its sentence, and whether examples come first."""
    kit, record, left = runtime.context, state["record"], state["left"]
    lot = kit.random("form", len(state["out"]))
    asked_in = lot.choices([*left], [kit.params.languages[each] for each in left])[0]
    form = lot.choice(left[asked_in])
    posed = pose(form, record.facts, asked_in, record.language, lot)
    few = book().forms[form].examples and lot.random() < kit.params.few_shot
    others = [row for row in rows_in(record.facts.get("others")) if own_words(row, form)]
    rows = [row for row in others if fitting(row, [form], asked_in, record.language)]
    shown = lot.sample(rows, min(kit.params.shots, len(rows))) if few else []
    rest = {each: [name for name in names if name != form] for each, names in left.items()}
    return {
        "left": {each: names for each, names in rest.items() if names},
        "asked_in": asked_in,
        "form": form,
        "posed": posed,
        "others": shown,
    }


async def zero_shot(state: State) -> State:
    """Ask, and nothing else."""
    return {"asked": state["posed"].asked}


async def few_shot(state: State, runtime: Run) -> State:
    """Show the same task of other rows, solved, and then ask."""
    form, asked_in, posed = state["form"], state["asked_in"], state["posed"]
    lot, language = runtime.context.random("examples", len(state["out"])), state["record"].language
    solved = [pose(form, row, asked_in, language, lot, posed.place) for row in state["others"]]
    return {"asked": with_examples(solved, posed.asked, asked_in)}


async def pair(state: State) -> State:
    """Set question and answer together; an answer in another language is none."""
    record, posed, form = state["record"], state["posed"], book().forms[state["form"]]
    kept = {name: fact for name, fact in record.facts.items() if name not in fields()}
    kept |= {"form": state["form"], "task_type": form.task, "asked_as": posed.place}
    kept |= {"instruction_language": state["asked_in"], "output_language": record.language}
    kept |= {"examples_from": [row.get("id") for row in state["others"]]}
    given = "translation" if form.across else "native"
    kept |= {"provenance": {"instruction": "template", "input": given, "response": "native"}}
    if posed.material and not state["others"]:
        kept |= {"instruction": posed.sentence, "input": posed.material}
    turns = (Message("user", state["asked"]), Message("assistant", posed.answer))
    made = replace(record.child(len(state["out"])), messages=turns, facts=kept)
    fault = answer_fault(posed.answer, state["asked"], record.language)
    return {"out": [*state["out"], Drop(made, fault, posed.answer[:500]) if fault else made]}


async def give_up(state: State) -> State:
    """Drop a row that fits no form in any language that asks."""
    return {"out": [Drop(state["record"], "no_form_fits")]}


def after_open(state: State) -> Literal["draw", "give_up"]:
    """Ask where there is something to ask."""
    return "draw" if state["left"] else "give_up"


def after_draw(state: State) -> Literal["zero_shot", "few_shot"]:
    """Each has a node of its own."""
    return "few_shot" if state["others"] else "zero_shot"


def after_pair(state: State, runtime: Run) -> Literal["draw", "__end__"]:
    """Draw another form while there are some left."""
    enough = len(state["out"]) >= runtime.context.params.per_row
    return "__end__" if enough or not state["left"] else "draw"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``open_row -> (draw -> zero_shot | few_shot -> pair)*``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (open_row, draw, zero_shot, few_shot, pair, give_up):
        g.add_node(node)
    g.add_edge(START, "open_row")
    g.add_conditional_edges("open_row", after_open)
    g.add_conditional_edges("draw", after_draw)
    g.add_edge("zero_shot", "pair")
    g.add_edge("few_shot", "pair")
    g.add_conditional_edges("pair", after_pair)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=())
