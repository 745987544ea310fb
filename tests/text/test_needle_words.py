"""Sentences and nouns of every language that is listed."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from engine.languages.table import find
from engine.text.haystacks import folded
from engine.text.needle_words import SLOTS, Wording, listed, translated, wording_for
from engine.text.scripts import share_in_script

each = pytest.mark.parametrize("tag", sorted(listed()))


def test_there_are_many_languages_in_many_scripts() -> None:
    assert len(listed()) >= 30
    assert {"en", "de", "zh", "ar", "hi", "th", "sw"} <= set(listed())
    assert len({find(tag).scripts[0] for tag in listed()}) >= 15


@each
def test_its_nouns_are_the_same_twenty_and_enough_of_them_can_be_keys(tag: str) -> None:
    said = listed()[tag]
    assert len(said.nouns) == len(listed()["en"].nouns) == len(set(said.nouns))
    ours = folded(" ".join(said.sentences.values()))
    free = [noun for noun in said.nouns if folded(noun) not in ours]
    free = [a for a in free if not any(a != b and folded(a) in folded(b) for b in free)]
    assert len(free) >= 16
    assert len({*said.more, *said.nouns}) == len(said.more) + len(said.nouns)


@each
def test_it_speaks_its_own_language_and_ends_as_it_does(tag: str) -> None:
    said, language = listed()[tag], find(tag)
    for name in SLOTS:
        assert share_in_script(re.sub(r"{\w+}", " ", getattr(said, name)), tag) == 1, name
    marks = language.sentence_marks
    assert not marks or said.fact[-1] in marks or tag == "th"
    assert (said.space == "") == (language.scripts[0] in ("Hans", "Hant", "Jpan"))


@each
def test_a_denial_is_in_no_answer_that_is_not_one(tag: str) -> None:
    said = listed()[tag]
    assert not any(folded(said.none) in folded(noun) for noun in (*said.nouns, *said.more))


def test_a_sentence_leaves_open_what_it_has_to_and_nothing_else() -> None:
    good = listed()["de"].model_dump()
    for name, text in [("fact", "{key}"), ("read", "{key}"), ("ask", "{keys} {keys} {none}")]:
        with pytest.raises(ValidationError, match=name):
            Wording(**{**good, name: text})


def test_a_brace_that_opens_nothing_is_refused_and_not_met_in_the_run() -> None:
    good = listed()["de"].model_dump()
    with pytest.raises(ValidationError, match="fact leaves more open"):
        Wording(**{**good, "fact": "Der Code für „{key}“ lautet {value}}."})


@pytest.mark.parametrize("comma", ["", " ", " / ", "und"])
def test_what_answers_cannot_be_cut_at_is_no_comma(comma: str) -> None:
    with pytest.raises(ValidationError, match="comma"):
        Wording(**{**listed()["de"].model_dump(), "comma": comma})


@pytest.mark.parametrize("said", ["hakuna.", "hakuna。", "hakuna ।"])
def test_the_translated_word_for_no_code_loses_its_full_stop(said: str) -> None:
    assert translated({**listed()["sw"].sentences, "none": said}).none == "hakuna"


def test_a_job_s_own_words_win_and_another_script_is_another_language() -> None:
    own = listed()["de"]
    assert wording_for("fr", {"fr": own}) is own and wording_for("de-AT") == own
    assert wording_for("zh-Hans") == listed()["zh"] != wording_for("zh-Hant")
    assert wording_for("wo") is None


def test_a_translation_without_blanks_is_joined_without_them() -> None:
    said = listed()["ja"].sentences
    assert (translated(said).space, translated(said).comma) == ("", "、")
    assert translated(listed()["sw"].sentences).space == " "
