from __future__ import annotations

import pytest

from engine.symbolic.tables import QueryError, TableError, execute, read, shown


def test_a_column_is_of_numbers_where_every_cell_is_a_plain_one() -> None:
    rows = [["1", "007", "1,5", "12"], ["2.5", "8", "2", "viele"], [None, "9", "3", "3"]]
    table = read({"columns": ["a", "b", "c", "d"], "rows": rows})
    assert [table.is_number(column) for column in table.columns] == [True, False, False, False]
    assert table.rows[0] == (1, "007", "1,5", "12") and table.rows[2] == (None, "9", "3", "3")


def test_numbers_of_other_scripts_stay_the_text_that_is_shown() -> None:
    table = read({"columns": ["العدد"], "rows": [["١٢"], ["٣"]]})
    assert not table.is_number("العدد")
    assert execute(table, 'SELECT "العدد" FROM t WHERE "العدد" = \'٣\'') == [("٣",)]


def test_whole_numbers_do_not_become_floats_and_floats_show_no_tail() -> None:
    table = read({"columns": ["n"], "rows": [[1], [2.5], [3.0]]})
    assert [shown(cell) for row in execute(table, "SELECT n FROM t") for cell in row] == [
        "1", "2.5", "3",
    ]  # fmt: skip
    assert shown(1e-7) == "0.0000001" and shown(-0.0) == "0" and shown(None) == ""


def test_columns_get_names_that_sqlite_tells_apart() -> None:
    table = read({"columns": ["Name", "name", "", 'say "hi"', "a|b"], "rows": [["x"] * 5]})
    assert table.columns == ("Name", "name #2", "#3", 'say "hi"', "a|b")
    assert execute(table, 'SELECT "say ""hi""", "a|b", "name #2" FROM t') == [("x", "x", "x")]


def test_cells_are_one_line_of_nfc_text_without_what_cannot_be_written() -> None:
    table = read(
        {"columns": ["a\nb"], "rows": [["Zu\u0308rich\r\n\x00 am\tSee"], ["\ud800"], [" "]]}
    )
    assert table.columns == ("a b",)
    assert table.rows == (("Zürich am See",), ("\ufffd",), (None,))


def test_other_spellings_of_a_table_are_read_too() -> None:
    wanted = read({"columns": ["a", "b"], "rows": [[1, "x"]]})
    assert read({"header": ["a", "b"], "rows": [["1", "x"]]}) == wanted
    assert read([{"a": 1, "b": "x"}]) == wanted
    assert read(wanted.dump()) == wanted


def test_a_table_can_be_cut_and_put_in_small_letters() -> None:
    value = {"columns": ["A"], "rows": [["X"], ["Y"], ["Z"]]}
    assert read(value, most_rows=2, lowercase=True).dump() == {
        "columns": ["a"],
        "rows": [["x"], ["y"]],
    }


@pytest.mark.parametrize(
    "value",
    [None, "", 3, [], [1], {}, {"columns": ["a"]}, {"columns": [], "rows": []},
     {"columns": ["a"], "rows": [["x", "y"]]}, {"columns": ["a"], "rows": ["x"]},
     {"columns": ["a"], "rows": []}, {"columns": ["a"], "rows": [[["x"]]]}],
)  # fmt: skip
def test_what_is_no_table_is_refused(value: object) -> None:
    with pytest.raises(TableError):
        read(value)


TABLE = read({"columns": ["a"], "rows": [["x"], ["y"]]})


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE t",
        "INSERT INTO t VALUES ('z')",
        "ATTACH 'stolen.db' AS other",
        "PRAGMA database_list",
        "SELECT load_extension('x')",
        "SELECT randomblob(1000000000)",
        "SELECT 1; SELECT 2",
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT COUNT(*) FROM c",
        f"SELECT COUNT(*) FROM {', '.join(f't AS t{n}' for n in range(30))}",
        "SELECT nothing FROM t",
        "SELECT '\ud800'",
        "SELECT \x00",
        "no sql",
    ],
)
def test_a_query_can_read_the_table_and_nothing_else(sql: str) -> None:
    with pytest.raises(QueryError):
        execute(TABLE, sql)


def test_more_columns_than_sqlite_takes_is_an_error_of_the_query() -> None:
    wide = read({"columns": [f"c{n}" for n in range(3000)], "rows": [[1] * 3000]})
    with pytest.raises(QueryError):
        execute(wide, "SELECT 1 FROM t")
