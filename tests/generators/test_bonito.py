from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from pydantic import ValidationError

from engine.core import Drop, Outcome, Record
from engine.generators.bonito import GENERATOR
from engine.job import load
from engine.models.chat import Reply
from engine.prompting import Library
from engine.shipped import JOBS
from engine.sources.documents import SOURCE
from engine.text.task_types import SLOT, conditional, kinds
from engine.wiring import wire
from tests.conftest import SHARED, Bind, needs_shared, read, seed

REPLIES = sorted((Path(__file__).parent / "replies" / "bonito").glob("*.txt"))
TEXT = "Der Nebel kam, und das Boot kehrte um."
TASK = json.dumps({"input": f"{SLOT}\n\nWarum?", "output": "Nebel"})


def script(reply: Any) -> dict[str, Any]:
    return {"bonito/completion": reply, "bonito/task": reply}


def written(path: Path) -> tuple[str, str]:
    """What a model replied, and what must become of it."""
    reply, _, expected = path.read_text(encoding="utf-8").partition("\n=== outcome\n")
    return reply, expected.strip()


def told(outcome: Outcome) -> str:
    return outcome.reason if isinstance(outcome, Drop) else "keep"


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_what_models_write_is_kept_or_drops_by_rule(path: Path, bind: Bind) -> None:
    model, language, _ = path.stem.split("_", 2)
    reply, expected = written(path)
    step, _ = bind(GENERATOR, script(reply), model=model)
    [outcome] = await step(seed(TEXT, language, task_types="qa"))
    assert told(outcome) == expected
    if isinstance(outcome, Record):
        turns = [message.content for message in outcome.messages]
        assert not any(SLOT in turn or "<|pipe|>" in turn for turn in turns)
        assert all(turn == turn.strip() for turn in turns)
        slots = outcome.facts["template"]
        assert [part.replace(SLOT, TEXT).strip() for part in slots] == turns


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        (f" {SLOT} Warum? <|pipe|> Nebel ", (f"{TEXT} Warum?", "Nebel")),
        (f"Schreibe etwas.<|pipe|>\n{SLOT}\n", ("Schreibe etwas.", TEXT)),
        (f"{SLOT} {SLOT}<|pipe|>{SLOT}", (f"{TEXT} {TEXT}", TEXT)),
        ("{{ context }} Warum?<|pipe|>Nebel", ("{{ context }} Warum?", "Nebel")),
        ("Warum?<|pipe|>Nebel", ("Warum?", "Nebel")),
        (f"{SLOT} Warum? Nebel", None),
        (f"{SLOT}<|pipe|>Nebel<|pipe|>Boot", None),
    ],
)
async def test_a_completion_is_taken_apart_and_filled_in_letter_by_letter(
    completion: str, expected: tuple[str, str] | None, bind: Bind
) -> None:
    step, _ = bind(GENERATOR, script(completion), model="trained")
    [outcome] = await step(seed(f"  {TEXT}\n", task_types=["qa"]))
    if expected is None:
        assert told(outcome) == "not_one_separator"
    else:
        assert isinstance(outcome, Record)
        assert (outcome.last("user"), outcome.last("assistant")) == expected


def for_a_trained_model() -> str:
    """The shipped job, changed as it says for a trained model."""
    text = (JOBS / "bonito.yaml").read_text(encoding="utf-8")
    text, _, lines = text.partition("has learnt English.\n")
    model = "".join(line.removeprefix("# ") for line in lines.splitlines(keepends=True))
    text = re.sub(r"^  writer: .*\n", lambda _: model, text, count=1, flags=re.M)
    return text.replace("model: instruct", "model: trained")


def chat_template() -> str:
    """The one that the shipped job says a trained model is to be served with."""
    found: str = yaml.safe_load(for_a_trained_model())["models"]["writer"]["args"]["chat-template"]
    return found


def test_the_shipped_job_is_whole_when_it_is_changed_for_a_trained_model(tmp_path: Path) -> None:
    file = tmp_path / "bonito.yaml"
    text = for_a_trained_model().replace("path: documents", f"path: {JOBS / 'documents'}")
    file.write_text(text, encoding="utf-8")
    assert wire(load(file, environment={})).models_used() == ["writer"]


@pytest.mark.parametrize("kind", kinds())
async def test_a_trained_model_sees_its_form_byte_by_byte(
    kind: str, bind: Bind, prompts: Library
) -> None:
    step, chat = bind(GENERATOR, script("x<|pipe|>y"), model="trained", samples=2)
    await step(seed(f"\n {TEXT} \n\nZweiter Absatz.\n", task_types=[kinds()[kind].name]))
    [request] = chat.asked
    [message] = request.messages
    seen = jinja2.Template(chat_template()).render(
        bos_token="<s>", messages=[{"role": message.role, "content": message.content}]
    )
    full = kinds()[kind].name
    text = f"{TEXT} \n\nZweiter Absatz."
    assert seen == f"<s><|tasktype|>\n{full}\n<|context|>\n{text}\n<|task|>\n"
    assert seen == "<s>" + conditional(kind, text)
    assert request.schema is None and request.n == 2
    assert request.sampling == {"temperature": 0.5, "top_p": 0.95, "max_tokens": 256}


async def test_any_other_model_is_held_to_two_texts(bind: Bind) -> None:
    step, chat = bind(GENERATOR, script(TASK))
    [record] = await step(seed(TEXT, "sw", task_types="nli"))
    [request] = chat.asked
    assert request.schema and list(request.schema["properties"]) == ["input", "output"]
    asked = request.messages[-1].content
    assert kinds()["nli"].name in asked and SLOT in asked and "Swahili" in asked
    assert isinstance(record, Record) and record.facts["task_type"] == "nli"


@pytest.mark.parametrize(
    ("how", "expected"),
    [("keep", "Warum?"), ("append", f"Warum?\n\n{TEXT}"), ("drop", "no_slot")],
)
async def test_a_task_without_the_slot_is_what_the_job_says(
    how: str, expected: str, bind: Bind
) -> None:
    reply = json.dumps({"input": "Warum?", "output": "Nebel"})
    step, _ = bind(GENERATOR, script(reply), without_slot=how)
    [outcome] = await step(seed(TEXT))
    assert (outcome.last("user") if isinstance(outcome, Record) else outcome.reason) == expected


async def test_every_sample_of_every_type_is_told_apart(bind: Bind) -> None:
    step, chat = bind(GENERATOR, script(TASK), samples=3, per_context=4)
    out = await step(seed(TEXT))
    assert len(chat.asked) == 4 and len(out) == 12
    records = [each for each in out if isinstance(each, Record)]
    assert set(Counter(each.facts["task_type"] for each in records).values()) == {3}
    assert len({each.id for each in records}) == 12


async def test_a_type_whose_replies_are_no_tasks_takes_no_other_with_it(bind: Bind) -> None:
    def reply(request: Any) -> str:
        return "Nein." if request.inputs["kind"]["name"] == "sentiment" else TASK

    step, _ = bind(GENERATOR, script(reply))
    out = await step(seed(TEXT, task_types=["sentiment", "qa"]))
    assert list(map(told, out)) == ["bad_reply", "keep"]


async def test_a_completion_that_was_cut_is_not_used(bind: Bind) -> None:
    cut = Reply(f"{SLOT} Warum?<|pipe|>Der Ne", "fake", truncated=True)
    step, _ = bind(GENERATOR, script(cut), model="trained")
    assert list(map(told, await step(seed(TEXT)))) == ["cut_reply"]


async def test_drawn_types_come_from_the_list_and_all_come(bind: Bind) -> None:
    step, _ = bind(GENERATOR, script(TASK), task_types=["qg", "yes-no question answering"])
    seen: set[str] = set()
    for n in range(20):
        [record] = await step(replace(seed(TEXT), id=f"s{n}"))
        assert isinstance(record, Record)
        seen.add(record.facts["task_type"])
    assert seen == {"qg", "ynqa"}


@pytest.mark.parametrize(
    ("text", "facts", "reason"),
    [
        ("", {}, "no_context"),
        (" \n", {}, "no_context"),
        (TEXT, {"task_types": ["poem"]}, "unknown_task_type"),
        ("ein <|task|> im Text", {}, "mark_in_context"),
        ("ein <|pipe|> im Text", {}, "mark_in_context"),
    ],
)
async def test_what_cannot_be_asked_costs_no_call(
    text: str, facts: dict[str, Any], reason: str, bind: Bind
) -> None:
    step, chat = bind(GENERATOR, script(TASK), model="trained")
    [drop] = await step(seed(text, **facts))
    assert isinstance(drop, Drop) and drop.reason == reason and not chat.asked


async def test_a_slot_within_the_text_is_never_filled(bind: Bind) -> None:
    text = f"Im Handbuch steht {SLOT} als Platzhalter."
    step, _ = bind(
        GENERATOR, script(f"{SLOT} Was steht da?<|pipe|>Ein Platzhalter"), model="trained"
    )
    [record] = await step(seed(text))
    assert isinstance(record, Record) and record.last("user") == f"{text} Was steht da?"


def test_a_type_that_does_not_exist_is_a_mistake_in_the_job() -> None:
    with pytest.raises(ValidationError, match="no task type 'poem'; there are exqa"):
        GENERATOR.params.model_validate({"task_types": ["poem"]})


@needs_shared
async def test_the_declaration_in_many_languages_stands_in_every_task_letter_by_letter(
    bind: Bind,
) -> None:
    whole = read(SOURCE, SHARED, path="udhr2.zip", language_from="stem", otherwise="und")
    documents = list(islice(whole, 60))
    assert len({document.language for document in documents}) >= 20
    step, _ = bind(GENERATOR, script(TASK))
    for document in documents:
        [made] = await step(document)
        assert isinstance(made, Record)
        assert made.last("user") == f"{document.facts['document'].strip()}\n\nWarum?"
