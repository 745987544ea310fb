from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from engine.core import Drop, Message, Outcome, Record
from engine.generators.cross_lingual_cot import GENERATOR
from engine.languages.restating import aligned, listed
from engine.languages.switching import Swap, restored
from engine.models.chat import Reply, Request
from engine.passes.n_shot import PASS as N_SHOT
from engine.shipped import JOBS
from engine.verifiers.math import VERIFIER as MATH
from tests.conftest import SHARED, Bind, needs_shared, read, seed, settle
from tests.generators.reversing import TAGS, replies, written

RESTATE, REASON = "cross_lingual_cot/restate", "cross_lingual_cot/reason"
PROBLEMS = (JOBS / "seeds/worked_problems.jsonl").read_text(encoding="utf-8")
ROWS = [json.loads(line) for line in PROBLEMS.splitlines()]
FIRST = ROWS[0]
VERSIONS = {
    "de": "Ein Bauer verkauft auf dem Markt jeden Morgen 12 Körbe Mangos. Wie viele Körbe sind das "
          "in 3 Wochen?",
    "zh-Hans": "一位农民每天早上在市场上卖12筐芒果。3个星期一共卖多少筐？",
    "ar": "يبيع مزارع في السوق كل صباح 12 سلة من المانجو. كم سلة يبيع في 3 أسابيع؟",
    "es": "Un agricultor vende en el mercado 12 cestas de mangos cada mañana. ¿Cuántas cestas son "
          "en 3 semanas?",
}  # fmt: skip
REASONED = {
    "de": "3 Wochen haben 21 Morgen. An jedem werden 12 Körbe verkauft, das sind 21 × 12 = 252. "
          "Die Antwort ist 252.",
    "zh-Hans": "3个星期有21个早上。每个早上卖12筐，所以21 × 12 = 252。答案是252。",
    "ar": "في 3 أسابيع 21 صباحًا. يبيع في كل صباح 12 سلة، إذن 21 × 12 = 252. الإجابة هي 252.",
    "hi": "3 हफ़्तों में 21 सुबहें होती हैं। हर सुबह 12 टोकरियाँ बिकती हैं, इसलिए 21 × 12 = 252। उत्तर 252 है।",
    "th": "3 สัปดาห์มี 21 เช้า แต่ละเช้าขาย 12 ตะกร้า ดังนั้น 21 × 12 = 252 คำตอบคือ 252",
    "sw": "Wiki 3 zina asubuhi 21. Kila asubuhi vikapu 12 vinauzwa, kwa hiyo 21 × 12 = 252. "
          "Jibu ni 252.",
    "en": FIRST["output"],
}  # fmt: skip


def worked(row: dict[str, Any] = FIRST, id: str = "row", **facts: Any) -> Record:
    turns = (Message("user", row["instruction"]), Message("assistant", row["output"]))
    known = {"answer": row["answer"], "segments": row["segments"], "source": "rows", **facts}
    return Record(id, "en", turns, known)


def many(count: int) -> list[Record]:
    return [worked(ROWS[n % len(ROWS)], f"row{n:04}") for n in range(count)]


def in_its_language(request: Request) -> str:
    """Some version with the right numbers, whatever the question: marks carry them."""
    frames = {
        "de": "Das ist eine Frage auf Deutsch mit den Zahlen",
        "es": "Esta es una pregunta en español con los números",
        "fr": "Ceci est une question en français avec les nombres",
        "ar": "هذا سؤال باللغة العربية عن هذه الأعداد",
    }
    return f"{frames[request.language]}: {', '.join(request.inputs['marks'])}?"


async def run(records: list[Record], bind: Bind, **params: Any) -> list[Outcome]:
    step, _ = bind(GENERATOR, {RESTATE: in_its_language}, **params)
    return [outcome for record in records for outcome in await step(record)]


def kept(outcomes: list[Outcome]) -> list[Record]:
    assert not [o for o in outcomes if isinstance(o, Drop)]
    return [outcome for outcome in outcomes if isinstance(outcome, Record)]


@pytest.mark.parametrize("path", replies("cross_lingual_cot"), ids=lambda path: path.stem)
async def test_replies_as_models_write_them_are_kept_asked_again_or_dropped(path: Path, bind: Bind):
    said = written(path)
    script = {
        RESTATE: [said[name] for name in ("restate", "again") if name in said],
        REASON: [said[name] for name in ("reason", "reason_again") if name in said],
    }
    record = worked() if not script[REASON] else seed(FIRST["instruction"], "en", answer="252")
    record = record.with_facts(segments=FIRST["segments"])
    how = {"queries": ["sw"], "languages": ["de"], "reasoning": "en", "forms": ["restated"]}
    step, chat = bind(GENERATOR, script, **how)
    [found] = await step(record)
    reason, _, text = said["outcome"].partition(" | ")
    if reason == "keep":
        assert isinstance(found, Record) and found.facts["restated"] == text
        assert found.last("assistant").startswith(text + "\n\n")
    else:
        assert isinstance(found, Drop) and found.reason == reason, found
    assert len(chat.asked) == sum(map(len, script.values()))


async def test_one_way_gives_three_records_around_the_same_question_and_reasoning(bind: Bind):
    shown = [{"id": "x", "instruction": r["instruction"], "response": r["output"],
              "segments": r["segments"]} for r in ROWS[1:3]]  # fmt: skip
    how = {"queries": ["sw"], "languages": ["de"], "reasoning": "en"}
    found = kept(await run([worked(examples=shown)], bind, **how, rate=1,
                           forms=["distilled", "demonstrated", "restated"]))  # fmt: skip
    question = " ".join(segment["sw"] for segment in FIRST["segments"])
    assert [r.facts["form"] for r in found] == ["demonstrated", "restated", "distilled"]
    assert {r.language for r in found} == {"sw"} and len({r.id for r in found}) == 3
    for record in found:
        assert record.last("user").startswith(question + "\n\n")
        assert record.last("assistant").endswith(FIRST["output"])
        assert record.last("user").endswith(listed()["en"].reason)
        assert record.facts["question_id"] == "row"
        assert record.facts["provenance"]["instruction"] == "aligned"
        assert record.facts["provenance"]["response"] == "native"
        assert not {"segments", "examples"} & record.facts.keys()
    demonstrated, restated, distilled = found
    assert len(demonstrated.messages) == 6 and demonstrated.facts["loss"] == "last_answer"
    assert demonstrated.messages[0].content == " ".join(s["sw"] for s in ROWS[1]["segments"])
    assert listed()["de"].restate in restated.last("user")
    assert restated.last("assistant") == f"{restated.facts['restated']}\n\n{FIRST['output']}"
    assert distilled.last("assistant") == FIRST["output"] and len(distilled.messages) == 2


@pytest.mark.parametrize("rate", [0.2, 0.5])
async def test_swaps_of_examples_come_to_the_rate_within_one_per_cent_and_can_be_undone(
    rate: float, bind: Bind
):
    shown = [{"id": str(n), "instruction": r["instruction"], "response": r["output"],
              "segments": r["segments"]} for n, r in enumerate(ROWS)]  # fmt: skip
    how = {"queries": ["sw", "hi", "th"], "languages": ["de", "es"], "reasoning": "en"}
    records = [worked(id=f"r{n}", examples=shown) for n in range(70)]
    found = kept(await run(records, bind, **how, rate=rate, forms=["demonstrated"], epochs=4))
    chances = swaps = 0
    for record in found:
        asked = [turn.content for turn in record.messages[:-2] if turn.role == "user"]
        for text, noted, row in zip(asked, record.facts["demonstrations"], ROWS, strict=True):
            undone = [Swap(**swap) for swap in noted["swaps"]]
            assert restored(text, undone) == row["instruction"]
            chances, swaps = chances + noted["chances"], swaps + len(undone)
    assert chances > 20_000 and abs(swaps / chances - rate) < 0.01


@pytest.mark.slow
async def test_languages_are_drawn_evenly_in_every_epoch_and_again_the_same(bind: Bind):
    languages = ["de", "es", "fr", "ar"]
    how = {"queries": ["sw"], "languages": languages, "reasoning": "en", "forms": ["restated"]}
    found, again = [kept(await run(many(200), bind, **how, epochs=2)) for _ in range(2)]
    assert [r.messages for r in found] == [r.messages for r in again]
    for epoch in (0, 1):
        drawn = Counter(r.facts["drawn_language"] for r in found if r.facts["epoch"] == epoch)
        chi_square = sum((drawn[tag] - 50) ** 2 / 50 for tag in languages)
        assert drawn.total() == 200 and chi_square < 16.3, "p = 0.001 at 3 degrees of freedom"
    first = {r.id: r for r in kept(await run(many(200), bind, **how, epochs=1))}
    assert all(first[r.id].messages == r.messages for r in found if not r.facts["epoch"])
    assert any(
        one.facts["drawn_language"] != two.facts["drawn_language"]
        for one, two in zip(found[::2], found[1::2], strict=True)
    ), "another epoch, another draw"


async def test_a_question_is_never_restated_in_its_own_language(bind: Bind):
    how = {"queries": ["de", "es"], "languages": ["de", "es"], "reasoning": "en"}
    found = kept(await run(many(10), bind, **how, forms=["restated"]))
    assert {(r.language, r.facts["drawn_language"]) for r in found} == {("de", "es"), ("es", "de")}
    assert {r.facts["provenance"]["instruction"] for r in found} == {"translated"}


async def test_a_version_is_asked_for_once_however_often_it_is_wanted(bind: Bind):
    step, chat = bind(GENERATOR, {RESTATE: in_its_language}, queries=["sw", "hi"],
                      languages=["de"], reasoning="en", epochs=5)  # fmt: skip
    found = await step(worked())
    assert len(found) == 2 * 5 + 2 and len(chat.asked) == 1, "distilled ones once"


@pytest.mark.parametrize("language", REASONED)
async def test_reasoning_is_in_the_language_that_is_wanted_in_every_language(
    language: str, bind: Bind
):
    def say(request: Request) -> str:
        assert request.language == language and FIRST["output"] in request.inputs["solution"]
        return REASONED[language]

    step, chat = bind(GENERATOR, {REASON: say}, queries=["sw"], languages=["de"],
                      reasoning=language, forms=["distilled"])  # fmt: skip
    [found] = await step(worked())
    assert isinstance(found, Record), found
    assert found.last("assistant") == REASONED[language]
    assert found.facts["reasoning_language"] == language
    own = language == "en"
    assert len(chat.asked) == (not own)
    assert found.facts["provenance"]["response"] == ("native" if own else "model")
    asked = "" if language == "sw" else f"\n\n{listed()[language.split('-')[0]].reason}"
    assert found.last("user") == " ".join(s["sw"] for s in FIRST["segments"]) + asked


@pytest.mark.parametrize("language", [*VERSIONS, "hi", "th", "sw"])
async def test_questions_can_be_asked_and_restated_in_every_language(language: str, bind: Bind):
    whole = {
        tag: aligned(FIRST["instruction"], FIRST["segments"], tag) for tag in ("hi", "th", "sw")
    }
    other = "es" if language != "es" else "de"

    def say(request: Request) -> str:
        return (VERSIONS | whole)[request.language]

    for query, into in ((language, other), (other, language)):
        bare = worked(segments=[])
        step, chat = bind(GENERATOR, {RESTATE: say}, queries=[query], languages=[into],
                          reasoning="en", forms=["restated"])  # fmt: skip
        [found] = await step(bare)
        assert isinstance(found, Record), found
        assert found.last("user").startswith((VERSIONS | whole)[query])
        assert found.facts["restated"] == (VERSIONS | whole)[into]
        assert {request.language for request in chat.asked} == {query, into}


async def test_the_verifier_agrees_with_what_was_kept(bind: Bind):
    how = {"queries": ["sw", "th"], "languages": ["de", "fr"], "reasoning": "en"}
    verify, _ = bind(MATH, reference_language="en")
    for record in kept(await run(many(10), bind, **how)):
        [outcome] = await verify(record)
        assert isinstance(outcome, Record), outcome


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (seed("", "en"), "no_instruction"), (seed("x" * 300, "en", "y"), "too_long"),
        (Record("r", "en", worked().messages * 2), "several_turns"),
        (seed("Kossi le?", "ee", "E."), "unworded_language"),
        (seed("Wie viele?", "de", "Es sind 7."), "no_other_language"),
        (worked().with_facts(answer="253"), "wrong_answer"),
    ],
)  # fmt: skip
async def test_what_will_not_do_costs_no_call(record: Record, reason: str, bind: Bind):
    step, chat = bind(GENERATOR, {}, languages=["de"], max_characters=200)
    [lost] = await step(record)
    assert isinstance(lost, Drop) and lost.reason == reason and not chat.asked


async def test_formulas_are_compared_by_algebra(bind: Bind):
    record = seed(
        "Simplify x*(x+1) for me, please.", "en", "It is $x^2 + x$. The answer is $x^2+x$."
    )
    how = {"languages": ["de"], "forms": ["distilled"]}
    for answer, right in (("x(x+1)", True), ("x(x+2)", False)):
        [found] = await run([record.with_facts(answer=answer)], bind, **how)
        assert isinstance(found, Record) == right, found


async def test_a_cut_reply_is_asked_for_again(bind: Bind):
    cut = Reply(REASONED["de"], model="fake", truncated=True)
    step, chat = bind(GENERATOR, {REASON: [cut, REASONED["de"]]}, queries=["sw"],
                      languages=["es"], reasoning="de", forms=["distilled"])  # fmt: skip
    [found] = await step(worked())
    assert isinstance(found, Record) and [request.take for request in chat.asked] == [0, 1]


async def test_a_way_that_fails_does_not_take_the_others_with_it(bind: Bind):
    def say(request: Request) -> str:
        return "" if request.language == "fr" else in_its_language(request)

    step, _ = bind(GENERATOR, {RESTATE: say}, queries=["sw", "fr"], languages=["de"],
                   reasoning="en", forms=["restated"])  # fmt: skip
    good, bad = await step(worked())
    assert isinstance(good, Record) and good.language == "sw"
    assert isinstance(bad, Drop) and bad.reason == "empty_translation"


async def test_a_restatement_that_fails_leaves_the_other_forms(bind: Bind):
    step, _ = bind(GENERATOR, {RESTATE: ["", ""]}, queries=["sw"], languages=["de"], reasoning="en")
    lost, kept_ = await step(worked())
    assert isinstance(lost, Drop) and lost.reason == "empty_translation"
    assert lost.detail.startswith("de: ")
    assert isinstance(kept_, Record) and kept_.facts["form"] == "distilled"


async def test_examples_without_segments_are_switched_by_a_lexicon(bind: Bind):
    shown = [{"id": "x", "instruction": "The farmer has 3 goats.", "response": "3"}]
    how = {"queries": ["sw"], "languages": ["de"], "forms": ["demonstrated"], "rate": 1}
    record = worked(examples=shown)
    [found] = kept(await run([record], bind, **how, lexicons=JOBS / "lexicons"))
    assert found.messages[0].content == "The mkulima has 3 mbuzi."
    [noted] = found.facts["demonstrations"]
    assert (noted["chances"], len(noted["swaps"])) == (2, 2)


async def test_without_examples_in_the_language_of_the_reasoning_nothing_is_demonstrated(
    bind: Bind,
):
    how = {"queries": ["sw"], "languages": ["de"], "forms": ["demonstrated"]}
    [lost] = await run([worked()], bind, **how)
    assert isinstance(lost, Drop) and lost.reason == "no_examples"


async def test_examples_dealt_by_n_shot_are_shown(bind: Bind):
    dealt = settle(N_SHOT, many(6), fewest=2, most=2, place="fact", carry=["segments"],
                   unsplit="accept")  # fmt: skip
    how = {"queries": ["hi"], "languages": ["de"], "forms": ["demonstrated"], "rate": 1}
    for before, record in zip(dealt, kept(await run(dealt, bind, **how)), strict=True):
        ids = [each["id"] for each in record.facts["demonstrations"]]
        assert ids == before.facts["n_shot"]["ids"] and len(record.messages) == 6
        assert all(each["chances"] == len(each["swaps"]) for each in record.facts["demonstrations"])


@pytest.mark.parametrize(
    ("params", "said"),
    [({"languages": ["ee"]}, "ee has no sentences"),
     ({"languages": ["de"], "queries": ["th"], "lexicons": JOBS / "lexicons"}, "no lexicon such"),
     ({"languages": ["de"], "lexicons": JOBS / "okapi.yaml"}, "want the folder"),
     ({"languages": ["de"], "reasoning": "wo"}, "wo has no sentences"),
     ({"languages": ["de"], "queries": ["de"]}, "no other language"),
     ({"languages": ["xx-nowhere"]}, "xx")],
)  # fmt: skip
def test_what_cannot_work_is_told_before_a_run(params: dict[str, Any], said: str):
    with pytest.raises(ValidationError, match=said):
        GENERATOR.params(**params)


def test_sentences_are_there_for_each_language_once_and_in_its_script():
    texts = [text for entry in listed().values() for text in (entry.restate, entry.reason)]
    assert len(texts) == len(set(texts)) and len(listed()) >= 29


@needs_shared
async def test_articles_of_the_declaration_are_questions_in_many_languages(bind: Bind):
    """Real aligned text: every article is asked in every language that has it, byte for byte."""
    from engine.sources.aligned import SOURCE

    names = {name: tag for name, tag in TAGS.items() if tag in {"sw", "th", "hi", "am", "ar"}}
    names |= {"eng": "en"}
    asked = {"path": "udhr2.zip", "glob": [f"{name}.txt" for name in names], "languages": names}
    articles: dict[str, dict[str, str]] = {}
    for piece in read(SOURCE, SHARED, **asked, by="numbers", through=["en"], directions="from"):
        said = articles.setdefault(piece.facts["piece"], {"text": piece.facts["source_text"]})
        said[piece.language] = piece.facts["target_text"]
    queries = sorted(set(names.values()) - {"en"})
    for n, segment in enumerate(articles.values()):
        record = seed(
            segment["text"], "en", "It is a right that everybody has.", segments=[segment]
        )
        step, chat = bind(
            GENERATOR, {}, queries=queries, languages=["de", "fr"], forms=["distilled"]
        )
        found = kept(list(await step(record)))
        assert [r.last("user").partition("\n\n" + listed()["en"].reason)[0] for r in found] == [
            segment[tag] for tag in queries
        ], n
        assert not chat.asked
    assert len(articles) == 30


@pytest.mark.parametrize(
    "examples", [5, "x", [None, "x", ["y"]], [{"id": "a"}], [{"instruction": 1, "response": "b"}]]
)
async def test_examples_that_are_none_are_not_shown(examples: object, bind: Bind):
    how = {"queries": ["sw"], "languages": ["de"], "forms": ["demonstrated"]}
    [lost] = await run([worked(examples=examples)], bind, **how)
    assert isinstance(lost, Drop) and lost.reason == "no_examples"


async def test_what_is_wrong_with_a_restatement_is_told_with_the_next_one(bind: Bind):
    step, chat = bind(GENERATOR, {RESTATE: ["", ""]}, queries=["sw"], languages=["de"],
                      reasoning="en", forms=["restated"])  # fmt: skip
    await step(worked())
    assert [request.inputs["fault"][:17] for request in chat.asked] == ["", "empty translation"]
    assert "sent back" not in chat.asked[0].messages[-1].content
    assert "sent back" in chat.asked[1].messages[-1].content
