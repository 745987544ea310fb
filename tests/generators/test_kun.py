from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from engine import shipped
from engine.core import Drop, Outcome, Record
from engine.generators.kun import GENERATOR
from engine.models.chat import Reply
from engine.text.polishing import labels
from tests.conftest import Bind, needs_shared
from tests.generators.reversing import (
    DOCUMENTS,
    declarations,
    paper,
    replies,
    seed_pair,
    written,
)

SAID = written(next(path for path in replies("kun") if path.stem == "en_plain"))
QUESTIONS = ("label", "judge", "polish")


def script(said: dict[str, str] = SAID) -> dict[str, object]:
    return {f"kun/{name}": said[name] for name in QUESTIONS}


def told(outcome: Outcome) -> str:
    if isinstance(outcome, Drop):
        return outcome.reason
    return f"keep | {outcome.last('user')} | {outcome.last('assistant')}"


@pytest.mark.parametrize("path", replies("kun"), ids=lambda path: path.stem)
async def test_replies_as_models_write_them_come_through_or_drop_by_rule(path: Path, bind: Bind):
    said = written(path)
    step, _ = bind(GENERATOR, script(said))
    [outcome] = await step(paper(path.stem.partition("_")[0]))
    assert told(outcome) == said["outcome"].strip()


async def test_the_judge_sees_the_instruction_and_nothing_else(bind: Bind):
    step, chat = bind(GENERATOR, script())
    await step(paper())
    judged = next(r for r in chat.asked if r.prompt.startswith("kun/judge"))
    text = "".join(message.content for message in judged.messages)
    assert SAID["label"] in text
    assert DOCUMENTS["en"].split(".")[0] not in text and SAID["polish"][:30] not in text
    assert judged.inputs["labels"] == ["【good】", "【bad】"] and judged.role == "judge"


async def test_the_answer_is_polished_and_the_raw_text_stays_with_the_record(bind: Bind):
    step, chat = bind(GENERATOR, script())
    [child] = await step(paper(examples=[{"instruction": "Q", "response": "A"}]))
    assert child.last("assistant") == SAID["polish"]
    assert child.facts["document"] == DOCUMENTS["en"] and child.facts["origin"] == "augmented"
    assert "examples" not in child.facts
    polish = chat.asked[-1].inputs
    assert (polish["instruction"], polish["document"]) == (SAID["label"], DOCUMENTS["en"])
    assert chat.asked[0].inputs["examples"] == [{"instruction": "Q", "response": "A"}]


async def test_what_drops_early_costs_no_later_call(bind: Bind):
    for name, reply, calls in (
        ("label", "Summarize the article.", 1),
        ("judge", "【bad】", 2),
        ("polish", "short", 3),
    ):
        step, chat = bind(GENERATOR, {**script(), f"kun/{name}": reply})
        [outcome] = await step(paper())
        assert isinstance(outcome, Drop) and len(chat.asked) == calls


async def test_replies_cut_by_the_token_limit_are_none(bind: Bind):
    for name, reason in (("label", "no_instruction"), ("polish", "cut_answer")):
        cut = Reply(SAID[name], model="fake", truncated=True)
        step, _ = bind(GENERATOR, {**script(), f"kun/{name}": cut})
        [outcome] = await step(paper())
        assert isinstance(outcome, Drop) and outcome.reason == reason


async def test_seed_pairs_pass_without_a_call(bind: Bind):
    step, chat = bind(GENERATOR, script())
    [kept] = await step(seed_pair())
    assert kept.messages == seed_pair().messages and not chat.asked
    assert kept.facts["origin"] == "seed"


@pytest.mark.parametrize(
    "record, reason",
    [
        (Record("bare", "zh"), "no_document"),
        (paper(document="Zu kurz."), "document_too_short"),
        (paper(document="word " * 401), "document_too_long"),
        (paper("zh", "字" * 620), "document_too_long"),
    ],
)
async def test_texts_that_will_not_do_cost_no_call(bind: Bind, record: Record, reason: str):
    step, chat = bind(GENERATOR, script())
    [outcome] = await step(record)
    assert isinstance(outcome, Drop) and outcome.reason == reason and not chat.asked


async def test_no_record_is_lost_where_their_number_is_no_multiple_of_anything(bind: Bind):
    """The original cut into 128 shards and forgot what was left over."""
    step, _ = bind(GENERATOR, script())
    given = [paper(id=f"r{n}") if n % 2 else paper(document="x", id=f"r{n}") for n in range(131)]
    found = [outcome for record in given for outcome in await step(record)]
    assert len(found) == 131
    assert sum(isinstance(outcome, Record) for outcome in found) == 65


def test_the_rules_are_there_for_many_languages():
    lists = yaml.safe_load((shipped.folder("taxonomies") / "kun.yaml").read_text())
    assert len(lists) >= 12
    for tag, kinds in lists.items():
        assert kinds.keys() == {"instruction", "answer", "good", "bad"}, tag
        assert all(isinstance(word, str) and word.strip() for v in kinds.values() for word in v)
        assert kinds["good"][0] not in kinds["bad"][0], tag


@needs_shared
async def test_declarations_go_through_in_every_script(bind: Bind):
    texts = declarations()
    kept = 0
    for name, tag, text in texts:
        answer = max(text.splitlines(), key=len)
        said = {"kun/label": "1948?", "kun/judge": labels(tag)[0], "kun/polish": answer}
        step, _ = bind(GENERATOR, said, max_words=10_000)
        [outcome] = await step(paper(tag, text, name))
        if isinstance(outcome, Drop):
            assert outcome.reason == "speaks_of_itself", (name, outcome.reason)
            continue
        kept += 1
        assert outcome.last("assistant") == answer.strip()
    assert kept >= 20, "few declarations speak of themselves"
