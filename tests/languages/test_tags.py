from __future__ import annotations

import pytest

from engine.core import JobError
from engine.languages.table import known
from engine.languages.tags import base, normalise

CODES = (
    "af ar az bn ca cs da de el en es et eu fa fi fr gl gu he hi hr hu hy id it ja ka kk km kn ko "
    "lt lv mk ml mn mr ms my ne nl pl ps pt ro ru si sk sl sr sv sw ta te th tl tr uk ur vi xh yo "
    "zh zh-cn zh_local he_IL"
)
"""Codes in the data of Bactrian-X, Okapi, Marco-Bench-MIF and Multi-IF."""


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("zh-CN", "zh-Hans"), ("zh_TW", "zh-Hant"), ("zho_Hans", "zh-Hans"), ("zh-HK", "zh-Hant"),
        ("zh", "zh"), ("cmn", "zh"), ("iw", "he"), ("he_IL", "he"), ("in", "id"), ("ji", "yi"),
        ("no", "nb"), ("NO", "nb"), ("nor", "nb"), ("nb-NO", "nb"), ("nn", "nn"), ("mo", "ro"),
        ("tl", "fil"), ("tgl", "fil"), ("fil-PH", "fil"), ("sh", "sr-Latn"), ("sr_latn", "sr-Latn"),
        ("sr-Cyrl", "sr"), ("srp_Cyrl", "sr"), ("eng_Latn", "en"), ("deu", "de"), ("de-DE", "de"),
        ("pt_br", "pt-BR"), ("pt", "pt"), ("en-GB", "en-GB"), ("es-419", "es-419"), ("arb", "ar"),
        ("pa-PK", "pa-Arab"), ("az_IR", "az-Arab"), ("mn-CN", "mn-Mong"), ("khk", "mn"),
        ("swh", "sw"), ("als", "sq"), ("quz", "qu"), ("quy", "quy"), ("hi-Latn", "hi-Latn"),
        (" de ", "de"), ("und", "und"), ("ca-valencia", "ca-valencia"), ("en_XX", "en"),
        ("ar_AR", "ar"), ("ar-MA", "ar-MA"), ("tl_XX", "fil"), ("prs", "fa-AF"), ("azb", "az-Arab"),
        ("kor_Hang", "ko"), ("cmn_Hani", "zh"), ("yue_Hani", "yue"), ("pbt_Arab", "ps"),
    ],
)  # fmt: skip
def test_a_language_has_one_spelling(said: str, meant: str) -> None:
    assert normalise(said) == meant
    assert normalise(meant) == meant


@pytest.mark.parametrize(
    ("said", "nearest"),
    [
        ("german", "'de' (German)"), ("Deutsch", "'de' (German)"), ("swahilli", "'sw' (Swahili)"),
        ("kurdich", "'ku' (Kurdish)"), ("xx", "'xh' (Xhosa)"),
        ("日本", "'ja' (Japanese)"), ("zz-ZZ", "did you mean"),
        ("", "engine languages"), ("d e", "did you mean"), ("de-Xatn", "'Latn'"),
        ("de-QQ", "no region 'QQ'"), ("x" * 100_000, "engine languages"),
    ],
)  # fmt: skip
def test_what_names_no_language_is_an_error_that_says_the_nearest(said: str, nearest: str) -> None:
    with pytest.raises(JobError, match=r"tag of no language|there is no") as caught:
        normalise(said)
    assert nearest in str(caught.value) and len(str(caught.value)) < 300


@pytest.mark.parametrize("code", CODES.split())
def test_codes_of_released_datasets_are_known_and_stay_what_they_become(code: str) -> None:
    spelt = normalise(code)
    assert base(spelt) in known() and normalise(spelt) == spelt
    assert normalise(known()[base(spelt)].iso639_3) == base(spelt)
