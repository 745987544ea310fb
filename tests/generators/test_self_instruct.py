import json
import re
import string
from itertools import islice
from pathlib import Path

import pytest

import engine
from engine.core import Drop, Outcome, Record
from engine.generators import alpaca, unnatural_instructions
from engine.generators.self_instruct import GENERATOR
from engine.models.chat import Reply
from engine.sources.pool import SOURCE
from engine.text.numbered import numbered
from tests.conftest import ROOT, SHARED, Bind, needs_shared, read

PROPOSE = "self_instruct/propose"
REPLIES = sorted((Path(__file__).parent / "replies" / "self_instruct").glob("*.txt"))


def draw(language: str, *tasks: str) -> Record:
    shown = [{"instruction": task, "input": "", "output": ""} for task in tasks or ("Eins", "Zwei")]
    return Record("draw", language, facts={"demonstrations": shown, "source": "pool"})


def told(outcome: Outcome) -> str:
    if isinstance(outcome, Drop):
        return f"{outcome.reason} | {outcome.record.last('user')}".strip()
    return f"keep | {outcome.last('user')}"


def written(path: Path) -> tuple[str, list[str]]:
    """A reply as a model wrote it, and what must become of each of its tasks."""
    reply, _, expected = path.read_text(encoding="utf-8").partition("=== outcomes\n")
    return reply, [line.strip() for line in expected.splitlines()]


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_replies_as_models_write_them_become_tasks_or_counted_drops(path: Path, bind: Bind):
    reply, expected = written(path)
    step, _ = bind(GENERATOR, {PROPOSE: reply})
    outcomes = await step(draw(path.stem.split("_")[0]))
    assert [told(outcome) for outcome in outcomes] == expected


async def test_the_tasks_are_shown_as_a_list_that_the_model_goes_on_with(bind: Bind):
    step, chat = bind(GENERATOR, {PROPOSE: "9. Nenne drei Flüsse in Kenia."})
    await step(draw("de", "Fasse den\n Text  zusammen:", *(f"Aufgabe {n}" for n in range(2, 9))))
    [asked] = chat.asked
    assert asked.inputs["tasks"] == "\n".join(
        ["1. Fasse den Text zusammen", *(f"{n}. Aufgabe {n}" for n in range(2, 9))]
    )
    assert (asked.inputs["first"], asked.inputs["last"]) == (9, 15)
    assert asked.inputs["language"] == "German" and "in German" in asked.messages[-1].content
    assert asked.form == "numbered_list" and asked.schema is None
    assert asked.sampling["stop"] == ["\n16."]


async def test_the_list_never_runs_past_the_stop_string(bind: Bind):
    step, chat = bind(GENERATOR, {PROPOSE: "x"})
    await step(draw("sw", "Moja"))
    await step(draw("sw", *("Kazi" for _ in range(30))))
    assert [(a.inputs["first"], a.inputs["last"]) for a in chat.asked] == [(2, 8), (15, 15)]


async def test_a_reply_cut_by_the_token_limit_counts_for_nothing(bind: Bind):
    cut = Reply("9. Nenne drei Flüsse in Kenia.\n10. Erkläre die", model="fake", truncated=True)
    step, _ = bind(GENERATOR, {PROPOSE: cut})
    [outcome] = await step(draw("de"))
    assert isinstance(outcome, Drop) and outcome.reason == "truncated"
    assert outcome.record.id == "draw" and outcome.detail.startswith("9. Nenne")


@pytest.mark.parametrize(
    ("language", "word", "words", "reason"),
    [
        ("de", "wort ", 3, "too_short"),
        ("de", "wort ", 4, ""),
        ("de", "wort ", 150, ""),
        ("de", "wort ", 151, "too_long"),
        ("hi", "शब्द ", 3, "too_short"),
        ("hi", "शब्द ", 4, ""),
        ("zh", "字", 4, "too_short"),
        ("zh", "字", 5, ""),
        ("zh", "字", 230, ""),
        ("zh", "字", 231, "too_long"),
    ],
)
async def test_lengths_are_kept_to_at_their_borders(
    language: str, word: str, words: int, reason: str, bind: Bind
):
    step, _ = bind(GENERATOR, {PROPOSE: f"9. {word * words}"})
    [outcome] = await step(draw(language))
    assert (outcome.reason if isinstance(outcome, Drop) else "") == reason


async def test_half_the_words_in_the_language_s_script_are_enough(bind: Bind):
    step, _ = bind(GENERATOR, {PROPOSE: "9. यह शब्द fair play\n10. यह not fair play"})
    assert [told(o) for o in await step(draw("hi"))] == [
        "keep | यह शब्द fair play",
        "wrong_script | यह not fair play",
    ]


async def test_a_job_brings_words_and_limits_of_its_own(bind: Bind):
    step, _ = bind(
        GENERATOR, {PROPOSE: "9. Opisz ten obraz"}, blocked={"pl": ["obraz"]}, min_words=3
    )
    [outcome] = await step(draw("pl"))
    assert isinstance(outcome, Drop) and (outcome.reason, outcome.detail) == (
        "blocked_word",
        "obraz",
    )


async def test_a_task_knows_its_instruction_and_its_origin_but_not_what_was_shown(bind: Bind):
    step, _ = bind(GENERATOR, {PROPOSE: "9. andika barua fupi ya pongezi\n10. andika"})
    for outcome in await step(draw("sw")):
        record = outcome.record if isinstance(outcome, Drop) else outcome
        assert record.facts == {"source": "pool", "instruction": record.last("user")}
        assert record.lineage[-1].calls[0].prompt.startswith(PROPOSE)


async def test_ids_depend_on_the_draw_and_the_place_in_the_list(bind: Bind):
    step, _ = bind(
        GENERATOR,
        {PROPOSE: "9. Nenne drei Flüsse in Kenia.\n10. Kurz.\n11. Nenne vier Seen in Peru."},
    )
    first, again = await step(draw("de")), await step(draw("de"))
    ids = [(o.record if isinstance(o, Drop) else o).id for o in first]
    assert len(set(ids)) == 3
    assert ids == [(o.record if isinstance(o, Drop) else o).id for o in again]


BLACKLIST = r"images?|graphs?|pictures?|files?|maps?|draw|plot|go to"


def reference_rejects(task: str) -> bool:
    """The rules of the paper's released filter, written down from its description."""
    if not 4 <= len(task.split()) <= 150:
        return True
    if re.search(rf"\b(?:{BLACKLIST})\b", task, re.IGNORECASE):
        return True
    return (
        task.startswith("Write a program") or task[0] in string.punctuation or not task[0].isascii()
    )


def human_tasks() -> list[str]:
    lines = (SHARED / "self_instruct_seed_tasks.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["instruction"] for line in lines]


@needs_shared
async def test_the_rules_say_of_every_human_task_what_the_reference_says(bind: Bind):
    for task in human_tasks():
        flat = " ".join(task.split())
        step, _ = bind(GENERATOR, {PROPOSE: f"9. {flat}"})
        [outcome] = await step(draw("en"))
        assert isinstance(outcome, Drop) == reference_rejects(flat), flat


@needs_shared
def test_the_list_is_encoded_as_the_reference_encodes_it():
    tasks = human_tasks()
    for start in range(0, len(tasks), 8):
        shown = tasks[start : start + 8]
        flat = [re.sub(r"\s+", " ", task).strip().rstrip(":") for task in shown]
        assert numbered(shown) == "\n".join(f"{n}. {task}" for n, task in enumerate(flat, 1))


async def test_ways_of_inventing_are_compared_on_the_same_draws(bind: Bind, tmp_path: Path):
    rows = [{"instruction": f"Aufgabe Nummer {n}", "input": "E", "output": "A"} for n in range(20)]
    text = "\n".join(map(json.dumps, rows))
    (tmp_path / "tasks.jsonl").write_text(text, encoding="utf-8")
    ways = {
        "self_instruct/propose": (GENERATOR, "9. Nenne drei Flüsse in Kenia."),
        "alpaca/propose": (
            alpaca.GENERATOR,
            "9. Instruction: Nenne drei Flüsse in Kenia.\n9. Input: -\n9. Output: Tana",
        ),
        "unnatural_instructions/imagine": (
            unnatural_instructions.GENERATOR,
            '{"instruction": "Nenne drei Flüsse.", "input": "Kenia", "constraints": "None"}',
        ),
    }
    seen = []
    for prompt, (kind, reply) in ways.items():
        step, chat = bind(kind, {prompt: reply})
        draws = read(SOURCE, tmp_path, path="tasks.jsonl", language="de")
        for each in islice(draws, 5):
            [made] = await step(each)
            assert isinstance(made, Record) and made.facts["round"] == 0
        shown = ["\n".join(m.content for m in a.messages) for a in chat.asked]
        seen.append([set(re.findall(r"Nummer \d+", said)) for said in shown])
    assert seen[0] == seen[1] == seen[2] and len(seen[0]) == 5


def test_an_open_model_s_own_tasks_are_ranked_validated_and_shown_to_later_rounds(tmp_path: Path):
    """The strategies of David against Goliath, as a job: extrapolation and self-validation."""
    seeds = ROOT / "engine/jobs/seeds/quickstart_tasks.jsonl"
    (tmp_path / "job.yaml").write_text(
        f"""
job: open
models: {{writer: {{use: auto}}}}
source:
  use: pool
  with: {{path: {seeds}, grow_from: best, machine: 8, languages: {{de: 1}}}}
steps:
  invent: {{use: self_instruct}}
  novel: {{use: rouge_novelty, with: {{against: {seeds}}}}}
  instances: {{use: self_instruct_instances, with: {{max_instances: 1}}}}
  validate: {{use: self_validation}}
  best: {{use: top_share, with: {{share: 0.5}}}}
target: {{accepted: 18, round: 3}}
""",
        encoding="utf-8",
    )
    result = engine.run(engine.load(tmp_path / "job.yaml"), tmp_path / "out", rehearse=True)
    records = list(result.records())
    rounds = {record.facts["validity"]["round"] for record in records}
    assert len(records) == 18 and {0, 1} <= rounds
    for record in records:
        validity, ranked = record.facts["validity"], record.facts["selection"]["best"]
        assert validity["score"] >= validity["threshold"] == 3
        assert validity["variant"] == "self_instruct" and record.facts["round"] in rounds
        assert 1 <= ranked["rank"] <= -(-ranked["of"] // 2) and ranked["settings"]["share"] == 0.5
    below = [drop for drop in result.drops() if drop.reason == "below_rank"]
    assert below and all(drop.record.facts["selection"]["best"]["rank"] > 1 for drop in below)
