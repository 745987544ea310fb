from __future__ import annotations

from typing import Any

import pytest

from engine.core import Drop, Outcome, Record
from engine.symbolic.renderings import rendered, words_for
from engine.symbolic.tables import read
from engine.verifiers.sql_answer import VERIFIER
from tests.conftest import Bind, seed

TABLE: dict[str, Any] = {"columns": ["城市", "高度"], "rows": [["伯尔尼", 540], ["格拉茨", 353]]}
SQL = 'SELECT "城市" FROM t WHERE "高度" > 300'


async def judged(bind: Bind, response: str, asked: str = "", **facts: Any) -> Outcome:
    words = words_for("zh")
    assert words
    spacing = facts.pop("spacing", "exact")
    known = {"table": TABLE, "sql": SQL, "rendering": "indexed"} | facts
    whole = f"{known['sql']}\n\n{rendered(read(TABLE), 'indexed', words)}"
    step, _ = bind(VERIFIER, spacing=spacing)
    [outcome] = await step(seed(asked or whole, "zh", response, **known))
    return outcome


async def test_the_result_passes_and_nothing_else(bind: Bind) -> None:
    assert isinstance(await judged(bind, "伯尔尼, 格拉茨"), Record)
    for other in ("", "伯尔尼", "格拉茨, 伯尔尼", "伯尔尼,  格拉茨", "540"):
        drop = await judged(bind, other)
        assert isinstance(drop, Drop) and drop.reason == "wrong_answer"


async def test_loosely_spaces_do_not_matter(bind: Bind) -> None:
    assert isinstance(await judged(bind, " 伯尔尼,  格拉茨\n", spacing="loose"), Record)
    assert isinstance(await judged(bind, "格拉茨", spacing="loose"), Drop)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"sql": None}, "no_query"),
        ({"sql": ""}, "no_query"),
        ({"table": None}, "no_table"),
        ({"sql": "SELECT x FROM t"}, "query_failed"),
        ({"sql": "DELETE FROM t"}, "query_failed"),
        ({"sql": "SELECT * FROM t WHERE 1 = 0"}, "query_failed"),
    ],
)
async def test_what_cannot_run_never_passes(bind: Bind, facts: dict[str, Any], reason: str) -> None:
    drop = await judged(bind, "伯尔尼, 格拉茨", **facts)
    assert isinstance(drop, Drop) and drop.reason == reason


@pytest.mark.parametrize(
    ("asked", "missing"), [("表在哪里？", "query"), (SQL, "table"), (f"{SQL}\n表头: 城市", "table")]
)
async def test_an_instruction_that_does_not_show_all_is_incomplete(
    bind: Bind, asked: str, missing: str
) -> None:
    drop = await judged(bind, "伯尔尼, 格拉茨", asked)
    assert isinstance(drop, Drop) and drop.reason == "question_incomplete"
    assert missing in drop.detail
