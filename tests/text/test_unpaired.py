from __future__ import annotations

import pytest

from engine.text.unpaired import Sizes, segments

PROSE = "The tide follows the moon and not the clock on the wall of the harbour. "
SMALL = Sizes(question=30, least=5, most=60)


def cut(text: str, language: str, sizes: Sizes = SMALL) -> list[tuple[str, str]]:
    return [(s.side, text[s.start : s.end]) for s in segments(text, language, sizes)]


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "Why does the sea rise twice a day?"),
        ("en", "Explain how tides work."),
        ("es", "¿Por qué sube el mar dos veces al día?"),
        ("de", "Beschreibe, wie Gezeiten entstehen."),
        ("el", "Γιατί ανεβαίνει η θάλασσα;"),
        ("hy", "Ինչո՞ւ է ծովը բարձրանում։"),
        ("ar", "لماذا يرتفع البحر مرتين في اليوم؟"),
        ("am", "ባሕሩ ለምን ይነሳል፧"),
        ("zh-Hans", "海水为什么每天涨两次？"),
        ("zh", "海水每天涨两次吗"),
        ("ja", "海はなぜ一日に二度満ちるのですか。"),
        ("ko", "바다는 왜 하루에 두 번 차오르나요"),
        ("th", "น้ำทะเลขึ้นวันละสองครั้งทำไม"),
        ("sw", "Je, maji ya bahari hupanda mara ngapi kwa siku"),
        ("tr", "Deniz günde iki kez neden yükselir?"),
        ("xx", "Zu wa ta mi lo?"),
    ],
)
def test_a_question_is_known_by_the_marks_and_words_of_its_language(
    language: str, question: str
) -> None:
    assert cut(question, language) == [("question", question)]


@pytest.mark.parametrize(
    ("language", "statement"),
    [
        ("en", "The sea rises twice a day; it follows the moon and not the harbour clock."),
        ("en", "See https://example.org/?tide=high for the table of this year and the last one."),
        ("de", "Das Meer steigt zweimal am Tag; es folgt dem Mond und nicht der Uhr am Hafen."),
        ("zh-Hans", "海水每天涨两次，跟着月亮走，不跟着码头上的钟走。潮水退了以后可以走到岛上去。"),
        ("hi", "समुद्र दिन में दो बार चढ़ता है और चाँद के पीछे चलता है, घड़ी के पीछे नहीं।"),
    ],
)
def test_a_statement_is_an_answer_in_any_language(language: str, statement: str) -> None:
    assert cut(statement, language) == [("answer", statement)]


def test_what_follows_a_question_in_its_block_is_an_answer_by_itself() -> None:
    question = "Why does the sea rise? And why twice?"
    assert cut(f"{question} {PROSE.strip()}", "en") == [
        ("question", question),
        ("answer", PROSE.strip()),
    ]


def test_labels_headings_and_list_marks_are_no_part_of_a_segment() -> None:
    text = f"## 3. What is a tide?\n\nQ: Who needs a table?\nA: {PROSE}\n\n- **Where is it sold?**"
    assert cut(text, "en") == [
        ("question", "What is a tide?"),
        ("question", "Who needs a table?"),
        ("answer", PROSE.strip()),
        ("question", "Where is it sold?"),
    ]
    assert cut("Frage: Wer liest das?\nAntwort: Die Leute, die an der See wohnen.", "de") == [
        ("question", "Wer liest das?"),
        ("answer", "Die Leute, die an der See wohnen."),
    ]


def test_short_blocks_are_put_together_and_never_across_a_question_or_a_heading() -> None:
    joined = "One two three.\n\nFour five six."
    assert cut(joined, "en") == [("answer", joined)]
    assert cut("One two three.\n\nWho?\n\nFour five six.", "en") == [("question", "Who?")]
    assert cut("One two three.\n\n# Four\n\nFive six seven.", "en") == []


def test_lengths_are_bounds_and_their_borders_belong_to_them() -> None:
    assert cut("one two three four five", "en") == [("answer", "one two three four five")]
    assert cut("one two three four", "en") == []
    for words, found in ((60, 1), (61, 0)):
        assert len(cut(" ".join(["word"] * words), "en")) == found
    for words, found in ((30, "question"), (31, "answer")):
        assert cut(" ".join(["word"] * words) + "?", "en")[0][0] == found


def test_spans_are_in_order_do_not_overlap_and_are_of_one_side_each() -> None:
    text = f"Why?\n\n{PROSE}\n\nQ: Who knows?\nA: {PROSE}\n\n# And how?\nText. " + PROSE * 3
    found = list(segments(text, "en", SMALL))
    assert len(found) >= 5
    places = [place for s in found for place in (s.start, s.end)]
    assert places == sorted(places) and all(s.start < s.end for s in found)


@pytest.mark.parametrize("text", ["", " \n\n\t", "###", "**", "?", "。"])
def test_a_text_without_words_holds_nothing_to_answer(text: str) -> None:
    assert not [s for s in segments(text, "zh") if s.side == "answer"]


@pytest.mark.parametrize(
    "text", [PROSE * 20_000, "为什么？" * 50_000, "x?" * 100_000, "\n" * 10**6]
)
def test_a_very_long_text_takes_no_time_to_speak_of(text: str) -> None:
    assert all(s.end - s.start < 1000 for s in segments(text, "zh", SMALL))
