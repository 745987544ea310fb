from __future__ import annotations

import pytest

from engine.text.chains import joined, joiners, label_like, listed, stages, words_for, written

EN = listed()["en"]
FORMS = {
    "as released, without a space": "Task1 output/Task2 input: a b\nTask2 output: c",
    "as released, with a space": "Task 1 output/Task 2 input: a b\nTask 2 output: c",
    "mixed": "Task 1 output / Task2 input: a b\n\nTask2 output:\nc",
    "bold, other case": "**TASK 1 OUTPUT/TASK 2 INPUT:** a b\n**Task 2 Output:** c",
    "first label short": "Task 1 output: a b\nTask 2 output: c",
    "full width": "Task １ output/Task ２ input： a b\nTask ２ output： c",
    "greeting above": "Sure!\n\n### Task 1 output:\na b\n\n### Task 2 output:\nc",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_every_form_is_read_and_written_in_one(text: str) -> None:
    assert stages(text, EN) == ["a b", "c"]
    assert written(stages(text, EN), EN) == "Task 1 output/Task 2 input:\na b\n\nTask 2 output:\nc"


@pytest.mark.parametrize("language", sorted(listed()))
@pytest.mark.parametrize("count", [1, 2, 3, 11])
def test_what_is_written_is_read_again_in_every_language(language: str, count: int) -> None:
    words = listed()[language]
    outputs = [f"text {n}\nmore {n}\n\n- and {n}" for n in range(count)]
    assert stages(written(outputs, words), words) == outputs
    tasks = [f"do {n}" for n in range(count)]
    assert joiners(joined(tasks, words), words) == count - 1


def test_labels_that_do_not_count_up_are_text() -> None:
    assert stages("Task 2 output: c", EN) == []
    assert stages("Task 1 output: a\nTask 3 output: b\nTask 2 output: c", EN) == [
        "a\nTask 3 output: b",
        "c",
    ]
    assert stages("no label", EN) == stages("", EN) == []
    assert written([], EN) == ""


def test_stops_go_before_a_joiner_and_capitals_behind_it() -> None:
    assert joined(["Sum it up.", "Translate it.", "DNA?"], EN) == (
        "Sum it up and then translate it and then DNA?"
    )
    assert (
        joined(["写一个标题。", "翻译成英语。"], listed()["zh"]) == "写一个标题，接着再翻译成英语。"
    )
    assert joined(["Yaz.", "Isıt."], listed()["tr"]).endswith("Isıt."), "no wrong i in Turkish"
    assert joined([], EN) == "" and joiners("", EN) == 0


def test_a_joiner_is_counted_in_any_case_and_spacing() -> None:
    assert joiners("a AND THEN b and\nthen c", EN) == 2
    assert joiners("band then c", EN) == 0


@pytest.mark.parametrize(
    ("output", "expected"),
    [("", True), ("polite", True), ("a b c d", False), ("产品", True), ("字" * 100_000, False)],
)
def test_short_outputs_are_like_labels(output: str, expected: bool) -> None:
    assert label_like(output, 3) is expected


def test_long_texts_are_read_in_good_time() -> None:
    long = "Task 1 output:\n" + "слово " * 200_000 + "\nTask 2 output: c"
    assert len(stages(long, EN)) == 2


def test_words_are_the_languages_own() -> None:
    assert words_for("pt-BR") is listed()["pt"] and words_for("yo") is None
