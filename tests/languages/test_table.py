from __future__ import annotations

import json
import unicodedata

import pytest
from typer.testing import CliRunner

from engine.cli import app
from engine.core import JobError
from engine.languages.names import english_name
from engine.languages.sheet import sheet
from engine.languages.table import find, known, relatives
from engine.languages.tags import HAN, normalise
from engine.text.scripts import script
from tests.conftest import needs_shared
from tests.languages.declarations import UNMAPPED, declarations

OWN_ORDER = {"cjs", "crh", "ctd", "hnj", "kaa", "lad", "ojb"}
"""Usually written in another script than CLDR takes to be likely."""


def test_there_are_at_least_two_hundred_languages_and_each_is_whole() -> None:
    assert len(known()) >= 200
    isos = [language.iso639_3 for language in known().values()]
    assert len(set(isos)) == len(isos)
    for tag, language in known().items():
        assert normalise(tag) == tag == language.tag
        assert len(language.iso639_3) == 3 and language.iso639_3.isascii()
        assert language.name and language.own_name and language.family and language.scripts
        assert set(language.scripts) <= sheet().scripts.keys()
        assert language.direction in ("ltr", "rtl") and language.tier in ("high", "mid", "low")
        assert all(unicodedata.category(mark)[0] == "P" for mark in language.sentence_marks)


def test_names_and_usual_scripts_are_those_of_prompts_and_of_the_script_checks() -> None:
    for tag, language in known().items():
        if tag not in OWN_ORDER and script(tag):
            assert language.scripts[0] == script(tag), tag
    told = {tag: english_name(tag) for tag in ("de", "sw", "acu", "zh-Hant", "tzo")}
    assert told == {
        "de": "German", "sw": "Swahili", "acu": "Achuar-Shiwiar",
        "zh-Hant": "Traditional Chinese", "tzo": "Tzotzil",
    }  # fmt: skip


def test_every_alias_and_every_close_language_is_one_of_the_table() -> None:
    for meant in sheet().aliases.values():
        assert find(meant)
    for tag, others in sheet().close.items():
        assert tag in known() and others <= known().keys() and tag not in others


@pytest.mark.parametrize(
    ("tag", "direction", "spaced", "mark", "scripts"),
    [
        ("ar", "rtl", True, "؟", ("Arab",)), ("he", "rtl", True, "?", ("Hebr",)),
        ("ur", "rtl", True, "۔", ("Arab",)), ("hi", "ltr", True, "।", ("Deva",)),
        ("zh-TW", "ltr", False, "。", ("Hant", "Hans")), ("el", "ltr", True, ";", ("Grek",)),
        ("am", "ltr", True, "።", ("Ethi",)), ("hy", "ltr", True, "։", ("Armn",)),
        ("my", "ltr", False, "။", ("Mymr",)), ("sr-Latn", "ltr", True, ".", ("Latn", "Cyrl")),
        ("pa-PK", "rtl", True, "؟", ("Arab", "Guru")), ("dv", "rtl", True, ".", ("Thaa",)),
    ],
)  # fmt: skip
def test_what_is_known_of_a_language(
    tag: str, direction: str, spaced: bool, mark: str, scripts: tuple[str, ...]
) -> None:
    language = find(tag)
    assert (language.direction, language.spaced, language.scripts) == (direction, spaced, scripts)
    assert mark in language.sentence_marks


def test_thai_and_lao_mark_no_sentences() -> None:
    assert [find(tag).sentence_marks for tag in ("th", "lo")] == ["", ""]
    assert not find("th").spaced


def test_no_language_is_no_language() -> None:
    for tag in ("und", "mul", "zxx"):
        with pytest.raises(JobError, match="names no language"):
            find(tag)
        assert relatives(tag) == frozenset()


def test_relatives_go_both_ways() -> None:
    for one, other in (("id", "ms"), ("nb", "da"), ("sr-Latn", "hr"), ("ur", "fa"), ("hr", "bs")):
        assert normalise(other) in relatives(one) or other.split("-")[0] in relatives(one)
        assert one.split("-")[0] in relatives(other)
    assert "de" not in relatives("en") and {"Hans", "Hant"} == HAN


@needs_shared
def test_every_declaration_of_human_rights_is_in_a_language_of_the_table() -> None:
    found = [(stem, tag) for stem, tag, _ in declarations()]
    assert {stem for stem, tag in found if not tag} == UNMAPPED
    tags = {tag for _, tag in found if tag}
    assert len(tags) > 350 and all(find(tag) for tag in tags)


def command(*words: str) -> str:
    result = CliRunner().invoke(app, ["languages", *words])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_lists_all_one_or_those_that_a_word_fits() -> None:
    assert len(command().splitlines()) == len(known()) + 1
    assert "Kiswahili" in command("swahili")
    assert "Traditional Chinese" in command("zh_TW")
    assert {each["tag"] for each in json.loads(command("german", "--json"))} == {"de"}
    turkic = json.loads(command("turkic", "--json"))
    assert {"tr", "kk", "tt"} <= {each["tag"] for each in turkic}
    [urdu] = json.loads(command("urd", "--json"))
    assert urdu["direction"] == "rtl" and urdu["identified"] and "fa" in urdu["close"]
    assert all(each["direction"] == "rtl" for each in json.loads(command("rtl", "--json")))
    result = CliRunner().invoke(app, ["languages", "xqzqx"])
    assert result.exit_code != 0


@pytest.mark.parametrize(
    ("query", "tag"),
    [("no", "nb"), ("iw", "he"), ("tl", "fil"), ("arb_Arab", "ar"), ("cmn", "zh"), ("Thai", "th")],
)
def test_a_tag_in_another_spelling_is_that_language_and_not_all_whose_name_has_it(
    query: str, tag: str
) -> None:
    assert [each["tag"] for each in json.loads(command(query, "--json"))] == [tag]


def test_the_command_says_how_others_write_a_language_and_how_it_is_written() -> None:
    [khmer] = json.loads(command("km", "--json"))
    assert khmer["codes"] == {
        "nllb": "khm_Khmr", "mbart": "km_KH", "fasttext": "km", "langdetect": None,
    }  # fmt: skip
    assert khmer["segmentation"] == "none" and khmer["has_case"] is False
    assert khmer["digits"] == ["latn", "khmr"] and len(khmer["quotes"]) == 4
    [wolof] = json.loads(command("wolof", "--json"))
    assert wolof["iso639_1"] == "wo" and not wolof["identified"]
    assert wolof["codes"]["nllb"] == "wol_Latn" and wolof["codes"]["fasttext"] is None
    head, row = command("wolof").splitlines()
    assert row[head.index("identified") :].startswith("no ")
