from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from engine.core import Drop, Outcome, Record
from engine.generators import translate
from engine.generators.selective_translation import GENERATOR
from engine.languages.masking import mask
from engine.models.chat import Request
from engine.passes.balance import PASS as BALANCE
from engine.passes.n_shot import PASS as N_SHOT
from engine.passes.split import PASS as SPLIT
from engine.shipped import JOBS
from tests.conftest import Bind, seed, settle
from tests.generators.reversing import replies, written

ASK = 'Correct the spelling in this sentence: "Tomorow we will recieve the books."'
SAY = '"Tomorrow we will receive the books." Two words were wrong.'
CODE = "```python\ndef add(a, b):\n    return a + b\n```"
PROMPT = "selective_translation/decide"
TASKS = (JOBS / "seeds/mixed_tasks.jsonl").read_text(encoding="utf-8")
ROWS = [json.loads(line) for line in TASKS.splitlines()]


def said(kind: str = "free", **values: Any) -> str:
    fields = {"input": "translate", "response": "translate", "kept_spans": []}
    return json.dumps({"reason": "It is so.", "kind": kind, **fields, **values})


def row(asked: str, answer: str, extra: str = "", language: str = "en") -> Record:
    facts = {"instruction": asked, "input": extra} if extra else {}
    return seed("\n\n".join(filter(None, (asked, extra))), language, answer, **facts)


def told(outcome: Outcome) -> str:
    if isinstance(outcome, Drop):
        return f"{outcome.reason} | {'' if outcome.reason == 'bad_reply' else outcome.detail}"
    noted = outcome.facts["untranslated"]
    return f"keep | {noted['kind']} | {' '.join(noted['fields'])} | {' / '.join(noted['texts'])}"


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("path", replies("selective_translation"), ids=lambda path: path.stem)
async def test_decisions_as_models_write_them_flag_the_row_or_drop_it(path: Path, bind: Bind):
    file = written(path)
    script = [file[name] for name in ("decide", "again", "third") if name in file]
    step, chat = bind(GENERATOR, {PROMPT: script})
    [outcome] = await step(row(ASK, SAY))
    assert squeezed(told(outcome)) == squeezed(file["outcome"])
    assert len(chat.asked) == len(script)


@pytest.mark.parametrize(
    ("record", "noted"),
    [
        (row("Put this into French.", "Le bac part à midi, et le prochain ne part que le soir.",
             "The ferry leaves at noon, and the next one only goes in the evening."),
         ("translation", ["input", "response"])),
        (row("أجب عن السؤال.", "The ferry leaves at noon, and the next one goes in the evening.",
             "متى يغادر القارب؟", "ar"), ("translation", ["input", "response"])),
        (row("Write a function that adds two numbers.", CODE), ("code", ["response"])),
        (row("写一个把两个数相加的函数。", CODE, language="zh-Hans"), ("code", ["response"])),
    ],
)  # fmt: skip
async def test_what_is_certain_costs_no_call(
    record: Record, noted: tuple[str, list[str]], bind: Bind
):
    step, chat = bind(GENERATOR, {})
    [found] = await step(record)
    stays = found.facts["untranslated"]
    assert (stays["kind"], stays["fields"], stays["texts"], stays["by"]) == (*noted, [], "rule")
    assert not chat.asked and found.messages == record.messages


@pytest.mark.parametrize(
    "record",
    [
        row("Put this sentence into French: The ferry leaves at noon, and later in the evening.",
            "Le bac part à midi, et le prochain ne part que le soir."),
        row("Explain \"add\".", "`add`"),
        row("What does it do?", "It adds two numbers.", "`add(1, 2)`"),
        row("Say why goats climb.", "They look for leaves that nobody else can reach."),
    ],
)  # fmt: skip
async def test_what_is_not_certain_is_the_models_to_say(record: Record, bind: Bind):
    step, chat = bind(GENERATOR, {PROMPT: said()})
    [found] = await step(record)
    assert found.facts["untranslated"]["by"] == "model" and len(chat.asked) == 1


async def test_fields_without_words_are_flagged_whoever_decides(bind: Bind):
    record = row("What does it do?", "It adds two numbers.", "`add(1, 2)`")
    step, _ = bind(GENERATOR, {PROMPT: said("code")})
    [found] = await step(record)
    assert found.facts["untranslated"]["fields"] == ["input"]


async def test_without_rules_the_model_decides_everything(bind: Bind):
    record = row("Write a function that adds two numbers.", "```\nadd(a, b)\n```")
    step, chat = bind(GENERATOR, {PROMPT: said("code")}, rules=False)
    await step(record)
    assert len(chat.asked) == 1


@pytest.mark.parametrize(
    ("record", "reason"),
    [(seed("", "en"), "no_instruction"), (row("x" * 200, "y"), "too_long"),
     (Record("r", "en", (*row("A?", "B.").messages, *row("C?", "D.").messages)), "several_turns")],
)  # fmt: skip
async def test_what_cannot_be_decided_costs_no_call(record: Record, reason: str, bind: Bind):
    step, chat = bind(GENERATOR, {}, max_characters=100)
    [lost] = await step(record)
    assert isinstance(lost, Drop) and lost.reason == reason and not chat.asked


# -- with the step behind it -----------------------------------------------------------------

FRAMES = {
    "en": ("Correct the spelling in this sentence, which a pupil wrote: ", "Two words are wrong."),
    "de": ("Verbessere die Rechtschreibung in diesem Satz, den ein Schüler geschrieben hat: ",
           "Zwei Wörter sind falsch geschrieben."),
    "zh-Hans": ("请改正学生写的这个句子里的拼写错误：", "有两个词写错了。"),
    "ar": ("صحح الأخطاء الإملائية في هذه الجملة التي كتبها تلميذ: ", "هناك كلمتان مكتوبتان خطأ."),
    "hi": ("एक विद्यार्थी के लिखे इस वाक्य की वर्तनी ठीक कीजिए: ", "दो शब्द ग़लत लिखे गए हैं।"),
    "th": ("จงแก้ตัวสะกดในประโยคนี้ที่นักเรียนคนหนึ่งเขียน: ", "มีสองคำที่เขียนผิด"),
    "sw": ("Sahihisha tahajia katika sentensi hii ambayo mwanafunzi aliandika: ",
           "Maneno mawili yameandikwa vibaya."),
}  # fmt: skip
QUOTED = '"Tomorow we will recieve the new books, he said to him."'


def framed(request: Request) -> str:
    """The translation of whichever side is asked for, its marks carried along."""
    text, marks = request.inputs["text"], " ".join(request.inputs["marks"])
    is_question = any(text.startswith(question) for question, _ in FRAMES.values())
    return FRAMES[request.language][0 if is_question else 1] + marks


async def flagged(record: Record, bind: Bind, decision: str) -> Record:
    step, _ = bind(GENERATOR, {PROMPT: decision})
    [found] = await step(record)
    assert isinstance(found, Record), found
    return found


@pytest.mark.parametrize("home", FRAMES)
async def test_from_and_into_every_language_what_stays_is_there_byte_for_byte(
    home: str, bind: Bind
):
    frame, answer = FRAMES[home]
    span = QUOTED if home != "en" else "„Morgn bekomen wir die neuen Bücher, sagte er zu ihm.“"
    record = await flagged(
        row(frame + span, answer, language=home), bind, said("linguistic", kept_spans=[span])
    )
    assert record.facts["untranslated"]["texts"] == [span]
    into = [tag for tag in FRAMES if tag != home]
    step, _ = bind(translate.GENERATOR, {"translate/translate": framed}, into=into, back=False)
    for found in await step(record):
        assert isinstance(found, Record), found
        assert found.last("user") == FRAMES[found.language][0] + span
        assert found.last("assistant") == FRAMES[found.language][1]
        assert found.facts["untranslated"]["kind"] == "linguistic"


async def test_fields_that_stay_are_native_and_ask_nobody(bind: Bind):
    french = "Le bac part à midi, et le prochain ne part que le soir."
    english = "The ferry leaves at noon, and the next one only goes in the evening."
    record = row("Put this into French.", french, english)
    record = await flagged(record, bind, "")
    german = "Übertrage dies ins Französische."
    step, chat = bind(translate.GENERATOR, {"translate/translate": german}, into=["de"], back=False)
    [found] = await step(record)
    assert found.last("user") == f"{german}\n\n{record.facts['input']}"
    assert found.last("assistant") == record.last("assistant") and len(chat.asked) == 1
    assert found.facts["provenance"] == {
        "instruction": "translated", "input": "native", "response": "native",
    }  # fmt: skip


async def test_a_translation_of_what_should_stay_is_asked_again_then_dropped(bind: Bind):
    record = await flagged(row(ASK, SAY), bind, said("linguistic", response="keep",
                           kept_spans=['"Tomorow we will recieve the books."']))  # fmt: skip
    bad = "Verbessere die Rechtschreibung in diesem Satz: „Morgen bekommen wir die Bücher.“"
    script = {"translate/translate": bad, "translate/repair": bad}
    step, chat = bind(translate.GENERATOR, script, into=["de"], back=False, takes=3)
    [lost] = await step(record)
    assert isinstance(lost, Drop) and lost.reason == "lost_placeholder" and len(chat.asked) == 3


async def test_a_row_left_untranslated_by_the_translator_is_asked_again_then_dropped(bind: Bind):
    text = "Explain to a neighbour how maize is stored so that weevils do not get in."
    record = await flagged(row(text, ""), bind, said())
    script = {"translate/translate": text, "translate/repair": text}
    step, chat = bind(translate.GENERATOR, script, into=["de"], back=False, takes=2)
    [lost] = await step(record)
    assert isinstance(lost, Drop) and lost.reason == "copied_source" and len(chat.asked) == 2


async def test_sentinel_recall_for_code_is_one_in_every_language(bind: Bind):
    """Card 12: all that is code, formula or link in the shipped rows comes through."""

    def carried(request: Request) -> str:
        return FRAMES[request.language][0] + " ".join(request.inputs["marks"])

    decide, _ = bind(GENERATOR, {PROMPT: said()})
    into = [tag for tag in FRAMES if tag != "en"]
    step, _ = bind(translate.GENERATOR, {"translate/translate": carried}, into=into, back=False)
    seen = 0
    for each in ROWS:
        [record] = await decide(row(each["instruction"], each["output"], each["input"]))
        wanted = Counter(p.text for m in record.messages for p in mask(m.content).kept)
        for found in await step(record):
            assert isinstance(found, Record), found
            whole = "\n".join(m.content for m in found.messages)
            assert all(whole.count(piece) >= n for piece, n in wanted.items()), wanted
            seen += sum(wanted.values())
    assert seen >= 42, "the rows have code, links or formulas"


async def test_budgets_are_equal_within_a_tier_and_contexts_hold_no_evaluation_rows(bind: Bind):
    """Card 12, from the decision to the packed rows: tiers, flags, contexts."""
    rows = [
        Record(f"{tag}{n:02}", tag, row(f"{tag} {n}?", f"{n}.").messages, {"parallel_id": str(n)})
        for tag in ("de", "hi", "sw", "th", "wo") for n in range(30)
    ]  # fmt: skip
    tiers = {"high": 20, "mid": 10, "low": 5}
    kept = [r for r in settle(BALANCE, rows, tiers=tiers) if isinstance(r, Record)]
    counts = Counter(record.language for record in kept)
    assert counts == {"de": 20, "hi": 20, "sw": 10, "th": 10, "wo": 5}
    split = settle(SPLIT, kept, validation=0.2, test=0.2, group="parallel_id")
    packed = [r for r in settle(N_SHOT, split, most=3) if isinstance(r, Record)]
    splits = {record.id: record.facts["split"] for record in packed}
    assert {"train", "validation", "test"} == set(splits.values())
    for record in packed:
        ids = record.facts["n_shot"]["ids"]
        assert record.id not in ids and {splits[each] for each in ids} <= {"train"}
        assert {each[:2] for each in ids} <= {record.language}


async def test_a_free_answer_does_not_stay_as_a_span_either(bind: Bind):
    answer = "They look for leaves that nobody else can reach."
    whole = said("free", kept_spans=[answer])
    step, chat = bind(GENERATOR, {PROMPT: [whole, said()]})
    [found] = await step(row("Say why goats climb.", answer))
    assert isinstance(found, Record) and found.facts["untranslated"]["texts"] == []
    assert chat.asked[0].inputs["fault"] == "" and "free task" in chat.asked[1].inputs["fault"]
    step, _ = bind(GENERATOR, {PROMPT: [whole, whole]})
    [lost] = await step(row("Say why goats climb.", answer))
    assert isinstance(lost, Drop) and lost.reason == "free_task_stays"


async def test_an_answer_that_stays_as_a_span_is_flagged_as_a_field(bind: Bind):
    step, _ = bind(GENERATOR, {PROMPT: said("linguistic", kept_spans=["He goes home every day."])})
    [found] = await step(row("Correct this: He go home every day.", "He goes home every day."))
    assert found.facts["untranslated"]["fields"] == ["response"]
