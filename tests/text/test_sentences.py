import pytest

from engine.text.sentences import count, paragraphs, sentences, units, words

SENTENCES = {
    "titles and initials": ("Dr. Smith met J. R. Brown at 3.50 p.m. today. They left.", 2),
    "German ordinals": ("Am 3. Oktober war es kalt. „Halt!“ rief sie. Er kam z. B. nicht.", 3),
    "years end sentences": ("It was 2020. Nobody came.", 2),
    "lower case goes on": ("Wait... what? “No!” she said. Then… Nothing.", 4),
    "Chinese": ("茶很香。你喝吗？喝！真好", 4),
    "Japanese quotes": ("雨です。「はい。」彼は言った。", 3),
    "Arabic": ("هل هذا صحيح؟ نعم. شكرا!", 3),
    "Urdu": ("یہ کتاب ہے۔ وہ قلم ہے۔", 2),
    "Hindi": ("यह सच है। क्या वह आया? नहीं।", 3),
    "Greek question mark": ("Τι κάνεις; Καλά.", 2),
    "Amharic": ("ሰላም ነው። ደህና ነኝ።", 2),
    "Khmer": ("សួស្តី។ អ្នកសុខសប្បាយទេ?", 2),
    "Burmese comma": ("ကျွန်တော်၊ သူ သွားသည်။ ပြန်လာသည်။", 2),
    "Armenian": ("Բարև։ Ինչպես ես։", 2),
    "list items": ("Take:\n\n- one egg\n- two eggs. Beaten.\n- salt", 5),
    "heading": ("# Title\n\nOne. Two.", 2),
    "no stop": ("no stop at all", 1),
    "only signs": ("... !!! ---", 0),
    "empty": ("", 0),
}


@pytest.mark.parametrize("text, expected", SENTENCES.values(), ids=SENTENCES)
def test_sentences_end_by_the_rules_of_their_script(text: str, expected: int):
    assert len(sentences(text)) == expected, sentences(text)


def test_nothing_of_a_plain_paragraph_is_lost():
    text = "Dr. Who? “Yes.” 茶很香。你喝吗？ Fine"
    assert "".join(sentences(text)).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    "text, expected",
    [
        ("One.\n\nTwo.\r\n \r\nThree.", 3),
        ("A line that was\nwrapped by hand at\nsome width. And more\nof it here.", 1),
        ("第一段。\n第二段。\n第三段。", 3),
        ("x " * 80 + "\nएक और पंक्ति", 2),
        ("# Heading\n\nText.\n\n---\n\nMore.", 2),
        ("\n\n***\n\n", 0),
        ("", 0),
    ],
)
def test_paragraphs_are_blocks_or_lines(text: str, expected: int):
    assert len(paragraphs(text)) == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Don't stop well-known 3.14 things", 5),
        ("people—all of them", 4),
        ("مرحبا بالعالم", 2),
        ("नमस्ते दुनिया !", 2),
        ("ሰላም፡ለዓለም", 2),
        ("你好，世界", 4),
        ("ภาษา", 4),
        ("—", 0),
        ("", 0),
    ],
)
def test_words_stand_between_spaces_and_characters_where_there_are_none(text: str, expected: int):
    assert len(words(text)) == expected


def test_a_text_is_counted_in_units_its_script_has():
    assert units("Plain words.") == ("paragraphs", "sentences", "words")
    assert units("你好，世界。") == ("paragraphs", "sentences", "characters")
    assert units("ภาษาไทย สวยงาม") == ("paragraphs", "characters")
    assert units("") == ("paragraphs", "sentences", "words")


@pytest.mark.parametrize(
    "text", ["a. " * 30_000, "字。" * 30_000, "\n" * 100_000, " \n" * 60_000, "- " * 60_000,
             "!?\"'" * 30_000, "." * 100_000, "x" * 200_000]
)  # fmt: skip
def test_very_long_texts_take_linear_time(text: str):
    assert all(count(text, unit) >= 0 for unit in units(text))
