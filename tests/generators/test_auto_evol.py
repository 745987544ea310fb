from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.core import Drop, Record
from engine.generators.auto_evol import GENERATOR, LABELS
from engine.kit import as_step
from engine.models.chat import Reply, Request
from engine.models.rehearsal import Rehearsal
from engine.passes.balance import PASS as BALANCE
from engine.prompting import Library
from engine.text.leftovers import names_label
from tests.conftest import ROOT, SHARED, Bind, needs_shared, seed, settle

REPLIES = sorted((Path(__file__).parent / "replies" / "auto_evol").glob("*.txt"))
GOOD = "Eine Antwort, die etwas sagt und die niemand bedauert."


def script(evolved: Any, answer: Any = GOOD, keywords: Any = '{"keywords": []}') -> dict[str, Any]:
    said = {"auto_evol/evolve": evolved, "auto_evol/answer": answer}
    return {**said, "auto_evol/keywords": keywords}


def harder(request: Request) -> str:
    """A reply in four parts, the last of them the instruction with two more words."""
    text = f"{request.inputs['instruction']} Und mehr."
    parts = ("1. Mehr fordern.\n2. Anders fragen.", "Ich fordere mehr.", "Entwurf.", text)
    return "\n".join(f"{name}\n{part}" for name, part in zip(LABELS, parts, strict=True))


def written(path: Path) -> tuple[str, str, str]:
    """The parent, what a model made of it, and what must become of that."""
    given, _, expected = path.read_text(encoding="utf-8").rpartition("\n=== outcome\n")
    parent, _, evolved = given.partition("\n=== evolved\n")
    return parent.removeprefix("parent: "), evolved, expected.strip()


def reasons(outcomes: Any) -> list[str]:
    return [outcome.reason for outcome in outcomes if isinstance(outcome, Drop)]


def kept(outcomes: Any) -> list[Record]:
    return [outcome for outcome in outcomes if isinstance(outcome, Record)]


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_replies_as_models_write_them_are_read_below_the_final_label(path: Path, bind: Bind):
    parent, evolved, expected = written(path)
    step, chat = bind(GENERATOR, script(evolved))
    outcome, *_ = await step(seed(parent, language=path.stem.split("_")[0]))
    if isinstance(outcome, Drop):
        assert outcome.reason == expected and len(chat.asked) == 1, "no answer is paid for"
    else:
        assert f"keep | {outcome.last('user')}" == expected


async def test_what_was_planned_stays_with_the_record(bind: Bind):
    step, chat = bind(GENERATOR, script(harder))
    [child] = await step(seed("Nenne drei Flüsse."))
    assert isinstance(child, Record)
    assert child.facts["methods"] == ["Mehr fordern.", "Anders fragen."]
    assert child.facts["plan"] == "Ich fordere mehr." and child.facts["growth_words"] == 2
    assert child.facts["parent_instruction"] == "Nenne drei Flüsse."
    assert child.last("assistant") == GOOD and len(chat.asked) == 2


async def test_the_labels_that_are_asked_for_are_those_that_are_read(bind: Bind):
    step, chat = bind(GENERATOR, script(harder))
    await step(seed("Nenne drei Flüsse."))
    asked = chat.asked[0].messages[-1].content.splitlines()
    assert [line for line in asked if line in LABELS][:4] == list(LABELS)


async def test_a_reply_that_was_cut_is_no_rewrite_though_its_label_is_there(bind: Bind):
    cut = Reply(f"{LABELS[3]}\nNenne drei Flüsse, die", model="fake", truncated=True)
    step, _ = bind(GENERATOR, script(cut))
    assert reasons(await step(seed("Nenne drei Flüsse."))) == ["cut_rewrite"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("Tut mir leid.", "apology"),
        ("...", "empty_answer"),
        (Reply("Halb", model="fake", truncated=True), "cut_answer"),
    ],
)
async def test_a_bad_answer_ends_the_child(bind: Bind, answer: Any, reason: str):
    step, _ = bind(GENERATOR, script(harder, answer))
    assert reasons(await step(seed("Nenne drei Flüsse.")))[0] == reason


async def test_methods_are_named_where_that_is_wanted_and_only_there(bind: Bind):
    said = json.dumps({"keywords": ["add a condition", " add a condition ", "", "ask for more"]})
    step, chat = bind(GENERATOR, script(harder, keywords=said), keywords=True, answers=False)
    [child] = await step(seed("Nenne drei Flüsse."))
    assert isinstance(child, Record) and [m.role for m in child.messages] == ["user"]
    assert child.facts["keywords"] == ["add a condition", "ask for more"]
    assert chat.asked[1].inputs["plan"] == "Ich fordere mehr." and len(chat.asked) == 2


async def test_methods_that_nobody_can_name_cost_no_record(bind: Bind):
    step, _ = bind(GENERATOR, script(harder, keywords="no json"), keywords=True)
    [child] = await step(seed("Nenne drei Flüsse."))
    assert isinstance(child, Record) and "keywords" not in child.facts


async def test_a_seed_that_asks_nothing_costs_no_call(bind: Bind):
    step, chat = bind(GENERATOR, script(harder))
    assert reasons(await step(seed(""))) == ["no_instruction"] and not chat.asked


async def test_both_arms_of_a_comparison_are_cut_to_one_size(bind: Bind):
    """The equal-size rule: one of three rewrites of the large arm fails, and two of each stay."""
    arms: list[Record] = []
    for arm, failing in (("small", -1), ("large", 1)):
        for row in range(3):
            step, _ = bind(GENERATOR, script("nothing" if row == failing else harder))
            made = await step(seed(f"Nenne {row + 2} Flüsse.", source=arm))
            arms += [Record(f"{arm}{row}", r.language, r.messages, r.facts) for r in kept(made)]
    assert len(arms) == 5
    even = [each for each in settle(BALANCE, arms, by=["source"]) if isinstance(each, Record)]
    assert [record.facts["source"] for record in even].count("small") == 2
    assert [record.facts["source"] for record in even].count("large") == 2


def test_the_labels_of_our_own_prompt_are_known_as_leaks(prompts: Library):
    inputs: Mapping[str, Any] = {
        "instruction": "Fluss", "input": "Fluss", "reply_labels": LABELS, "language": "German",
    }  # fmt: skip
    for turn in prompts.load("auto_evol/evolve").render(inputs):
        markers = [line for line in turn.content.splitlines() if line.isupper()]
        assert all(names_label(marker, "de") for marker in markers)
    assert not names_label("Write a plan for three months, then a final draft.", "en")


def test_the_drawn_graph_is_one_call_that_is_read_below_its_label():
    drawn = GENERATOR.graph().compile().get_graph()
    edges = {(edge.source, edge.target) for edge in drawn.edges}
    assert {
        ("evolve", "read"), ("read", "screen"), ("read", "finish"), ("screen", "answer"),
        ("screen", "finish"), ("answer", "keywords"), ("keywords", "finish"),
    } <= edges  # fmt: skip


@needs_shared
async def test_the_public_seed_tasks_go_through_and_keep_their_inputs(bind: Bind):
    lines = (SHARED / "self_instruct_seed_tasks.jsonl").read_text(encoding="utf-8").splitlines()
    step, _ = bind(GENERATOR, script(harder), answers=False)
    for task in map(json.loads, lines):
        given = task["instances"][0]["input"]
        text = task["instruction"] + (f"\n\n{given}" if given else "")
        [child] = await step(seed(text, "en", input=given))
        assert isinstance(child, Record)
        assert child.facts["instruction"] == f"{task['instruction'].strip()} Und mehr."
        assert child.last("user").endswith(given)


async def test_a_rehearsal_writes_below_the_labels(prompts: Library):
    model = Rehearsal(ROOT / "taxonomies" / "rehearsal")
    step = as_step(
        GENERATOR, "step", GENERATOR.params(), {"writer": model, "judge": model}, prompts, 1
    )
    [child] = await step(seed("Nenne drei Flüsse."))
    assert isinstance(child, Record) and child.rehearsed and child.facts["plan"]
