from __future__ import annotations

import random
import zipfile

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.languages.masking import OPENED, SENTINEL, Unrestorable, mask, numbers, restore
from tests.conftest import SHARED, needs_shared

SENTENCES = {
    "Latn": "Öffne die Datei und zähle die Zeilen.",
    "Cyrl": "Откройте файл и сосчитайте строки.",
    "Grek": "Άνοιξε το αρχείο και μέτρησε τις γραμμές.",
    "Arab": "افتح الملف وعد الأسطر.",
    "Hebr": "פתח את הקובץ וספור את השורות.",
    "Deva": "फ़ाइल खोलें और पंक्तियाँ गिनें।",
    "Beng": "ফাইলটি খুলুন এবং লাইন গুনুন।",
    "Taml": "கோப்பைத் திறந்து வரிகளை எண்ணுங்கள்.",
    "Thai": "เปิดไฟล์แล้วนับจำนวนบรรทัด",
    "Hans": "打开文件，数一数行数。",
    "Jpan": "ファイルを開いて行を数えなさい。",
    "Hang": "파일을 열고 줄을 세어 보세요.",
    "Ethi": "ፋይሉን ይክፈቱ እና መስመሮችን ይቁጠሩ።",
    "Geor": "გახსენით ფაილი და დათვალეთ ხაზები.",
    "Armn": "Բացեք ֆայլը և հաշվեք տողերը։",
    "Khmr": "បើកឯកសារ ហើយរាប់បន្ទាត់។",
}
FRAGILE = (
    "```python\nprint('{x}')\n```", "~~~\nnever closed", "`a[0]`", "https://example.org/a?b=c#d",
    "mailto:me@example.org", "anna.b+c@example.co.ke", "$x^2 + 1$", "$$\\sum_i i$$", "\\(a<b\\)",
    "\\[ e = mc^2 \\]", "\\frac{1}{2}", "\\begin{align}\na &= b\n\\end{align}", "{name}",
    "{{ item }}", "${HOME}", "{0}", "{}", "%s", "%d", "%(count)s", "%1$s", "[Your Name]",
    "[PLACEHOLDER]", "<b>", "</b>", "<br/>", "<!-- a\nb -->", "&nbsp;", '"key": 1', "5 km",
    "３.５°C", "٥٠٪", "€3.50", "12 %", "⟦0⟧", "⟦ 7⟧", "⟦", "⟧", "⟦⟦1⟧", "⟦٣⟧", "`", "$", "{", "<",
    "[", "```", "\n", "\n\n", "\t", " ",
)  # fmt: skip
OF_BOTH = st.lists(
    st.one_of(
        st.sampled_from(FRAGILE),
        st.sampled_from(sorted(SENTENCES.values())),
        st.text(max_size=8),
        st.text(alphabet="⟦⟧0١३<>{}[]$`\\\n %\"':ab", max_size=12),
    ),
    max_size=14,
)


@settings(max_examples=400, deadline=None)
@given(OF_BOTH, st.lists(st.sampled_from(["Öffne", "行", "ملف", "a", "⟦0⟧"]), max_size=3))
def test_what_was_taken_out_is_put_back_exactly(parts: list[str], entities: list[str]):
    for text in ("".join(parts), " ".join(parts)):
        masked = mask(text, entities)
        assert restore(masked.text, masked.kept) == text


@settings(max_examples=150, deadline=None)
@given(OF_BOTH)
def test_every_sentinel_in_a_masked_text_is_ours(parts: list[str]):
    masked = mask(" ".join(parts))
    assert numbers(masked.text) == list(range(len(masked.kept)))
    assert SENTINEL.sub("", masked.text).find(OPENED) == -1


@pytest.mark.parametrize("script", SENTENCES)
def test_in_every_script_the_fragile_goes_and_the_words_stay(script: str):
    words = SENTENCES[script]
    for piece in FRAGILE[:39]:
        text = f"{words}\n{piece}\n{words}"
        masked = mask(text)
        assert restore(masked.text, masked.kept) == text
        if not piece.startswith("~~~"):
            assert SENTINEL.sub("", masked.text).count(words) == 2, (piece, masked)
        taken = "".join(kept.text for kept in masked.kept)
        assert taken.strip().startswith(piece[:4].strip()), (piece, masked)


SCRIPTS = "Latn Cyrl Grek Arab Hebr Deva Beng Taml Thai Hani Hira Hang Ethi Geor Armn Khmr Tibt"


@needs_shared
def test_the_declaration_in_every_language_comes_back_with_and_without_fragile_pieces():
    scripts, rng = set(), random.Random(5)
    with zipfile.ZipFile(SHARED / "udhr2.zip") as archive:
        for name in sorted(archive.namelist()):
            if not name.endswith(".txt"):
                continue
            text = archive.read(name).decode("utf-8", "replace")[:1200]
            if len(text) < 300:
                continue
            places = [*sorted(rng.sample(range(len(text) + 1), 6)), len(text)]
            starts = zip([0, *places[:-1]], places, strict=True)
            mixed = "".join(text[a:b] + rng.choice(FRAGILE) for a, b in starts)
            for each in (text, mixed):
                masked = mask(each, ["1948", "人", "de"])
                assert restore(masked.text, masked.kept) == each, name
            scripts |= {
                code for code in SCRIPTS.split() if regex.search(rf"\p{{Script={code}}}{{3}}", text)
            }
    assert len(scripts) >= 12, scripts


MIXED = "Use `x` and <b>see</b> {name}: %s, then %d, on https://example.org for 5 km."


def fault_of(text: str, source: str = MIXED) -> str:
    with pytest.raises(ValueError) as caught:
        restore(text, mask(source).kept)
    assert isinstance(caught.value, Unrestorable)
    return caught.value.fault


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 7), st.sampled_from(["lost", "doubled"]))
def test_a_translator_that_loses_or_doubles_a_sentinel_is_caught(number: int, how: str):
    masked = mask(MIXED)
    assert len(masked.kept) == 8
    mark = f"⟦{number}⟧"
    assert fault_of(masked.text.replace(mark, "" if how == "lost" else mark + " " + mark)) == how


def test_a_translator_that_makes_up_a_sentinel_is_caught():
    assert fault_of(mask(MIXED).text + " ⟦8⟧") == "invented"
    assert fault_of("⟦0⟧", "plain words") == "invented"


@pytest.mark.parametrize(
    "source, turned",
    [
        ("a <b>b</b> c", "a ⟦1⟧ b ⟦0⟧ c"),
        ("<b>a</b> <i>b</i>", "⟦0⟧ a ⟦2⟧ ⟦1⟧ b ⟦3⟧"),
        ("%s gives %s", "⟦1⟧ 给 ⟦0⟧"),
        ("```\na\n```\nand\n```\nb\n```", "⟦1⟧\nund\n⟦0⟧"),
    ],
)
def test_a_translator_that_reorders_what_has_an_order_is_caught(source: str, turned: str):
    assert fault_of(turned, source) == "reordered"


@pytest.mark.parametrize(
    "source, turned, wanted",
    [
        ("{a} of {b}", "⟦1⟧的⟦0⟧", "{b}的{a}"),
        ("<b>a</b> <i>b</i>", "⟦2⟧b⟦3⟧ ⟦0⟧a⟦1⟧", "<i>b</i> <b>a</b>"),
        ("5 km in `x`", "في ⟦ ١ ⟧ ⟦٠⟧", "في `x` 5 km"),
    ],
)
def test_words_may_change_places_and_digits_their_script(source: str, turned: str, wanted: str):
    assert restore(turned, mask(source).kept) == wanted


def test_a_name_is_kept_whole_and_only_where_it_is_a_word():
    masked = mask("Rust rusts; 用Rust写, Rustに。", ["Rust", "Rust写"])
    assert [kept.text for kept in masked.kept] == ["Rust", "Rust写", "Rust"]
    assert mask("no names", ["", "  "]).kept == ()


@pytest.mark.parametrize(
    "text",
    [
        "I paid 5 and got 6 back.",
        "See [the guide](and more)",
        "100 people",
        "a < b and c > d",
        "日本語",
    ],
)
def test_ordinary_text_is_left_alone(text: str):
    assert mask(text).kept == ()


@pytest.mark.parametrize(
    "unit",
    [
        "`",
        "$",
        "{",
        "<a ",
        "⟦1",
        "[",
        "```\n",
        "\\begin{a}",
        "5 ",
        "&",
        "语",
        "\\[ ",
        "<!--",
        "$$",
        "1.",
        "a@",
        "\\(a",
        "{%",
    ],
)
def test_a_very_long_text_is_one_pass(unit: str):
    text = unit * (100_000 // len(unit))
    masked = mask(text)
    assert restore(masked.text, masked.kept) == text


def test_of_nothing_nothing_is_taken():
    assert mask("").text == "" and restore("", ()) == ""


@pytest.mark.parametrize(
    ("phrase", "around"),
    [("5 km is a long way", "Correct: 5 km is a long way."), ("`x` is", "Say `x` is so"),
     ("<b> opens", "Why: <b> opens it"), ("२० किमी दूर", "ठीक करो: २० किमी दूर है")],
)  # fmt: skip
def test_a_phrase_goes_before_what_it_begins_with(phrase: str, around: str) -> None:
    masked = mask(around, [phrase])
    assert masked.entities == (phrase,) and restore(masked.text, masked.kept) == around
    assert mask(around).entities == (), "nobody asked for it"
