from __future__ import annotations

import json
import zipfile
from collections import Counter
from pathlib import Path

import pytest

import engine
from engine.core import Drop, Outcome, Record
from engine.generators.cultural import GENERATOR
from engine.passes.balance import PASS as BALANCE
from engine.text.culture_words import taxonomy
from tests.conftest import SHARED, Bind, needs_shared, settle
from tests.generators.culture import KAZAKH, OFFICES, office
from tests.generators.reversing import replies
from tests.generators.reversing import written as parts

QUOTE = "Оқырман бір мезгілде бес кітапқа дейін 21 күнге ала алады."
PLAIN = parts(next(path for path in replies("cultural") if path.stem == "plain"))


def fact(id: str = "fact", language: str = "kk", quote: str = QUOTE, **facts: object) -> Record:
    said = {"statement": "Кітап 21 күнге беріледі.", "quote": quote, "quote_span": [0, 1]}
    kept = {
        "domain": "legal",
        "value_scope": "regional",
        "document_id": "doc",
        "licence": "CC0-1.0",
    }
    return office(language, id=id, **{**said, **kept, **facts})


def pair(instruction: str, *claims: tuple[str, str]) -> str:
    said = [{"claim": claim, "quote": quote} for claim, quote in claims]
    return json.dumps({"instruction": instruction, "claims": said}, ensure_ascii=False)


def ruling(*supported: bool) -> str:
    said = [{"reason": "So it says.", "supported": each} for each in supported]
    return json.dumps({"claims": said, "answers_instruction": True})


def told(outcome: Outcome) -> str:
    return outcome.reason if isinstance(outcome, Drop) else "keep"


@pytest.mark.parametrize("path", replies("cultural"), ids=lambda path: path.stem)
async def test_pairs_as_models_write_them_are_kept_asked_again_or_dropped(
    path: Path, bind: Bind
) -> None:
    said = parts(path)
    writes = [said[name] for name in ("write", "again") if name in said]
    rulings = [said[name] for name in ("verify", "verify_again") if name in said]
    broken = said["outcome"] == "bad_reply"
    script = {"cultural/write": writes, "cultural/verify": rulings}
    if broken:  # the same again, however often it is asked
        script = {name: texts[-1] for name, texts in script.items() if texts}
    step, chat = bind(GENERATOR, script)
    [outcome] = await step(fact())
    assert told(outcome) == said["outcome"]
    assert broken or len(chat.asked) == len(writes) + len(rulings)
    if isinstance(outcome, Record):
        for each in outcome.facts["quotes"]:
            assert each["quote"] == KAZAKH[slice(*each["span"])]


async def test_a_record_says_where_its_words_are_and_what_has_been_verified(bind: Bind) -> None:
    script = {"cultural/write": PLAIN["write"], "cultural/verify": PLAIN["verify"]}
    step, _ = bind(GENERATOR, script)
    [record] = await step(fact(span=[500, 9000], title="Кітапхана"))
    assert isinstance(record, Record) and record.language == "kk"
    facts = record.facts
    for each in facts["quotes"]:
        start, end = (place - 500 for place in each["span"])
        assert each["quote"] == KAZAKH[start:end] and each["claim"] in record.last("assistant")
    stages = [" ".join(each.values()) for each in facts["verification"]]
    assert stages == ["quotes rule pass", "numbers rule pass", "claims judge pass"]
    assert (facts["review"], facts["review_id"]) == ("pending", record.id)
    assert (facts["fact_id"], facts["document_id"], facts["title"]) == ("fact", "doc", "Кітапхана")
    assert (facts["domain"], facts["value_scope"], facts["licence"]) == (
        "legal",
        "regional",
        "CC0-1.0",
    )
    assert facts["task_type"] in taxonomy().tasks
    assert facts["provenance"] == {"instruction": "model", "response": "model", "quotes": "native"}
    assert not {"document", "quote", "quote_span"} & facts.keys()


async def test_the_judge_sees_the_documents_own_words_and_no_document(bind: Bind) -> None:
    broken = QUOTE.replace(" ", "\n", 2)
    script = {
        "cultural/write": pair(
            "Кітапты қанша уақытқа алуға болады?", ("Кітап 21 күнге беріледі.", broken)
        ),
        "cultural/verify": ruling(True),
    }
    step, chat = bind(GENERATOR, script)
    await step(fact())
    judge = chat.asked[-1]
    assert judge.role == "judge" and judge.inputs["claims"][0]["quote"] == QUOTE
    assert "Сирек кездесетін" not in judge.messages[-1].content


async def test_what_was_wrong_is_told_to_the_model_that_writes_again(bind: Bind) -> None:
    bad = pair("Кітапты қанша уақытқа алуға болады?", ("Кітап 30 күнге беріледі.", QUOTE))
    script = {"cultural/write": [bad, PLAIN["write"]], "cultural/verify": PLAIN["verify"]}
    step, chat = bind(GENERATOR, script)
    await step(fact())
    first, second = (r for r in chat.asked if r.role == "writer")
    assert "turned down" not in first.messages[-1].content
    assert "the quote does not say 30" in second.messages[-1].content


async def test_what_is_wrong_with_an_instruction_is_told_in_words(bind: Bind) -> None:
    leak = pair(QUOTE, (QUOTE, QUOTE))
    script = {"cultural/write": [leak, PLAIN["write"]], "cultural/verify": PLAIN["verify"]}
    step, chat = bind(GENERATOR, script)
    await step(fact())
    _, second = (r for r in chat.asked if r.role == "writer")
    assert "the instruction gives the answer away" in second.messages[-1].content


@pytest.mark.parametrize("span", [None, 7, "12", ["a", "b"], [None], {"a": 1}, [[1]]])
async def test_a_fact_span_of_another_kind_counts_as_none(span: object, bind: Bind) -> None:
    script = {"cultural/write": PLAIN["write"], "cultural/verify": PLAIN["verify"]}
    step, _ = bind(GENERATOR, script)
    [record] = await step(fact(span=span))
    assert isinstance(record, Record)
    for each in record.facts["quotes"]:
        assert each["quote"] == KAZAKH[slice(*each["span"])]


async def test_a_claim_that_says_nothing_or_the_same_again_is_left_out(bind: Bind) -> None:
    said = json.loads(PLAIN["write"])
    first = said["claims"][0]
    said["claims"] = [first, *said["claims"], {**first, "claim": " "}, first]
    script = {
        "cultural/write": json.dumps(said, ensure_ascii=False),
        "cultural/verify": PLAIN["verify"],
    }
    step, _ = bind(GENERATOR, script)
    [record] = await step(fact())
    assert isinstance(record, Record) and record.last("assistant").count(first["claim"]) == 1
    assert record.last("assistant") == record.last("assistant").strip()
    blank = pair("Кітапты қанша уақытқа алуға болады?", (" ", QUOTE), ("", QUOTE))
    [drop] = await bind(GENERATOR, {"cultural/write": [blank, blank]})[0](fact())
    assert isinstance(drop, Drop) and drop.reason == "empty_answer"


async def test_takes_bound_the_calls(bind: Bind) -> None:
    script = {"cultural/write": [PLAIN["write"]] * 3, "cultural/verify": [ruling(False, True)] * 3}
    step, chat = bind(GENERATOR, script, takes=3)
    [drop] = await step(fact())
    assert isinstance(drop, Drop) and drop.reason == "ungrounded" and len(chat.asked) == 6
    assert "So it says." in drop.detail


@pytest.mark.parametrize("language", OFFICES)
async def test_a_grounded_answer_is_kept_in_every_language(language: str, bind: Bind) -> None:
    """The documents in Arabic and Hindi write their numbers in digits of their own."""
    document, question, answer = OFFICES[language]
    script = {"cultural/write": pair(question, (answer, document)), "cultural/verify": ruling(True)}
    step, chat = bind(GENERATOR, script)
    [record] = await step(fact(language=language, quote=document))
    assert isinstance(record, Record), record
    assert record.last("assistant") == answer and record.last("user") == question
    assert {request.language for request in chat.asked} == {language}
    wrong = answer.replace("3", "8")
    bad = {"cultural/write": [pair(question, (wrong, document))] * 2}
    step, _ = bind(GENERATOR, bad)
    [drop] = await step(fact(language=language, quote=document))
    assert isinstance(drop, Drop) and drop.reason == "ungrounded"


async def test_tasks_are_drawn_evenly_and_counted_with_the_domain(bind: Bind) -> None:
    script = {
        "cultural/write": lambda r: PLAIN["write"],
        "cultural/verify": lambda r: PLAIN["verify"],
    }
    step, _ = bind(GENERATOR, script)
    made = []
    for n in range(240):
        made += await step(fact(f"f{n}", domain=("legal", "customs")[n % 2]))
    records = [each for each in made if isinstance(each, Record)]
    drawn = Counter(record.facts["task_type"] for record in records)
    assert set(drawn) == set(taxonomy().tasks) and min(drawn.values()) > 20
    even = settle(BALANCE, records, by=["domain", "task_type"], cap=7)
    kept = Counter((r.facts["domain"], r.facts["task_type"]) for r in even if isinstance(r, Record))
    assert len(kept) == 12 and set(kept.values()) == {7}


@pytest.mark.parametrize(
    "record",
    [
        office(),
        fact(quote=""),
        fact(statement=""),
        Record("x", "kk", (), {"quote": QUOTE}),
        Record("x", "kk", (), {"quote": QUOTE, "document": KAZAKH}),
    ],
)
async def test_what_is_no_fact_costs_no_call(record: Record, bind: Bind) -> None:
    step, chat = bind(GENERATOR)
    [drop] = await step(record)
    assert isinstance(drop, Drop) and drop.reason == "no_fact" and not chat.asked


@needs_shared
@pytest.mark.slow
def test_every_quote_of_a_real_document_is_in_it_where_the_record_says(tmp_path: Path) -> None:
    """The declaration of human rights in ten languages, by rehearsal; offsets are the file's."""
    names = {"deu": "de", "spa": "es", "arb": "ar", "hin": "hi", "tha": "th", "swh": "sw"}
    names |= {"eus": "eu", "tur": "tr", "cmn_hans": "zh-Hans", "kaz": "kk"}
    wanted = {"path": str(SHARED / "udhr2.zip"), "glob": [f"{name}.txt" for name in names]}
    cut = {"split": "paragraphs", "min_characters": 900, "max_characters": 1500}
    languages = {"language_from": "stem", "languages": names}
    job = {
        "version": 1,
        "job": "declarations",
        "models": {"any": {"use": "auto"}},
        "source": {"use": "documents", "with": {**wanted, **cut, **languages}},
        "steps": {
            "facts": {"use": "cultural_facts", "with": {"facts": 3, "min_words": 20}},
            "ask": {"use": "cultural"},
            "review": {"use": "human_review"},
        },
        "languages": {"languages": list(names.values())},
        "target": {"accepted": 60, "round": 400},
        "sink": {"use": "jsonl"},
    }
    (tmp_path / "job.yaml").write_text(json.dumps(job), encoding="utf-8")
    result = engine.run(engine.load(tmp_path / "job.yaml"), tmp_path / "out", rehearse=True)
    with zipfile.ZipFile(SHARED / "udhr2.zip") as archive:
        whole = {name: archive.read(f"udhr2/{name}.txt").decode() for name in names}
    records = list(result.records())
    assert Counter(record.language for record in records) == dict.fromkeys(names.values(), 6)
    for record in records:
        text = whole[Path(record.facts["path"]).stem]
        for each in record.facts["quotes"]:
            assert each["quote"] and each["quote"] == text[slice(*each["span"])]
        assert record.facts["review"] == "pending" and record.facts["domain"]
