from __future__ import annotations

import pytest

from engine.core import JobError
from engine.languages.codes import Codes, from_label, macrolanguage, systems, to_nllb
from engine.languages.sheet import sheet
from engine.languages.table import known

DATASETS = {
    "Bactrian-X": (
        "af ar az bn cs de en es et fa fi fr gl gu he hi hr id it ja ka kk km ko lt lv mk ml mn mr "
        "my ne nl pl ps pt ro ru si sl sv sw ta te th tl tr uk ur vi xh zh"
    ),
    "Okapi": "ar bn ca da de es fr hi hr hu id it kn ml mr ne nl ro ru sk sr ta te uk vi zh",
    "Marco-Bench-MIF": (
        "ar bn cs de el en es fr he hu id it ja kk ko ms ne nl pl pt ro ru sw th tr uk ur vi yo zh "
        "zh-cn"
    ),
    "Multi-IF": "en es fr hi it pt ru zh",
}
"""What the datasets call their languages; Marco has ``zh`` in names of files, ``zh-cn`` in rows."""
TWINS = {"ajp_Arab": "apc_Arab", "twi_Latn": "aka_Latn"}
"""Codes of NLLB for what is one language in ISO 639-3 or in CLDR by now."""
UNKNOWN = {"nah"}
"""Labels of lid.176 that name no language of ours."""


@pytest.mark.parametrize("name", DATASETS)
def test_every_code_of_a_released_dataset_comes_back_as_it_was(name: str) -> None:
    codes = Codes(name, tuple(DATASETS[name].split()))
    assert [codes.code(codes.tag(code)) for code in codes.codes] == list(codes.codes)


def test_the_datasets_have_as_many_languages_as_their_papers_say() -> None:
    counts = {name: len(codes.split()) for name, codes in DATASETS.items()}
    assert counts == {"Bactrian-X": 52, "Okapi": 26, "Marco-Bench-MIF": 31, "Multi-IF": 8}
    mbart, plain = systems()["mbart"], Codes("plain", tuple(DATASETS["Bactrian-X"].split()))
    assert [plain.code(mbart.tag(code)) for code in mbart.codes] == list(plain.codes)


@pytest.mark.parametrize("name", ["nllb", "mbart", "fasttext", "langdetect"])
def test_every_code_of_a_system_comes_back_as_it_was(name: str) -> None:
    system = systems()[name]
    sizes = {"nllb": 204, "mbart": 52, "fasttext": 176, "langdetect": 55}
    assert len(set(system.codes)) == len(system.codes) == sizes[name]
    for code in set(system.codes) - UNKNOWN:
        tag = system.tag(code)
        assert tag.split("-")[0] in known()
        assert system.code(tag) == TWINS.get(code, code)
    assert UNKNOWN.isdisjoint(system.codes) or name == "fasttext"


def test_the_derived_codes_of_nllb_are_those_it_has_and_no_other() -> None:
    said = {tag: to_nllb(tag) for tag in known()}
    assert set(filter(None, said.values())) <= set(systems()["nllb"].codes)
    for tag, code in said.items():
        assert not code or code.startswith(sheet().languages[tag]["iso"]) or macro_or_alias(code)


def macro_or_alias(code: str) -> bool:
    """Codes of the usual member of a macrolanguage: Standard Arabic, Northern Kurdish."""
    usual = "als arb ayr azj dik fuv gaz khk kmr knc lvs npi ory pbt pes plt swh tgl uzn ydd zsm"
    return code[:3] in usual.split()


@pytest.mark.parametrize(
    ("tag", "nllb", "mbart", "fasttext", "langdetect"),
    [
        ("no", "nob_Latn", "", "no", "no"), ("nb", "nob_Latn", "", "no", "no"),
        ("nn", "nno_Latn", "", "nn", ""), ("tl", "tgl_Latn", "tl_XX", "tl", "tl"),
        ("fil", "tgl_Latn", "tl_XX", "tl", "tl"), ("zh", "zho_Hans", "zh_CN", "zh", "zh-cn"),
        ("zh-Hant", "zho_Hant", "", "zh", "zh-tw"), ("zh-HK", "zho_Hant", "", "zh", "zh-tw"),
        ("yue", "yue_Hant", "", "yue", ""), ("iw", "heb_Hebr", "he_IL", "he", "he"),
        ("sr", "srp_Cyrl", "", "sr", ""), ("sr-Cyrl", "srp_Cyrl", "", "sr", ""),
        ("sr-Latn", "", "", "sh", ""), ("uz-Cyrl", "", "", "uz", ""),
        ("ar-EG", "arb_Arab", "ar_AR", "ar", "ar"), ("fa-AF", "prs_Arab", "fa_IR", "fa", "fa"),
        ("sat", "sat_Beng", "", "", ""), ("gsw", "", "", "als", ""),
        ("sq", "als_Latn", "", "sq", "sq"), ("ko", "kor_Hang", "ko_KR", "ko", "ko"),
        ("pt-BR", "por_Latn", "pt_XX", "pt", "pt"), ("wo", "wol_Latn", "", "", ""),
        ("quz", "", "", "qu", ""), ("agr", "", "", "", ""),
    ],
)  # fmt: skip
def test_how_others_write_a_language(
    tag: str, nllb: str, mbart: str, fasttext: str, langdetect: str
) -> None:
    said = {name: system.code(tag) for name, system in systems().items()}
    assert said == {"nllb": nllb, "mbart": mbart, "fasttext": fasttext, "langdetect": langdetect}


@pytest.mark.parametrize(
    ("label", "tag"),
    [
        ("__label__eng_Latn", "en"), ("__label__arb_Arab", "ar"), ("__label__cmn_Hani", "zh"),
        ("__label__kor_Hang", "ko"), ("__label__als_Latn", "sq"), ("__label__als", "gsw"),
        ("__label__sq", "sq"), ("__label__no", "nb"), ("__label__sh", "sr-Latn"), ("als", "sq"),
        ("zh-tw", "zh-Hant"), ("__label__zxx_Zzzz", "zxx"), ("__label__xyz_Latn", "xyz-Latn"),
    ],
)  # fmt: skip
def test_what_an_identifier_means_by_a_label(label: str, tag: str) -> None:
    assert from_label(label) == tag


def test_what_is_no_code_of_a_list_or_no_tag_is_an_error() -> None:
    with pytest.raises(JobError, match="'de' is no language of langdetect-like: en, fr"):
        Codes("langdetect-like", ("en", "fr")).tag("de")
    with pytest.raises(JobError, match="did you mean 'de'"):
        to_nllb("german")
    assert to_nllb("und") == "" == Codes("none", ()).code("de")


def test_macrolanguages_are_those_of_iso_639_3() -> None:
    said = {tag: macrolanguage(tag) for tag in ("arz", "yue", "id", "nb", "sr-Latn", "quz", "de")}
    assert said == {
        "arz": "ara", "yue": "zho", "id": "msa", "nb": "nor", "sr-Latn": "hbs", "quz": "", "de": "",
    }  # fmt: skip
    assert sheet().macros.keys() <= known().keys()
