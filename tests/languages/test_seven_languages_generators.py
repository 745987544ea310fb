"""Every generator, in seven languages of six scripts, through its own graph.

What it must not do: drop all of a language, write another language than the record's, ask for one,
show a model English that is none of its business, or leave a reply no room because its limit was
set for English. On what each is tried is said in ``trials``; a generator that stands in no table
there fails.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import pytest
from pydantic import BaseModel

from engine import parts, shipped
from engine.core import Drop, Message, Outcome, Record
from engine.kit import EMBEDDER, Generator, as_step
from engine.languages.agreement import judged
from engine.languages.identify import Identified, identify
from engine.languages.names import english_name
from engine.languages.tags import base
from engine.models.chat import Reply, Request
from engine.models.fake import FakeChat, Script
from engine.models.rehearsal import Rehearsal
from engine.prompting import Library
from tests.conftest import ROOT
from tests.filters.samples import GOOD
from tests.languages.trials import LANGUAGES, TRIALS, Trial, other

NAMES = parts.names("generators")
UNWORDED: dict[tuple[str, str], str] = {}
"""Generator and language -> why it has no wording there; all it does is to say so."""
IN_ENGLISH = {
    ("bonito/task", "kind"): "what the kinds of task are, for whoever writes one",
    ("cultural/write", "asks"): "what kind of instruction is wanted",
    ("cultural_facts/list", "meanings"): "what the domains are, of which one is chosen",
    ("sequential_instructions/choose", "examples"): "reasons, which are asked for in English",
    ("subject_tags/choose", "categories"): "the tree's names, of which a key is chosen",
}
"""Prompt and input that is English in every language, and why."""
CUT = {
    "alpaca/propose": "of a list that is cut, the last block is given up; the limit is the paper's",
    "sequential_instructions/choose": "a real model stops at ###, which the rehearsal never writes",
}
"""Prompts to which the rehearsal's replies are cut, and why that is no matter."""

_LATIN = re.compile("[A-Za-z]{3}")


class Prompted(Rehearsal):
    """The rehearsal model, or what a script says in its place; keeps every request and reply."""

    def begin(self, script: Mapping[str, Script]) -> None:
        """Forget what was asked, and go by this script."""
        self._said, self._scripted = FakeChat(script), frozenset(script)
        self.heard: list[tuple[Request, Reply]] = []

    async def chat(self, request: Request) -> Reply:
        scripted = prompt_of(request) in self._scripted
        reply = await (self._said.chat(request) if scripted else super().chat(request))
        self.heard.append((request, reply))
        return reply


@pytest.fixture(scope="module")
def model() -> Prompted:
    return Prompted(shipped.folder("taxonomies") / "rehearsal")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(NAMES))
async def test_a_generator_works_in_every_language(
    name: str, language: str, prompts: Library, model: Prompted
) -> None:
    assert name in TRIALS, f"{name} is tried in no language: say in trials.py on what"
    trial = TRIALS[name]
    model.begin(trial.script(language))
    outcomes = await made(name, language, prompts, model)
    dropped = [outcome for outcome in outcomes if isinstance(outcome, Drop)]
    if (name, language) in UNWORDED:
        assert outcomes and {drop.reason for drop in outcomes} == {"unworded_language"}
        return
    kept = [outcome for outcome in outcomes if isinstance(outcome, Record)]
    assert kept, [(drop.reason, drop.detail[:100]) for drop in dropped]
    assert {base(record.language) for record in kept} == {language}
    is_written_in(language, [text for record in kept for text in trial.texts(record)])
    for request, reply in model.heard:
        asks_in({language, *trial.beside(language)}, request, prompts)
        assert prompt_of(request) in CUT or not reply.truncated, f"{request.prompt}: no room"


def test_every_trial_is_of_a_generator_that_is_there() -> None:
    assert set(TRIALS) <= set(NAMES)
    assert {name for name, _ in UNWORDED} <= set(TRIALS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_another_language_is_noticed(language: str, prompts: Library) -> None:
    with pytest.raises(AssertionError):
        is_written_in(language, [GOOD[language][1], GOOD[other(language)][1]])
    stray = Request((), prompt="respond/respond@0", language=other(language))
    with pytest.raises(AssertionError, match="asks in"):
        asks_in({language}, stray, prompts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_trials_say_the_same_in_every_language(language: str) -> None:
    for name, trial in TRIALS.items():
        there, here = ([set(seed.facts) for seed in trial.seeds(tag)] for tag in ("en", language))
        assert here and {*map(frozenset, here)} <= {*map(frozenset, there)}, name
        assert trial.params(language).keys() == trial.params("en").keys(), name


async def made(name: str, language: str, prompts: Library, model: Prompted) -> list[Outcome]:
    """What comes of every seed of a generator's trial."""
    kind: Generator[Any] = importlib.import_module(NAMES[name]).GENERATOR
    trial: Trial = TRIALS[name]
    roles = {prompts.load(prompt.name).header.role for prompt in kind.prompts} | set(kind.roles)
    params = kind.params(**trial.params(language))
    models = dict.fromkeys(roles - {EMBEDDER}, model)  # which the built-in n-grams play
    step = as_step(kind, name, params, models, prompts, seed=1)
    return [outcome for seed in trial.seeds(language) for outcome in await step(seed)]


def is_written_in(language: str, texts: list[str]) -> None:
    """None of the texts is in another language, and all of them together are surely in this."""
    for text in dict.fromkeys(texts):
        assert judged(told(text), language) in ("right", "unsure"), text
    whole = "\n\n".join(texts)
    assert judged(told(whole), language) == "right", whole[:2000]


def asks_in(languages: set[str], request: Request, prompts: Library) -> None:
    """A request is in one of the languages, names it and no other, and shows none but these."""
    assert base(request.language) in languages, f"{request.prompt} asks in {request.language}"
    name, said = prompt_of(request), "\n".join(turn.content for turn in request.messages)
    if "language" in prompts.load(name).header.inputs:
        assert english_name(request.language) in said
    own = (ROOT / "prompts" / f"{name}.j2").read_text(encoding="utf-8")
    for word in map(english_name, set(LANGUAGES) - languages):
        assert said.count(word) <= own.count(word), f"{request.prompt} is told of {word}"
    for key, value in request.inputs.items():
        if "en" in languages or key in ("language", "origin") or (name, key) in IN_ENGLISH:
            continue
        for text in filter(_LATIN.search, texts_in(value)):
            assert told(text).tag != "en", f"{request.prompt}: {key} is English: {text[:80]}"


@lru_cache(maxsize=4096)
def told(text: str) -> Identified:
    return identify(text)


def prompt_of(request: Request) -> str:
    return request.prompt.partition("@")[0]


def texts_in(value: object) -> Iterator[str]:
    """Every text of an input."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Message):
        yield value.content
    elif isinstance(value, BaseModel | Mapping):
        yield from texts_in(list(dict(value).values()))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts_in(each)
