"""SQL answer: the query of the record runs again, and its result is the response.

Made for what ``sql_execution`` makes: facts hold the table, the query and how the table was
written. The response has to be the result as it is written there, the instruction has to show the
query and the whole table, and the result must not depend on the order of rows. The query may come
from anywhere: it can read the table, for a bounded number of steps, and do nothing else.

Source: Liu, Zhou, Jiang, Dou, Lin, "From Zero to Hero: Examining the Power of Symbolic Tasks in
Instruction Tuning", 2023, arXiv:2304.07995 (answers by execution).
Differs: every row is run again after all other steps, whoever wrote it.
"""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel

from engine.core import Drop, Outcome, Record
from engine.kit import Kit, Verifier
from engine.symbolic.queries import answer, joined
from engine.symbolic.renderings import Style, rendered, words_for
from engine.symbolic.tables import QueryError, Table, TableError, read


class Params(BaseModel, extra="forbid"):
    """How closely."""

    spacing: Literal["exact", "loose"] = "exact"
    """Whether spaces and line breaks of the response count; a model's answer may vary them."""


def check(record: Record, kit: Kit[Params]) -> Outcome:
    """Keep the record where the response is what SQLite says."""
    sql = record.facts.get("sql")
    if not isinstance(sql, str) or not sql:
        return Drop(record, "no_query", 'facts["sql"] is missing or empty')
    try:
        table = read(record.facts.get("table"))
        due = joined(answer(table, sql))
    except TableError as error:
        return Drop(record, "no_table", str(error))
    except QueryError as error:
        return Drop(record, "query_failed", str(error))
    said = record.last("assistant")
    if said != due and (kit.params.spacing == "exact" or said.split() != due.split()):
        return Drop(record, "wrong_answer", f"{said[:200]!r}, but the query gives {due[:200]!r}")
    if missing := _missing(record, table, sql):
        return Drop(record, "question_incomplete", f"the instruction does not show the {missing}")
    return record


def _missing(record: Record, table: Table, sql: str) -> str:
    """What of the question the instruction does not hold; nothing where it is whole."""
    asked, style = record.last("user"), record.facts.get("rendering")
    if sql not in asked:
        return "query"
    words = words_for(record.language)
    styles: tuple[Style, ...] = tuple(s for s in get_args(Style) if style in (s, None))
    shown = words and any(rendered(table, each, words) in asked for each in styles)
    return "" if shown else "table"


VERIFIER = Verifier(check, Params)
