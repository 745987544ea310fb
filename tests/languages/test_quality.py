from __future__ import annotations

import pytest

from engine.languages.masking import mask
from engine.languages.quality import answer_fault, chrf, fault, measured

ENGLISH = "The bus leaves at 6:40 and carries 1,250 people in 3 days. Bring your own blanket."
GOOD = {
    "de": "Der Bus fährt um 6:40 Uhr und befördert 1.250 Menschen in 3 Tagen. Nimm eine Decke mit.",
    "zh-Hans": "公共汽车6:40出发，3天运送1,250人。请自带毯子，晚上会很冷。",
    "ar": "تغادر الحافلة الساعة ٦:٤٠ وتنقل ١٬٢٥٠ شخصا في ٣ أيام. أحضر بطانيتك معك.",
    "hi": "बस ६:४० बजे निकलती है और ३ दिनों में १,२५० लोगों को ले जाती है। अपना कंबल साथ लाइए।",
    "th": "รถโดยสารออกเวลา ๖:๔๐ และขนคน ๑,๒๕๐ คนใน ๓ วัน โปรดนำผ้าห่มมาเอง",
    "sw": "Basi linaondoka saa 6:40 na linabeba watu 1,250 kwa siku 3. Lete blanketi lako.",
}


def found(text: str, language: str, source: str = ENGLISH) -> tuple[dict[str, float], str]:
    masked = mask(source)
    vector = measured(masked, text, "en", language)
    return vector, fault(vector, masked, text)[0]


@pytest.mark.parametrize("language", GOOD)
def test_a_good_translation_passes_in_every_language_and_its_numbers_agree(language: str):
    vector, wrong = found(GOOD[language], language)
    assert wrong == "" and vector["numbers"] == 1 and vector["script"] > 0.9
    assert vector["copied"] == 0 and vector["placeholders"] == 1 and vector["length_ratio"] > 0.3


@pytest.mark.parametrize("language", GOOD)
def test_the_source_itself_is_no_translation(language: str):
    assert found(ENGLISH, language)[1] == "copied_source"


@pytest.mark.parametrize("language", GOOD)
def test_another_language_is_none_either(language: str):
    for other, text in GOOD.items():
        wrong = found(text, language)[1]
        assert (wrong == "") == (other == language), (other, wrong)


def test_a_wrong_number_shows_in_any_digits():
    assert found(GOOD["ar"].replace("٣", "٤"), "ar")[0]["numbers"] == pytest.approx(0.6, abs=0.15)
    assert found("Keine Zahl.", "de", "No number.")[0]["numbers"] == 1
    assert found("Keine Zahl hier.", "de", "There are 7.")[0]["numbers"] == 0


def test_what_was_to_stay_is_counted_as_often_as_it_was_there():
    source = "Run `ls` and `ls` in {dir} now."
    vector, wrong = found("Führe `ls` in {dir} jetzt aus, und zwar sofort.", "de", source)
    assert vector["placeholders"] == pytest.approx(2 / 3) and wrong == "lost_placeholder"


def test_one_thing_over_and_over_is_measured():
    assert found("Bring Decken mit. " * 20, "de")[0]["repeated"] > 0.8


def test_nothing_is_no_translation_and_a_very_long_one_is_measured():
    assert found("", "de")[1] == "empty_translation"
    vector, wrong = found(GOOD["zh-Hans"] * 3000, "zh-Hans", ENGLISH * 3000)
    assert wrong == "" and vector["repeated"] > 0.9


def test_names_may_be_the_same_in_both():
    assert found("Nairobi, Mombasa", "sw", "Nairobi, Mombasa")[1] == ""


def test_chrf_is_sacrebleus_and_sentinels_count_for_nothing():
    # chrF2 of sacrebleu 2.6 on "the cat sat" against "the cat sat down"
    assert chrf("the cat sat", "the cat sat") == 100
    assert chrf("⟦1⟧the cat sat", "the cat sat ⟦0⟧") == 100
    assert 60 < chrf("the cat sat", "the cat sat down") < 90
    assert chrf("", "the cat") == 0 and chrf("去年冬天", "去年冬天") == 100


@pytest.mark.parametrize("language", GOOD)
def test_an_answer_in_the_language_is_one(language: str):
    assert answer_fault(GOOD[language], "?", language) == ""
    assert answer_fault(ENGLISH, "?", language) in ("wrong_script", "wrong_language")
    assert answer_fault(" ", "?", language) == "empty_answer"


@pytest.mark.parametrize("language", ["wo", "yo", "gn"])
def test_english_is_no_answer_in_a_language_that_the_identifier_does_not_know(language: str):
    assert answer_fault(ENGLISH, "?", language) == "wrong_language"


def test_an_answer_that_is_taken_for_some_other_small_language_stands():
    assert answer_fault("Nit ñépp danuy juddu, yam ci tawfeex ci sag ak sañ-sañ.", "?", "wo") == ""
