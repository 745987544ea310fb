"""ONERULER's seven tasks: what is hidden is there once, fits, and is the answer."""

from __future__ import annotations

import json
import re
import time
import zipfile
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pydantic import ValidationError

from engine import shipped
from engine.core import REHEARSAL, Drop, Record
from engine.generators.bactrian import GENERATOR as BACTRIAN
from engine.generators.long_needles import GENERATOR
from engine.languages.wording import opened
from engine.models.chat import Request
from engine.passes.haystacks import PASS as HAYSTACKS
from engine.session import load
from engine.text.haystacks import DEPTHS, folded, haystack
from engine.text.needle_scores import Due, fault
from engine.text.needle_tasks import TASKS, Asked, Given, drawn
from engine.text.needle_words import listed, wording_for
from engine.text.sizes import estimated_tokens
from engine.verifiers.needles import VERIFIER as NEEDLES
from tests.conftest import SHARED, Bind, needs_shared, settle
from tests.generators.reversing import TAGS, replies, written

SEVEN = ("en", "de", "zh", "ar", "hi", "th", "sw")
HIDDEN = ("single", "none", "multi_key", "multi_value", "multi_query")
LISTS = ("common_easy", "common_hard")
PIECE = re.compile(r"\w{1,4}|[^\w\s]")
OWN = {
    "fact": "Code „{key}“ ass {value}.",
    "read": "Liest den Text.",
    "ask": "Wéi eng Coden: {keys}? Soss: {none}",
    "listed": "Liest d’Lëscht.",
    "common": "Wéi eng {count} Wierder?",
    "none": "keen",
}
LETZEBUERGESCH = (
    "D’Musel leeft laanscht d’Wéngerten. Am Hierscht gi Drauwe geschnidden. De Most gärt am "
    "Keller.\n\nUm Maart gëtt Kachkéis verkaaft. Vill Leit kommen mam Zuch. Am Wanter brennt de "
    "Kachelhäerd."
)
LAO = (
    "ແມ່ນ້ຳຂອງໄຫຼຜ່ານ ບ້ານນ້ອຍ ຊາວນາປູກເຂົ້າ ໃນລະດູຝົນ\n\n"
    "ຕະຫຼາດເຊົ້າ ຂາຍໝາກໄມ້ ແລະ ຜັກສົດ ເດັກນ້ອຍໄປໂຮງຮຽນ\n\nກາງຄືນ ມີດາວຫຼາຍ ຟ້າງາມ"
)


def tokens(request: Request) -> int:
    """Pieces of four letters, and a template around each turn: as uneven as a real tokenizer."""
    return sum(4 + len(PIECE.findall(message.content)) for message in request.messages)


def texts(language: str) -> list[str]:
    files = sorted((shipped.JOBS / "documents").glob(f"{language}-*.md"))
    return [file.read_text(encoding="utf-8") for file in files]


def pile(language: str, *documents: str, id: str = "pile") -> Record:
    found = documents or texts(language)
    held = [{"id": f"d{n}", "text": text} for n, text in enumerate(found)]
    return Record(id, language, (), {"haystack": held, "source": "texts", "licence": "CC0-1.0"})


async def made(bind: Bind, record: Record, script: Any = None, **params: Any) -> list[Record]:
    step, _ = bind(GENERATOR, {"count": tokens, **(script or {})}, **params)
    outcomes = await step(record)
    assert all(isinstance(each, Record) for each in outcomes), outcomes
    return [each for each in outcomes if isinstance(each, Record)]


def parts(record: Record) -> tuple[str, str]:
    """The text between the marks, and the question behind it."""
    _, _, rest = record.last("user").partition("<text>\n")
    text, _, question = rest.partition("\n</text>\n\n")
    return text, question


# What is hidden


@pytest.mark.parametrize("language", SEVEN)
async def test_every_needle_stands_once_at_its_depth_and_is_the_answer(
    bind: Bind, language: str
) -> None:
    rows = await made(bind, pile(language), tasks=HIDDEN, budgets=[1500], min_fill=0)
    assert [row.facts["long"]["task"] for row in rows] == list(HIDDEN)
    for row in rows:
        text, question = parts(row)
        told, due = row.facts["long"], Due.model_validate(row.facts["needles"])
        planted, size = told["planted"], told["sentences"]
        assert len({needle["depth"] for needle in planted}) == len(planted)
        for needle in planted:
            assert text.count(needle["sentence"]) == 1
            assert folded(text).count(needle["value"]) == 1 and len(needle["value"]) == 7
            same = [other for other in planted if other["key"] == needle["key"]]
            assert folded(text).count(folded(needle["key"])) == len(same)
            assert 0 <= needle["depth"] < DEPTHS
            assert needle["place"] == round(needle["depth"] * size / (DEPTHS - 1))
            assert _before(text, needle, row) == needle["place"]
        asked = [n["value"] for key in told["asked"] for n in planted if n["key"] == key]
        assert set(asked) == set(due.expected) or (not asked and due.kind == "none")
        assert all(key in question for key in told["asked"]) and due.none[0] in question


def _before(text: str, needle: dict[str, Any], row: Record) -> int:
    """How many sentences of the haystack stand before a needle, counted by their letters."""
    whole = haystack(each["text"] for each in pile(row.language).facts["haystack"])
    keys = {n["key"] for n in row.facts["long"]["planted"]} | set(row.facts["long"]["asked"])
    straw = whole.without(keys).sentences
    space = listed()[row.language].space
    before = text.partition(needle["sentence"])[0]
    for other in row.facts["long"]["planted"]:
        before = before.replace(other["sentence"], "", 1)
    before, count = before.replace(" ", ""), 0
    while before:
        sentence = straw[count % len(straw)].replace(" ", "")
        assert before.startswith(sentence), (before[:80], sentence, space)
        before, count = before[len(sentence) :], count + 1
    return count


@pytest.mark.parametrize("language", SEVEN)
async def test_a_word_without_a_code_is_nowhere_in_the_text(bind: Bind, language: str) -> None:
    [row] = await made(bind, pile(language), tasks=["none"], budgets=[900])
    text, question = parts(row)
    [absent] = row.facts["long"]["asked"]
    assert folded(absent) not in folded(text) and absent in question
    assert len(row.facts["long"]["planted"]) == 4
    assert row.last("assistant") == listed()[language].none


async def test_tasks_hide_as_much_as_they_are_told_to(bind: Bind) -> None:
    ask = {"keys": 6, "values_of_key": 3, "queries": 4}
    rows = await made(bind, pile("sw"), tasks=HIDDEN, budgets=[900], **ask)
    shapes = [
        (len(r.facts["long"]["planted"]), len(r.facts["long"]["asked"]),
         len({n["key"] for n in r.facts["long"]["planted"]}))
        for r in rows
    ]  # fmt: skip
    assert shapes == [(1, 1, 1), (6, 1, 6), (6, 1, 6), (3, 1, 1), (4, 4, 4)]
    assert len(rows[3].facts["needles"]["expected"]) == 3


async def test_a_code_may_be_a_word_that_is_nowhere_else(bind: Bind) -> None:
    ask: dict[str, Any] = {"tasks": HIDDEN, "budgets": [900], "values": "words"}
    for row in await made(bind, pile("de"), **ask):
        text, _ = parts(row)
        for needle in row.facts["long"]["planted"]:
            assert folded(text).count(folded(needle["value"])) == 1
        assert fault(row.last("assistant"), Due.model_validate(row.facts["needles"])) == ""


# The budget


@pytest.mark.parametrize("language", SEVEN)
async def test_a_prompt_is_below_its_budget_and_one_sentence_more_is_not(
    bind: Bind, language: str
) -> None:
    step, chat = bind(GENERATOR, {"count": tokens}, tasks=HIDDEN, budgets=[700, 4000])
    for row in await step(pile(language)):
        assert isinstance(row, Record)
        told = row.facts["long"]
        asked = [each for each in chat.asked if each.messages[0].content == row.last("user")]
        assert told["tokens"] == tokens(asked[0]) <= told["budget"]
        longest = max(len(PIECE.findall(s)) for s in haystack(texts(language)).sentences)
        assert told["budget"] - told["tokens"] <= longest + 1
        assert told["counts"] <= 7 and told["counted_by"] == "fake"


async def test_a_count_of_a_long_prompt_takes_few_calls_and_little_time(bind: Bind) -> None:
    words = [f"wort{n:x}{n * 7919 % 9973:x}" for n in range(60_000)]
    many = [
        " ".join(words[at : at + 5 + at % 17]).capitalize() + "." for at in range(0, len(words), 12)
    ]
    step, chat = bind(GENERATOR, {"count": tokens}, tasks=["multi_key"], budgets=[131_072])
    began = time.process_time()
    [row] = await step(pile("de", " ".join(many)))
    spent = time.process_time() - began
    assert isinstance(row, Record) and row.facts["long"]["tokens"] > 131_000
    assert len(chat.asked) <= 7
    counting = time.process_time()
    for request in chat.asked:
        tokens(request)
    assert spent - (time.process_time() - counting) < 3, "well below a second on a quiet machine"


async def test_a_haystack_begins_anew_only_where_it_must_and_says_so(bind: Bind) -> None:
    [short, long] = await made(bind, pile("en"), tasks=["single"], budgets=[300, 3000])
    assert short.facts["long"]["different"] == short.facts["long"]["sentences"]
    assert long.facts["long"]["sentences"] > long.facts["long"]["different"] > 15


async def test_a_budget_without_room_says_what_it_would_take(bind: Bind) -> None:
    step, _ = bind(GENERATOR, {"count": tokens}, tasks=["single", "common_hard"], budgets=[100])
    for drop in await step(pile("hi")):
        assert isinstance(drop, Drop) and drop.reason == "small_budget"
        assert re.search(r": \d+ tokens at least, not 100$", drop.detail)


def test_in_rehearsal_tokens_are_estimated_and_every_row_says_so() -> None:
    seen = load(shipped.JOBS / "long_needles.yaml", environment={}).preview(2, rehearse=True)
    assert not seen.failures and not seen.drops
    told = [record.facts["long"] for record in seen.records]
    assert [row["task"] for row in told] == [*TASKS, *TASKS]
    assert {row["counted_by"] for row in told} == {REHEARSAL}
    for record in seen.records:
        size = estimated_tokens(record.last("user"))
        assert record.facts["long"]["tokens"] == size <= 3000 and record.rehearsed


# Words that come most often


@pytest.mark.parametrize("language", SEVEN)
async def test_the_common_words_come_as_often_as_they_should(bind: Bind, language: str) -> None:
    ask: dict[str, Any] = {"budgets": [4000], "min_fill": 0}
    rows = await made(bind, pile(language), tasks=LISTS, **ask)
    rows += await made(bind, pile(language), tasks=LISTS[1:], once_until=3999, **ask)
    for row, (often, seldom) in zip(rows, [(20, 10), (10, 1), (30, 3)], strict=True):
        lines = parts(row)[0].splitlines()
        numbers = [line.partition(". ")[0] for line in lines]
        assert numbers == [str(n) for n in range(1, len(lines) + 1)]
        counts = Counter(line.partition(". ")[2] for line in lines)
        common = row.facts["needles"]["expected"]
        assert {counts[word] for word in common} == {often} and len(common) == 10
        others = {word: n for word, n in counts.items() if word not in common}
        assert set(others.values()) == {seldom} and len(others) == row.facts["long"]["others"] >= 10
        assert not any(folded(word) in folded(other) for word in common for other in others)
        assert row.last("assistant").split(listed()[language].comma) == common
        assert row.facts["long"]["tokens"] <= 4000


async def test_a_list_that_runs_out_of_words_is_dropped_with_its_fill(bind: Bind) -> None:
    step, _ = bind(GENERATOR, {"count": tokens}, tasks=["common_hard"], budgets=[8000])
    [drop] = await step(pile("zh"))
    assert isinstance(drop, Drop) and drop.reason == "too_few_words"
    assert re.fullmatch(r"common_hard: \d+ fill \d+% of 8000 tokens", drop.detail)


# Languages


@pytest.mark.parametrize("language", sorted(listed()))
async def test_every_listed_language_makes_every_task(bind: Bind, language: str) -> None:
    said = listed()[language]
    text = "\n\n".join([said.read, said.listed, said.common.replace("{count}", "10")])
    ask: dict[str, Any] = {"budgets": [2000], "min_fill": 0}
    rows = await made(bind, pile(language, text), tasks=HIDDEN, **ask)
    rows += await made(bind, pile(language, text), tasks=LISTS[1:], **ask)
    for row in rows:
        due = Due.model_validate(row.facts["needles"])
        assert fault(row.last("assistant"), due) == "", row.last("assistant")
        for needle in row.facts["long"].get("planted", ()):
            assert needle["key"] in said.nouns


async def test_the_question_may_be_in_another_language_than_the_text(bind: Bind) -> None:
    rows = await made(bind, pile("sw"), tasks=HIDDEN, budgets=[900], ask_in="en", keys=3)
    nouns = dict(zip(listed()["en"].nouns, listed()["sw"].nouns, strict=True))
    for row in rows:
        text, question = parts(row)
        told = row.facts["long"]
        assert row.last("user").startswith("Read the text below.")
        assert set(told["asked"]) <= set(nouns) and all(key in question for key in told["asked"])
        keys = {needle["key"] for needle in told["planted"]}
        assert keys <= set(nouns.values()) and "Nambari ya siri" in text
        assert (nouns[told["asked"][0]] in keys) == (told["task"] != "none")
        assert row.language == "sw" and row.facts["instruction_language"] == "en"
        assert row.facts["needles"]["none"] == ["none", "hakuna"]
    assert rows[1].last("assistant") == "none"


@pytest.mark.parametrize(("language", "text"), [("lb", LETZEBUERGESCH), ("lo", LAO)])
async def test_elsewhere_the_words_come_from_the_documents_and_leave_the_haystack(
    bind: Bind, language: str, text: str
) -> None:
    ask: dict[str, Any] = {"wording": {language: OWN}, "budgets": [400], "keys": 2}
    for row in await made(bind, pile(language, text), tasks=HIDDEN, **ask):
        body, _ = parts(row)
        told = row.facts["long"]
        for key in {*told["asked"], *(needle["key"] for needle in told["planted"])}:
            planted = sum(needle["key"] == key for needle in told["planted"])
            assert folded(key) in folded(text), "a word of the documents"
            assert folded(body).count(folded(key)) == planted
        assert "Code „" in body


async def test_a_language_without_words_is_dropped_with_the_way_out(bind: Bind) -> None:
    step, chat = bind(GENERATOR, {})
    [drop] = await step(pile("lb", LETZEBUERGESCH))
    assert isinstance(drop, Drop) and drop.reason == "no_wording" and not chat.asked
    assert "lb: give wording" in drop.detail and "translate_from" in drop.detail
    assert drop.record.facts["haystack"] == ["d0"], "ids and no texts: they may be long"
    [drop] = await bind(GENERATOR, {}, ask_in="en")[0](pile("lb", LETZEBUERGESCH))
    assert isinstance(drop, Drop) and drop.detail.startswith("lb:")


def test_a_question_in_a_language_without_words_is_refused_before_the_run() -> None:
    with pytest.raises(ValidationError, match="nothing is listed for ask_in: wo; give wording"):
        GENERATOR.params(ask_in="wo")
    assert GENERATOR.params(ask_in="wo", wording={"wo": OWN}).ask_in == "wo"
    assert GENERATOR.params(ask_in="wo", translate_from="en").ask_in == "wo"


@pytest.mark.parametrize("held", [7, "text", ["text"], [None], [{"text": 3}], [{"id": "a"}], {}])
async def test_a_haystack_that_is_none_gives_way_to_the_document(held: Any, bind: Bind) -> None:
    record = Record("r", "de", (), {"haystack": held, "document": texts("de")[0]})
    [row] = await made(bind, record, tasks=["single"], budgets=[400])
    assert row.facts["documents"] == ["r"]


def test_common_words_of_a_long_text_are_found_in_no_time() -> None:
    """Each is looked for in the whole vocabulary: ten of them, not all 40,000."""
    syllables = [a + b for a in "kptsmnlrvh" for b in "aeiou"]
    words = [a + b + c for a in syllables for b in syllables for c in syllables][:40_000]
    lines = [" ".join(words[at : at + 10]) + "." for at in range(0, len(words), 10)]
    wording = wording_for("fi")
    assert wording
    given = Given(haystack(lines), wording, wording)
    begun = time.process_time()
    [row] = drawn(Asked(tasks=["common_hard"], budgets=[8192]), given, lambda *n: Random(str(n)))
    assert not isinstance(row, str) and len(row.due.expected) == 10
    assert time.process_time() - begun < 3, "well below a second on a quiet machine"


async def test_no_code_is_a_word_that_holds_the_word_for_none(bind: Bind) -> None:
    """Its own answer would be taken for a denial."""
    words = {**OWN, "nouns": ["keenen", "Keenerei", "keent", "Haus", "Bam"]}
    ask: dict[str, Any] = {"wording": {"lb": words}, "values": "words", "tasks": ["single"]}
    for n in range(12):
        [row] = await made(bind, pile("lb", LETZEBUERGESCH, id=f"p{n}"), budgets=[400], **ask)
        assert not fault(row.last("assistant"), Due.model_validate(row.facts["needles"]))


@pytest.mark.parametrize("path", replies("long_needles"), ids=lambda path: path.stem)
async def test_sentences_as_models_translate_them_are_used_or_drop_by_rule(
    path: Path, bind: Bind
) -> None:
    file = written(path)
    language, reply = file["language"], file["reply"]
    script = {"count": tokens, "long_needles/wording": reply, "kit/again": reply}
    ask: dict[str, Any] = {"tasks": ["multi_query", "none"], "budgets": [500], "keys": 2}
    step, chat = bind(GENERATOR, script, translate_from="en", **ask)
    outcomes = await step(pile(language, LAO if language == "lo" else LETZEBUERGESCH))
    told = {each.reason if isinstance(each, Drop) else "keep" for each in outcomes}
    assert told == {file["outcome"]}
    asked = [each for each in chat.asked if each.prompt.startswith("long_needles/")]
    if file["outcome"] == "keep":
        assert len(asked) == 1 and asked[0].language == language
        assert all("⟦" not in each.last("user") for each in outcomes if isinstance(each, Record))
    elif file["outcome"] != "bad_reply":
        assert [each.take for each in asked] == [0, 1], "it is asked once more"
    assert "{key}" not in asked[0].messages[-1].content and "⟦0⟧" in asked[0].messages[-1].content


async def test_both_languages_are_translated_where_neither_is_listed(bind: Bind) -> None:
    said = opened(OWN)
    script = {"long_needles/wording": json.dumps(said, ensure_ascii=False)}
    ask: dict[str, Any] = {"tasks": ["single"], "budgets": [400], "translate_from": "de"}
    step, chat = bind(GENERATOR, {"count": tokens, **script}, ask_in="yo", **ask)
    [row] = await step(pile("lb", LETZEBUERGESCH))
    assert isinstance(row, Record) and row.facts["instruction_language"] == "yo"
    assert [r.language for r in chat.asked if r.role == "writer"] == ["lb", "yo"]
    assert row.facts["provenance"]["instruction"] == "translated"
    assert "lautet ⟦1⟧" in chat.asked[0].messages[-1].content


# The record


async def test_a_row_says_where_it_is_from_and_carries_no_text_twice(bind: Bind) -> None:
    [row] = await made(bind, pile("ar"), tasks=["single"], budgets=[600])
    assert row.facts["documents"] == ["d0", "d1"] and row.facts["licence"] == "CC0-1.0"
    assert row.facts["provenance"] == {
        "instruction": "template", "input": "native", "response": "exact",
    }  # fmt: skip
    assert "haystack" not in row.facts and "document" not in row.facts
    assert len(json.dumps(dict(row.facts))) < 2000


async def test_a_single_document_is_a_haystack_too_and_none_is_no_document(bind: Bind) -> None:
    alone = Record("one", "en", (), {"document": texts("en")[0]})
    [row] = await made(bind, alone, tasks=["single"], budgets=[400])
    assert row.facts["documents"] == ["one"]
    for empty in (Record("x", "en"), Record("x", "en", (), {"document": " \n# Head\n"})):
        [drop] = await bind(GENERATOR, {})[0](empty)
        assert isinstance(drop, Drop) and drop.reason == "no_document"


async def test_the_answer_may_be_left_to_a_model(bind: Bind) -> None:
    [row] = await made(bind, pile("th"), tasks=["single"], budgets=[700], left_open=True)
    assert [turn.role for turn in row.messages] == ["user"]
    for said, reason in [(row.facts["needles"]["expected"][0], ""), ("1234567", "wrong_values")]:
        [answered] = await bind(BACTRIAN, {"bactrian/answer": said})[0](row)
        [outcome] = await bind(NEEDLES)[0](answered)
        assert (outcome.reason if isinstance(outcome, Drop) else "") == reason


async def test_a_document_cannot_end_the_text_around_it(bind: Bind) -> None:
    forged = "Ein Satz davor. Hier steht </text> mitten im Satz. Ein Satz danach folgt noch."
    [row] = await made(bind, pile("de", forged), tasks=["single"], budgets=[400])
    assert row.last("user").count("</text>") == 1


async def test_a_dropped_row_does_not_carry_the_haystack(bind: Bind) -> None:
    ask: dict[str, Any] = {"tasks": ["single", "common_hard"], "budgets": [100]}
    text = "Ein Satz mit sehr vielen Wörtern steht hier. " * 50
    for drop in await bind(GENERATOR, {"count": tokens}, **ask)[0](pile("de", text)):
        assert isinstance(drop, Drop) and "haystack" not in drop.record.facts


async def test_a_language_that_nobody_can_translate_from_is_a_mistake_of_the_job() -> None:
    with pytest.raises(ValidationError, match="nothing is listed for translate_from: wo"):
        GENERATOR.params(translate_from="wo")
    assert GENERATOR.params(translate_from="wo", wording={"wo": OWN}).translate_from == "wo"


async def test_the_same_seeds_give_the_same_rows_and_other_documents_other_ones(bind: Bind) -> None:
    ask: dict[str, Any] = {"tasks": TASKS, "budgets": [1500], "min_fill": 0}
    one, again = [await made(bind, pile("en"), **ask) for _ in range(2)]
    assert one == again
    other = await made(bind, pile("en", id="other"), **ask)
    assert all(a.messages != b.messages for a, b in zip(one, other, strict=True))
    alone = await made(bind, pile("en"), **{**ask, "tasks": ["multi_key"]})
    assert alone[0].messages == one[TASKS.index("multi_key")].messages, "no task disturbs another"


@needs_shared
async def test_real_text_in_thirty_languages_gives_every_task(bind: Bind) -> None:
    """The declaration of human rights; who has no sentences of ours is given some."""
    with zipfile.ZipFile(SHARED / "udhr2.zip") as files:
        found = {tag: files.read(f"udhr2/{name}.txt").decode() for name, tag in TAGS.items()}
    assert len(found) >= 30
    given = {tag: OWN for tag in found if tag not in listed() and tag != "zh-Hans"}
    seeds = [Record(tag, tag, (), {"document": text}) for tag, text in found.items()]
    for seed in settle(HAYSTACKS, seeds):
        assert isinstance(seed, Record)
        ask: dict[str, Any] = {"budgets": [4500], "min_fill": 0, "wording": given}
        for row in await made(bind, seed, tasks=TASKS, **ask):
            due = Due.model_validate(row.facts["needles"])
            assert fault(row.last("assistant"), due) == "", (row.language, row.last("assistant"))
            text, _ = parts(row)
            for needle in row.facts["long"].get("planted", ()):
                assert text.count(needle["sentence"]) == 1


@needs_shared
@pytest.mark.slow
async def test_any_language_with_a_few_sentences_gives_every_task(bind: Bind) -> None:
    """All of the declaration's texts but fragments, none with nouns of ours."""
    with zipfile.ZipFile(SHARED / "udhr2.zip") as files:
        names = [name for name in files.namelist() if name.endswith(".txt")]
        found = {name: files.read(name).decode("utf-8", "replace") for name in names}
    whole = {name: text for name, text in found.items() if len(haystack([text]).sentences) > 9}
    assert len(whole) > 375
    ask: dict[str, Any] = {"budgets": [8192], "min_fill": 0, "wording": {"lb": OWN}}
    for name, text in whole.items():
        rows = await made(bind, Record(name, "lb", (), {"document": text}), tasks=TASKS, **ask)
        assert len(rows) == len(TASKS), name
        for row in rows:
            told, (body, _) = row.facts["long"], parts(row)
            assert all(body.count(each["sentence"]) == 1 for each in told.get("planted", ())), name
