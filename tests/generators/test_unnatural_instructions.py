from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.core import Drop, Outcome, Record
from engine.generators.unnatural_instructions import GENERATOR, is_unconstrained
from engine.passes.exact_duplicate import PASS
from engine.sources.demonstration_sets import SOURCE
from engine.text.sameness import bare
from tests.conftest import ROOT, Bind, read, settle

IMAGINE = "unnatural_instructions/imagine"
REPLIES = sorted((Path(__file__).parent / "replies" / "unnatural_instructions").glob("*.txt"))
SHOWN = [
    {
        "instruction": "Find the word that does not belong.",
        "input": "rosemary, thyme, granite",
        "constraints": "The output is one word.",
        "output": "granite",
    },
    {"instruction": "Explain the idiom.", "input": "ins Blaue", "constraints": "", "output": "..."},
    {"instruction": "Add.", "input": "2 + 2", "output": "4"},
]


def draw(language: str = "de", id: str = "draw") -> Record:
    return Record(id, language, facts={"demonstrations": SHOWN, "set": "1", "source": "sets"})


def triple(instruction: str, input: str, constraints: str = "None") -> str:
    return json.dumps({"instruction": instruction, "input": input, "constraints": constraints})


def told(outcome: Outcome) -> str:
    if isinstance(outcome, Drop):
        return outcome.reason
    return f"keep | {outcome.facts['constraints']}".strip()


def written(path: Path) -> tuple[str, str]:
    reply, _, expected = path.read_text(encoding="utf-8").partition("\n=== outcome\n")
    return reply, expected.strip()


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_replies_as_models_write_them_become_a_task_or_a_counted_drop(path: Path, bind: Bind):
    reply, expected = written(path)
    step, _ = bind(GENERATOR, {IMAGINE: reply})
    [outcome] = await step(draw(path.stem.split("_")[0]))
    assert told(outcome) == expected


async def test_three_demonstrations_are_shown_with_their_constraints(bind: Bind):
    step, chat = bind(GENERATOR, {IMAGINE: triple("Zähle die Vokale.", "Rhabarber")})
    await step(draw())
    [asked] = chat.asked
    text = asked.messages[-1].content
    assert text.count("<example>") == 3 and "Constraints: The output is one word." in text
    assert text.count("Constraints: None") == 2, "what has none says so literally"
    assert "granite\n</example>" not in text, "outputs are for the second half"
    assert "German" in asked.messages[0].content
    assert (asked.sampling["temperature"], asked.sampling["top_p"]) == (1.0, 0.99)


async def test_a_task_knows_its_three_fields_and_what_it_was_modelled_on(bind: Bind):
    step, _ = bind(GENERATOR, {IMAGINE: triple("Zähle die Vokale.", "Rhabarber", "Eine Zahl.")})
    [record] = await step(draw())
    assert isinstance(record, Record) and record.id != "draw"
    assert [m.content for m in record.messages] == ["Zähle die Vokale.\n\nRhabarber"]
    assert record.facts == {
        "source": "sets",
        "set": "1",
        "demonstrations": SHOWN,
        "instruction": "Zähle die Vokale.",
        "input": "Rhabarber",
        "constraints": "Eine Zahl.",
    }


async def test_the_same_instruction_and_input_is_kept_once_whatever_the_constraints(bind: Bind):
    said = [
        triple("Zähle die Vokale.", "Rhabarber", "Eine Zahl."),
        triple("zähle die  Vokale.", "Rhabarber"),
        triple("Zähle die Vokale.", "Rhabarberkuchen"),
    ]
    step, _ = bind(GENERATOR, {IMAGINE: said})
    fresh = [(await step(draw(id=f"d{n}")))[0] for n in range(3)]
    assert all(isinstance(each, Record) for each in fresh)
    found = settle(PASS, [each for each in fresh if isinstance(each, Record)], field="instruction")
    assert [isinstance(each, Drop) for each in found] == [False, True, False]


def test_none_is_known_in_many_languages_and_a_restriction_is_none_of_them():
    none = {
        "en": "none.",
        "de": "Keine",
        "zh": "没有限制",
        "ar": "لا توجد قيود",
        "sw": "None",
        "th": "ไม่มี",
    }
    assert all(is_unconstrained(text, tag) for tag, text in none.items())
    some = {"en": "None of the words may repeat.", "de": "Keine Zahl über 9.", "zh": "没有标点"}
    assert not any(is_unconstrained(text, tag) for tag, text in some.items())
    assert not is_unconstrained("", "hi") and not is_unconstrained("x " * 50_000, "hi")


def test_the_shipped_sets_are_whole_and_no_task_is_in_two_of_them():
    path = ROOT / "engine/jobs/seeds/unnatural_demonstrations.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    marks = [(line["language"], bare(line["instruction"]), bare(line["input"])) for line in lines]
    assert len(set(marks)) == len(marks) == 45
    assert all(line[name].strip() for line in lines for name in line if name != "set")
    assert sum(line["language"] == "en" for line in lines) == 15, "the paper's five sets of three"
    draws = read(SOURCE, path.parent, path=path.name)
    shown = [next(draws) for _ in range(60)]
    assert all(len(each.facts["demonstrations"]) == 3 for each in shown)
    assert len({(each.language, each.facts["set"]) for each in shown}) == 5 + 5 * 2
