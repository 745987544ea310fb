"""Long prompts are as long as a real server says, to one sentence."""

from __future__ import annotations

from typing import Any

import pytest

from engine.core import Record
from engine.generators.long_needles import GENERATOR
from engine.kit import as_step
from engine.models.chat import Request
from engine.prompting import Library
from engine.text.needle_tasks import TASKS
from tests.generators.test_long_needles import pile
from tests.server.conftest import Live


@pytest.mark.parametrize("language", ["en", "zh", "th", "ar"])
def test_a_prompt_fills_its_budget_by_the_servers_own_count(
    live: Live, prompts: Library, language: str
) -> None:
    ask: dict[str, Any] = {"tasks": TASKS[:5], "budgets": [1500]}
    models = dict.fromkeys(("counter", "writer"), live.chat)
    step = as_step(GENERATOR, "hide", GENERATOR.params(**ask), models, prompts, seed=1)

    async def rows() -> list[Any]:
        return list(await step(pile(language)))

    for row in live.loop.run(rows()):
        assert isinstance(row, Record)
        told = row.facts["long"]
        reply = live.loop.run(live.chat.chat(Request(row.messages[:1], {"max_tokens": 1})))
        assert reply.tokens_in == told["tokens"] <= 1500
        print(language, told["task"], told["tokens"], told["counts"], told["sentences"])
        assert told["counts"] <= 9 and told["counted_by"] == "tiny"
