"""What is drawn can be asked for, said in words and met; the same numbers draw the same."""

from __future__ import annotations

import random
from collections import Counter
from itertools import combinations

import pytest

from engine.constraints import cases, keywords, layouts, lengths, whole
from engine.constraints.conflicts import MATRIX, clash, clashes, exclusive
from engine.constraints.drawing import (
    all_said,
    attached,
    draw,
    in_english,
    offered,
    says,
    worded,
)
from engine.constraints.kinds import Ground
from engine.constraints.reading import KINDS, Constraint, passes, read, results
from engine.constraints.stock import EMPTY, stock_for, stocks
from engine.constraints.units import unit

TYPES = list(KINDS)
ASKED = {
    "en": "Suggest five cheap lunches that a student can make without an oven.",
    "de": "Schlage fünf günstige Mittagessen ohne Backofen vor.",
    "es": "Propón cinco almuerzos baratos que un estudiante pueda preparar sin horno.",
    "zh": "请推荐五种学生不用烤箱就能做的便宜午餐。",
    "ar": "اقترح خمس وجبات غداء رخيصة يمكن لطالب أن يعدها بلا فرن.",
    "hi": "पाँच सस्ते दोपहर के भोजन सुझाइए जो छात्र बिना ओवन के बना सके।",
    "th": "แนะนำอาหารกลางวันราคาถูกห้าอย่างที่นักเรียนทำได้โดยไม่ใช้เตาอบ",
    "sw": "Pendekeza vyakula vitano vya mchana ambavyo mwanafunzi anaweza kupika bila tanuri.",
    "tr": "Bir öğrencinin fırınsız yapabileceği beş ucuz öğle yemeği öner.",
    "ja": "学生がオーブンなしで作れる安い昼食を五つ提案してください。",
    "am": "ተማሪ ያለ ምድጃ ሊሠራቸው የሚችሉ አምስት ርካሽ ምሳዎችን ጠቁም።",
}


def ground(language: str, seed: int = 1, **changes: object) -> Ground:
    rng = random.Random(seed)
    return Ground(language, ASKED[language], stock_for(language), rng, **changes)  # type: ignore


def constraint(name: str, **params: object) -> Constraint:
    [type_] = [type_ for type_ in TYPES if type_.endswith(f":{name}")]
    return read({"type": type_, "params": params})


@pytest.mark.parametrize("language", ASKED)
def test_the_same_numbers_draw_the_same_constraints_and_none_clash(language: str) -> None:
    seen: Counter[str] = Counter()
    for seed in range(150):
        drawn = draw(ground(language, seed, languages=("fr", "id")), TYPES, 4)
        assert drawn == draw(ground(language, seed, languages=("fr", "id")), TYPES, 4)
        assert not list(clashes(drawn, language))
        assert [read(each.dump()) for each in drawn] == drawn
        seen.update(each.type for each in drawn)
    assert set(seen) == set(offered(ground(language, languages=("fr", "id"))))


def test_what_makes_no_sense_in_a_language_is_not_offered() -> None:
    case = {type_ for type_ in TYPES if type_.startswith("change_case")}
    sentences = "length_constraints:number_sentences"
    for language in ASKED:
        found = set(offered(ground(language)))
        assert bool(found & case) == (language in ("en", "de", "es", "sw", "tr")), language
        assert (sentences in found) == (language != "th")
        assert "language:response_language" not in found, "nobody here tells languages"
    assert "combination:repeat_prompt" not in offered(ground("en", has_input=True))
    nothing = Ground("en", "", EMPTY, random.Random(1))
    assert "keywords:existence" not in offered(nothing) and draw(nothing, TYPES[:4], 2) == []


@pytest.mark.parametrize("language", stocks())
def test_all_that_a_listed_language_is_offered_has_words_that_say_it(language: str) -> None:
    for seed in range(40):
        each = ground(language, seed, languages=("fr", "id"))
        for type_ in offered(each):
            drawn = Constraint(type_, KINDS[type_].draw(each))
            for n in range(3):
                text = worded(drawn, language, random.Random(n))
                assert text and "{" not in text.replace("{}", ""), type_
                assert says(text, drawn, language), f"{text!r} leaves something of {drawn} out"


def test_no_wording_is_left_over_and_every_one_fits_its_type() -> None:
    for tag, stock in stocks().items():
        known = set(offered(ground(tag, languages=("fr",)))) | {
            "length_constraints:number_words/characters"
        }
        assert set(stock.wording) <= known, tag
        for type_, found in stock.wording.items():
            params = KINDS[type_.partition("/")[0]].params.model_fields
            counts = "relation" in params
            assert counts == (set(found) == {"at least", "less than"}), (tag, type_)
        assert len(stock.words) >= 20 and len(set(stock.words)) == len(stock.words)
        assert not any(map(whole.has_comma, stock.endings))


def test_an_unlisted_language_is_asked_in_english_by_its_own_units() -> None:
    few = constraint("number_words", relation="less than", count=90)
    assert worded(few, "ja", random.Random(1)) == ""
    assert "90 characters" in in_english(few, "ja", random.Random(1))
    assert "90 words" in in_english(few, "tr", random.Random(1))
    for type_ in offered(ground("tr")):
        drawn = Constraint(type_, KINDS[type_].draw(ground("tr")))
        assert says(in_english(drawn, "tr", random.Random(1)), drawn, "tr"), type_


def test_traditional_chinese_is_not_asked_in_simplified_characters() -> None:
    assert stock_for("zh-Hant") is EMPTY is stock_for("zh-TW")
    assert stock_for("zh-Hans") is stock_for("zh-CN") is stock_for("zh") is not EMPTY
    assert stock_for("de-AT") is stock_for("de")


def test_a_wording_must_name_words_numbers_and_signs() -> None:
    often = constraint("frequency", keyword="köprü", relation="at least", count=3)
    assert says("KÖPRÜ kelimesini en az 3 kez kullan.", often, "tr")
    assert not says("Köprüyü üç kez kullan.", often, "tr"), "3 is missing"
    assert not says("Kelimeyi 3 kez kullan.", often, "tr"), "the word is missing"
    assert says("পুল শব্দটি ৩ বার", constraint("frequency", keyword="পুল",
                                              relation="at least", count=3), "bn")  # fmt: skip
    paragraphs = constraint("number_paragraphs", count=2)
    assert says("2 paragraf, araya ***", paragraphs, "tr")
    assert not says("2 paragraf", paragraphs, "tr")
    assert not all_said(["2 ***"], [paragraphs, paragraphs], "tr")


def test_constraints_stand_below_the_instruction() -> None:
    laid = {attached("Ask.", ["One.", "Two."], "en", random.Random(n)) for n in range(20)}
    assert laid == {"Ask.\n\nOne. Two.", "Ask.\n\n- One.\n- Two."}
    assert attached("问。", ["一。", "二。"], "zh", random.Random(1)) in (
        "问。\n\n一。二。", "问。\n\n- 一。\n- 二。",
    )  # fmt: skip


@pytest.mark.parametrize(
    "one, other",
    [
        (constraint("json_format"), constraint("no_comma")),
        (constraint("english_capital"), constraint("english_lowercase")),
        (constraint("no_comma"), constraint("end_checker", phrase="Well, that is it.")),
        (constraint("no_comma"), constraint("end_checker", phrase="好，完了。")),
        (constraint("forbidden_words", words=["tea"]), constraint("existence", keywords=["Tea"])),
        (constraint("forbidden_words", words=["end"]), constraint("end_checker", phrase="An end.")),
        (constraint("frequency", keyword="tea", relation="less than", count=2),
         constraint("existence", keywords=["tea"])),
        (constraint("letter_frequency", letter="t", relation="less than", count=3),
         constraint("frequency", keyword="tea", relation="at least", count=4)),
        (constraint("letter_frequency", letter="t", relation="less than", count=3),
         constraint("number_words", relation="at least", count=200)),
        (constraint("number_words", relation="less than", count=50),
         constraint("number_bullet_lists", count=8)),
        (constraint("number_words", relation="at least", count=300),
         constraint("number_sentences", relation="less than", count=4)),
        (constraint("number_sentences", relation="less than", count=4),
         constraint("number_bullet_lists", count=5)),
        (constraint("response_language", language="de"), constraint("english_capital")),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_stand_together_clashes_whichever_comes_first(
    one: Constraint, other: Constraint
) -> None:
    assert clash(one, other, "en") and clash(other, one, "en")


def test_what_can_stand_together_does_not_clash() -> None:
    free = constraint("no_comma"), constraint("title"), constraint("quotation")
    assert not list(clashes(list(free), "en"))
    assert not clash(constraint("existence", keywords=["tea"]),
                     constraint("forbidden_words", words=["coffee"]), "en")  # fmt: skip
    assert exclusive("punctuation:no_comma", "punctuation:no_comma")
    assert len(MATRIX) > 60 and all(len(pair) == 2 for pair in MATRIX)


@pytest.mark.parametrize("language", ["en", "zh", "ar", "sw", "th"])
def test_every_two_types_that_may_stand_together_can_be_met_by_one_answer(language: str) -> None:
    tried = 0
    for seed in range(6):
        each = ground(language, seed)
        drawn = [Constraint(t, KINDS[t].draw(each)) for t in offered(each)]
        for pair in combinations(drawn, 2):
            if not clash(*pair, language):
                found = results(Writer(language).write(list(pair)), pair, language)
                assert passes(found), (pair, found, Writer(language).write(list(pair))[:400])
                tried += 1
    assert tried > 500


class Writer:
    """Writes an answer that meets constraints, without any regard for sense."""

    def __init__(self, language: str) -> None:
        self.language, self.gap = language, "" if unit(language) == "characters" else " "
        self.filler = {"en": "Qi", "sw": "Qi", "zh": "乎", "ar": "ظظ", "th": "ฮ"}[language]
        self.stop = {"zh": "。", "th": " "}.get(language, ".")

    def write(self, wanted: list[Constraint]) -> str:
        params = [each.params for each in wanted]
        types = {each.type.partition(":")[2] for each in wanted}
        if "json_format" in types:
            return self._cased('{"a": "' + self._body(params, 1)[0] + '"}', types)
        if options := [p for p in params if isinstance(p, layouts.Options)]:
            return options[0].options[0]
        pieces, gap = self._pieces(params)
        text = gap.join(pieces)
        if "two_responses" in types:
            text += "\n******\n" + self.filler * 2
        text += "".join(
            f"\n{p.marker} {self.filler}" for p in params if isinstance(p, layouts.Postscript)
        )
        text += "".join(f" {p.phrase}" for p in params if isinstance(p, whole.EndPhrase))
        text = "\n".join([p.prompt for p in params if isinstance(p, whole.RepeatPrompt)] + [text])
        text = self._cased(text, types)
        return f'"{text}"' if "quotation" in types else text

    def _cased(self, text: str, types: set[str]) -> str:
        if "english_capital" in types:
            return text.upper()
        return text.lower() if "english_lowercase" in types else text

    def _pieces(self, params: list[object]) -> tuple[list[str], str]:
        """Paragraphs, and what stands between them."""
        for p in params:
            if isinstance(p, lengths.Paragraphs):
                return self._body(params, p.count), "\n***\n"
            if isinstance(p, lengths.FirstWord):
                pieces = self._body(params, p.count)
                pieces[p.nth - 1] = f"{p.word} {pieces[p.nth - 1]}"
                return pieces, "\n\n"
        return self._body(params, 1), "\n"

    def _body(self, params: list[object], count: int) -> list[str]:
        """Paragraphs with all that has to be somewhere; the last one has the most."""
        parts: list[str] = []
        sentences = 0
        for p in params:
            match p:
                case keywords.Existence():
                    parts += [f" {w} " for w in p.keywords]
                case keywords.Frequency(relation="at least"):
                    parts += [f" {p.keyword} "] * p.count
                case keywords.LetterFrequency(relation="at least"):
                    parts += [f" {p.letter} "] * p.count
                case cases.CapitalWords(relation="at least"):
                    parts += [" QI "] * p.count
                case layouts.Placeholders():
                    parts += [f" [{self.filler}] "] * p.count
                case layouts.Highlights():
                    parts += [f"{self.filler} *{self.filler}* "] * p.count
                case layouts.Bullets():
                    parts += [f"\n- {self.filler}" for _ in range(p.count)] + ["\n"]
                case layouts.Sections():
                    parts += [f"\n{p.splitter} {n} {self.filler}" for n in range(1, p.count + 1)]
                case layouts.Title():
                    parts += [f" <<{self.filler}>> "]
                case lengths.Words(relation="at least"):
                    parts += [f"{self.filler}{self.gap}"] * p.count
                case lengths.Sentences(relation="at least"):
                    sentences = p.count
        parts += [f"{self.filler}{self.stop} "] * sentences
        text = f"{self.filler} {''.join(parts)}"
        return [self.filler] * (count - 1) + [text]
