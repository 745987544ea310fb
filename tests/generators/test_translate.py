from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import regex
from pydantic import ValidationError

from engine.core import Drop, Message, Record
from engine.generators.translate import GENERATOR
from engine.kit import Generator, as_step
from engine.languages.limits import Band, Limit, Limits, written
from engine.models.chat import Reply, Request
from engine.models.fake import FakeChat
from engine.prompting import Library
from tests.conftest import SHARED, Bind, needs_shared, seed
from tests.generators.reversing import declarations, replies
from tests.generators.reversing import written as parts

ASKED = (
    "Open `data.csv` in your editor and count how many rows it has.\n"
    "Then write the number into the file {name} and tell your colleague about it."
)
PLAIN = parts(next(path for path in replies("translate") if path.stem == "plain"))["translate"]
ENGLISH = "Say how a kettle is descaled with vinegar, step by step, for somebody in a hurry."
GERMAN = "Sag jemandem, der es eilig hat, Schritt für Schritt, wie man Kessel mit Essig entkalkt."
SWAHILI = "Eleza hatua kwa hatua jinsi ya kusafisha birika kwa siki, kwa mtu mwenye haraka sana."
CHINESE = "请一步一步地告诉一个很着急的人，怎样用醋清除水壶里的水垢。"
INTO = {"de": GERMAN, "sw": SWAHILI, "zh-Hans": CHINESE}


def asked(chat: FakeChat) -> list[str]:
    return [request.prompt.partition("@")[0].removeprefix("translate/") for request in chat.asked]


def by_language(request: Request) -> str:
    return INTO.get(request.language, ENGLISH)


@pytest.mark.parametrize("path", replies("translate"), ids=lambda path: path.stem)
async def test_replies_as_models_write_them_are_kept_repaired_or_dropped(path: Path, bind: Bind):
    said = parts(path)
    script = {f"translate/{name}": said[name] for name in ("translate", "repair") if name in said}
    step, chat = bind(GENERATOR, script, into=["de"], back=False, takes=2)
    [found] = await step(seed(ASKED, "en"))
    reason, _, text = said["outcome"].partition(" | ")
    if reason == "keep":
        assert isinstance(found, Record) and found.last("user") == text
    else:
        assert isinstance(found, Drop) and found.reason == reason, found
    assert asked(chat) == [name for name in ("translate", "repair") if name in said]


async def test_a_repair_is_told_what_was_wrong_and_shown_the_draft(bind: Bind):
    lost = PLAIN.replace("⟦1⟧", "")
    script = {"translate/translate": lost, "translate/repair": PLAIN}
    step, chat = bind(GENERATOR, script, into=["de"], back=False)
    [found] = await step(seed(ASKED, "en"))
    assert isinstance(found, Record)
    told = chat.asked[1].inputs
    assert "lost placeholder" in told["fault"] and "{name}" in told["fault"]
    assert told["draft"] == lost and told["marks"] == ["⟦0⟧", "⟦1⟧"]
    assert chat.asked[0].inputs["origin"] == "English" and chat.asked[0].language == "de"


async def test_one_record_comes_out_for_each_language_and_shares_an_id(bind: Bind):
    step, chat = bind(GENERATOR, {"translate/translate": by_language}, into=[*INTO, "en"])
    found = await step(seed(ENGLISH, "en"))
    assert [record.language for record in found] == ["de", "sw", "zh-Hans", "en"]
    assert [record.last("user") for record in found] == [GERMAN, SWAHILI, CHINESE, ENGLISH]
    assert {record.facts["parallel_id"] for record in found} == {"seed"}
    assert len({record.id for record in found}) == 4
    origins = [record.facts["provenance"]["instruction"] for record in found]
    assert origins == ["translated"] * 3 + ["native"], "what is at home is not translated"
    assert asked(chat) == ["translate"] * 6, "there and back, for three languages"


async def test_a_language_that_fails_does_not_take_the_others_with_it(bind: Bind):
    def said(request: Request) -> str:
        return "" if request.language == "sw" else by_language(request)

    script = {"translate/translate": said, "translate/repair": said}
    step, _ = bind(GENERATOR, script, into=["sw", "de"], takes=2)
    bad, good = await step(seed(ENGLISH, "en"))
    assert isinstance(bad, Drop) and bad.reason == "empty_translation"
    assert bad.record.language == "sw" and isinstance(good, Record)


async def test_each_field_is_translated_kept_or_left_out_and_says_which(bind: Bind):
    turns = (
        Message("system", "You help people who keep goats and sheep in dry country."),
        Message("user", f"{ENGLISH}\n\nA kettle, vinegar"),
        Message("assistant", "Pour vinegar in and wait."),
    )
    record = Record("r", "en", turns, {"instruction": ENGLISH, "input": "A kettle, vinegar"})
    step, _ = bind(
        GENERATOR, {"translate/translate": by_language}, into=["de"],
        system="keep", input="keep", response="regenerate",
    )  # fmt: skip
    [found] = await step(record)
    assert [turn.role for turn in found.messages] == ["system", "user"]
    assert found.last("user") == f"{GERMAN}\n\nA kettle, vinegar"
    assert (found.facts["instruction"], found.facts["input"]) == (GERMAN, "A kettle, vinegar")
    assert found.facts["provenance"] == {
        "system": "native", "instruction": "translated", "response": "regenerated",
        "input": "native",
    }  # fmt: skip
    assert found.facts["translated_from"] == "en" and found.facts["translator"] == "fake"


async def test_the_losing_answer_of_a_pair_is_translated_too(bind: Bind):
    step, _ = bind(GENERATOR, {"translate/translate": by_language}, into=["de"], back=False)
    [found] = await step(seed(ENGLISH, "en", ENGLISH, rejected=ENGLISH))
    assert found.facts["rejected"] == found.last("assistant") == GERMAN


async def test_what_holds_no_words_needs_no_translator(bind: Bind):
    step, chat = bind(GENERATOR, {}, into=["de"])
    [found] = await step(seed("```\nls -l\n```\n3 + 4 = ?", "en"))
    assert isinstance(found, Drop) and found.reason == "nothing_to_translate" and not chat.asked


async def test_a_long_field_is_cut_at_blank_lines_and_joined_by_the_same_gaps(bind: Bind):
    source = "\n\n".join([ENGLISH] * 3) + "\n\n\n```\ncode\n\nmore\n```\n"
    step, chat = bind(
        GENERATOR, {"translate/translate": by_language}, into=["de"], back=False,
        max_chunk_chars=100,
    )  # fmt: skip
    [found] = await step(seed(source, "en"))
    assert isinstance(found, Record), found
    assert found.last("user") == source.replace(ENGLISH, GERMAN)
    assert asked(chat) == ["translate"] * 3, "code alone is no piece for the translator"


async def test_a_translation_cut_by_the_token_limit_is_asked_for_again(bind: Bind):
    cut = Reply(GERMAN[:40], model="fake", truncated=True)
    script = {"translate/translate": cut, "translate/repair": [cut, GERMAN]}
    step, chat = bind(GENERATOR, script, into=["de"], back=False)
    [found] = await step(seed(ENGLISH, "en"))
    assert isinstance(found, Record) and asked(chat) == ["translate", "repair", "repair"]


async def test_a_translation_model_is_asked_plainly_and_tried_again_plainly(bind: Bind):
    step, chat = bind(
        GENERATOR, {"translate/plain": ["", GERMAN, ENGLISH]}, into=["de"], style="plain"
    )
    [found] = await step(seed(ENGLISH, "en"))
    assert isinstance(found, Record) and found.last("user") == GERMAN
    assert asked(chat) == ["plain"] * 3
    assert [request.language for request in chat.asked] == ["de", "de", "en"]
    assert chat.asked[0].messages[0].content.endswith("German:")
    assert found.facts["quality"]["instruction@0"]["chrf"] == 100


async def test_the_chosen_names_stay(bind: Bind):
    step, chat = bind(
        GENERATOR,
        {"translate/translate": "Öffne ⟦0⟧ und speichere den Brief, bevor du gehst."},
        into=["de"], back=False, entities=["LibreOffice"],
    )  # fmt: skip
    [found] = await step(seed("Open LibreOffice and save the letter before you go.", "en"))
    assert "LibreOffice" not in chat.asked[0].inputs["text"]
    assert found.last("user").startswith("Öffne LibreOffice und")


def limits(path: Path, **chrf: float) -> Path:
    pairs = {
        f"en>{tag.replace('_', '-')}": {"fake": Limit(count=50, bands={"chrf": Band(min=low)})}
        for tag, low in chrf.items()
    }
    path.write_text(written(Limits(tail=0.05, pairs=pairs)), encoding="utf-8")
    return path


async def test_limits_are_per_pair_and_what_is_beyond_them_drops(bind: Bind, tmp_path: Path):
    back = "Tell somebody how vinegar descales a kettle."

    def said(request: Request) -> str:
        return INTO.get(request.language, back)

    script = {"translate/translate": said, "translate/repair": said}
    file = limits(tmp_path / "l.yaml", de=80, zh_Hans=20)
    step, chat = bind(GENERATOR, script, into=["de", "zh-Hans"], limits=file, takes=2)
    german, chinese = await step(seed(ENGLISH, "en"))
    assert isinstance(german, Drop) and german.reason == "low_chrf"
    assert isinstance(chinese, Record), "the same score is enough for Chinese"
    score = chinese.facts["quality"]["instruction@0"]["chrf"]
    assert 20 < score < 80 and f"chrf {score:.3g}"[:8] in german.detail
    assert asked(chat).count("repair") == 1 and "low chrf" in next(
        request.inputs["fault"] for request in chat.asked if "repair" in request.prompt
    )


async def test_a_pair_that_nobody_calibrated_drops_at_once(bind: Bind, tmp_path: Path):
    step, chat = bind(
        GENERATOR, {"translate/translate": by_language}, into=["sw"],
        limits=limits(tmp_path / "l.yaml", de=80),
    )  # fmt: skip
    [found] = await step(seed(ENGLISH, "en"))
    assert isinstance(found, Drop) and found.reason == "not_calibrated"
    assert "en>sw by 'fake'" in found.detail and asked(chat) == ["translate", "translate"]


@pytest.mark.parametrize("name", ["chrf", "min_chrf", "max_length_ratio", "min_similarity"])
def test_one_limit_for_all_languages_is_refused_with_the_reason(name: str):
    with pytest.raises(ValidationError, match=r"Spanish.*36 in Chinese.*engine calibrate"):
        GENERATOR.params.model_validate({"into": ["de", "zh"], name: 50})


def test_a_limit_that_would_never_be_measured_is_refused(tmp_path: Path):
    file = limits(tmp_path / "l.yaml", de=80)
    with pytest.raises(ValidationError, match="set back: true"):
        GENERATOR.params.model_validate({"into": ["de"], "limits": str(file), "back": False})


@pytest.mark.parametrize("into", [[], ["de", "de"], ["Deutsch!"]])
def test_languages_that_cannot_be_are_refused(into: list[str]):
    with pytest.raises(ValidationError):
        GENERATOR.params.model_validate({"into": into})


async def test_meaning_is_compared_by_the_embedder_where_the_job_wants_it(prompts: Library):
    kind: Generator[Any] = GENERATOR
    chat = FakeChat({"translate/translate": by_language}, {ENGLISH: [1, 0], GERMAN: [0.6, 0.8]})
    params = kind.params(into=["de"], back=False, meaning=True)
    models = {"translator": chat, "embedder": chat}
    [found] = await as_step(kind, "step", params, models, prompts, seed=1)(seed(ENGLISH, "en"))
    assert isinstance(found, Record)
    assert found.facts["quality"]["instruction@0"]["similarity"] == pytest.approx(0.6, abs=1e-4)


@needs_shared
async def test_declarations_in_many_scripts_go_through_with_everything_fragile_in_place(bind: Bind):
    texts = declarations()
    english = next(text for _, tag, text in texts if tag == "en")
    articles = re.split(r"\n\s*\n", english)
    source = max(articles, key=len)[:600].rsplit(" ", 1)[0]
    scripts = set()
    for name, tag, text in texts:
        if tag == "en":
            continue
        body = " ".join(max(re.split(r"\n\s*\n", text), key=len).split())[:400]
        draft = f"⟦0⟧ {body} ⟦1⟧"
        asked_for = f"{{user}} {' '.join(source.split())} https://example.org/a"
        step, _ = bind(GENERATOR, {"translate/translate": draft}, into=[tag], back=False, takes=1)
        [found] = await step(seed(asked_for, "en"))
        assert isinstance(found, Record), (name, found.reason, found.detail)
        assert found.last("user") == f"{{user}} {body} https://example.org/a", name
        scripts |= {s for s in SCRIPTS if regex.search(rf"\p{{Script={s}}}{{2}}", body)}
    assert len(scripts) >= 12, scripts


SCRIPTS = (
    "Latn", "Cyrl", "Grek", "Arab", "Hebr", "Deva", "Beng", "Taml", "Telu", "Sinh", "Thai", "Laoo",
    "Hani", "Hira", "Hang", "Ethi", "Geor", "Armn", "Khmr", "Mymr", "Tibt",
)  # fmt: skip
assert SHARED.name == "data"
