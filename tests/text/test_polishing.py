from __future__ import annotations

import pytest

from engine.text.polishing import (
    answer_fault,
    cleaned_instruction,
    instruction_fault,
    judged_good,
    labels,
    listed_word,
    too_short,
)

STEP_3 = ["新闻", "材料", "图片", "链接", "网址", "根据", "简历", "简介", "文章", "摘要", "文本"]
STEP_3 += ["提取", "关键词", "网站"]
STEP_7 = ["作为", "根据", "知识库", "2023", "抱歉"]
LONG = "采下的嫩芽要当天炒制，火候要稳，动作要快，炒好以后放凉，再密封保存。"


@pytest.mark.parametrize("word", STEP_3)
def test_an_instruction_with_a_word_of_the_method_is_dropped(word: str):
    assert instruction_fault(f"请说明这个{word}里的内容", "zh") == "needs_a_text"
    assert instruction_fault(f"请说明这个{word}里的内容", "zh-Hans") == "needs_a_text"


@pytest.mark.parametrize("word", STEP_7)
def test_an_answer_with_a_word_of_the_method_is_dropped(word: str):
    assert answer_fault(f"{LONG}{word}", "zh", 20) == "speaks_of_itself"


@pytest.mark.parametrize(
    "text, language",
    [("Summarize the steps of making tea.", "en"), ("Write an ARTICLE about tea.", "en"),
     ("Fasse die Regeln kurz zusammen.", "de"), ("Résumez les étapes.", "fr"),
     ("لخص خطوات العمل", "ar"), ("यह लेख समझाइए", "hi"), ("สรุปขั้นตอนการทำชา", "th"),
     ("Andika muhtasari wa kilimo.", "sw"), ("Metni kısalt.", "tr")],
)  # fmt: skip
def test_every_language_has_its_own_words(text: str, language: str):
    assert instruction_fault(text, language) == "needs_a_text"


@pytest.mark.parametrize(
    "text, language",
    [("How is green tea made?", "en"), ("Erkläre den Kontext der Reform.", "de"),
     ("怎样炒茶？", "zh"), ("茶はどう作りますか。", "ja"), ("Paano gumawa ng tsaa?", "tl"),
     ("Summarize the steps.", "tl")],
)  # fmt: skip
def test_other_instructions_are_kept_also_in_languages_without_words(text: str, language: str):
    assert instruction_fault(text, language) == ""


def test_words_are_whole_where_the_script_has_spaces():
    assert listed_word("The linked list is full of newsagents.", "instruction", "en") == ""
    assert listed_word("What does the link say?", "instruction", "en") == "link"


@pytest.mark.parametrize("text", ["", " \n\t ", "\n\n\n\n\n\n"])
def test_nothing_is_no_instruction(text: str):
    assert instruction_fault(cleaned_instruction(text), "en") == "no_instruction"


def test_an_instruction_ends_before_five_blanks():
    assert cleaned_instruction("怎样炒茶？     答：快。") == "怎样炒茶？"
    assert cleaned_instruction("How?\n\n\n\n\nAnswer: so.") == "How?"
    assert cleaned_instruction("How?\n\n\n\nIn detail.  \n") == "How?\n\n\n\nIn detail."


def test_of_lines_that_repeat_the_longest_is_kept_if_it_comes_first():
    assert cleaned_instruction("怎样炒茶？\n怎样炒茶？\n好") == "怎样炒茶？"
    assert cleaned_instruction("Task:\nHow is tea made?\nHow is tea made?") == ""
    assert cleaned_instruction("How?\nWhy?") == "How?\nWhy?", "nothing repeats"


def test_an_answer_is_long_enough_from_twenty_characters_on():
    assert too_short("字" * 19, 20) and not too_short("字" * 20, 20)
    assert too_short("word " * 12, 20) and not too_short("word " * 13, 20)
    assert too_short("", 20) and not too_short("", 0)


def test_a_unit_that_leads_an_answer_more_than_five_times_is_stuck():
    tail = " and then a good deal more that would be long enough for an answer of its own"
    assert answer_fault("turn " * 6 + tail, "en", 20) == "answer_is_stuck"
    assert answer_fault("turn " * 5 + tail, "en", 20) == ""
    assert answer_fault("炒茶" * 6 + LONG, "zh", 20) == "answer_is_stuck"
    assert answer_fault("炒茶" * 5 + LONG, "zh", 20) == ""
    assert answer_fault(tail + "turn " * 9, "en", 20) == "", "it does not lead"


def test_a_very_long_answer_is_read_in_no_time():
    assert answer_fault("ab" * 300_000, "en", 20) != ""
    assert (
        answer_fault(" ".join(f"Satz {n} über Tee." for n in range(3_000, 20_000)), "de", 20) == ""
    )


@pytest.mark.parametrize(
    "reply, language, good",
    [("【好】", "zh", True), ("这个指令清楚。【好】", "zh-Hant", True),
     ("【差】", "zh", False),
     ("【好】还是【差】？", "zh", False), ("好", "zh", False), ("", "zh", False),
     ("【Good】", "en", True), ("[good]", "en", True), ("[good] [bad]", "en", False),
     ("good", "en", False), ("【جيد】", "ar", True), ("【सीखा】", "hi", False),
     ("【good】", "tl", True), ("【好】", "en", False)],
)  # fmt: skip
def test_the_good_tag_must_be_there_and_the_bad_one_must_not(reply: str, language: str, good: bool):
    assert judged_good(reply, language) is good


def test_tags_are_in_the_language_or_in_english():
    assert labels("zh-Hans") == ("【好】", "【差】")
    assert labels("yo") == labels("en") == ("【good】", "【bad】")
