"""Translate: chosen fields of a record, checked piece by piece, sent back where they fail.

What must not change (code, formulas, links, placeholders, tags, quantities, chosen names) is
masked, each field is translated in pieces, and everything is put back or the translation is
refused. What comes back is measured (``engine.languages.quality``), translated back where that is
wanted, and held against limits calibrated for this pair of languages and this translator. What
fails is sent back with the reason; what fails for good drops with it. One record comes out for each
language; of each of its fields it says whether it is native, translated or to be regenerated.

Source: Li et al., "Bactrian-X: Multilingual Replicable Instruction-Following Models with Low-Rank
Adaptation", 2023, arXiv:2305.15011 (the prompt is translated, the answer is not); Chen et al., "Is
It Good Data for Multilingual Instruction Tuning or Just Bad Multilingual Evaluation for Large
Language Models?", 2024, arXiv:2406.12822 (translators and languages score differently).
Differs: any model of the job translates, or a served translation model; nothing goes unchecked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from engine.kit import EMBEDDER, Flow, Generator, Kit
from engine.languages.names import english_name
from engine.languages.quality import chrf
from engine.languages.translate import Unit, chunks, joined, marks, opened, speaks, unmasked
from engine.prompting import Prompt
from engine.translating import Settings, looked_at, outcome, weighed

TRANSLATE = Prompt("translate/translate", reply=str)
REPAIR = Prompt("translate/repair", reply=str)
PLAIN = Prompt("translate/plain", reply=str)


class Params(Settings, extra="forbid"):
    """Settings a job may change."""


class State(Flow, total=False):
    """What the nodes pass on."""

    units: tuple[Unit, ...]
    """Every field that is to be translated, once for each language."""


Run = Runtime[Kit[Params]]
Way = tuple[str, str]
"""English name of the language that a text is in, and tag of the one it goes into."""
Ask = Callable[[Kit[Params], Unit, int, str, Way], Awaitable[str]]
"""Kit, unit, number of the piece, the piece itself and its way -> its translation."""


async def open_fields(state: State, runtime: Run) -> State:
    """Take the record apart, for each language, and mask what must not change."""
    params, record = runtime.context.params, state["record"]
    several = (opened(record, tag, *params.of(record)) for tag in params.into)
    return {"units": tuple(unit for units in several for unit in units)}


async def translate(state: State, runtime: Run) -> State:
    """Ask a model, with the rules, for a first translation of every field."""
    return {"units": await _each(state, runtime, _carefully)}


async def translate_plainly(state: State, runtime: Run) -> State:
    """Ask a translation model, with nothing but the text, for a first or for another one."""
    return {"units": await _each(state, runtime, _plainly)}


async def repair(state: State, runtime: Run) -> State:
    """Send every translation that failed back, with what is wrong with it."""
    return {"units": await _each(state, runtime, _repaired)}


async def check(state: State, runtime: Run) -> State:
    """Measure what came back; note what is wrong in any language."""
    origin = state["record"].language
    return {"units": tuple(looked_at(unit, origin) for unit in state["units"])}


async def translate_back(state: State, runtime: Run) -> State:
    """Translate what is good so far back into the source's language, and compare."""
    kit = runtime.context
    ask, home = _plainly if kit.params.style == "plain" else _carefully, kit.record.language

    async def one(unit: Unit) -> Unit:
        if not unit.fresh:
            return unit
        pieces, gaps = chunks(unit.draft, kit.params.max_chunk_chars)
        replies = await _asked(kit, unit, pieces, (english_name(unit.language), home), ask)
        back = joined(replies, gaps)
        return replace(unit, back=back).knowing(chrf=chrf(back, unit.masked.text))

    return {"units": tuple(await asyncio.gather(*map(one, state["units"])))}


async def weigh(state: State, runtime: Run) -> State:
    """Hold what was measured against the limits of its pair and its translator."""
    kit, origin, engine = runtime.context, state["record"].language, _engine(runtime.context)

    async def one(unit: Unit) -> Unit:
        if not unit.fresh:
            return unit
        if kit.params.meaning:
            here, there = await kit.embed([unit.source, unit.text])
            unit = unit.knowing(similarity=float(here @ there))
        return weighed(unit, origin, engine, kit.params)

    return {"units": tuple(await asyncio.gather(*map(one, state["units"])))}


async def compose(state: State, runtime: Run) -> State:
    """Put the record together in each language; drop it in those where a field failed."""
    kit, record, engine = runtime.context, state["record"], _engine(runtime.context)
    out = []
    for index, tag in enumerate(kit.params.into):
        units = [unit for unit in state["units"] if unit.language == tag]
        out.append(outcome(record, index, tag, units, engine, kit.params))
    return {"out": out}


def to_translator(
    state: State, runtime: Run
) -> Literal["translate", "translate_plainly", "compose"]:
    """Ask as the translator wants to be asked."""
    if not state["units"]:
        return "compose"
    return "translate_plainly" if runtime.context.params.style == "plain" else "translate"


def after_check(state: State, runtime: Run) -> Literal["translate_back", "weigh"]:
    """Translate back where the job wants it."""
    return "translate_back" if runtime.context.params.back else "weigh"


def after_weigh(state: State, runtime: Run) -> Literal["repair", "translate_plainly", "compose"]:
    """Once more, while something fails that may still be tried."""
    params = runtime.context.params
    if not any(unit.fault and unit.take < params.takes for unit in state["units"]):
        return "compose"
    return "translate_plainly" if params.style == "plain" else "repair"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``open_fields -> (translate | repair -> check -> translate_back -> weigh)* -> compose``."""
    g = StateGraph(State, context_schema=Kit)
    g.add_node(open_fields).add_node(translate).add_node(translate_plainly).add_node(repair)
    g.add_node(check).add_node(translate_back).add_node(weigh).add_node(compose)
    g.add_edge(START, "open_fields")
    g.add_conditional_edges("open_fields", to_translator)
    for asking in ("translate", "translate_plainly", "repair"):
        g.add_edge(asking, "check")
    g.add_conditional_edges("check", after_check)
    g.add_edge("translate_back", "weigh")
    g.add_conditional_edges("weigh", after_weigh)
    g.add_edge("compose", END)
    return g


async def _each(state: State, runtime: Run, ask: Ask) -> tuple[Unit, ...]:
    """Every unit that wants a translation with a new one."""
    kit = runtime.context

    async def one(unit: Unit) -> Unit:
        if unit.sound or unit.take >= kit.params.takes:
            return unit
        pieces, gaps = chunks(unit.masked.text, kit.params.max_chunk_chars)
        replies = await _asked(kit, unit, pieces, (kit.language, unit.language), ask)
        return unmasked(unit, replies, pieces, gaps)

    return tuple(await asyncio.gather(*map(one, state["units"])))


async def _asked(
    kit: Kit[Params], unit: Unit, pieces: Sequence[str], way: Way, ask: Ask
) -> list[str]:
    """The translations of the pieces, in their order; what has no words is left as it is."""

    async def one(at: int, text: str) -> str:
        return await ask(kit, unit, at, text, way) if speaks(text) else text

    return list(await asyncio.gather(*(one(*each) for each in enumerate(pieces))))


async def _carefully(kit: Kit[Params], unit: Unit, at: int, text: str, way: Way) -> str:
    asked = {"text": text, "origin": way[0], "marks": marks(text)}
    return await kit.ask(TRANSLATE, take=unit.take, language=way[1], **asked)


async def _plainly(kit: Kit[Params], unit: Unit, at: int, text: str, way: Way) -> str:
    return await kit.ask(PLAIN, take=unit.take, language=way[1], text=text, origin=way[0])


async def _repaired(kit: Kit[Params], unit: Unit, at: int, text: str, way: Way) -> str:
    asked = {"text": text, "origin": way[0], "marks": marks(text), "draft": unit.drafts[at]}
    wrong = f"{unit.fault.replace('_', ' ')}: {unit.detail}"
    return await kit.ask(REPAIR, take=unit.take, language=way[1], fault=wrong, **asked)


def _engine(kit: Kit[Params]) -> str:
    """The translator, as its server calls it."""
    calls = kit.hop("").calls
    return "+".join(sorted({call.model for call in calls if call.role == "translator"}))


GENERATOR = Generator(graph, Params, prompts=(TRANSLATE, REPAIR, PLAIN), roles=(EMBEDDER,))
