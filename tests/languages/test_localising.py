"""What becomes of each of the 25 types of constraint, in 34 languages of 24 scripts.

For every type and language: the localised constraint, a minimal answer that meets it, and the same
answer with one thing changed (a word taken away, a comma put in) that does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from engine.constraints.kinds import Context
from engine.constraints.reading import KINDS, Constraint, ConstraintError, read, strict
from engine.constraints.units import cased, marks_sentences, unit, words
from engine.constraints.whole import PAIRS
from engine.languages.localising import (
    Move,
    Way,
    action,
    localised,
    native_letter,
    repeatable,
    repeating,
    sheet,
    traits,
    translated,
)
from engine.text.scripts import script, share_in_script
from tests.conftest import needs_shared
from tests.generators.reversing import declarations

SAMPLES: dict[str, tuple[str, str, str, str]] = {
    "en": ("river", "bread", "winter", "The water is cold."),
    "de": ("Fluss", "Brot", "Winter", "Das Wasser ist kalt."),
    "fr": ("rivière", "pain", "hiver", "L’eau est froide."),
    "es": ("puente", "leche", "invierno", "El agua está fría."),
    "pt": ("ponte", "leite", "inverno", "A água está fria."),
    "it": ("fiume", "pane", "inverno", "L’acqua è fredda."),
    "pl": ("rzeka", "chleb", "zima", "Woda jest zimna."),
    "fi": ("joki", "leipä", "talvi", "Vesi on kylmää."),
    "tr": ("köprü", "ekmek", "kış", "Su soğuk."),
    "vi": ("sông", "bánh", "đông", "Nước lạnh."),
    "id": ("jembatan", "roti", "hujan", "Airnya dingin."),
    "sw": ("mto", "mkate", "baridi", "Maji ni baridi."),
    "yo": ("odò", "búrẹ́dì", "òtútù", "Omi náà tutù."),
    "ru": ("река", "хлеб", "зима", "Вода холодная."),
    "uk": ("ріка", "хліб", "зима", "Вода холодна."),
    "el": ("ποτάμι", "ψωμί", "χειμώνας", "Το νερό είναι κρύο."),
    "hy": ("գետ", "հաց", "ձմեռ", "Ջուրը սառն է։"),
    "ka": ("მდინარე", "პური", "ზამთარი", "წყალი ცივია."),
    "ar": ("نهر", "خبز", "شتاء", "الماء بارد."),
    "fa": ("رود", "نان", "زمستان", "آب سرد است."),
    "ur": ("دریا", "روٹی", "سردی", "پانی ٹھنڈا ہے۔"),
    "he": ("נהר", "לחם", "חורף", "המים קרים."),
    "hi": ("नदी", "रोटी", "सर्दी", "पानी ठंडा है।"),
    "bn": ("নদী", "রুটি", "শীত", "জল ঠান্ডা।"),
    "ta": ("ஆறு", "ரொட்டி", "குளிர்", "நீர் குளிராக உள்ளது."),
    "te": ("నది", "రొట్టె", "చలి", "నీరు చల్లగా ఉంది."),
    "am": ("ወንዝ", "ዳቦ", "ክረምት", "ውሃው ቀዝቃዛ ነው።"),
    "ko": ("강물", "빵집", "겨울", "물이 차갑다."),
    "zh-Hans": ("河流", "面包", "冬天", "水很冷。"),
    "zh-Hant": ("河流", "麵包", "冬天", "水很冷。"),
    "ja": ("川辺", "パン", "冬休み", "水が冷たい。"),
    "th": ("แม่น้ำ", "ขนมปัง", "ฤดูหนาว", "น้ำเย็น"),
    "lo": ("ແມ່ນ້ຳ", "ເຂົ້າຈີ່", "ລະດູໜາວ", "ນ້ຳເຢັນ"),
    "km": ("ទន្លេ", "នំប៉័ង", "រដូវរងា", "ទឹកត្រជាក់។"),
    "my": ("မြစ်", "ပေါင်မုန့်", "ဆောင်းရာသီ", "ရေအေးသည်။"),
}  # fmt: skip
"""Three words and a sentence of each language."""
COMMAS = {"Hans": "，", "Hant": "，", "Jpan": "、", "Arab": "،", "Armn": "՝", "Ethi": "፣"}
QUOTES = {"Hant": "「」", "Jpan": "「」", "Arab": "«»", "Cyrl": "«»", "Grek": "«»", "Armn": "«»"}
ENGLISH: dict[str, dict[str, Any]] = {
    "keywords:existence": {"keywords": ["river", "bread"]},
    "keywords:frequency": {"keyword": "river", "relation": "at least", "count": 2},
    "keywords:forbidden_words": {"words": ["river", "bread"]},
    "keywords:letter_frequency": {"letter": "n", "relation": "at least", "count": 3},
    "language:response_language": {"language": "en"},
    "length_constraints:number_words": {"relation": "at least", "count": 6},
    "length_constraints:number_sentences": {"relation": "at least", "count": 3},
    "length_constraints:number_paragraphs": {"count": 3},
    "length_constraints:nth_paragraph_first_word": {"count": 2, "nth": 2, "word": "river"},
    "detectable_content:number_placeholders": {"count": 2},
    "detectable_content:postscript": {"marker": "P.S."},
    "detectable_format:number_bullet_lists": {"count": 2},
    "detectable_format:title": {},
    "detectable_format:constrained_response": {"options": ["Yes.", "No."]},
    "detectable_format:number_highlighted_sections": {"count": 2},
    "detectable_format:multiple_sections": {"splitter": "Section", "count": 2},
    "detectable_format:json_format": {},
    "combination:two_responses": {},
    "combination:repeat_prompt": {"prompt": "Tell me about the water."},
    "change_case:capital_word_frequency": {"relation": "at least", "count": 2},
    "change_case:english_capital": {"language": "en"},
    "change_case:english_lowercase": {"language": "en"},
    "startend:end_checker": {"phrase": "The water is cold."},
    "startend:quotation": {},
    "punctuation:no_comma": {},
}
CASES = [type_ for type_ in ENGLISH if type_.startswith("change_case")]


def english(type_: str) -> Constraint:
    return read({"type": type_, "params": ENGLISH[type_]})


def moved(type_: str, tag: str) -> Move:
    """The English constraint in a language, with the sample's words where it asks for some."""
    one, other, _, sentence = SAMPLES[tag]
    [move] = localised([english(type_)], Way("en", tag)).moves
    said = [sentence] if "end_checker" in type_ else [one, other][: len(move.asks)]
    move = translated(move, said if move.asks else [], tag)
    return repeating(move, sentence)


def answers(constraint: Constraint, tag: str) -> tuple[str, str]:
    """A minimal answer that meets the constraint, and one changed in one place that does not."""
    one, other, third, sentence = SAMPLES[tag]
    gap = "" if unit(tag) == "characters" else " "
    params: Mapping[str, Any] = dict(constraint.params)
    quotes = QUOTES.get(script(tag), "“”")
    letter = native_letter("n", Way("en", tag))
    name = constraint.type.partition(":")[2]
    pieces = [letter if gap == "" else one] * params.get("count", 0)
    pairs = {
        "existence": (one + gap + other, one),
        "frequency": (one + gap + one, one),
        "forbidden_words": (third, third + gap + one),
        "letter_frequency": (gap.join([letter] * 3), gap.join([letter] * 2)),
        "number_words": (gap.join(pieces), gap.join(pieces[1:])),
        "number_sentences": (" ".join([sentence] * 3), " ".join([sentence] * 2)),
        "number_paragraphs": (f"{one}\n***\n{one}\n***\n{one}", f"{one}\n***\n{one}"),
        "nth_paragraph_first_word": (f"{third}\n\n{one}{gap}{third}", f"{one}\n\n{third}"),
        "number_placeholders": (f"[{one}] [{other}]", f"[{one}] {other}"),
        "postscript": (f"{one}\n\n{params.get('marker')} {other}", f"{one}\n\n{other}"),
        "number_bullet_lists": (f"* {one}\n* {other}", f"* {one}\n{other}"),
        "title": (f"<<{one}>>\n{other}", f"<{one}>\n{other}"),
        "constrained_response": (params.get("options", "?")[0], third),
        "number_highlighted_sections": (f"*{one}* *{other}*", f"*{one}* {other}"),
        "multiple_sections": (
            f"{params.get('splitter')} 1\n{third}\n{params.get('splitter')} 2\n{third}",
            f"{params.get('splitter')} 1\n{third}\n2\n{third}",
        ),
        "json_format": (f'{{"{one}": 1}}', f'{{"{one}": 1'),
        "two_responses": (f"{one}\n******\n{other}", f"{one}\n******\n{one}"),
        "repeat_prompt": (f"{sentence} {one}", f"{one} {sentence}"),
        "capital_word_frequency": (f"{one} {other}".upper(), f"{one.upper()} {other.lower()}"),
        "english_capital": (f"{one} {other}".upper(), f"{one.upper()} {other.lower()}"),
        "english_lowercase": (f"{one} {other}".lower(), f"{one.upper()} {other.lower()}"),
        "end_checker": (f"{third} {sentence}", f"{sentence} {third}"),
        "quotation": (f"{quotes[0]}{one}{quotes[1]}", f"{quotes[0]}{one}"),
        "no_comma": (one + gap + other, one + COMMAS.get(script(tag), ",") + gap + other),
    }
    return pairs[name]


def test_the_table_names_every_type_and_the_samples_thirty_languages() -> None:
    assert sheet().policy.keys() == KINDS.keys() == ENGLISH.keys() and len(KINDS) == 25
    assert len(SAMPLES) >= 30 and len({script(tag) for tag in SAMPLES}) >= 20
    assert {quotes for quotes in QUOTES.values()} <= set(PAIRS)


@pytest.mark.parametrize("tag", SAMPLES)
def test_each_type_has_an_answer_that_passes_and_fails_once_one_thing_is_changed(tag: str) -> None:
    told = {"right": tag, "wrong": "de" if tag == "en" else "en"}
    for type_ in ENGLISH:
        move = moved(type_, tag)
        if move.after is None:
            continue
        assert not move.asks, type_
        if type_ == "language:response_language":
            good = strict("?", move.after, Context(tag, lambda _: told["right"]))
            bad = strict("?", move.after, Context(tag, lambda _: told["wrong"]))
        else:
            passing, failing = answers(move.after, tag)
            context = Context(tag)
            good, bad = (strict(text, move.after, context) for text in (passing, failing))
        assert (good.verdict, bad.verdict) == ("pass", "fail"), (type_, good, bad)


@pytest.mark.parametrize("tag", SAMPLES)
def test_what_is_left_out_is_what_nobody_could_decide_there(tag: str) -> None:
    gone = {type_ for type_ in ENGLISH if moved(type_, tag).after is None}
    wanted = set() if cased(tag) else set(CASES)
    wanted |= set() if marks_sentences(tag) else {"length_constraints:number_sentences"}
    assert gone == wanted
    for type_ in gone:
        english_one = read({"type": type_, "params": {**ENGLISH[type_], **_without(type_)}})
        assert strict(SAMPLES[tag][3], english_one, Context(tag)).verdict == "skipped", type_


def _without(type_: str) -> dict[str, Any]:
    return {"language": None} if "english" in type_ else {}


@pytest.mark.parametrize("tag", SAMPLES)
def test_no_parameter_is_left_in_another_script(tag: str) -> None:
    for type_ in ENGLISH:
        after = moved(type_, tag).after
        if after is None or type_ == "detectable_content:postscript":
            continue
        for name in ("keywords", "keyword", "words", "word", "letter", "phrase", "splitter"):
            said = getattr(after.params, name, ())
            for word in [said] if isinstance(said, str) else said:
                assert share_in_script(word, tag) == 1, (type_, word)


@pytest.mark.parametrize(
    "tag, true",
    [
        ("de", set()),
        ("ru", {"nonlatin"}),
        ("ar", {"caseless", "rtl", "nonlatin"}),
        ("hi", {"caseless", "nonlatin"}),
        ("zh-Hans", {"caseless", "unspaced", "recounted", "nonlatin"}),
        ("th", {"unmarked", "caseless", "unspaced", "recounted", "nonlatin"}),
        ("sr-Latn", set()),
    ],
)
def test_what_is_true_of_a_language_decides(tag: str, true: set[str]) -> None:
    assert traits(Way("en", tag)) == true


def test_the_table_of_the_card_is_the_table_here() -> None:
    """Type, language of the property, action: the rows of the policy that was asked for."""
    rows = [
        ("change_case:english_capital", ("zh-Hans", "ar", "hi", "th"), "answer_language"),
        ("change_case:capital_word_frequency", ("zh-Hans", "ar", "ka"), "answer_language"),
        ("length_constraints:number_words", ("zh-Hans", "ja", "th", "my"), "switch_unit"),
        ("length_constraints:number_words", ("ar", "hi", "ru", "ko"), "keep"),
        ("length_constraints:number_sentences", ("zh-Hans", "ar", "hi", "am"), "native"),
        ("length_constraints:number_sentences", ("th", "lo"), "forbid"),
        ("keywords:letter_frequency", ("th", "ar", "hi", "ru"), "native"),
        ("punctuation:no_comma", ("zh-Hans", "ar", "hi"), "native"),
        ("startend:quotation", ("zh-Hans", "ar", "ru"), "native"),
        ("detectable_content:postscript", ("zh-Hans", "ar", "hi"), "native"),
        ("detectable_format:title", ("zh-Hans", "ar", "th"), "keep"),
        ("detectable_format:number_highlighted_sections", ("zh-Hans", "ar"), "keep"),
        ("detectable_format:json_format", ("zh-Hans", "ar"), "keep"),
        ("keywords:existence", ("de", "zh-Hans", "ar"), "translate"),
    ]
    for type_, tags, wanted in rows:
        for tag in tags:
            assert action(type_, Way("en", tag)) == wanted, (type_, tag)


def test_as_much_text_is_counted_in_the_other_languages_unit() -> None:
    hundred = read({"type": "length_constraints:number_words",
                    "params": {"relation": "at least", "count": 100}})  # fmt: skip

    def count(origin: str, tag: str, constraint: Constraint = hundred) -> int:
        [move] = localised([constraint], Way(origin, tag)).moves
        assert move.after is not None
        return int(dict(move.after.params)["count"])

    assert count("en", "de") == count("sw", "ar") == 100
    assert count("en", "zh-Hans") == 150 and count("en", "th") == 400
    assert count("th", "en") == 25, "and the other way round"
    assert count("zh-Hans", "zh-Hant") == 100


@needs_shared
def test_the_unit_is_switched_to_about_what_real_translations_have() -> None:
    """The Declaration says the same in every language: its length is what the new count says."""
    texts = {tag: text for _, tag, text in declarations()}
    params = {"relation": "at least", "count": words(texts["en"], "en")}
    english_length = read({"type": "length_constraints:number_words", "params": params})
    far = {}
    for tag, text in texts.items():
        [move] = localised([english_length], Way("en", tag)).moves
        assert move.after is not None
        ratio = words(text, tag) / dict(move.after.params)["count"]
        if not 0.5 <= ratio <= 1.5:
            far[tag] = round(ratio, 2)
    assert len(texts) >= 25 and not far


def test_where_there_are_no_capitals_the_answer_can_be_held_in_its_own_language() -> None:
    given = [english("change_case:english_capital"), english("keywords:existence")]
    forced = localised(given, Way("en", "zh-Hans"), "force")
    assert forced.language == "en" and forced.constraints == given and not forced.added
    assert [move.action for move in forced.moves] == ["answer_language", "keep"]
    assert not any(move.asks for move in forced.moves), "its keywords stay English"
    dropped = localised(given, Way("en", "zh-Hans"))
    assert dropped.language == "zh-Hans" and [move.action for move in dropped.moves] == [
        "forbid",
        "translate",
    ]


def test_a_forced_language_that_nothing_names_is_demanded_and_no_english_is_meant() -> None:
    given = [english("change_case:capital_word_frequency")]
    forced = localised(given, Way("de", "ar"), "force")
    assert forced.language == "de"
    assert [each.dump()["params"] for each in forced.added] == [{"language": "de"}]
    assert localised(given, Way("de", "fr"), "force").language == "fr", "French has capitals"


def test_an_answer_in_a_third_language_keeps_every_constraint() -> None:
    third = read({"type": "language:response_language", "params": {"language": "de"}})
    given = [third, english("keywords:existence"), english("length_constraints:number_words")]
    found = localised(given, Way("en", "th"))
    assert found.language == "de" and found.constraints == given
    assert {move.action for move in found.moves} == {"keep"}


def test_a_language_nobody_can_identify_is_not_demanded() -> None:
    [move] = localised([english("language:response_language")], Way("en", "ay")).moves
    [known] = localised([english("language:response_language")], Way("en", "sw")).moves
    assert known.after is not None and dict(known.after.params) == {"language": "sw"}
    assert move.after is None and move.action == "forbid"


@pytest.mark.parametrize(
    "letter, origin, tag, wanted",
    [
        ("e", "en", "de", "e"),
        ("e", "en", "ru", "о"),
        ("E", "en", "ar", "ا"),
        ("q", "en", "hi", "द"),
        ("о", "ru", "en", "e"),
        ("!", "en", "th", "!"),
        ("é", "fr", "el", "υ"),
        ("e", "en", "sat", ""),
    ],
)
def test_a_letter_becomes_one_that_is_about_as_frequent(
    letter: str, origin: str, tag: str, wanted: str
) -> None:
    assert native_letter(letter, Way(origin, tag)) == wanted


def test_letters_of_every_listed_script_are_base_letters_each_there_once() -> None:
    for code, letters in sheet().letters.items():
        assert len(set(letters)) == len(letters) >= 9, code
        for letter in letters:
            constraint = {"letter": letter, "relation": "at least", "count": 1}
            read({"type": "keywords:letter_frequency", "params": constraint})
            assert letter.isalpha(), (code, letter)


@pytest.mark.parametrize(
    "given, said",
    [([], "0 words for 2"), (["นา"], "1 words for 2"), (["river", "ขนมปัง"], "not in the script")],
)
def test_words_that_are_missing_or_still_english_are_refused(given: list[str], said: str) -> None:
    [move] = localised([english("keywords:existence")], Way("en", "th")).moves
    assert move.asks == ("river", "bread")
    with pytest.raises(ConstraintError, match=said):
        translated(move, given, "th")


def test_a_request_to_repeat_is_the_localised_one_and_any_other_text_is_left_out() -> None:
    [move] = localised([english("combination:repeat_prompt")], Way("en", "de")).moves
    assert repeatable(move, "Tell me about\nthe  water.") == move
    after = repeating(move, " Erzähl mir vom Wasser. ").after
    assert after is not None and dict(after.params) == {"prompt": "Erzähl mir vom Wasser."}
    assert repeatable(move, "Something else.").after is None


def test_listed_signs_of_a_language_take_the_places_of_the_english_ones() -> None:
    found: Counter[str] = Counter()
    for tag in ("de", "es", "zh-Hans", "ar", "hi", "th", "sw"):
        for type_, name in (("postscript", "marker"), ("multiple_sections", "splitter")):
            full = next(each for each in ENGLISH if each.endswith(type_))
            [move] = localised([english(full)], Way("en", tag)).moves
            assert move.after is not None and not move.asks, (type_, tag)
            found[type_] += getattr(move.after.params, name) != ENGLISH[full][name]
    assert found["multiple_sections"] == 7 and found["postscript"] >= 4
    [unlisted] = localised([english("detectable_content:postscript")], Way("en", "fi")).moves
    assert unlisted.after == english("detectable_content:postscript"), "P.S. is known there, too"
