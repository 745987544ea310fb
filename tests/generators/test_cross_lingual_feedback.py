from __future__ import annotations

import json
from collections import Counter
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import pytest

from engine.core import Drop, Message, Record
from engine.filters.language import FILTER as LANGUAGE
from engine.generators import cross_lingual_answers
from engine.generators.cross_lingual_feedback import GENERATOR
from engine.models.chat import Request
from engine.passes.balance import PASS as BALANCE
from engine.rows import row
from tests.conftest import Bind, seed, settle
from tests.filters.samples import GOOD
from tests.generators.reversing import replies, written

ASK = "Why do onions make people cry?\nJibu kwa Kiswahili."
RANK = "cross_lingual_feedback/rank"
LANGUAGES = ("en", "de", "zh", "ar", "hi", "th", "sw")
ANSWERS = [f"{GOOD['sw'][1]} ({letter})" for letter in "wxyz"]
WRITERS = [{"role": f"writer_{n}", "model": f"model-{n}"} for n in range(4)]


def question(id: str = "seed", responses: Any = ANSWERS, **facts: Any) -> Record:
    said = {"instruction_language": "en", "output_language": "sw", "written_by": WRITERS}
    turns = (Message("user", ASK),)
    return Record(id, "sw", turns, {"responses": responses, **said, **facts})


def prefers(*order: int) -> dict[str, Any]:
    def rank(request: Request) -> str:
        letter = {text: label for label, text in request.inputs["answers"]}
        said = [letter[ANSWERS[number]] for number in order]
        return json.dumps({"reasons": "It is so.", "ranking": said})

    return {RANK: rank}


@pytest.mark.parametrize("path", replies("cross_lingual_feedback"), ids=lambda path: path.stem)
async def test_replies_as_models_write_them_rank_or_drop_by_rule(path: Path, bind: Bind) -> None:
    file = written(path)
    said = [file[name] for name in ("first", "second", "third") if name in file]
    step, chat = bind(GENERATOR, {RANK: said})
    [outcome] = await step(question())
    assert len(chat.asked) == len(said)
    if isinstance(outcome, Drop):
        assert outcome.reason == file["outcome"]
        return
    order = [outcome.facts["shown"]["ABCD".index(each)] for each in file["outcome"].split()]
    assert [outcome.facts["ranks"][place] for place in order] == [1, 2, 3, 4]
    assert outcome.facts["pair"] == [order[0], order[-1]]


async def test_the_pair_says_who_wrote_which_whatever_the_order_shown(bind: Bind) -> None:
    shown = set()
    for number, order in enumerate(permutations(range(4))):
        step, _ = bind(GENERATOR, prefers(*order))
        [found] = await step(question(f"r{number}"))
        assert isinstance(found, Record)
        best, worst = order[0], order[-1]
        assert found.last("assistant") == ANSWERS[best]
        assert found.facts["rejected"] == ANSWERS[worst]
        assert found.facts["chosen_by"] == WRITERS[best]
        assert found.facts["rejected_by"] == WRITERS[worst]
        assert sorted(found.facts["ranks"]) == [1, 2, 3, 4], "a permutation"
        shown.add(tuple(found.facts["shown"]))
    assert len(shown) > 8, "no place is always the same answer's"


@pytest.mark.parametrize(("which", "pairs"), [("best_worst", 1), ("adjacent", 3), ("all", 6)])
async def test_the_job_says_which_pairs_are_made(bind: Bind, which: str, pairs: int) -> None:
    step, chat = bind(GENERATOR, prefers(3, 1, 0, 2), pairs=which)
    found = [each for each in await step(question()) if isinstance(each, Record)]
    assert len(found) == pairs == len({each.id for each in found}) and len(chat.asked) == 1
    if which == "all":
        assert [tuple(each.facts["pair"]) for each in found] == list(combinations((3, 1, 0, 2), 2))


async def test_the_judge_is_told_both_languages_and_shown_no_writer(bind: Bind) -> None:
    step, chat = bind(GENERATOR, prefers(0, 1, 2, 3))
    [found] = await step(question())
    [request] = chat.asked
    said = "\n".join(turn.content for turn in request.messages)
    assert "English" in said and "Swahili" in said and ASK in said
    assert "model-" not in said and "writer_" not in said and request.role == "judge"
    assert row(found, "preference")["rejected"][0]["content"] == ANSWERS[3]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (question(responses=None), "no_responses"),
        (question(responses=ANSWERS[:1]), "no_responses"),
        (question(responses=[ANSWERS[0], ANSWERS[0]]), "no_responses"),
        (seed("", "sw", responses=ANSWERS), "no_instruction"),
    ],
)
async def test_what_cannot_be_ranked_costs_no_call(bind: Bind, record: Record, reason: str) -> None:
    step, chat = bind(GENERATOR)
    [drop] = await step(record)
    assert isinstance(drop, Drop) and drop.reason == reason and not chat.asked


@pytest.mark.slow
async def test_both_sides_of_every_pair_are_in_the_language_and_quotas_are_exact(
    bind: Bind,
) -> None:
    """Writers that answer in any of the seven languages; all 42 directions, to a quota each."""

    def answer(request: Request) -> str:
        number = len(chat.asked)
        tag = request.language if number % 3 else LANGUAGES[number % 7]
        return f"{GOOD[tag][1]} ({number})"

    ranking = json.dumps({"reasons": "It is so.", "ranking": ["B", "A"]})
    rank, _ = bind(GENERATOR, {RANK: ranking})
    told, _ = bind(LANGUAGE, fields=("response", "rejected"), unsure="drop")
    into = dict.fromkeys(LANGUAGES, 1)
    made: list[Record] = []
    for asked in LANGUAGES:
        step, chat = bind(
            cross_lingual_answers.GENERATOR,
            {"cross_lingual_answers/answer": answer},
            into=into, answers=2, takes=6, writers=2,
        )  # fmt: skip
        for number in range(48):
            turns = (Message("user", GOOD[asked][0]),)
            [found] = await step(Record(f"{asked}{number}", asked, turns))
            assert isinstance(found, Record), found
            made += await rank(found)  # type: ignore[arg-type]
    for record in made:
        [kept] = await told(record)
        assert isinstance(kept, Record), kept
        assert set(kept.facts["identified"]) == {"response", "rejected"}
        assert record.language == record.facts["output_language"]
    by = ["instruction_language", "output_language"]
    wanted = {"en / sw": 3, "th / ar": 4, "zh / hi": 3, "sw / zh": 4, "de / en": 2}
    outcomes = settle(BALANCE, made, by=by, counts=wanted, short="refuse")
    kept = [each for each in outcomes if isinstance(each, Record)]
    assert Counter(" / ".join(each.facts[name] for name in by) for each in kept) == wanted


@pytest.mark.parametrize("written_by", [5, "x", {"role": "writer"}, [{"role": "writer"}]])
async def test_writers_that_do_not_fit_the_answers_are_not_known(
    bind: Bind, written_by: object
) -> None:
    step, _ = bind(GENERATOR, prefers(0, 1, 2, 3))
    [found] = await step(question(written_by=written_by))
    assert isinstance(found, Record) and found.facts["chosen_by"] is None
