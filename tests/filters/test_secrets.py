from __future__ import annotations

import pytest

from engine.core import Drop
from engine.filters.secrets import FILTER
from tests.conftest import seed

KEY = "ghp_" + "Zk3Xq9Lm2Pv7Rt5Wy8Bn4Cd6Fg1Hj0SaQeTu"
PASSWORD = "pT7xQ2mZk9Lw4RvB"


async def run(bind, record, **params):
    step, _ = bind(FILTER, **params)
    [outcome] = await step(record)
    return outcome


async def test_a_record_with_a_key_is_dropped_and_the_key_is_nowhere(bind):
    record = seed(f"Why does {KEY} fail?", "en", f"密码：{PASSWORD}", document=f"x {KEY}")
    drop = await run(bind, record)
    assert isinstance(drop, Drop) and drop.reason == "secret"
    assert drop.detail == "announced_secret 1, github_token 1"
    assert KEY not in str(drop) and PASSWORD not in str(drop)
    assert drop.record.last("user") == "Why does REDACTED_GITHUB_TOKEN_1 fail?"


async def test_masked_secrets_have_one_name_each(bind):
    other = KEY[:-1] + "Z"
    record = seed(f"{KEY} {other} {KEY}", "en", KEY)
    new = await run(bind, record, action="mask")
    names = new.last("user").split()
    assert names == [f"REDACTED_GITHUB_TOKEN_{n}" for n in (1, 2, 1)]
    assert new.last("assistant") == names[0] and new.facts["secrets"] == {"github_token": 2}


async def test_a_mark_leaves_the_text_and_tells_no_value(bind):
    new = await run(bind, seed(KEY, "en"), action="mark")
    assert new.last("user") == KEY and new.facts["secrets"] == {"github_token": 1}
    assert KEY not in new.verdicts[0].evidence


async def test_a_masked_record_has_no_secret_left(bind):
    once = await run(bind, seed(f"password: {PASSWORD}", "en"), action="mask")
    assert (await run(bind, once, action="drop")).messages == once.messages


@pytest.mark.parametrize("language", ["en", "de", "zh", "ar", "hi", "th", "sw"])
async def test_documentation_passes_in_every_language(bind, language):
    record = seed("API_KEY=YOUR_KEY_HERE_12345678 AKIAIOSFODNN7EXAMPLE", language, "密码 12")
    assert (await run(bind, record)).messages == record.messages
