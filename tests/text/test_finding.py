"""The final answer of a response is found where it is, and nowhere else."""

from __future__ import annotations

import pytest

from engine.text.finding import final


@pytest.mark.parametrize(
    ("text", "language", "due"),
    [
        ("First \\boxed{1}, no: \\boxed{42}.", "en", ("42", "boxed")),
        ("\\boxed{\\frac{\\sqrt{3}}{2}} is it.", "en", ("\\frac{\\sqrt{3}}{2}", "boxed")),
        ("The answer is 7. No, the answer is 42, I think.", "en", ("42", "cue")),
        ("The answer is 42 because 6*7=42.", "en", ("42", "cue")),
        ("The answer is 6*7 = 42.", "en", ("42", "cue")),
        ("**Final Answer:**\n$x = \\frac{3}{4}$", "en", ("0.75", "cue")),
        ("The answer is -7.", "en", ("-7", "cue")),
        ("The answer: Nairobi.", "en", ("nairobi", "cue")),
        ("Work.\n#### 18", "en", ("18", "cue")),
        ("Das Ergebnis lautet 3,5 kg.", "de", ("3.5 kg", "cue")),
        ("La respuesta es 1.234,5 euros.", "es", ("1234.5 €", "cue")),
        ("所以答案是42。", "zh", ("42", "cue")),
        ("答案：**三十以内的 17**", "zh", ("17", "cue")),
        ("الإجابة هي ٤٢.", "ar", ("42", "cue")),
        ("फिर उत्तर ४२ है।", "hi", ("42", "cue")),
        ("คำตอบคือ ๔๒ บาท", "th", ("42 ฿", "cue")),
        ("Kwa hiyo jibu ni 42.", "sw", ("42", "cue")),
        ("答えは42です。", "ja", ("42", "cue")),
        ("답은 42입니다", "ko", ("42", "cue")),
        ("Cevap: 12,5", "tr", ("12.5", "cue")),
        ("The answer is 42.", "sw", ("42", "cue")),
        ("3 and 4 make 7 apples.", "en", ("7", "number")),
        ("3 und 4 machen 7,5 Äpfel.", "de", ("7.5", "number")),
        ("It is (B), surely.", "en", ("B", "choice")),
        ("x^2+1", "en", ("x^2+1", "whole")),
    ],
)
def test_the_last_announcement_counts_then_the_last_number(text, language, due):
    found = final(text, language)
    assert found and (found.answer.text, found.place) == due


@pytest.mark.parametrize(
    ("text", "language", "due"),
    [
        ("The answer is (B).", "en", "B"),
        ("Answer: I think B", "en", "B"),
        ("After 3 checks: option C, with 42 apples", "en", "C"),
        ("Die richtige Option ist B.", "de", "B"),
        ("答案：B", "zh", "B"),
        ("الإجابة الصحيحة: (ج)", "ar", "C"),
        ("सही उत्तर (ख) है", "hi", "B"),
        ("ตอบ ข้อ ค", "th", "C"),
        ("Jibu sahihi ni (D).", "sw", "D"),
    ],
)
def test_a_choice_is_a_letter_of_any_script(text, language, due):
    found = final(text, language, "choice")
    assert found and found.answer.text == due


@pytest.mark.parametrize(
    "text", ["", "   ", "I don't know.", "No lo sé.", "我不知道", "\\boxed{", "?", "\x00", "\ud800"]
)
def test_where_nothing_is_said_nothing_is_found(text):
    assert final(text, "en") is None


@pytest.mark.parametrize("kind", ["number", "choice"])
def test_another_kind_of_answer_is_not_taken_for_it(kind):
    assert final("The answer is Nairobi.", "en", kind) is None


@pytest.mark.parametrize(
    "text",
    [
        "\\boxed{" * 140_000,
        "\\boxed{" * 25_000 + "}" * 25_000,
        "the answer is " * 70_000,
        "1 " * 500_000,
    ],
    ids=["open", "nested", "announced", "numbers"],
)
@pytest.mark.slow
def test_a_megabyte_ends(text):
    final(text, "en")


@pytest.mark.slow
def test_in_a_megabyte_the_end_is_what_counts():
    assert final("слово " * 160_000 + "Ответ: 42", "ru").answer.text == "42"
