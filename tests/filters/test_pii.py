from __future__ import annotations

import random

import pytest

from engine.core import Drop, Message, Record
from engine.filters.pii import FILTER
from engine.text.private import find
from tests.conftest import seed
from tests.filters.personal import cases
from tests.filters.samples import HOSTILE

MINE = "Schreib an Jo@Corp.io oder Tel. 030 1234567."


async def run(bind, record, **params):
    step, _ = bind(FILTER, **params)
    [outcome] = await step(record)
    return outcome


async def test_both_turns_and_the_facts_are_masked_alike(bind):
    record = seed(MINE, "de", "Ich habe jo@corp.io (+49 30 1234567) notiert.", input=MINE)
    new = await run(bind, record)
    asked, answer = (m.content for m in new.messages)
    mail = asked.split()[2]
    assert mail in answer and mail.partition("@")[2].startswith("example.")
    assert new.facts["input"] == asked
    assert "corp" not in str(new) and "1234567" not in str(new)
    assert new.facts["pii"] == {"email": 3, "phone": 3}


async def test_the_verdict_says_how_many_and_never_what(bind):
    for action in ("mask", "drop", "mark"):
        outcome = await run(bind, seed(MINE, "de"), action=action)
        record = outcome.record if isinstance(outcome, Drop) else outcome
        [verdict] = record.verdicts
        assert "email 1, phone 1" in verdict.evidence
        assert "corp" not in verdict.evidence and "1234567" not in verdict.evidence


async def test_a_dropped_record_holds_nothing_private(bind):
    drop = await run(bind, seed(MINE, "de"), action="drop")
    assert isinstance(drop, Drop) and drop.reason == "pii"
    assert "corp" not in str(drop) and "1234567" not in str(drop)


async def test_a_marked_record_stays_as_it_was(bind):
    new = await run(bind, seed(MINE, "de"), action="mark")
    assert new.last("user") == MINE and new.facts["pii"] == {"email": 1, "phone": 1}


async def test_a_record_without_anything_private_is_untouched(bind):
    record = seed("Write to user@example.com.", "en", "Done, from 192.0.2.1.", pii_free=True)
    new = await run(bind, record)
    assert new.messages == record.messages and "pii" not in new.facts


async def test_what_a_job_allows_stays(bind):
    record = seed("jo@corp.io al@corp.io jo@other.io", "en")
    new = await run(bind, record, allow=("@corp.io",))
    assert new.last("user").startswith("jo@corp.io al@corp.io ") and "other" not in str(new)
    assert new.facts["pii"] == {"email": 1}


async def test_kinds_and_spared_facts_are_the_jobs_to_say(bind):
    record = seed("jo@corp.io 93.184.216.34", "en", url="https://x.io/jo@corp.io")
    new = await run(bind, record, kinds=("ip",), spare_facts=("url",))
    assert "jo@corp.io" in new.last("user") and "93.184" not in new.last("user")
    assert new.facts["url"] == "https://x.io/jo@corp.io"


async def test_masking_again_changes_nothing(bind):
    texts = [case.text for case in cases(random.Random(9), 5)]
    record = Record("r", "en", tuple(Message("user", text) for text in texts))
    once = await run(bind, record)
    twice = await run(bind, once)
    assert once.messages == twice.messages != record.messages
    assert not [p for m in once.messages for p in find(m.content, "en")]


async def test_surrogates_are_drawn_by_record_and_by_nothing_else(bind):
    first, again = [await run(bind, seed(MINE, "de")) for _ in range(2)]
    assert first == again
    other = await run(bind, Record("other", "de", (Message("user", MINE),)))
    assert other.last("user") != first.last("user")


@pytest.mark.parametrize("language", ["en", "de", "zh", "ar", "hi", "th", "sw"])
async def test_every_language_is_masked(bind, language):
    text = next(c for c in cases(random.Random(1), 1) if c.language == language)
    new = await run(bind, seed(text.text, language))
    assert text.written not in new.last("user") and new.facts["pii"] == {text.kind: 1}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_odd_texts_pass_as_they_are(bind, text):
    record = seed(text, "ar", text, input=text)
    assert (await run(bind, record)).messages == record.messages


@pytest.mark.slow
async def test_ten_thousand_addresses_in_a_megabyte_are_all_masked(bind):
    text = " ".join(
        f"person{n}@company-{n}.io and some words that fill the line" for n in range(10_000)
    )
    new = await run(bind, seed(text, "en"))
    assert new.facts["pii"] == {"email": 10_000} and "company" not in new.last("user")
