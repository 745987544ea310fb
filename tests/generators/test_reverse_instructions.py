import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from engine.core import Drop, Outcome, Record
from engine.generators.reverse_instructions import GENERATOR
from engine.models.chat import Reply, Request
from engine.text.leftovers import hints_for
from engine.text.reversal import CUT, leaks, shown
from engine.text.sentences import count
from tests.conftest import SHARED, Bind, needs_shared, seed

STYLES = ("instruction", "chat", "search")
REPLIES = sorted((Path(__file__).parent / "replies" / "reverse_instructions").glob("*.txt"))
COMPOST = (
    "A heap of leaves and kitchen scraps grows warm within a few days. Billions of bacteria feed "
    "on it, and their work gives off heat.\n\nIn winter the outside of the heap insulates the "
    "inside. Turn it once a month!  \r\nWater it when it is dry.\n"
)
DOCUMENTS = {
    "en": COMPOST,
    "zh": "茶树喜欢温暖湿润的山坡。春天采下的嫩芽最香。\n\n炒青要快，火候要稳。"
    "你知道为什么吗？因为太慢会让叶子变红。",
    "ar": "ينام الجسم ليستعيد قوته كل ليلة. هل تعرف كم ساعة نحتاج؟ يحتاج البالغ إلى سبع ساعات.\n\n"
    "الضوء القوي في المساء يؤخر النوم، والغرفة الباردة المظلمة تساعد عليه. جرب أن تطفئ الهاتف!",
    "hi": "वर्षा ऋतु जून में केरल से शुरू होती है। हवा समुद्र से नमी लाती है। क्या आप जानते हैं क्यों?\n\n"
    "पहाड़ उस हवा को ऊपर उठाते हैं और पानी बरसता है। किसान इसी समय धान की रोपाई करते हैं।",
    "th": "เมื่ออากาศร้อนจัดร่างกายจะเสียน้ำเร็ว ควรดื่มน้ำบ่อยๆ และพักในที่ร่ม\n\n"
    "หากมีอาการเวียนศีรษะให้หยุดงานทันที แล้วเช็ดตัวด้วยผ้าชุบน้ำ อย่าฝืนเดินต่อกลางแดด" * 2,
}


def script(reply: Any) -> dict[str, Any]:
    return {f"reverse_instructions/{style}": reply for style in STYLES}


def paper(document: str, language: str = "en", id: str = "seed", **facts: Any) -> Record:
    return Record(id, language, (), {"document": document, "source": "papers", **facts})


def told(outcome: Outcome) -> str:
    if isinstance(outcome, Drop):
        return f"{outcome.reason} | {outcome.detail}".strip()
    return f"keep | {outcome.last('user')}"


def written(path: Path) -> tuple[str, str]:
    """A reply as a model wrote it, and what must become of it."""
    reply, _, expected = path.read_text(encoding="utf-8").partition("=== outcome\n")
    return reply, expected.strip()


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_replies_as_models_write_them_pair_up_or_drop_by_rule(path: Path, bind: Bind):
    reply, expected = written(path)
    step, chat = bind(GENERATOR, script(reply), length_hint=0)
    [outcome] = await step(paper(COMPOST))
    assert told(outcome) == expected
    assert len(chat.asked) == (1 if isinstance(outcome, Record) else 2), "it is asked once more"


async def test_the_response_is_the_document_byte_for_byte(bind: Bind):
    step, _ = bind(GENERATOR, script("Why does it get warm?"))
    [child] = await step(paper(COMPOST, title="Compost", licence="CC0-1.0"))
    assert child.last("assistant") == COMPOST
    assert "document" not in child.facts
    assert child.facts["provenance"] == {"instruction": "model", "response": "native"}
    assert (child.facts["title"], child.facts["licence"]) == ("Compost", "CC0-1.0")


async def test_styles_come_in_equal_shares(bind: Bind):
    step, _ = bind(GENERATOR, script("Why does it get warm?"))
    children = [(await step(paper(COMPOST, id=f"r{n}")))[0] for n in range(600)]
    drawn = Counter(child.facts["style"] for child in children)
    assert sum((drawn[style] - 200) ** 2 / 200 for style in STYLES) < 13.8  # chi-square, p 0.001
    hinted = sum(child.facts["length_hint"] is not None for child in children)
    assert 240 < hinted < 360
    assert {c.facts["length_hint"]["unit"] for c in children if c.facts["length_hint"]} == {
        "paragraphs", "sentences", "words",
    }  # fmt: skip


async def test_a_style_without_weight_is_never_drawn_and_the_prompt_fits_the_style(bind: Bind):
    step, chat = bind(GENERATOR, script("why compost warm"), styles={"search": 1, "chat": 0})
    for n in range(30):
        await step(paper(COMPOST, id=f"r{n}"))
    assert {r.prompt.partition("@")[0] for r in chat.asked} == {"reverse_instructions/search"}


@pytest.mark.parametrize("styles", [{}, {"chat": 0}, {"chat": -1, "search": 2}, {"letter": 1}])
def test_styles_without_a_weight_are_a_mistake_in_the_job(styles: dict[str, float]):
    with pytest.raises(ValidationError):
        GENERATOR.params.model_validate({"styles": styles})


@pytest.mark.parametrize("language", DOCUMENTS)
async def test_a_length_hint_can_be_recomputed_from_the_response(bind: Bind, language: str):
    step, _ = bind(GENERATOR, script("X?"), length_hint=1)
    units = set()
    for n in range(20):
        [child] = await step(paper(DOCUMENTS[language], language, f"r{n}"))
        hint = child.facts["length_hint"]
        assert hint["count"] == count(child.last("assistant"), hint["unit"]) > 1
        wordings = [w.format(**hint) for w in hints_for(language, hint["unit"])]
        assert child.last("user") in [f"X?\n{wording}" for wording in wordings]
        units.add(hint["unit"])
    assert len(units) == (2 if language == "th" else 3)


async def test_a_language_without_wording_gets_no_hint(bind: Bind):
    step, _ = bind(GENERATOR, script("Lan?"), length_hint=1)
    [child] = await step(paper(COMPOST, "br"))
    assert child.facts["length_hint"] is None and child.last("user") == "Lan?"


async def test_a_leak_is_asked_about_once_more(bind: Bind):
    def reply(request: Request) -> str:
        return "Why is compost warm?" if request.take else COMPOST.split(".")[0]

    step, chat = bind(GENERATOR, script(reply), length_hint=0)
    [child] = await step(paper(COMPOST))
    assert child.last("user") == "Why is compost warm?"
    assert [r.take for r in chat.asked] == [0, 1]


@pytest.mark.parametrize(
    "document, reason",
    [("", "no_document"), (" \n", "no_document"), ("Zu kurz.", "document_too_short"),
     ("太短了。", "document_too_short")],
)  # fmt: skip
async def test_documents_that_will_not_do_cost_no_call(bind: Bind, document: str, reason: str):
    step, chat = bind(GENERATOR, script("X?"))
    [outcome] = await step(paper(document))
    assert isinstance(outcome, Drop) and outcome.reason == reason and not chat.asked


async def test_a_record_without_a_document_drops(bind: Bind):
    step, _ = bind(GENERATOR, script("X?"))
    [outcome] = await step(seed("Hallo"))
    assert isinstance(outcome, Drop) and outcome.reason == "no_document"


async def test_a_cut_instruction_counts_for_nothing(bind: Bind):
    step, _ = bind(GENERATOR, script(Reply("Explain how the", model="fake", truncated=True)))
    [outcome] = await step(paper(COMPOST))
    assert isinstance(outcome, Drop) and outcome.reason == "no_instruction"


async def test_of_a_very_long_document_the_model_sees_head_and_tail(bind: Bind):
    long = "First words. " + "middle words and more of them. " * 20_000 + "Last words."
    step, chat = bind(GENERATOR, script("X?"), max_document_chars=2000)
    [child] = await step(paper(long))
    part = chat.asked[0].inputs["document"]
    assert part.startswith("First words.") and part.endswith("Last words.") and CUT in part
    assert len(part) <= 2000 + len(CUT)
    assert child.last("assistant") == long


@pytest.mark.parametrize("text", ["字" * 5000, "word " * 5000, "x" * 5000, " \n" * 5000, ""])
def test_no_view_of_a_document_is_longer_than_allowed(text: str):
    assert len(shown(text, 1000)) <= 1000 + len(CUT)
    assert shown(text[:1000], 1000) == text[:1000]


def test_a_leak_is_a_run_of_words_in_any_script():
    assert leaks("问：茶树喜欢温暖湿润的山坡，春天采下", DOCUMENTS["zh"], 7)
    assert not leaks("茶树喜欢什么？", DOCUMENTS["zh"], 7)
    assert not leaks("", "", 7) and not leaks("X", "", 7)


@needs_shared
async def test_public_texts_become_responses_unchanged(bind: Bind):
    step, _ = bind(GENERATOR, script("Q?"), length_hint=1)
    tags = {
        "eng": "en", "deu_1996": "de", "deu_1901": "de", "fra": "fr", "spa": "es", "por_BR": "pt",
        "cmn_hans": "zh-Hans", "cmn_hant": "zh-Hant", "jpn": "ja", "kor": "ko", "arb": "ar",
        "hin": "hi", "ben": "bn", "tha": "th", "swh": "sw", "tur": "tr", "eus": "eu", "rus": "ru",
        "amh": "am", "khm": "km", "bod": "bo",
    }  # fmt: skip
    texts = [(name, text) for name, text in unzipped("udhr2.zip") if name in tags]
    texts += list(unzipped("inaugural.zip"))
    assert len(texts) > 70
    for name, text in texts:
        [child] = await step(paper(text, tags.get(name, "en"), name))
        assert child.last("assistant") == text
        if hint := child.facts["length_hint"]:
            assert str(count(text, hint["unit"])) in child.last("user")
        else:
            assert name in {"amh", "khm", "bod"}, "only languages without wording"


def unzipped(archive: str) -> list[tuple[str, str]]:
    with zipfile.ZipFile(SHARED / archive) as files:
        names = [name for name in files.namelist() if name.endswith(".txt")]
        return [(Path(n).stem, files.read(n).decode("utf-8", "replace")) for n in names]
