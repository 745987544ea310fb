from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from engine.core import Drop, Outcome, Record
from engine.generators.translation_chain import GENERATOR
from engine.models.chat import Reply
from engine.text.pivots import Read, Row, headings, parsed
from tests.conftest import SHARED, Bind, needs_shared, seed
from tests.generators.reversing import declarations, replies, written

ASK = "Nizuieje fukusi wasiingie kwenye mahindi yangu makavu?"
PLAIN = written(next(path for path in replies("translation_chain") if path.stem == "plain"))
SCRIPT = {f"translation_chain/{name}": PLAIN[name] for name in ("to_pivot", "answer", "from_pivot")}


def told(outcome: Outcome) -> str:
    if isinstance(outcome, Drop):
        return f"{outcome.reason} | {' / '.join(outcome.detail.splitlines())}".strip()
    return f"keep | {' / '.join(outcome.facts['response'].splitlines())}"


@pytest.mark.parametrize("path", replies("translation_chain"), ids=lambda path: path.stem)
async def test_replies_as_models_write_them_chain_or_drop_by_rule(path: Path, bind: Bind) -> None:
    file = written(path)
    script = {f"translation_chain/{name}": file[name] for name in ("to_pivot", "answer")}
    step, _ = bind(GENERATOR, {**script, "translation_chain/from_pivot": file["from_pivot"]})
    [outcome] = await step(seed(ASK, "sw"))
    assert told(outcome) == file["outcome"].strip()


async def test_the_response_lists_the_three_steps_and_the_question_stays(bind: Bind) -> None:
    step, chat = bind(GENERATOR, SCRIPT)
    [record] = await step(seed(ASK, "sw", "an old answer", source="farm"))
    assert isinstance(record, Record) and record.language == "sw"
    assert [(m.role, m.content) for m in record.messages][:1] == [("user", ASK)]
    assert record.facts["provenance"] == {"instruction": "native", "response": "translated"}
    assert len(record.messages) == 2 and record.facts["source"] == "farm"
    heads = headings("en", "sw")
    row = Row(PLAIN["to_pivot"], PLAIN["answer"], PLAIN["from_pivot"])
    assert heads and parsed(record.last("assistant"), heads) == Read("ok", row)
    assert [request.language for request in chat.asked] == ["en", "en", "sw"]
    assert chat.asked[1].inputs["instruction"] == row.instruction
    assert chat.asked[2].inputs["question"] == ASK
    [hop] = record.lineage
    assert Counter(call.role for call in hop.calls) == {"translator": 2, "writer": 1}


async def test_the_pivot_is_the_jobs_choice(bind: Bind) -> None:
    step, chat = bind(GENERATOR, SCRIPT, pivot="fr")
    [record] = await step(seed(ASK, "sw"))
    assert isinstance(record, Record) and record.facts["pivot"] == "fr"
    assert [request.language for request in chat.asked] == ["fr", "fr", "sw"]
    assert record.last("assistant").startswith("Consigne en français:\n")


@pytest.mark.parametrize("name", ["to_pivot", "answer", "from_pivot"])
async def test_a_step_cut_by_the_token_limit_ends_the_chain(name: str, bind: Bind) -> None:
    cut = {f"translation_chain/{name}": Reply(PLAIN[name], model="fake", truncated=True)}
    step, chat = bind(GENERATOR, {**SCRIPT, **cut})
    [drop] = await step(seed(ASK, "sw"))
    assert isinstance(drop, Drop) and drop.reason == "cut_step"
    assert chat.asked[-1].prompt.startswith(f"translation_chain/{name}"), "and nothing after it"


@pytest.mark.parametrize(
    ("record", "reason"),
    [(seed("", "sw"), "no_instruction"), (seed(ASK * 100, "sw"), "too_long"),
     (seed("Why?", "en"), "no_headings"), (seed("?", "xx"), "no_headings")],
)  # fmt: skip
async def test_questions_that_will_not_do_cost_no_call(
    record: Record, reason: str, bind: Bind
) -> None:
    step, chat = bind(GENERATOR)
    [drop] = await step(record)
    assert isinstance(drop, Drop) and drop.reason == reason and not chat.asked


@needs_shared
async def test_questions_in_many_scripts_end_in_their_own_language(bind: Bind) -> None:
    assert SHARED.is_dir()
    done = 0
    for name, tag, text in declarations():
        lines = sorted((line.strip() for line in text.splitlines()), key=len)
        if tag == "en" or headings("en", tag) is None:
            continue
        script = {**SCRIPT, "translation_chain/from_pivot": lines[-1]}
        step, _ = bind(GENERATOR, script)
        [record] = await step(seed(lines[-2], tag))
        assert isinstance(record, Record), (name, record)
        heads = headings("en", tag)
        assert heads and parsed(record.last("assistant"), heads).row.response == lines[-1]
        done += 1
    assert done >= 18, done
