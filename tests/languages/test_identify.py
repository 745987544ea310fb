from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from engine.core import JobError
from engine.languages.agreement import agreement, judged, teller
from engine.languages.identify import SAMPLE, Identified, identify, wording
from engine.languages.ranking import claimed, claims
from engine.languages.scripts import chinese
from engine.languages.tags import base
from tests.conftest import needs_shared
from tests.filters.samples import GOOD, HOSTILE, MEGABYTE
from tests.languages.declarations import declarations

MODEL = Path(__file__).with_name("tiny.bin")
"""A fastText model of ours, trained on ``GOOD`` with GlotLID's labels (dim 6, 800 buckets)."""
INDONESIAN = "Semua orang dilahirkan merdeka dan mempunyai martabat dan hak-hak yang sama."


@pytest.mark.parametrize("language", GOOD)
def test_a_text_in_any_script_is_told(language: str) -> None:
    found = identify(GOOD[language][1])
    assert base(found.tag) == language and 0.5 < found.confidence <= 1


@pytest.mark.parametrize(
    "text",
    ["", "ok", "Guten Tag", "Berlin", "123 456", "你好", "مرحبا", "Hola", "!?", "\ud800", "😀😀😀",
     "https://example.org/de/eine/seite", "someone@example.org", "def f(x): return x",
     "`print('hello to everybody out there')`", "$\\frac{1}{2} \\cdot x$", "a" * 1000,
     "SELECT * FROM users WHERE id = 3", "١٢٣٤٥٦٧٨٩٠١٢٣٤٥٦٧٨٩٠"],
)  # fmt: skip
def test_short_texts_code_addresses_and_numbers_are_unsure(text: str) -> None:
    assert identify(text).tag == "und"


@pytest.mark.parametrize("one, other", [("en", "de"), ("ar", "hi"), ("sw", "en"), ("zh", "th")])
def test_a_text_in_two_languages_is_unsure(one: str, other: str) -> None:
    mixed = f"{GOOD[one][1][:200]} {GOOD[other][1][:200]}"
    assert identify(mixed).tag == "und"


def test_code_is_taken_out_before_a_text_is_told() -> None:
    code = "```python\nfor line in open(path):\n    print(line.strip().split())\n```\n"
    assert (
        identify(f"{code * 5}{GOOD['de'][1]} Siehe https://example.org/the/best/page").tag == "de"
    )


def test_names_in_another_script_do_not_hide_the_language() -> None:
    text = "我今天用 Python 和 Docker 写了一个程序，然后把它部署到了 Kubernetes 上面。"
    assert identify(text).tag == "zh-Hans"


def test_a_script_that_is_not_the_usual_one_is_said() -> None:
    serbian = "Sva ljudska bića rađaju se slobodna i jednaka u dostojanstvu i pravima."
    assert identify(serbian, among=["sr"]).tag == "sr-Latn"
    assert identify("漢字的歷史很長，學習起來並不容易。").tag == "zh-Hant"
    assert identify("汉字的历史很长，学习起来并不容易。").tag == "zh-Hans"
    assert [chinese(text) for text in ("", "人山水", "漢語", "汉语", "abc")] == [
        "", "", "Hant", "Hans", "",
    ]  # fmt: skip


def test_a_language_with_a_script_of_its_own_is_told_by_it() -> None:
    cherokee = "ᏂᎦᏓ ᎠᏂᏴᏫ ᏂᎨᎫᏓᎸᎾ ᎠᎴ ᎤᏂᏠᏱ ᎤᎾᏕᎿ ᏚᏳᎧᏛ ᎨᏒᎢ"
    assert identify(cherokee) == Identified("chr", 1.0)


def test_one_of_the_expected_languages_is_preferred_to_one_that_is_close_to_it() -> None:
    assert identify(INDONESIAN, among=["id"]).tag == "id"
    assert identify(INDONESIAN, among=["ms", "de"]).tag == "ms"
    assert identify(GOOD["en"][1], among=["de", "sw"]).tag == "en"
    with pytest.raises(JobError, match="tag of no language"):
        identify(INDONESIAN, among=["klingonese"])


@pytest.mark.parametrize("text", [*HOSTILE.values(), *MEGABYTE.values()])
def test_no_text_breaks_it_and_a_long_one_is_sampled(text: str) -> None:
    assert identify(text).tag and len(wording(text)) <= SAMPLE + 2


@pytest.mark.parametrize(
    ("found", "expected", "how"),
    [
        ("de", "de", "same"), ("pt", "pt-BR", "same"), ("zh-Hant", "zh", "same"),
        ("zh", "zh-Hans", "same"), ("zh-Hant", "zh-CN", "script"), ("sr-Latn", "sr", "script"),
        ("bs", "sr-Latn", "close"), ("bs", "sr", "script"), ("id", "ms", "close"),
        ("nb", "da", "close"), ("no", "nb", "same"), ("ur", "fa", "close"), ("en", "de", "other"),
        ("und", "de", "unsure"), ("de", "mul", "unsure"), ("ur", "hi", "script"),
    ],
)  # fmt: skip
def test_how_two_tags_stand_to_each_other(found: str, expected: str, how: str) -> None:
    assert agreement(found, expected) == how


@pytest.mark.parametrize(
    ("tag", "confidence", "expected", "how"),
    [
        ("de", 0.9, "de", "right"), ("ms", 0.5, "id", "right"), ("und", 0.3, "de", "unsure"),
        ("en", 0.9, "de", "wrong_language"), ("en", 0.4, "de", "unsure"),
        ("zh-Hant", 0.9, "zh-Hans", "wrong_script"), ("qu", 0.99, "acu", "unsure"),
        ("en", 0.95, "acu", "wrong_language"), ("en", 0.8, "acu", "unsure"),
        ("ru", 0.6, "acu", "wrong_language"), ("de", 0.9, "xx-unknown", "unsure"),
    ],
)  # fmt: skip
def test_what_is_held_against_a_text(tag: str, confidence: float, expected: str, how: str) -> None:
    assert judged(Identified(tag, confidence), expected) == how


def test_whoever_tells_an_answers_language_says_when_it_cannot() -> None:
    tell = teller("de")
    assert [tell(text) for text in (GOOD["de"][1], GOOD["en"][1], "Ja.")] == ["de", "en", ""]
    assert teller("id")(INDONESIAN) == "id" and teller("xx-unknown")(INDONESIAN) == ""


def test_a_model_of_the_users_own_answers_by_our_tags() -> None:
    pytest.importorskip("fasttext")
    for language in GOOD:
        found = identify(GOOD[language][1], model=MODEL)
        assert base(found.tag) in (language, "und"), found
    assert identify(GOOD["zh"][1], model=MODEL).tag == "zh-Hans"
    assert identify(GOOD["sw"][1], model=MODEL).tag == "sw"


def test_a_file_that_is_no_model_is_an_error_of_the_job() -> None:
    pytest.importorskip("fasttext")
    with pytest.raises(JobError, match="not a fastText model"):
        identify(GOOD["de"][1], model=Path(__file__))


def test_claims_go_by_language_and_script() -> None:
    assert len(claimed()) > 130
    assert claims("de") and claims("sr-Latn") and claims("zh-Hant") and claims("no")
    assert not claims("az-Cyrl") and not claims("acu") and not claims("und")


@needs_shared
@pytest.mark.slow
def test_paragraphs_of_the_declaration_are_told_in_the_languages_that_are_claimed() -> None:
    asked, right, close = Counter[str](), Counter[str](), Counter[str]()
    for _, tag, texts in declarations():
        if tag and claims(tag):
            for text in texts[::5]:
                found = identify(text).tag
                asked[tag] += 1
                right[tag] += base(found) == base(tag)
                close[tag] += agreement(found, tag) in ("same", "close")
    assert len(asked) > 100
    assert sum(right[tag] / asked[tag] for tag in asked) / len(asked) >= 0.95
    assert sum(close[tag] / asked[tag] for tag in asked) / len(asked) >= 0.98


@needs_shared
@pytest.mark.slow
def test_no_declaration_is_taken_for_one_in_the_wrong_language() -> None:
    for stem, tag, texts in declarations():
        few = texts[::12]
        wrong = [how for x in few if (how := judged(identify(x), tag)).startswith("wrong")]
        assert not tag or len(wrong) <= max(1, 0.2 * len(few)), (stem, tag)
