from __future__ import annotations

import random
from collections import Counter

import pytest

from engine.symbolic.queries import Template, answer, draw, joined, kinds, templates
from engine.symbolic.tables import QueryError, read

TABLE = read(
    {
        "columns": ["Stadt", "Land", "Höhe", "Einwohner", "O'Name|x"],
        "rows": [
            ["Bern", "Schweiz", 540, 134.5, "it's"],
            ["Graz", "Österreich", 353, 291, 'a "b"'],
            ["Linz", "Österreich", 266, 206.5, "c, d"],
            ["Chur", "Schweiz", 593, 37, "é|f"],
            ["Wels", "Österreich", 317, 64, "g"],
        ],
    }
)


@pytest.mark.parametrize("template", templates(), ids=lambda each: each.sql)
def test_every_template_gives_a_usable_answer_for_some_draw(template: Template) -> None:
    found = 0
    for n in range(60):
        query = draw(TABLE, [template], random.Random(n))
        assert query is not None and query.kind == template.kind and "{" not in query.sql
        try:
            found += bool(joined(answer(TABLE, query.sql)))
        except QueryError as error:
            assert not str(error).startswith("sql_error"), query.sql
    assert found


def test_kinds_have_equal_odds_however_many_templates_they_have() -> None:
    many = (draw(TABLE, templates(), random.Random(n)) for n in range(900))
    drawn = Counter(query.kind for query in many if query)
    assert drawn.keys() == set(kinds())
    assert max(drawn.values()) < 1.7 * min(drawn.values())


def test_a_table_without_the_columns_is_asked_nothing() -> None:
    lone = read({"columns": ["a"], "rows": [["x"]]})
    numbers = [template for template in templates() if "{n1}" in template.sql]
    assert draw(lone, numbers, random.Random(0)) is None


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT Stadt FROM t WHERE Stadt = 'Wien'", "empty"),
        ("SELECT MAX(Höhe) FROM t WHERE Stadt = 'Wien'", "null"),
        ("SELECT Stadt FROM t ORDER BY Land LIMIT 1", "depends_on_order"),
        ("SELECT Stadt FROM t GROUP BY Stadt ORDER BY COUNT(*) LIMIT 1", "depends_on_order"),
        ("SELECT Land FROM t GROUP BY Land", "depends_on_order"),
        ("SELECT (SELECT Höhe FROM t WHERE Land = 'Schweiz') - 1", "depends_on_order"),
        ("SELECT Höhe / 7.0 FROM t WHERE Stadt = 'Bern'", "inexact"),
    ],
)
def test_an_answer_that_nobody_could_know_is_none(sql: str, why: str) -> None:
    with pytest.raises(QueryError, match=why):
        answer(TABLE, sql)


def test_a_value_in_the_middle_that_a_subquery_could_take_is_found_too() -> None:
    table = read({"columns": ["a", "n"], "rows": [["x", 1], ["x", 2], ["x", 1]]})
    with pytest.raises(QueryError, match="depends_on_order"):
        answer(table, "SELECT (SELECT n FROM t WHERE a = 'x') + 0")


def test_ties_that_change_nothing_are_no_matter() -> None:
    assert answer(TABLE, "SELECT Land FROM t ORDER BY Höhe DESC LIMIT 1") == [["Schweiz"]]
    assert answer(TABLE, "SELECT MAX(Höhe) FROM t") == [["593"]]


def test_values_are_joined_by_commas_and_rows_of_several_by_lines() -> None:
    assert joined([["Bern"], ["Graz"]]) == "Bern, Graz"
    assert joined([["Bern", "540"], ["Graz", "353"]]) == "Bern | 540\nGraz | 353"
    assert joined([["c, d"]]) == "c, d"


@pytest.mark.parametrize("rows", [[["c, d"], ["e"]], [["é|f", "1"]]])
def test_what_could_not_be_taken_apart_again_is_not_joined(rows: list[list[str]]) -> None:
    with pytest.raises(QueryError, match="ambiguous"):
        joined(rows)


def test_names_and_values_with_quotes_find_their_cells() -> None:
    sql = "SELECT Stadt FROM t WHERE \"O'Name|x\" = 'it''s'"
    assert answer(TABLE, sql) == [["Bern"]]
    drawn = {q.sql for n in range(400) if (q := draw(TABLE, templates(), random.Random(n)))}
    assert any("'it''s'" in each for each in drawn)
