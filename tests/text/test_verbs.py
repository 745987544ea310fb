from __future__ import annotations

import pytest

from engine.text.verbs import Opening, opening


@pytest.mark.parametrize(
    ("language", "text", "opens"),
    [
        ("en", "Write a poem about the rain.", ("write", "poem")),
        ("de", "Nenne drei Flüsse!", ("nenne", "drei")),
        ("zh-Hans", "解释潮汐。", ("解释", "潮汐")),
        ("ja", "俳句を書いて", ("俳句", "を書")),
        ("th", "เขียนบทกวี", ("เขียน", "บทกวี")),
        ("ar", "اكتب قصيدة عن المطر", ("اكتب", "قصيدة")),
        ("sw", "Eleza mvua", ("eleza", "mvua")),
        ("zh", "用Python写程序", ("用", "python")),
    ],
)
def test_a_request_opens_with_its_first_word_and_the_next_content_word(language, text, opens):
    assert opening(text, language) == opens


@pytest.mark.parametrize(
    ("language", "text", "first"),
    [
        ("en", "Could you please explain tides?", "explain"),
        ("en", "I want you to act as a baker.", "act"),
        ("de", "Bitte erkläre Ebbe und Flut.", "erkläre"),
        ("fr", "S'il vous plaît, résume ce texte.", "résume"),
        ("zh", "请解释潮汐", "解释"),
        ("sw", "Tafadhali eleza mvua", "eleza"),
    ],
)
def test_polite_openers_are_passed_over(language, text, first):
    assert opening(text, language).first == first


def test_a_question_word_is_a_first_word_and_stop_words_are_no_second_ones():
    assert opening("What is the capital of Peru?", "en") == Opening("what", "capital")


def test_a_language_without_a_stop_list_takes_the_next_word():
    assert opening("Skrifaðu um veðrið", "xx") == Opening("skrifaðu", "um")


def test_the_number_of_a_list_item_is_no_word():
    assert opening("1. Write 3 poems", "en") == Opening("write", "poems")


def test_one_word_has_no_second_and_politeness_alone_is_a_word():
    assert opening("Summarise!", "en") == Opening("summarise", "")
    assert opening("Please", "en") == Opening("please", "")


@pytest.mark.parametrize("text", ["", "  \n", "!?…", "🙂"])
def test_a_text_without_letters_does_not_open(text):
    assert opening(text, "en") is None


def test_a_very_long_text_is_looked_at_only_where_it_begins():
    assert opening("Write poems " + "and more " * 200_000, "en") == Opening("write", "poems")
    assert len(opening("字" * 1_000_000, "zh").first) == 2
