from __future__ import annotations

import json
import re
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

import engine
from engine.core import Drop, Message, Record
from engine.generators import okapi_responses, translate
from engine.generators.okapi import GENERATOR
from engine.models.chat import Reply, Request
from tests.conftest import Bind, seed
from tests.filters.samples import GOOD
from tests.generators.reversing import replies, written

ASK = "Mweleze {jina} jinsi ya kupika chai nzuri ya maziwa."
RESPONSES = [
    "Chemsha maji kwanza, kisha weka majani ya chai na usubiri kwa dakika tano.",
    "Weka majani ya chai kwenye maji baridi. Subiri. Kunywa.",
    "Sijui kupika chai, lakini maji moto yanaweza kusaidia sana.",
]
LANGUAGES = ("en", "de", "zh", "ar", "hi", "th", "sw")


def question(id: str = "seed", responses: Any = RESPONSES, **facts: Any) -> Record:
    turns = (Message("user", ASK),)
    return Record(id, "sw", turns, {"responses": responses, **facts})


def in_english(request: Request) -> str:
    """Every part under its label, each another text, with the marks it has to carry."""
    parts = []
    for n, (label, text) in enumerate(request.inputs["texts"]):
        marks = " ".join(re.findall("⟦\\d+⟧", text))
        parts.append(f"TRANSLATED_{label}\nThis is what part number {n} says in English. {marks}")
    return "\n".join(parts)


def prefers(*order: int) -> dict[str, Any]:
    """A judge that ranks by the native texts: first that with the first of these numbers."""

    def rank(request: Request) -> str:
        letter = {text: label[-1] for label, text in request.inputs["native"]}
        said = [letter[RESPONSES[number]] for number in order]
        return json.dumps({"reasons": "It is so.", "ranking": said})

    return {"okapi/to_pivot": in_english, "okapi/rank": rank}


@pytest.mark.parametrize("path", replies("okapi"), ids=lambda path: path.stem)
async def test_replies_as_models_write_them_rank_or_drop_by_rule(path: Path, bind: Bind) -> None:
    file = written(path)
    pivots = [file[name] for name in ("pivot", "pivot_again") if name in file]
    ranks = [file[name] for name in ("rank", "rank_again") if name in file]
    ranks += ranks[-1:] * (file["outcome"] == "bad_reply")
    step, chat = bind(GENERATOR, {"okapi/to_pivot": pivots, "okapi/rank": ranks})
    [outcome] = await step(question())
    assert len(chat.asked) == len(pivots) + len(ranks), "asked again where it has to be"
    if isinstance(outcome, Drop):
        assert outcome.reason == file["outcome"]
        return
    shown, best_first = outcome.facts["shown"], file["outcome"].split()
    order = [shown["ABC".index(letter)] for letter in best_first]
    assert [outcome.facts["ranks"][place] for place in order] == [1, 2, 3]
    assert outcome.last("assistant") == RESPONSES[order[0]]
    assert outcome.facts["rejected"] == RESPONSES[order[-1]]


async def test_ranks_are_mapped_back_whatever_the_order_shown(bind: Bind) -> None:
    shown = set()
    for number, order in enumerate(list(permutations(range(3))) * 4):
        step, _ = bind(GENERATOR, prefers(*order))
        [found] = await step(question(f"r{number}"))
        assert isinstance(found, Record)
        assert (found.last("assistant"), found.facts["rejected"]) == (
            RESPONSES[order[0]], RESPONSES[order[2]],
        )  # fmt: skip
        assert [found.facts["ranks"][place] for place in order] == [1, 2, 3]
        assert sorted(found.facts["ranks"]) == [1, 2, 3], "a permutation"
        shown.add(tuple(found.facts["shown"]))
    assert shown == set(permutations(range(3))), "every order is shown to somebody"


async def test_the_ranking_is_the_second_turn_of_the_conversation(bind: Bind) -> None:
    step, chat = bind(GENERATOR, prefers(0, 1, 2))
    await step(question())
    first, second = chat.asked
    assert [turn.role for turn in first.messages] == ["system", "user"]
    assert [turn.role for turn in second.messages] == ["system", "user", "assistant", "user"]
    assert "⟦0⟧" in first.messages[1].content and "{jina}" not in first.messages[1].content
    assert "{jina}" in second.messages[1].content, "the judge sees what the marks stood for"
    assert "{jina}" in second.messages[2].content and "⟦" not in second.messages[2].content
    assert first.role == second.role == "judge", "one judge, in one conversation"
    assert {first.language, second.language} == {"en"}
    assert all(word in second.messages[3].content for word in ("Correct", "Coheren", "Natural"))


async def test_the_pivot_texts_are_stored_in_the_order_of_the_responses(bind: Bind) -> None:
    step, chat = bind(GENERATOR, prefers(2, 0, 1))
    origins = {"instruction": "translated", "response": "regenerated", "rejected": "regenerated"}
    [found] = await step(question(parallel_id="alpaca-7", provenance=origins))
    assert isinstance(found, Record)
    assert found.facts["provenance"] == origins | {"pivot": "translated"}
    given = dict(chat.asked[0].inputs["texts"])
    for place, text in enumerate(found.facts["pivot_responses"]):
        label = f"RESPONSE_{'ABC'[found.facts['shown'].index(place)]}"
        assert given[label] == RESPONSES[place]
        assert f"part number {'0ABC'.index(label[-1])} " in text
    assert found.facts["pivot"] == "en" and "{jina}" in found.facts["pivot_instruction"]
    assert found.facts["responses"] == RESPONSES and found.facts["pair"] == [2, 1]
    assert set(found.facts["pivot_quality"]) == {"INSTRUCTION", *map("RESPONSE_{}".format, "ABC")}
    assert found.facts["parallel_id"] == "alpaca-7" and found.language == "sw"
    assert found.lineage[-1].parent == "seed" and found.id != "seed"


@pytest.mark.parametrize(
    ("which", "wanted"),
    [("best_worst", [(2, 1)]), ("adjacent", [(2, 0), (0, 1)]), ("all", [(2, 0), (2, 1), (0, 1)])],
)
async def test_the_job_says_which_pairs_are_made(
    bind: Bind, which: str, wanted: list[tuple[int, int]]
) -> None:
    step, chat = bind(GENERATOR, prefers(2, 0, 1), pairs=which)
    found = [each for each in await step(question()) if isinstance(each, Record)]
    assert [tuple(each.facts["pair"]) for each in found] == wanted
    assert len({each.id for each in found}) == len(found) and len(chat.asked) == 2
    for each in found:
        best, worst = each.facts["pair"]
        assert each.last("assistant") == RESPONSES[best]
        assert each.facts["rejected"] == RESPONSES[worst]
        assert each.facts["ranks"][best] < each.facts["ranks"][worst]


async def test_what_is_wrong_with_a_translation_is_told_with_the_next_one(bind: Bind) -> None:
    takes = {"n": 0}

    def lossy(request: Request) -> str:
        takes["n"] += 1
        whole = in_english(request)
        return whole if takes["n"] > 1 else whole.replace("⟦0⟧", "")

    step, chat = bind(GENERATOR, prefers(0, 1, 2) | {"okapi/to_pivot": lossy})
    [found] = await step(question())
    assert isinstance(found, Record)
    assert not chat.asked[0].inputs["fault"] and "INSTRUCTION" in chat.asked[1].inputs["fault"]


async def test_a_translation_cut_by_the_token_limit_is_none(bind: Bind) -> None:
    def cut(request: Request) -> Reply:
        return Reply(in_english(request), model="fake", truncated=True)

    step, chat = bind(GENERATOR, {"okapi/to_pivot": cut})
    [drop] = await step(question())
    assert isinstance(drop, Drop) and drop.reason == "cut_translation" and len(chat.asked) == 2


async def test_what_is_in_the_pivot_language_is_ranked_at_once(bind: Bind) -> None:
    script = {"okapi/rank": '{"reasons": "It is so.", "ranking": ["B", "A"]}'}
    step, chat = bind(GENERATOR, script, pivot="en-GB")
    record = seed("Why is grass green?", "en", responses=["It is.", "Chlorophyll."])
    [found] = await step(record)
    [request] = chat.asked
    assert [turn.role for turn in request.messages] == ["system", "user"]
    assert isinstance(found, Record) and found.facts["pivot_responses"] == found.facts["responses"]
    assert "pivot" not in found.facts.get("provenance", {})


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (question(responses=None), "no_responses"),
        (question(responses=["Moja tu."]), "no_responses"),
        (question(responses=["Sawa.", "Sawa."]), "no_responses"),
        (question(responses=["Sawa.", 3]), "no_responses"),
        (question(responses=list("abcdefg")), "no_responses"),
        (seed("", "sw", responses=RESPONSES), "no_instruction"),
        (seed(ASK, "sw", "Nimeshajibu.", responses=RESPONSES), "answered_already"),
    ],
)
async def test_what_cannot_be_ranked_costs_no_call(bind: Bind, record: Record, reason: str) -> None:
    step, chat = bind(GENERATOR)
    [drop] = await step(record)
    assert isinstance(drop, Drop) and drop.reason == reason and not chat.asked


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("pivot", ["en", "es"])
async def test_every_language_goes_from_a_prompt_to_a_pair(
    bind: Bind, language: str, pivot: str
) -> None:
    """translate -> okapi_responses -> okapi, with a pivot that is English or is not."""
    pivot_text = {"en": GOOD["en"][1], "es": "Las abejas recogen el néctar de muchas flores."}[
        pivot
    ]
    own = GOOD[language][1]
    variants = [f"{own} ({number})" for number in (11, 22, 33, 44)]

    def to_pivot(request: Request) -> str:
        return "\n".join(f"{label}\n{pivot_text}" for label in request.inputs["reply_labels"])

    ranking = '{"reasons": "It is so.", "ranking": ["C", "A", "D", "B"]}'
    source = seed("Wie lange soll der Tee ziehen, bis er gut schmeckt?", "de")
    step, _ = bind(
        translate.GENERATOR,
        {"translate/translate": GOOD[language][0]},
        into=[language], response="regenerate", back=False,
    )  # fmt: skip
    [asked] = await step(source)
    assert isinstance(asked, Record), asked
    step, _ = bind(okapi_responses.GENERATOR, {"okapi_responses/respond": variants})
    [answered] = await step(asked)
    assert isinstance(answered, Record), answered
    step, chat = bind(GENERATOR, {"okapi/to_pivot": to_pivot, "okapi/rank": ranking}, pivot=pivot)
    [found] = await step(answered)
    assert isinstance(found, Record), found
    assert found.language == asked.language and found.facts["parallel_id"] == "seed"
    assert {found.last("assistant"), found.facts["rejected"]} <= set(variants)
    assert len(chat.asked) == (1 if language == pivot else 2)


@pytest.mark.slow
def test_jobs_for_each_phase_share_no_prompt_in_any_language(tmp_path: Path) -> None:
    counts = {"supervised": 7, "reward": 8, "reinforcement": 5}
    seen: dict[str, set[str]] = {}
    for phase, count in counts.items():
        changes = [f"steps.reward.with.keep=[{phase}]", f"target.accepted={3 * count}"]
        changes += ["target.round=6"]  # however many rounds it takes
        job = engine.load("okapi", changes)
        records = list(engine.run(job, tmp_path / phase, rehearse=True).records())
        assert {record.language for record in records} == {"de", "zh-Hans", "sw"}
        assert {record.facts["phase"] for record in records} == {phase}
        seen[phase] = {record.facts["parallel_id"] for record in records}
        assert len(seen[phase]) == count
    assert len(set().union(*seen.values())) == 20


@pytest.mark.parametrize("provenance", ["native", ["x"], 3])
async def test_provenance_that_is_none_ranks_all_the_same(bind: Bind, provenance: object) -> None:
    step, _ = bind(GENERATOR, prefers(0, 1, 2))
    [found] = await step(question(provenance=provenance))
    assert isinstance(found, Record)
    assert found.facts["provenance"] == {"instruction": "native", "pivot": "translated"}
