from __future__ import annotations

import pytest

from engine.text.hidden import hidden, without

SPELT = {
    "Persian": "می\u200cخواهم کتاب\u200cها را بخوانم",
    "Urdu": "ہم\u200cسفر",
    "Arabic abbreviation": "سنة ١٤٤٥ ه\u200d",
    "Hindi": "क्\u200dष और क्\u200cष",
    "Bengali": "র\u200d্যাব",
    "Malayalam": "അവന്\u200d",
    "Sinhala": "ශ්\u200dරී",
    "Kannada": "ರ\u200d್ಯ",
    "Telugu": "క్\u200cష",
    "Thai break": "สวัสดี\u200bครับ",
    "Khmer break": "ភាសា\u200bខ្មែរ",
    "Japanese break": "東京\u200bタワー",
    "Mongolian": "ᠮᠣᠩᠭᠣᠯ\u180e\u1820",
    "old Korean": "\u115f\u1161",
    "family": "👨\u200d👩\u200d👧\u200d👦",
    "profession": "👩🏽\u200d💻",
    "flag": "🏳\ufe0f\u200d🌈",
    "heart": "❤\ufe0f\u200d🔥 ❤\ufe0f ✔\ufe0e",
    "keycap": "1\ufe0f\u20e3 #\ufe0f\u20e3",
    "Scotland": "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "Han variant": "葛\U000e0100飾区",
    "Hebrew with marks": "שלום\u200f! \u2067עולם\u2069.",
    "Arabic number": "هاتف \u200e+966 50\u200e",
    "Arabic embedding": "قال \u202ahello\u202c لي",
    "tabs and lines": "a\tb\r\nc",
    "nothing": "",
}
HIDING = {
    "override": ("abc\u202ecba\u202c", ["bidi", "bidi"]),
    "override in Arabic": ("مرحبا \u202eabc\u202c", ["bidi", "bidi"]),
    "isolates in code": ("if x: # \u2066 }\u2069 \u2066", ["bidi", "bidi", "bidi"]),
    "open isolate": ("שלום \u2067עולם", ["bidi"]),
    "mark in English": ("a\u200fb", ["bidi"]),
    "row of marks": ("שלום\u200f\u200e\u200f", ["bidi", "bidi"]),
    "tags": ("hi\U000e0068\U000e0069", ["tag", "tag"]),
    "tags behind a flag": ("🏴\U000e0068", ["tag"]),
    "zero width": ("x\u200b\u200c\u200dy", ["zero_width"] * 3),
    "row of non-joiners": ("می\u200c\u200cخ", ["zero_width"]),
    "joiner in Latin": ("a\u200db", ["zero_width"]),
    "soft hyphen": ("so\u00adft", ["zero_width"]),
    "byte order mark": ("\ufeffhi", ["zero_width"]),
    "filler": ("a\u3164b", ["zero_width"]),
    "selectors in a row": ("😀\ufe0f\ufe01\ufe02", ["variation_selector"] * 2),
    "selector behind a letter": ("a\U000e0120", ["variation_selector"]),
    "NUL": ("a\x00b", ["control"]),
    "NUL in Thai": ("ก\x00ข", ["control"]),
    "C1": ("a\x85b", ["control"]),
    "noncharacter": ("a\uffff\ufdd0b", ["control", "control"]),
    "surrogate": ("a\ud83db", ["surrogate"]),
}


@pytest.mark.parametrize("name", SPELT)
def test_signs_that_spell_stay(name):
    assert hidden(SPELT[name]) == []


@pytest.mark.parametrize("name", HIDING)
def test_signs_that_hide_are_told_by_kind_and_can_be_taken_out(name):
    text, kinds = HIDING[name]
    found = hidden(text)
    assert [sign.kind for sign in found] == kinds
    clean = without(text, found)
    assert len(clean) == len(text) - len(kinds) and hidden(clean) == []


def test_a_balanced_pair_counts_within_its_line_only():
    assert len(hidden("שלום \u2067a\n\u2069b")) == 2
    assert hidden("שלום\n\u2067a\u2069 b\n\u2067c\u2069") == []


@pytest.mark.slow
def test_a_megabyte_of_either_is_read():
    assert len(hidden("\u200b" * 350_000)) == 350_000  # three bytes each
    assert hidden("می\u200c" * 150_000) == []
