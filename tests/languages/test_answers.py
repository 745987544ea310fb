from __future__ import annotations

import pytest

from engine.languages.answers import provenance, refused
from engine.prompting import Text
from tests.conftest import seed
from tests.filters.samples import GOOD

LANGUAGES = ("en", "de", "zh", "ar", "hi", "th", "sw")


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_is_proven_to_be_in_its_language_and_in_no_other(language: str) -> None:
    answer = GOOD[language][1]
    assert refused(answer, "?", language, proven=True) == ""
    for other in set(LANGUAGES) - {language}:
        assert refused(answer, "?", other, proven=True) in ("wrong_language", "wrong_script")


@pytest.mark.parametrize(
    ("answer", "reason", "proven"),
    [
        ("", "empty_answer", "empty_answer"),
        ("Warum?", "copied_prompt", "copied_prompt"),
        ("Ja.", "", "unsure_language"),
        ("42", "", "unsure_language"),
        ("```\nprint(1)\n```", "", "unsure_language"),
        (GOOD["de"][1].upper() + "  !", "same_answer", "same_answer"),
        (GOOD["de"][1] * 2000, "", ""),
    ],
)
def test_what_nobody_can_tell_passes_unless_proof_is_wanted(
    answer: str, reason: str, proven: str
) -> None:
    before = [GOOD["de"][1]]
    assert refused(answer, "Warum?", "de", before) == reason
    assert refused(answer, "Warum?", "de", before, proven=True) == proven


def test_an_answer_that_the_token_limit_cut_is_none() -> None:
    answer = Text(GOOD["th"][1])
    assert refused(answer, "?", "th") == ""
    answer.truncated = True
    assert refused(answer, "?", "th") == "cut_answer"


def test_english_is_refused_in_a_language_that_nobody_can_tell() -> None:
    """The identifier does not know Wolof; that a text is English it knows."""
    assert refused(GOOD["en"][1], "?", "wo") == "wrong_language"
    said = "Nga nday xaar ba tay, ndax dangaa feebar?"
    assert refused(said, "?", "wo") == ""
    assert refused(said, "?", "wo", proven=True) == "unsure_language"


def test_a_close_relative_counts_unless_it_is_found_for_sure() -> None:
    urdu = "پیاز کاٹنے سے ایک گیس نکلتی ہے جو آنکھوں میں جلن پیدا کرتی ہے اور آنسو آ جاتے ہیں۔"
    assert refused(urdu, "?", "ur", proven=True) == "" == refused(urdu, "?", "fa")
    assert refused(urdu, "?", "fa", proven=True) == "wrong_language"


@pytest.mark.parametrize("known", [None, "translated", ["x"], 5, {}])
def test_where_fields_are_from_is_known_whatever_a_file_says_of_it(known: object) -> None:
    record = seed("Warum?", "de", provenance=known)
    assert provenance(record, response="model") == {"instruction": "native", "response": "model"}


def test_what_is_known_of_where_fields_are_from_is_kept() -> None:
    record = seed("Warum?", "de", provenance={"instruction": "translated", "response": "native"})
    assert provenance(record, response="model") == {
        "instruction": "translated", "response": "model",
    }  # fmt: skip
