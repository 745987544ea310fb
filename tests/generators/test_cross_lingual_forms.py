from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import engine
from engine.core import Drop, Record
from engine.generators.cross_lingual_forms import GENERATOR
from engine.job import load
from engine.languages.agreement import teller
from engine.languages.fixed_forms import TRANSLATED, book, pose
from engine.languages.identify import identify
from engine.languages.native_names import name_in
from engine.passes.other_rows import PASS as OTHERS
from engine.passes.split import seed_of
from tests.conftest import ROOT, Bind, settle
from tests.filters.samples import GOOD

NEWS = {
    "headline": "Sagar uzta ona aurten",
    "lead": "Baserritarrek diotenez, aurtengo sagar uzta azken hamar urteetako onena da.",
    "body": "Aurten sagarrondoak beteta daude.\n\nSagar gehiena sagardoa egiteko erabiliko da.",
    "translations": {
        "en": {"headline": "A good apple harvest", "lead": "Farmers say it is the best in years."},
        "de": {"headline": "Gute Apfelernte", "lead": "Die Ernte ist die beste seit Jahren."},
    },
}
WORD = {
    "headword": "polit",
    "definition": "Ikusteko edo entzuteko atsegina dena.",
    "examples": ["Zein leku polita den hondartza hau!", "Etxe polita erosi dute mendian."],
    "synonyms": ["eder", "xarmant"],
    "translations": {"en": "pretty", "fr": "joli", "eu": "polit"},
}
FORMS, WORDS = book().forms, book().words


def row(facts: dict[str, Any], id: str = "row", language: str = "eu", **more: Any) -> Record:
    return Record(id, language, (), {"source": "rows", "licence": "CC0-1.0", **facts, **more})


def entry(n: int, **more: Any) -> Record:
    said = {
        "headword": f"hitza{n}",
        "definition": f"Esanahia {n} da.",
        "examples": [f"Adibidea {n}."],
    }
    return row({**WORD, **said, **more}, f"w{n}")


@pytest.mark.parametrize("asked_in", WORDS)
@pytest.mark.parametrize("name", FORMS)
def test_every_sentence_asks_in_its_language_and_leaves_no_slot(name: str, asked_in: str) -> None:
    form = FORMS[name]
    language = "eu" if asked_in != "eu" else "sw"
    facts = {**NEWS, **WORD, "translations": {asked_in: dict(NEWS, headline="A", lead="B")}}
    if not form.across:
        facts["translations"] = {asked_in: "XY"}
    for place in range(len(WORDS[asked_in].tasks[form.task])):
        posed = pose(name, facts, asked_in, language, random.Random(1), place)
        assert name_in(asked_in, language) in posed.sentence
        assert not {"{", "}"} & set(posed.asked)
        for field in form.given:
            shown = {"translated": "XY"}.get(field) or ("A" if field == "headline" else "B")
            shown = shown if form.across or field == TRANSLATED else facts[field]
            assert str(shown) in posed.asked, field
        assert posed.answer not in posed.asked.replace(posed.material, "")
        assert teller(asked_in)(posed.sentence) in (asked_in, "")


def test_every_language_has_words_for_every_task_and_no_others() -> None:
    tasks = {form.task for form in FORMS.values()}
    assert tasks == {"headline", "summary", "continuation", "usage", "definition", "paraphrase"}
    assert len(WORDS) >= 11
    for words in WORDS.values():
        assert words.tasks.keys() == tasks and words.labels.keys() == {"headline", "lead", "body"}
        assert all(len(set(said)) == len(said) >= 2 for said in words.tasks.values())


@pytest.mark.parametrize("name", FORMS)
async def test_the_answer_is_the_rows_own_letter_by_letter(name: str, bind: Bind) -> None:
    form, facts = FORMS[name], WORD if name.startswith("word") else NEWS
    step, _ = bind(GENERATOR, forms=[name], languages={"en": 1})
    [record] = await step(row(facts, row="r1"))
    assert isinstance(record, Record)
    own = facts[form.answer]
    assert record.last("assistant") in ("\n".join(own), *own) if isinstance(own, list) else own
    said = record.facts
    assert (
        said["provenance"]["response"] == "native"
        and said["provenance"]["instruction"] == "template"
    )
    assert said["provenance"]["input"] == ("translation" if form.across else "native")
    assert (said["instruction_language"], said["output_language"]) == ("en", "eu")
    assert (said["task_type"], said["form"], said["source"], said["row"]) == (
        form.task,
        name,
        "rows",
        "r1",
    )
    assert record.language == "eu" and said["licence"] == "CC0-1.0"
    assert not {"others", "translations", "body", "examples"} & said.keys()


async def test_a_row_is_never_asked_about_in_its_own_language(bind: Bind) -> None:
    step, _ = bind(GENERATOR, languages={"sw": 5, "en": 1}, per_row=3)
    made = await step(row({**WORD, "definition": "Kitu kizuri cha kutazama."}, language="sw"))
    assert {r.facts["instruction_language"] for r in made if isinstance(r, Record)} == {"en"}
    step, _ = bind(GENERATOR, languages={"zh-Hans": 1})
    [drop] = await step(row(WORD, language="zh-Hant"))
    assert isinstance(drop, Drop) and drop.reason == "no_form_fits"


@pytest.mark.slow
async def test_languages_and_forms_are_drawn_by_their_weights_and_none_twice(bind: Bind) -> None:
    step, _ = bind(GENERATOR, languages={"en": 3, "fr": 1}, per_row=2)
    languages, forms = Counter[str](), Counter[str]()
    for n in range(400):
        made = [r for r in await step(row(WORD, f"r{n}")) if isinstance(r, Record)]
        assert len({r.facts["form"] for r in made}) == len(made) == 2
        languages.update(r.facts["instruction_language"] for r in made)
        forms.update(r.facts["form"] for r in made)
    assert abs(languages["en"] - 600) < 70 and abs(languages["fr"] - 200) < 70
    assert set(forms) == {"word_usage", "word_definition", "word_paraphrase"}
    assert min(forms.values()) > 220


async def test_examples_are_other_rows_solved_in_the_same_words(bind: Bind) -> None:
    rows = settle(OTHERS, [entry(n) for n in range(9)], facts=[*WORD], key="headword")
    step, _ = bind(GENERATOR, languages={"fr": 1}, few_shot=1, shots=3, per_row=3)
    for each in rows:
        assert isinstance(each, Record)
        for record in await step(each):
            assert isinstance(record, Record)
            asked, own = record.last("user"), record.facts["examples_from"]
            assert len(own) == 3 and each.id not in own
            assert asked.count("→ ") == 3 and asked.count("Exemple ") == 3
            *before, _ = asked.split("\n\n")
            assert not any(f"« {each.facts['headword']} »" in example for example in before)


@pytest.mark.slow
async def test_the_share_with_examples_is_the_jobs_and_news_have_none(bind: Bind) -> None:
    others = [dict(entry(n).facts, id=f"w{n}") for n in range(5)]
    step, _ = bind(GENERATOR, languages={"en": 1}, few_shot=0.4, forms=["word_usage"])
    made = [o for n in range(500) for o in await step(row(WORD, f"r{n}", others=others))]
    few = sum(bool(r.facts["examples_from"]) for r in made if isinstance(r, Record))
    assert abs(few - 200) < 45
    step, _ = bind(GENERATOR, languages={"en": 1}, few_shot=1, forms=["news_headline"])
    [record] = await step(row(NEWS, others=[dict(NEWS, id="n")]))
    assert isinstance(record, Record) and record.facts["examples_from"] == []
    assert record.last("user") == f"{record.facts['instruction']}\n\n{record.facts['input']}"


@pytest.mark.parametrize("made", ["translated", "machine", "model"])
async def test_what_a_row_calls_translated_is_no_answer(made: str, bind: Bind) -> None:
    step, _ = bind(GENERATOR, languages={"en": 1}, per_row=9)
    facts = {**NEWS, "provenance": {"lead": "native", "body": made, "headline": made}}
    outcomes = await step(row(facts))
    assert [r.facts["form"] for r in outcomes if isinstance(r, Record)] == ["news_summary"]
    [drop] = await step(row({**NEWS, "provenance": dict.fromkeys(NEWS, made)}))
    assert isinstance(drop, Drop) and drop.reason == "no_form_fits"


async def test_what_a_row_calls_translated_is_no_example_either(bind: Bind) -> None:
    others = [
        {**entry(n).facts, "id": f"w{n}", "provenance": {"examples": ("native", "model")[n % 2]}}
        for n in range(6)
    ]
    step, _ = bind(GENERATOR, languages={"en": 1}, few_shot=1, shots=6, forms=["word_usage"])
    [record] = await step(row(WORD, others=others))
    assert isinstance(record, Record)
    assert sorted(record.facts["examples_from"]) == ["w0", "w2", "w4"]


@pytest.mark.parametrize("others", [7, "polit", ["polit"], [None, 3], {"id": "w"}])
async def test_other_rows_that_are_none_are_no_examples(others: Any, bind: Bind) -> None:
    step, _ = bind(GENERATOR, languages={"en": 1}, few_shot=1, forms=["word_usage"])
    [record] = await step(row(WORD, others=others))
    assert isinstance(record, Record) and record.facts["examples_from"] == []


async def test_an_answer_in_another_language_makes_no_record(bind: Bind) -> None:
    step, _ = bind(GENERATOR, languages={"en": 1}, forms=["news_summary"])
    lead = "Nach Angaben der Bauern ist die Apfelernte in diesem Jahr die beste seit zehn Jahren."
    [drop] = await step(row({**NEWS, "lead": lead}))
    assert isinstance(drop, Drop) and drop.reason == "wrong_language"


@pytest.mark.parametrize(
    "facts", [{}, {"headword": "polit"}, {"translations": "en"}, {"body": " "}]
)
async def test_rows_that_lack_what_every_form_needs_drop(facts: dict[str, Any], bind: Bind) -> None:
    step, _ = bind(GENERATOR)
    [drop] = await step(row(facts))
    assert isinstance(drop, Drop) and drop.reason == "no_form_fits"


@pytest.mark.parametrize("language", ["en", "de", "zh", "ar", "hi", "th", "sw"])
async def test_rows_in_every_language_become_tasks(language: str, bind: Bind) -> None:
    step, _ = bind(GENERATOR, languages=dict.fromkeys(WORDS, 1), forms=["news_headline"])
    headline, body = GOOD[language]
    for n in range(12):
        [record] = await step(row({"headline": headline, "body": body}, f"r{n}", language))
        assert isinstance(record, Record), record
        assert record.last("assistant") == headline.strip() and body.strip() in record.last("user")
        assert record.facts["instruction_language"] != language


@pytest.mark.parametrize(
    ("params", "told"),
    [({"languages": {"eu": 1}}, "no words in eu"), ({"forms": ["poem"]}, "no form poem")],
)
def test_a_job_is_told_which_languages_and_forms_there_are(params: Any, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        GENERATOR.params(**params)


def test_the_shipped_job_makes_native_answers_only(tmp_path: Path) -> None:
    job = load(ROOT / "engine/jobs/cross_lingual_forms.yaml")
    records = list(engine.run(job, tmp_path / "out").records())
    assert len(records) == 40
    for record in records:
        facts = record.facts
        assert facts["provenance"]["response"] == "native" and not record.rehearsed
        assert identify(record.last("assistant")).tag in (record.language, "und")
        assert (
            facts["instruction_language"] in WORDS and facts["output_language"] == record.language
        )
    assert len({record.facts["instruction_language"] for record in records}) >= 6
    assert any(record.facts["examples_from"] for record in records)


def test_no_record_of_the_shipped_job_is_shown_a_row_of_another_split(tmp_path: Path) -> None:
    """Rows are held out before they serve as examples, or training reads what is held out."""
    changes = ["steps.split.with.validation=0.4", "steps.forms.with.few_shot=1"]
    job = load(ROOT / "engine/jobs/cross_lingual_forms.yaml", [*changes, "target.accepted=48"])
    records = list(engine.run(job, tmp_path / "out").records())
    splits = {seed_of(record): record.facts["split"] for record in records}
    shown = [(r, id) for r in records for id in r.facts["examples_from"]]
    assert len(shown) > 20 and set(splits.values()) == {"train", "validation"}
    assert all(splits[id] == record.facts["split"] for record, id in shown)
