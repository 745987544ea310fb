from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.core import Drop, Outcome, Record
from engine.generators.alpaca import GENERATOR
from engine.models.chat import Reply
from engine.passes.rouge_novelty import PASS
from tests.conftest import SHARED, Bind, needs_shared, settle

PROPOSE = "alpaca/propose"
REPLIES = sorted((Path(__file__).parent / "replies" / "alpaca").glob("*.txt"))
BLOCK = "{0}. Instruction: {1}\n{0}. Input: <noinput>\n{0}. Output: Gut.\n###\n"


def draw(language: str, **facts: object) -> Record:
    shown = [
        {
            "instruction": "Sortiere die Wörter nach dem\n Alphabet:",
            "input": "b, a",
            "output": "a, b",
        },
        {"instruction": "Was ist ein Reim?", "input": "", "output": "Ein Gleichklang."},
        {"instruction": "Zähle.", "input": "x x", "output": "2"},
    ]
    return Record("draw", language, facts={"demonstrations": shown, "source": "pool", **facts})


def told(outcome: Outcome) -> str:
    if isinstance(outcome, Drop) and outcome.record.id == "draw":
        return outcome.reason
    record = outcome.record if isinstance(outcome, Drop) else outcome
    reason = outcome.reason if isinstance(outcome, Drop) else "keep"
    asked, given = record.facts["instruction"], record.facts["input"]
    return squeezed(f"{reason} | {asked} | {given} | {record.last('assistant')}")


def written(path: Path) -> tuple[str, list[str]]:
    """A reply as a model wrote it, and what must become of each of its blocks."""
    reply, _, expected = path.read_text(encoding="utf-8").partition("=== outcomes\n")
    return reply, list(map(squeezed, expected.splitlines()))


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_replies_as_models_write_them_become_tasks_or_counted_drops(path: Path, bind: Bind):
    reply, expected = written(path)
    step, _ = bind(GENERATOR, {PROPOSE: reply})
    outcomes = await step(draw(path.stem.split("_")[0]))
    assert [told(outcome) for outcome in outcomes] == expected


async def test_three_tasks_are_shown_as_blocks_and_the_fourth_is_left_open(bind: Bind):
    step, chat = bind(GENERATOR, {PROPOSE: "x"})
    await step(draw("de"))
    [asked] = chat.asked
    assert asked.inputs["tasks"] == (
        "###\n1. Instruction: Sortiere die Wörter nach dem Alphabet\n1. Input:\nb, a\n"
        "1. Output:\na, b\n"
        "###\n2. Instruction: Was ist ein Reim?\n2. Input:\n<noinput>\n"
        "2. Output:\nEin Gleichklang.\n"
        "###\n3. Instruction: Zähle.\n3. Input:\nx x\n3. Output:\n2"
    )
    assert (asked.inputs["first"], asked.inputs["last"]) == (4, 20)
    assert asked.messages[-1].content.endswith("###\n4. Instruction:")
    assert "German" in asked.messages[0].content and asked.schema is None
    assert asked.sampling["temperature"] == 1 and asked.sampling["max_tokens"] == 3072
    assert asked.sampling["stop"] == ["\n21. Instruction"]


async def test_one_call_gives_instruction_input_and_output_together(bind: Bind):
    said = "4. Instruction: Nenne die größte Zahl der Liste.\n4. Input: 3, 9, 4\n4. Output: 9"
    step, chat = bind(GENERATOR, {PROPOSE: said})
    [record] = await step(draw("de", licence="CC0-1.0", round=2))
    assert isinstance(record, Record) and len(chat.asked) == 1
    assert [(m.role, m.content) for m in record.messages] == [
        ("user", "Nenne die größte Zahl der Liste.\n\n3, 9, 4"),
        ("assistant", "9"),
    ]
    assert record.facts == {
        "source": "pool",
        "licence": "CC0-1.0",
        "round": 2,
        "instruction": "Nenne die größte Zahl der Liste.",
        "input": "3, 9, 4",
    }


@pytest.mark.parametrize("whole", [0, 1, 3])
async def test_a_cut_reply_loses_its_last_block_and_no_other(whole: int, bind: Bind):
    said = "".join(
        BLOCK.format(n, f"Nenne Fluss Nummer {n} in Kenia.") for n in range(4, 4 + whole)
    )
    cut = Reply(f"{said}9. Instruction: Nenne drei Seen in", model="fake", truncated=True)
    step, _ = bind(GENERATOR, {PROPOSE: cut})
    outcomes = await step(draw("de"))
    assert [isinstance(outcome, Drop) for outcome in outcomes] == [False] * whole + [True]
    assert isinstance(outcomes[-1], Drop) and outcomes[-1].reason == "truncated"


async def test_a_cut_reply_loses_its_last_block_even_if_it_looks_whole(bind: Bind):
    said = BLOCK.format(4, "Nenne drei Seen in Peru.") + BLOCK.format(5, "Nenne vier Seen in Peru.")
    step, _ = bind(GENERATOR, {PROPOSE: Reply(said.rstrip("#\n"), model="fake", truncated=True)})
    first, second = await step(draw("de"))
    assert isinstance(first, Record) and isinstance(second, Drop) and second.reason == "truncated"


async def test_a_cut_reply_without_any_block_is_a_drop_of_the_draw(bind: Bind):
    step, _ = bind(GENERATOR, {PROPOSE: Reply("Gerne! Hier", model="fake", truncated=True)})
    [outcome] = await step(draw("de"))
    assert isinstance(outcome, Drop) and (outcome.reason, outcome.record.id) == (
        "truncated",
        "draw",
    )


async def test_a_shorter_list_shows_and_asks_for_fewer(bind: Bind):
    step, chat = bind(GENERATOR, {PROPOSE: "x"}, tasks=3)
    await step(draw("sw"))
    assert (chat.asked[0].inputs["first"], chat.asked[0].inputs["last"]) == (3, 3)
    assert chat.asked[0].inputs["reply_labels"] == ["3. Instruction:", "3. Input:", "3. Output:"]


async def test_words_of_a_job_s_own_are_added_to_the_shipped_ones(bind: Bind):
    said = BLOCK.format(4, "Beschreibe das Lied im Radio.") + BLOCK.format(
        5, "Beschreibe die Musik."
    )
    step, _ = bind(GENERATOR, {PROPOSE: said}, blocked={"de": ["lied"]}, min_words=2)
    outcomes = await step(draw("de"))
    assert [(o.reason, o.detail) for o in outcomes if isinstance(o, Drop)] == [
        ("blocked_word", "lied"),
        ("blocked_word", "musik"),
    ]


async def test_the_gate_drops_what_repeats_a_seed_or_an_earlier_block(bind: Bind, tmp_path: Path):
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_text(json.dumps({"instruction": "Nenne drei Seen in Peru."}), encoding="utf-8")
    tasks = [
        "Nenne drei Seen in Peru!",
        "Erkläre, wie ein Kompass funktioniert.",
        "Was ist Ebbe und Flut?",
    ]
    said = "".join(BLOCK.format(n, task) for n, task in enumerate([*tasks, tasks[1]], start=4))
    step, _ = bind(GENERATOR, {PROPOSE: said})
    fresh = [o for o in await step(draw("de")) if isinstance(o, Record)]
    found = settle(PASS, fresh, field="bare_instruction", against=seeds)
    assert [isinstance(o, Drop) for o in found] == [True, False, False, True]


@needs_shared
async def test_what_people_wrote_is_read_back_as_it_was_shown(bind: Bind):
    lines = (SHARED / "self_instruct_seed_tasks.jsonl").read_text(encoding="utf-8").splitlines()
    tasks = [json.loads(line) for line in lines]
    assert len(tasks) == 175
    for task in tasks:
        [instance] = task["instances"]
        shown = {"instruction": task["instruction"], **instance}
        block = f"4. Instruction: {' '.join(task['instruction'].split())}\n4. Input:\n"
        block += f"{instance['input'].strip() or '<noinput>'}\n4. Output:\n{instance['output']}"
        step, _ = bind(GENERATOR, {PROPOSE: block}, min_words=1)
        [outcome] = await step(Record("draw", "en", facts={"demonstrations": [shown]}))
        record = outcome.record if isinstance(outcome, Drop) else outcome
        assert record.facts["input"] == instance["input"].strip(), task["id"]
        assert record.last("assistant") == instance["output"].strip(), task["id"]
