from __future__ import annotations

import pytest

from engine.symbolic.renderings import instructions, listed, rendered, words_for
from engine.symbolic.tables import read

TABLE = read({"columns": ["a|b", "n"], "rows": [["x\\|y", 1], [None, 2.5]]})
GOLDEN = {
    ("en", "indexed"): "header: a\\|b | n\nrow 1: x\\\\\\|y | 1\nrow 2:  | 2.5",
    ("en", "markdown"): "| a\\|b | n |\n| --- | --- |\n| x\\\\\\|y | 1 |\n|  | 2.5 |",
    ("en", "sentences"): "Row 1: a|b is x\\|y, n is 1.\nRow 2: a|b is empty, n is 2.5.",
    ("de", "indexed"): "Kopfzeile: a\\|b | n\nZeile 1: x\\\\\\|y | 1\nZeile 2:  | 2.5",
    ("zh", "sentences"): "第1行：a|b是x\\|y，n是1。\n第2行：a|b是空，n是2.5。",
    ("ar", "sentences"): "الصف 1: a|b هو x\\|y، n هو 1.\nالصف 2: a|b هو فارغ، n هو 2.5.",
    ("hi", "indexed"): "शीर्षक: a\\|b | n\nपंक्ति 1: x\\\\\\|y | 1\nपंक्ति 2:  | 2.5",
    ("th", "sentences"): "แถวที่ 1: a|b คือ x\\|y, n คือ 1\nแถวที่ 2: a|b คือ ว่าง, n คือ 2.5",
    ("sw", "indexed"): "vichwa: a\\|b | n\nsafu 1: x\\\\\\|y | 1\nsafu 2:  | 2.5",
}


@pytest.mark.parametrize(("case", "due"), GOLDEN.items(), ids=map(str, GOLDEN))
def test_a_table_is_written_as_the_golden_says(case: tuple[str, str], due: str) -> None:
    words = words_for(case[0])
    assert words and rendered(TABLE, case[1], words) == due  # type: ignore[arg-type]


def test_there_are_words_in_many_languages_and_every_instruction_shows_the_query() -> None:
    assert {"en", "de", "es", "zh", "ar", "hi", "th", "sw"} <= set(listed())
    for tag in listed():
        words = words_for(tag)
        assert words
        for columns, form in ((1, words.values), (2, words.rows)):
            asked = instructions("SELECT {x} FROM t", columns, words)
            assert len(set(asked)) == len(words.ask)
            assert all("```sql\nSELECT {x} FROM t\n```" in ask and form in ask for ask in asked)


def test_a_language_is_found_by_its_base_but_not_in_another_script() -> None:
    assert words_for("de-AT") is words_for("de")
    assert words_for("zh-Hans") is words_for("zh")
    assert words_for("zh-Hant") is None
    assert words_for("eu") is None and words_for("") is None


def test_slots_in_a_table_are_text() -> None:
    table = read({"columns": ["{value}"], "rows": [["{n}{cells}"]]})
    words = words_for("en")
    assert words and rendered(table, "sentences", words) == "Row 1: {value} is {n}{cells}."
