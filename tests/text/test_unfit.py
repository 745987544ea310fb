import pytest

from engine.text.unfit import opens_as_program, unfit_word


@pytest.mark.parametrize(
    ("language", "unfit", "fit"),
    [
        ("en", "Go to the shop", "Going to shop"),
        ("de", "Öffne die DATEI", "Bildung für alle"),
        ("es", "Mira la imagen", "Imagina un viaje"),
        ("fr", "Décris l'image", "Lis la carte du restaurant"),
        ("zh-Hant", "描述這張圖片", "描述這個人"),
        ("ar", "صف الصورة التالية", "صف الشخص التالي"),
        ("hi", "इस फ़ाइल को पढ़ें", "इस वाक्य को पढ़ें"),
        ("sw", "Eleza picha hii", "Eleza hadithi hii"),
        ("pt", "Descreva o MAPA", "Descreva o bairro"),
        ("tr", "Fotoğraftaki kişiyi anlat", "Resmi dili söyle"),
        ("th", "อธิบายแผนที่นี้", "ดูแลสุขภาพอย่างไร"),
        ("eu", "Deskribatu argazkia", "Deskribatu herria"),
    ],
)
def test_every_shipped_language_knows_its_unfit_words(language: str, unfit: str, fit: str):
    assert unfit_word(unfit, language, {})
    assert not unfit_word(fit, language, {})


def test_a_job_adds_words_for_its_own_languages():
    assert unfit_word("Opisz ten obraz", "pl", {}) == ""
    assert unfit_word("Opisz ten obraz", "pl", {"pl": ["obraz"]}) == "obraz"
    assert unfit_word("Beschreibe das Video", "de-AT", {"de": ["video"]}) == "video"


def test_write_a_program_counts_at_the_opening_only():
    assert opens_as_program("Schreibe ein Programm, das zählt.", "de")
    assert not opens_as_program("Schreibe ein Programmheft.", "de")
    assert opens_as_program("写一个程序来排序", "zh")
    assert not opens_as_program("解释如何写一个程序", "zh")
    assert not opens_as_program("Napisz program", "pl")


def test_whole_words_count_where_there_are_spaces_and_any_place_where_there_are_none():
    assert unfit_word("See the IMAGE-based plan", "en", {}) == "image"
    assert unfit_word("Imagery and profiles", "en", {}) == ""
    assert unfit_word("请看地图说话", "zh", {}) == "地 图"
    assert unfit_word("", "en", {}) == "" and not opens_as_program("", "en")
    assert unfit_word("x " * 300_000 + "map", "en", {}) == "map"
