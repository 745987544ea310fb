from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pydantic import ValidationError

from engine import shipped
from engine.constraints.drawing import worded
from engine.constraints.reading import read
from engine.core import Drop, Message, Record
from engine.generators import constrained
from engine.generators.localise import GENERATOR
from engine.languages.names import english_name
from engine.languages.tags import base
from engine.models.chat import Request
from engine.verifiers.constraints import VERIFIER
from tests.conftest import Bind
from tests.filters.samples import GOOD as GOOD_TEXTS
from tests.generators.reversing import replies, told
from tests.generators.reversing import written as parts

BULLETS = {"type": "detectable_format:number_bullet_lists", "params": {"count": 3}}
BREAD = {
    "type": "keywords:frequency",
    "params": {"keyword": "bread", "relation": "at least", "count": 2},
}
SENTENCES = [
    "Write exactly 3 bullet points that begin with *.",
    'Use the word "bread" at least 2 times.',
]
TASK = "Plan a Thanksgiving dinner for 8 guests with food from Safeway."
PROMPT = f"{TASK}\n\n- {SENTENCES[0]}\n- {SENTENCES[1]}"
GOOD = parts(next(path for path in replies("localise") if path.stem == "plain"))
ANSWER = "Zum Fest:\n* Brot mit Butter\n* Gans mit Rotkraut\n* noch mehr Brot für alle Gäste"
WORDS = "length_constraints:number_words"
HOLD, LIST, REWRITE = "localise/hold", "localise/list", "localise/rewrite"


def task(text: str = PROMPT, *said: str, language: str = "en", **facts: Any) -> Record:
    turns = (Message("user", text), *(Message("assistant", each) for each in said))
    return Record("seed", language, turns, {"constraints": [BULLETS, BREAD], **facts})


def script(**changed: Any) -> dict[str, Any]:
    """What models reply, as they do where all is well, but for what is given here."""
    return {
        f"localise/{name}": changed.get(name, GOOD[name]) for name in ("hold", "list", "rewrite")
    }


def rewrite(prompt: str, answer: str = "") -> str:
    return json.dumps({"prompt": prompt, "answer": answer, "changes": []})


def spans(*found: tuple[str, str, str]) -> str:
    names = ("span", "kind", "replacement")
    return json.dumps({"spans": [dict(zip(names, each, strict=True)) for each in found]})


GERMAN = (
    "Plane ein Essen zum Erntedankfest für 8 Gäste mit Lebensmitteln von Billa.\n\n- ⟦0⟧\n- ⟦1⟧"
)


@pytest.mark.parametrize("path", replies("localise"), ids=lambda path: path.stem)
async def test_replies_as_models_write_them_are_kept_asked_again_or_dropped(path: Path, bind: Bind):
    said = parts(path)
    changed = {
        name: [said[name], said[f"{name}_again"]] if f"{name}_again" in said else said[name]
        for name in ("hold", "list", "rewrite")
        if name in said
    }
    step, chat = bind(GENERATOR, script(**changed), into=["de-AT"])
    [found] = await step(task())
    assert told(found).startswith(said["outcome"].strip()), told(found)
    if isinstance(found, Record):
        assert found.language == "de-AT" and not any("⟦" in turn.content for turn in found.messages)
        again = sum(name.endswith("_again") for name in said)
        assert len(chat.asked) == 3 + again, "once more where a reply will not do, else never"
        for asked in (chat.asked[n + 1].messages for n in _faulty(said)):
            assert "was refused" in asked[-1].content or len(asked) > 2, "it is told what is wrong"


def _faulty(said: dict[str, str]) -> list[int]:
    names = [name for name in said if not name.endswith("_again")]
    order = ["hold", "list", "rewrite"]
    return [order.index(name) for name in names if f"{name}_again" in said]


async def test_conditions_stay_where_they_were_in_the_languages_own_words(bind: Bind):
    step, chat = bind(GENERATOR, script(), into=["de-AT"])
    [found] = await step(task())
    lines = found.last("user").splitlines()
    assert lines[2].startswith("- Die Antwort muss genau 3 Aufzählungspunkte haben.")
    assert lines[3] == "- Verwende das Wort „Brot“ mindestens 2-mal."
    assert found.facts["constraints"] == [
        BULLETS,
        {**BREAD, "params": {**BREAD["params"], "keyword": "Brot"}},
    ]
    assert [each in found.last("user") for each in found.facts["constraint_sentences"]] == [
        True
    ] * 2
    shown = chat.asked[1].messages[-1].content
    assert "- ⟦0⟧\n- ⟦1⟧" in shown and SENTENCES[0] not in shown


async def test_the_verifier_holds_an_answer_against_the_localised_conditions(bind: Bind):
    step, _ = bind(GENERATOR, script(), into=["de-AT"])
    [found] = await step(task())
    verify, _ = bind(VERIFIER)
    for answer, passes in (
        (ANSWER, True),
        (ANSWER.replace("Brot", "bread"), False),
        (ANSWER.replace("* noch", "noch"), False),
    ):
        turns = (*found.messages, Message("assistant", answer))
        record = Record("x", found.language, turns, found.facts)
        [outcome] = await verify(record)
        assert isinstance(outcome, Record) == passes, answer


async def test_a_record_says_whose_it_is_and_what_was_done_to_it(bind: Bind):
    seen = task(instruction=PROMPT, input="stale", pass_rate=0.5, topic="food", parallel_id="p7")
    step, _ = bind(GENERATOR, script(), into=["de-AT"])
    [found] = await step(seen)
    facts = found.facts
    assert facts["provenance"] == {"instruction": "localised"}
    assert (facts["localised_from"], facts["parallel_id"], facts["topic"]) == ("en", "p7", "food")
    assert facts["instruction_language"] == facts["output_language"] == "de-AT"
    assert not {"instruction", "input", "pass_rate"} & facts.keys(), "the source's wording"
    done = facts["localised"]
    assert (done["status"], done["share"], done["strays"]) == ("localised", 1.0, 0)
    assert [each["span"] for each in done["spans"]] == ["Thanksgiving dinner", "Safeway"]
    assert [each["action"] for each in done["constraints"]] == ["keep", "translate"]
    assert {each["after"] for each in done["changes"]} == {"Erntedankfest", "Billa"}


async def test_a_report_of_a_change_that_is_not_in_the_text_is_not_believed(bind: Bind):
    said = parts(next(p for p in replies("localise") if p.stem == "report_that_is_not_true"))
    step, _ = bind(GENERATOR, script(rewrite=said["rewrite"]), into=["de-AT"])
    [found] = await step(task())
    assert found.facts["localised"]["changes"] == [{"before": "Safeway", "after": "Billa"}]


async def test_what_is_known_and_listed_costs_no_call(bind: Bind):
    step, chat = bind(GENERATOR, script(), into=["de-AT"])
    known = task(
        f"{TASK} {SENTENCES[0]}", constraints=[BULLETS], constraint_sentences=SENTENCES[:1]
    )
    chat_script = script(rewrite=rewrite(GERMAN.partition("\n")[0] + " ⟦0⟧"))
    step, chat = bind(GENERATOR, chat_script, into=["de-AT"])
    [found] = await step(known)
    assert isinstance(found, Record), found
    assert [each.prompt.partition("@")[0] for each in chat.asked] == [LIST, REWRITE]


async def test_two_conditions_in_one_sentence_get_one_mark(bind: Bind):
    both = (
        'Write exactly 3 bullet points that begin with * and use the word "bread" at least 2 times.'
    )
    hold = json.loads(GOOD["hold"])
    for each in hold["conditions"]:
        each["sentence"] = both
    reply = rewrite(GERMAN.replace("\n- ⟦1⟧", ""))
    step, _ = bind(GENERATOR, script(hold=json.dumps(hold), rewrite=reply), into=["de-AT"])
    [found] = await step(task(f"{TASK}\n\n- {both}"))
    assert isinstance(found, Record), found
    assert (
        found.last("user").count("3 Aufzählungspunkte") == found.last("user").count("„Brot“") == 1
    )


async def test_a_language_without_listed_wordings_is_worded_by_the_model_and_checked(bind: Bind):
    hold = json.loads(GOOD["hold"])
    hold["conditions"][0]["restated"] = "Kirjoita täsmälleen 3 kohtaa, jotka alkavat merkillä *."
    twice = "Käytä sanaa leipä 2 kertaa tai useammin."
    hold["conditions"][1] |= {"words": ["leipä"], "restated": twice}
    finnish = "Suunnittele juhla-ateria 8 vieraalle K-Marketin ruoista.\n\n- ⟦0⟧\n- ⟦1⟧"
    listed = spans(("Safeway", "brand", "K-Market"))
    good = script(hold=json.dumps(hold), list=listed, rewrite=rewrite(finnish))
    step, _ = bind(GENERATOR, good, into=["fi"])
    [found] = await step(task())
    assert isinstance(found, Record) and twice in found.last("user")
    hold["conditions"][1]["restated"] = "Käytä sanaa leipä usein."
    step, _ = bind(GENERATOR, good | {HOLD: json.dumps(hold)}, into=["fi"])
    [found] = await step(task())
    assert told(found).startswith("unworded_constraint | condition 2")


@pytest.mark.parametrize(
    "answer, outcome",
    [
        (ANSWER, "keep"),
        (ANSWER.replace("* noch", "noch"), "constraint_failed | detectable_format:number_bullet"),
        ("", "empty_answer"),
        (ANSWER + " von Safeway", "residue | still in the answer: Safeway"),
    ],
)
async def test_an_answer_is_rewritten_too_and_meets_the_conditions(
    bind: Bind, answer: str, outcome: str
):
    step, chat = bind(GENERATOR, script(rewrite=rewrite(GERMAN, answer)), into=["de-AT"])
    [found] = await step(task(PROMPT, "Feast:\n* bread\n* turkey from Safeway\n* bread again"))
    assert told(found).startswith(outcome), told(found)
    assert "ANSWER_BEGIN" in chat.asked[2].messages[-1].content
    if isinstance(found, Record):
        assert found.last("assistant") == answer
        assert found.facts["provenance"] == dict.fromkeys(("instruction", "response"), "localised")


@pytest.mark.parametrize(
    "prompt, answer, outcome",
    [
        ("Juma hununua mipira 3 kwa shilingi 12 kila mmoja. Analipa jumla ya shilingi ngapi?",
         "Mipira mitatu kwa shilingi 12. Jibu ni \\boxed{36}", "keep"),
        ("Juma hununua mipira 4 kwa shilingi 12 kila mmoja. Analipa jumla ya shilingi ngapi?",
         "Jibu ni \\boxed{36}", "changed_number | gone: 3"),
        ("Juma hununua mipira 3 kwa shilingi 500 kila mmoja. Analipa jumla ya shilingi ngapi?",
         "Jibu ni \\boxed{36}", "changed_number | gone: 12"),
        ("Juma hununua mipira 3 kwa shilingi 12 kila mmoja. Analipa jumla ya shilingi ngapi?",
         "Jibu ni \\boxed{48}", "changed_answer | the final answer was 36"),
    ],
)  # fmt: skip
async def test_what_is_calculated_with_and_the_result_do_not_change(
    bind: Bind, prompt: str, answer: str, outcome: str
):
    sum_ = "Tom buys 3 footballs for $12 each. How much does he pay?"
    found_spans = spans(("Tom", "person", "Juma"), ("$12", "money", "shilingi 12"))
    step, _ = bind(
        GENERATOR, script(list=found_spans, rewrite=rewrite(prompt, answer)), into=["sw-KE"]
    )
    record = task(sum_, "He buys 3 balls for $12 each: \\boxed{36}", constraints=[])
    [found] = await step(record)
    assert told(found).startswith(outcome), told(found)


@pytest.mark.parametrize("price, outcome", [("12", "keep"), ("500", "changed_number | gone: 12")])
async def test_amounts_of_a_sum_stay_though_nobody_has_answered_it(
    bind: Bind, price: str, outcome: str
):
    listed = spans(("Tom", "person", "Juma"), ("$12", "money", f"shilingi {price}"))
    text = f"Juma hununua mipira 3 kwa shilingi {price} kila mmoja. Analipa shilingi ngapi?"
    step, _ = bind(GENERATOR, script(list=listed, rewrite=rewrite(text)), into=["sw-KE"])
    sum_ = "Tom buys 3 footballs for $12 each. How much does he pay?"
    [found] = await step(task(sum_, constraints=[]))
    assert told(found).startswith(outcome), told(found)


async def test_an_amount_that_nobody_calculates_with_may_change(bind: Bind):
    found_spans = spans(("$20", "money", "Ksh 2,000"))
    reply = rewrite("Andika barua fupi ya shukrani kwa zawadi ya Ksh 2,000 kutoka kwa bibi.")
    step, chat = bind(GENERATOR, script(list=found_spans, rewrite=reply), into=["sw-KE"])
    [found] = await step(task("Thank grandmother for $20 in a short letter.", constraints=[]))
    assert isinstance(found, Record), found
    assert "calculated with. Each stays" not in chat.asked[1].messages[-1].content


async def test_a_gazetteer_allows_no_other_names_and_is_shown(bind: Bind, tmp_path: Path):
    place = tmp_path / "place.yaml"
    place.write_text(
        "notes: [Eingekauft wird am Samstag.]\nnames: {brand: [Hofer, Spar]}\n", "utf-8"
    )
    step, chat = bind(GENERATOR, script(), into=["de-AT"], gazetteers={"de-AT": place})
    [found] = await step(task())
    assert told(found).startswith("not_in_gazetteer | 'Billa' is none of the names listed")
    first, second = [each.messages[-1].content for each in chat.asked[1:]]
    assert "Eingekauft wird am Samstag." in first and "brand: Hofer, Spar" in first
    assert "What was wrong with it: not in gazetteer: 'Billa'" in second
    good = GOOD["list"].replace("Billa", "spar")
    reply = rewrite(GERMAN.replace("Billa", "Spar"))
    again = script(list=[GOOD["list"], good], rewrite=reply)
    step, _ = bind(GENERATOR, again, into=["de-AT"], gazetteers={"de-AT": place})
    [found] = await step(task())
    assert isinstance(found, Record), found


async def test_where_capitals_are_forced_the_answer_stays_in_the_sources_language(bind: Bind):
    capitals = {"type": "change_case:english_capital", "params": {"language": "en"}}
    sentence = "Answer in capital letters."
    record = task(
        f"Describe Thanksgiving. {sentence}", "IT IS A FEAST OF THE HARVEST AND OF THE FAMILY.",
        constraints=[capitals], constraint_sentences=[sentence],
    )  # fmt: skip
    listed = spans(("Thanksgiving", "holiday", "中秋节"))
    reply = rewrite("请介绍中秋节。⟦0⟧", "IT IS A FEAST OF THE MOON AND OF THE WHOLE FAMILY.")
    hold = {
        "conditions": [
            {"number": 1, "sentence": "", "words": [], "restated": "请全部用英语大写字母回答。"}
        ]
    }
    said = script(hold=json.dumps(hold), list=listed, rewrite=reply)
    step, _ = bind(GENERATOR, said, into=["zh-Hans"], without_case="force")
    [found] = await step(record)
    assert isinstance(found, Record), found
    assert found.facts["constraints"] == [capitals] and found.language == "en"
    assert found.facts["instruction_language"] == "zh-Hans"
    assert "大写" in found.last("user")
    step, _ = bind(GENERATOR, said, into=["zh-Hans"])
    [found] = await step(record)
    assert told(found).startswith("no_constraint_left"), "dropped, nothing is left to check"


async def test_what_the_generator_constrained_made_goes_on_without_a_question_about_it(bind: Bind):
    made, _ = bind(
        constrained.GENERATOR, {"constrained/answer": "<<A shop>>\nIt sells bread."},
        types=["detectable_format:title"], max_constraints=1, answers=1,
    )  # fmt: skip
    [record] = await made(Record("seed", "en", (Message("user", "Describe Safeway."),)))
    reply = rewrite("Beschreibe den Supermarkt Billa.\n\n⟦0⟧", "<<Ein Laden>>\nEr verkauft Brot.")
    said = script(list=spans(("Safeway", "brand", "Billa")), rewrite=reply)
    step, chat = bind(GENERATOR, said, into=["de-AT"])
    [found] = await step(record)
    assert isinstance(found, Record) and len(chat.asked) == 2, found
    assert "<<" in found.last("user") and found.last("assistant").startswith("<<Ein Laden>>")


async def test_conditions_that_no_answer_could_meet_cost_no_call(bind: Bind):
    demand = {"type": "language:response_language", "params": {"language": "fr"}}
    case = {"type": "change_case:english_capital", "params": {"language": "de"}}
    record = task(
        "Write. Now.", constraints=[demand, case], constraint_sentences=["Write.", "Now."]
    )
    step, chat = bind(GENERATOR, {}, into=["hi"])
    [found] = await step(record)
    assert told(found).startswith("bad_constraint | language_conflict") and not chat.asked
    thai = task("Write. Now.", constraints=[case | {"params": {}}])
    step, chat = bind(GENERATOR, {}, into=["th"])
    [found] = await step(thai)
    assert told(found).startswith("no_constraint_left") and not chat.asked


async def test_a_condition_that_is_left_out_leaves_no_list_mark_behind(bind: Bind):
    capitals = {"type": "change_case:english_capital", "params": {}}
    prompt = f"{TASK}\n\n- Use capital letters only.\n- {SENTENCES[0]}"
    record = task(
        prompt, constraints=[capitals, BULLETS],
        constraint_sentences=["Use capital letters only.", SENTENCES[0]],
    )  # fmt: skip
    hindi = "8 मेहमानों के लिए बिग बाज़ार के सामान से दिवाली के खाने की योजना बनाइए।\n\n- ⟦0⟧"
    listed = spans(("Safeway", "brand", "बिग बाज़ार"))
    step, chat = bind(GENERATOR, script(list=listed, rewrite=rewrite(hindi)), into=["hi"])
    [found] = await step(record)
    assert isinstance(found, Record), found
    assert "Safeway.\n\n- ⟦0⟧\nPROMPT_END" in chat.asked[0].messages[-1].content
    assert [each["type"] for each in found.facts["constraints"]] == [BULLETS["type"]]


async def test_code_and_links_come_back_as_they_were(bind: Bind):
    prompt = "Explain `x = 1` and https://example.org/a to Tom."
    reply = rewrite("Erkläre Franz den Ausdruck ⟦0⟧ und die Seite ⟦1⟧.")
    listed = spans(("Tom", "person", "Franz"))
    step, _ = bind(GENERATOR, script(list=listed, rewrite=reply), into=["de-AT"])
    [found] = await step(task(prompt, constraints=[]))
    assert (
        found.last("user")
        == "Erkläre Franz den Ausdruck `x = 1` und die Seite https://example.org/a."
    )


async def test_a_request_to_repeat_is_the_localised_request(bind: Bind):
    ask = "Begin by repeating this request."
    repeat = {"type": "combination:repeat_prompt", "params": {"prompt": "Describe Safeway."}}
    record = task(f"Describe Safeway. {ask}", constraints=[repeat], constraint_sentences=[ask])
    listed = spans(("Safeway", "brand", "Billa"))
    reply = rewrite("Beschreibe den Supermarkt Billa. ⟦0⟧")
    step, _ = bind(GENERATOR, script(list=listed, rewrite=reply), into=["de-AT"])
    [found] = await step(record)
    [constraint] = found.facts["constraints"]
    assert constraint["params"] == {"prompt": "Beschreibe den Supermarkt Billa."}


async def test_one_locales_failure_hurts_no_other_and_its_own_goes_through(bind: Bind):
    def reply(request: Request) -> str:
        return GOOD["rewrite"] if request.language == "de-AT" else "no JSON"

    step, _ = bind(GENERATOR, script(rewrite=reply), into=["de-AT", "en", "fr"])
    german, english, french = await step(task())
    assert isinstance(german, Record) and isinstance(french, Drop)
    assert english.messages == task().messages and english.facts["parallel_id"] == "seed"
    assert french.record.language == "fr" and french.reason in ("bad_reply", "wrong_language")
    assert len({german.id, english.id, french.record.id}) == 3


async def test_within_one_language_a_prompt_that_stays_as_it_was_is_not_localised(bind: Bind):
    listed = spans(("Safeway", "brand", "Tesco"))
    prompt = "Describe the shelves of Safeway."
    for text, reason in ((prompt, "not_localised"), (prompt.replace("Safeway", "Tesco"), "keep")):
        step, _ = bind(GENERATOR, script(list=listed, rewrite=rewrite(text)), into=["en-GB"])
        [found] = await step(task(prompt, constraints=[]))
        assert told(found).startswith(reason)


@pytest.mark.parametrize("neutral, outcome", [("keep", "keep"), ("drop", "not_localised")])
async def test_what_is_bound_to_no_culture_is_kept_or_dropped_as_the_job_says(
    bind: Bind, neutral: str, outcome: str
):
    said = script(list=spans(), rewrite=rewrite("Wie viele Seiten hat ein Würfel im Ganzen?"))
    step, chat = bind(GENERATOR, said, into=["de-AT"], neutral=neutral)
    [found] = await step(task("How many faces has a cube?", constraints=[]))
    assert told(found).startswith(outcome) and len(chat.asked) == (2 if neutral == "keep" else 1)
    if isinstance(found, Record):
        assert found.facts["localised"]["status"] == "neutral"


@pytest.mark.parametrize(
    "record, reason",
    [
        (task(""), "no_instruction"),
        (Record("x", "en"), "several_turns"),
        (task("a", "b", "c"), "several_turns"),
        (task(constraints=[{"type": "keywords:rhyme"}]), "bad_constraint"),
        (task(constraints="none"), "bad_constraint"),
    ],
)
async def test_what_cannot_be_localised_costs_no_call(bind: Bind, record: Record, reason: str):
    step, chat = bind(GENERATOR, {}, into=["de-AT"])
    [found] = await step(record)
    assert isinstance(found, Drop) and found.reason == reason and not chat.asked


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"into": []}, "at least 1"),
        ({"into": ["xx-QQ"]}, "tag of no language"),
        ({"into": ["de"], "gazetteers": {"sw-KE": "gazetteers/sw-KE.yaml"}}, "does not name"),
        ({"into": ["de"], "gazetteers": {"de": "seeds/alike_tasks.jsonl"}}, "cannot be read|holds"),
    ],
)
def test_a_setting_that_cannot_be_says_why(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        GENERATOR.params.model_validate(settings, context={"base": shipped.JOBS})


async def test_the_same_record_is_worded_the_same_way_twice(bind: Bind):
    found = []
    for _ in range(2):
        step, _ = bind(GENERATOR, script(), into=["de-AT"])
        found += await step(task())
    assert found[0].messages == found[1].messages and found[0].facts == found[1].facts


LANGUAGES = ("en", "de", "zh", "ar", "hi", "th", "sw")


@pytest.mark.parametrize("origin", LANGUAGES)
async def test_every_language_is_left_and_reached_and_none_is_named_beside(bind: Bind, origin: str):
    short = read({"type": WORDS, "params": {"relation": "less than", "count": 60}})
    sentence = worded(short, origin, Random(1))
    record = task(
        f"{GOOD_TEXTS[origin][0]}\n{sentence}", language=origin,
        constraints=[short.dump()], constraint_sentences=[sentence],
    )  # fmt: skip

    def reply(request: Request) -> str:
        return rewrite(f"{GOOD_TEXTS[base(request.language)][0]}\n⟦0⟧")

    into = [each for each in LANGUAGES if each != origin]
    step, chat = bind(GENERATOR, script(list=spans(), rewrite=reply), into=into)
    for tag, found in zip(GENERATOR.params(into=into).into, await step(record), strict=True):
        assert isinstance(found, Record), found
        assert found.language == tag and found.facts["localised_from"] == origin
        verify, _ = bind(VERIFIER)
        said = Message("assistant", GOOD_TEXTS[base(tag)][1][:12])
        [outcome] = await verify(Record("x", tag, (*found.messages, said), found.facts))
        assert isinstance(outcome, Record), outcome
    for request in chat.asked:
        own = {english_name(origin), english_name(request.language)}
        others = {english_name(tag) for tag in LANGUAGES} - own
        system = request.messages[0].content
        assert english_name(request.language) in system
        assert not [name for name in others if name in system]


async def test_a_prompt_that_has_marks_like_ours_gets_them_back(bind: Bind):
    reply = rewrite("Erkläre Franz das Zeichen ⟦0⟧ in einem Satz.")
    said = script(list=spans(("Tom", "person", "Franz")), rewrite=reply)
    step, _ = bind(GENERATOR, said, into=["de-AT"])
    [found] = await step(task("Explain the sign ⟦7⟧ to Tom in one sentence.", constraints=[]))
    assert found.last("user") == "Erkläre Franz das Zeichen ⟦7⟧ in einem Satz."


async def test_a_very_long_prompt_goes_through(bind: Bind):
    row = "The bridge over the river was closed for repairs, said Tom. "
    german = "Die Brücke über den Fluss wurde wegen Reparaturen gesperrt, sagte Franz. "
    said = script(list=spans(("Tom", "person", "Franz")), rewrite=rewrite(german * 2000 + "⟦0⟧"))
    first = SENTENCES[:1]
    record = task(row * 2000 + first[0], constraints=[BULLETS], constraint_sentences=first)
    step, _ = bind(GENERATOR, said, into=["de-AT"])
    [found] = await step(record)
    assert isinstance(found, Record), found


async def test_a_piece_of_nothing_but_control_characters_is_none(bind: Bind):
    listed = spans(("\x00", "place", "Graz"), ("Ohio", "place", "Graz"))
    prompt = "Write about \x00 the schools of Ohio."
    said = script(list=listed, rewrite=rewrite("Schreibe etwas über die Schulen von \x00 Graz."))
    step, _ = bind(GENERATOR, said, into=["de-AT"])
    [found] = await step(task(prompt, constraints=[]))
    assert isinstance(found, Record), found
    assert [each["span"] for each in found.facts["localised"]["spans"]] == ["Ohio"]


async def test_a_number_that_comes_twice_is_asked_for_twice(bind: Bind):
    reply = rewrite("Juma ana mipira 3 na Amina ana mipira 3. Wana mipira mingapi kwa jumla?")
    said = script(list=spans(("Tom", "person", "Juma")), rewrite=reply)
    step, chat = bind(GENERATOR, said, into=["sw-KE"])
    [found] = await step(task("Tom has 3 balls and Amina has 3. How many is that?", constraints=[]))
    assert isinstance(found, Record), found
    assert chat.asked[-1].inputs["numbers"] == ["3", "3"]


@pytest.mark.parametrize(
    "locale, replacement, text, share",
    [
        ("sw-KE", "Tana", "Andika kuhusu mto mmoja wakati wa masika, tafadhali sana.", 0),
        ("sw-KE", "mto Tana", "Andika kuhusu Tana wakati wa masika, tafadhali sana.", 1),
        ("th", "ลำปาง", "กรุณาเขียนเกี่ยวกับโอไฮโอในฤดูใบไม้ผลิ", 0),
        ("th", "ลำปาง", "กรุณาเขียนเกี่ยวกับลำปางในฤดูใบไม้ผลิ", 1),
        ("ru", "Самара", "Напиши несколько слов о весне в Самаре, пожалуйста.", 1),
        ("ar", "القاهرة", "اكتب رسالة قصيرة للقاهرة في فصل الربيع من فضلك.", 1),
        ("hi", "Mumbai", "कृपया वसंत में मुंबई के बारे में कुछ लिखिए।", 1),
    ],
)
async def test_a_record_says_whether_what_was_to_take_a_place_is_there_inflected_or_not(
    bind: Bind, locale: str, replacement: str, text: str, share: float
):
    said = script(list=spans(("Ohio", "place", replacement)), rewrite=rewrite(text))
    step, _ = bind(GENERATOR, said, into=[locale])
    [found] = await step(task("Write about Ohio in spring, please.", constraints=[]))
    assert isinstance(found, Record), found
    noted = found.facts["localised"]
    assert (noted["share"], noted["status"]) == (share, "localised" if share else "unconfirmed")
