from __future__ import annotations

import pytest

from engine.text.task_rules import TaskRules


@pytest.mark.parametrize(
    ("task", "language", "reason"),
    [
        ("Nenne drei Flüsse in Kenia.", "de", ""),
        ("केन्या की तीन नदियों के नाम बताइए।", "hi", ""),
        ("说出肯尼亚的三条河流。", "zh", ""),
        ("¿Qué animal no pertenece a la lista?", "es", ""),
        ("Nenne drei Flüsse", "de", "too_short"),
        ("", "th", "too_short"),
        ("wort " * 151, "de", "too_long"),
        ("字" * 200_000, "zh", "too_long"),
        ("Beschreibe das Foto in zwei Sätzen.", "de", "blocked_word"),
        ("Schreibe ein Programm, das Namen sortiert.", "de", "writes_program"),
        ("(Nenne drei Flüsse in Kenia.)", "de", "starts_with_punctuation"),
        ("Name three rivers in Kenya.", "hi", "wrong_script"),
    ],
)
def test_a_task_ends_with_the_first_rule_it_breaks(task: str, language: str, reason: str):
    assert TaskRules().fault(task, language)[0] == reason


def test_further_words_come_from_the_job_and_from_the_method():
    rules = TaskRules(blocked={"de": ["fluss"]})
    assert rules.fault("Nenne einen Fluss in Kenia.", "de") == ("blocked_word", "fluss")
    more = {"de": ["kenia"], "sw": ["mto"]}
    assert TaskRules().fault("Nenne drei Flüsse in Kenia.", "de", more) == ("blocked_word", "kenia")
    assert TaskRules().fault("Taja mto mmoja wa Kenya.", "sw", more) == ("blocked_word", "mto")
