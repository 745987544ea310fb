from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.core import Drop, Outcome, Record
from engine.generators.self_code_align import GENERATOR
from engine.models.chat import Reply
from engine.text.python_code import definitions
from engine.verifiers.execution import VERIFIER
from tests.conftest import Bind, seed
from tests.sandbox.walled import best

REPLIES = sorted((Path(__file__).parent / "replies" / "self_code_align").glob("*.txt"))
SNIPPET = 'def twice(x):\n    """Return the double."""\n    return 2 * x\n'
TASK = "Schreibe eine Funktion, die Schaltjahre zählt."
SOUND = json.dumps({"sound": True, "concepts": ["Schaltjahrregel", " Bereich ", "Bereich"]})


@pytest.fixture(autouse=True)
def walls() -> None:
    best()


def written(path: Path) -> tuple[str, str]:
    """What a model replied, and what must become of it."""
    reply, _, expected = path.read_text(encoding="utf-8").partition("\n=== outcome\n")
    return reply, expected.strip()


def reply(name: str) -> str:
    return written(next(path for path in REPLIES if path.stem == name))[0]


def script(*responses: Any, concepts: str = SOUND, task: Any = TASK) -> dict[str, Any]:
    names = {"concepts": concepts, "task": task, "respond": list(responses)}
    return {f"self_code_align/{name}": said for name, said in names.items()}


def told(outcome: Outcome) -> str:
    if isinstance(outcome, Drop):
        assert outcome.reason == "no_response_holds"
        return outcome.detail.removesuffix(" 1x")
    return f"keep | {' '.join(definitions(outcome.facts['code']))}"


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_replies_as_models_write_them_hold_or_drop_by_rule(path: Path, bind: Bind) -> None:
    said, expected = written(path)
    step, _ = bind(GENERATOR, script(said), responses=1, timeout_s=1)
    [outcome] = await step(seed(language=path.stem.split("_")[0], snippet=SNIPPET))
    assert told(outcome) == expected


async def test_one_that_holds_is_kept_with_its_tests_and_passes_the_verifier(bind: Bind) -> None:
    bad, good = reply("en_wrong_expectation"), reply("de_plain")
    step, chat = bind(GENERATOR, script(bad, good, bad, "Nein."), responses=4)
    [kept] = await step(seed(language="de", snippet=SNIPPET))
    assert isinstance(kept, Record)
    assert kept.last("user") == TASK
    assert "<tests>" not in kept.last("assistant") and "assert" not in kept.last("assistant")
    assert kept.last("assistant").endswith("leer und das Ergebnis 0.")
    assert kept.facts["tests"].startswith("assert schaltjahre(2000, 2000) == 1")
    assert (
        kept.facts["code"].startswith("def schaltjahre(von, bis):")
        and "Regel" not in kept.facts["code"]
    )
    assert kept.facts["pass_rate"] == 0.25
    assert kept.facts["concepts"] == ["Schaltjahrregel", "Bereich"]
    assert chat.asked[1].inputs["concepts"] == ["Schaltjahrregel", "Bereich"]
    assert SNIPPET.split("(")[0] not in chat.asked[1].messages[-1].content, "made without it"
    verify, _ = bind(VERIFIER)
    [checked] = await verify(kept)
    assert isinstance(checked, Record) and checked.facts["execution"] == {"assertions": 4}


async def test_where_nothing_holds_the_drop_counts_what_was_wrong(bind: Bind) -> None:
    bad, cut = reply("en_wrong_expectation"), Reply(reply("de_plain"), "fake", truncated=True)
    step, _ = bind(GENERATOR, script(bad, bad, cut), responses=3)
    [drop] = await step(seed(language="de", snippet=SNIPPET))
    assert isinstance(drop, Drop) and drop.reason == "no_response_holds"
    assert drop.detail == "failed 2x, cut_response 1x"


@pytest.mark.parametrize(
    ("concepts", "task", "reason", "asked"),
    [
        ('{"sound": false, "concepts": []}', TASK, "unsound_snippet", 1),
        ('{"sound": true, "concepts": [" "]}', TASK, "no_concepts", 1),
        (SOUND, "  ", "no_instruction", 2),
        (SOUND, "Wort " * 41, "instruction_too_long", 2),
        (SOUND, "编写函数。" * 20, "instruction_too_long", 2),
        (SOUND, Reply(TASK, "fake", truncated=True), "cut_instruction", 2),
        ("no idea", TASK, "bad_reply", 3),
    ],
)
async def test_what_cannot_become_a_task_ends_before_it_costs_answers(
    concepts: str, task: Any, reason: str, asked: int, bind: Bind
) -> None:
    step, chat = bind(GENERATOR, script(concepts=concepts, task=task), max_words=40)
    [drop] = await step(seed(language="de", snippet=SNIPPET))
    assert isinstance(drop, Drop) and drop.reason == reason
    assert len(chat.asked) == asked


async def test_a_seed_without_a_snippet_costs_no_call(bind: Bind) -> None:
    step, chat = bind(GENERATOR, script())
    [drop] = await step(seed("Schreibe etwas."))
    assert isinstance(drop, Drop) and drop.reason == "no_snippet" and not chat.asked


async def test_category_and_difficulty_are_drawn_from_the_jobs_own(bind: Bind) -> None:
    held = reply("de_plain")
    only = {"categories": ["class"], "difficulties": ["hard"]}
    step, chat = bind(GENERATOR, script(held), responses=1, **only)
    [kept] = await step(seed(language="de", snippet=SNIPPET))
    assert isinstance(kept, Record)
    assert (kept.facts["category"], kept.facts["difficulty"]) == ("class", "hard")
    assert "one class with two or more methods" in chat.asked[1].messages[-1].content
