from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from engine import shipped
from engine.core import Drop, Message, Record
from engine.generators.backtranslation import GENERATOR
from engine.models.chat import Reply, Request
from engine.passes.in_context_examples import PASS as EXAMPLES
from engine.text.phrases import phrase_lists
from engine.verifiers.self_curation import VERIFIER
from tests.conftest import Bind, needs_shared, settle
from tests.generators.reversing import (
    DOCUMENTS,
    declarations,
    paper,
    replies,
    seed_pair,
    told,
    written,
)

LABEL = "How does a compost heap get warm, and how do I look after it?"
SCRIPT = {"backtranslation/label": LABEL}
POINTS = ("relevant", "complete", "self_contained", "assistant_like", "expert")


def points(score: int) -> str:
    given = ", ".join(f'"{name}": {str(n < score).lower()}' for n, name in enumerate(POINTS))
    return f'{{"reason": "because", {given}}}'


@pytest.mark.parametrize("path", replies("backtranslation"), ids=lambda path: path.stem)
async def test_replies_as_models_write_them_pair_up_or_drop_by_rule(path: Path, bind: Bind):
    said = written(path)
    step, chat = bind(GENERATOR, {"backtranslation/label": said["reply"]})
    [outcome] = await step(paper(path.stem.partition("_")[0]))
    assert told(outcome) == said["outcome"].strip()
    assert len(chat.asked) == (1 if isinstance(outcome, Record) else 2), "it is asked once more"


async def test_the_response_is_the_segment_byte_for_byte_and_is_marked_augmented(bind: Bind):
    step, _ = bind(GENERATOR, SCRIPT)
    [child] = await step(paper(licence="CC0-1.0", section="Compost"))
    assert child.last("assistant") == DOCUMENTS["en"] and child.last("user") == LABEL
    assert (child.facts["origin"], child.facts["licence"]) == ("augmented", "CC0-1.0")


async def test_seed_pairs_cost_no_call_and_stay_as_they_are_but_for_the_mark(bind: Bind):
    step, chat = bind(GENERATOR, SCRIPT)
    [kept] = await step(seed_pair())
    assert not chat.asked and kept.facts["origin"] == "seed"
    assert kept.messages[1:] == seed_pair().messages and kept.id == seed_pair().id


async def test_system_turns_tell_seeds_from_augmented_pairs_in_their_language(bind: Bind):
    for tag in ("en", "de", "zh", "sw"):
        wording = phrase_lists("backtranslation.yaml")[tag]
        step, _ = bind(GENERATOR, {"backtranslation/label": "Swali? 问题？"})
        [augmented] = await step(paper(tag))
        [seeded] = await step(seed_pair(language=tag))
        assert augmented.last("system") == wording["augmented"][0]
        assert seeded.last("system") == wording["seed"][0] != wording["augmented"][0]


async def test_without_wording_or_wish_there_is_no_system_turn(bind: Bind):
    step, _ = bind(GENERATOR, SCRIPT)
    [welsh] = await step(replace(seed_pair(), language="cy"))
    assert welsh.last("system") == "" and welsh.facts["origin"] == "seed"
    step, _ = bind(GENERATOR, SCRIPT, system_turns=False)
    [plain] = await step(seed_pair())
    assert [turn.role for turn in plain.messages] == ["user", "assistant"]


async def test_a_system_turn_of_the_pairs_own_is_left_alone(bind: Bind):
    own = seed_pair()
    own = replace(own, messages=(Message("system", "Be brief."), *own.messages))
    step, _ = bind(GENERATOR, SCRIPT)
    [kept] = await step(own)
    assert kept.messages == own.messages


def test_every_language_has_both_turns():
    lists = yaml.safe_load((shipped.folder("taxonomies") / "backtranslation.yaml").read_text())
    assert len(lists) >= 12
    for wording in lists.values():
        [seeded], [augmented] = wording["seed"], wording["augmented"]
        assert seeded.strip() and augmented.strip() and seeded != augmented


@pytest.mark.parametrize(
    "record, reason",
    [
        (paper(document=" \n"), "no_document"),
        (paper(document="Too short."), "document_too_short"),
        (paper(document="word " * 1001), "document_too_long"),
        (paper(document="字" * 1600), "document_too_long"),
        (paper(section="HOME | LOGIN | CART"), "heading_is_scrap"),
        (paper(section="BUY THREE PAY TWO"), "heading_is_shouted"),
        (Record("bare", "de"), "no_document"),
    ],
)
async def test_segments_that_will_not_do_cost_no_call(bind: Bind, record: Record, reason: str):
    step, chat = bind(GENERATOR, SCRIPT)
    [outcome] = await step(record)
    assert isinstance(outcome, Drop) and outcome.reason == reason and not chat.asked


async def test_a_cut_label_counts_for_nothing(bind: Bind):
    cut = Reply("Explain how the", model="fake", truncated=True)
    step, _ = bind(GENERATOR, {"backtranslation/label": cut})
    [outcome] = await step(paper())
    assert isinstance(outcome, Drop) and outcome.reason == "no_instruction"


async def test_the_labeller_sees_seed_pairs_with_the_answer_first(bind: Bind):
    [segment] = [
        each
        for each in settle(EXAMPLES, [*map(seed_pair, range(9)), paper()], count=3)
        if "document" in each.facts
    ]
    step, chat = bind(GENERATOR, SCRIPT)
    await step(segment)
    shown = chat.asked[0].inputs["examples"]
    assert len(shown) == 3
    text = chat.asked[0].messages[-1].content
    for example in shown:
        assert text.index(example["response"]) < text.index(example["instruction"])
    assert text.rindex(DOCUMENTS["en"].strip()[-30:]) > text.rindex(shown[-1]["instruction"])


async def test_each_iteration_is_judged_by_what_the_one_before_chose(bind: Bind):
    """Seeds -> M0 -> first scores -> M1 (seeds and A5 of the first) -> second scores."""
    first = {f"s{n}": n % 6 for n in range(12)}  # two segments each of 0 to 5 points
    segments = [paper(id=name, document=f"{DOCUMENTS['en']} Note {name}.") for name in first]
    labelled = []
    step, _ = bind(GENERATOR, {"backtranslation/label": LABEL}, system_turns=False)
    for record in settle(EXAMPLES, [*map(seed_pair, range(3)), *segments], count=3):
        labelled += await step(record)
    name_of = {r.last("assistant"): r.last("assistant").split("Note ")[-1][:-1] for r in labelled}

    def score(request: Request) -> str:
        return points(first[name_of[request.inputs["response"]]])

    judge, chat = bind(VERIFIER, {"self_curation/points": score}, min_score=0)
    judged = [outcome for record in labelled for outcome in await judge(record)]
    assert len(judged) == 15, "all go on to be judged once more"
    for request in chat.asked:
        assert {e["response"] for e in request.inputs["examples"]} == {
            f"Answer number {n}." for n in range(3)
        }
    best = settle(EXAMPLES, judged, score="curation.score", min_score=4.5, count=20, max_words=500)
    again, chat = bind(VERIFIER, {"self_curation/points": points(5)}, min_score=4)
    chosen = [outcome for record in best for outcome in await again(record)]
    seeds = {f"Answer number {n}." for n in range(3)}
    for request in chat.asked:
        shown = {name_of.get(e["response"], "?") for e in request.inputs["examples"]}
        assert {e["response"] for e in request.inputs["examples"]} > seeds
        assert shown <= {"s5", "s11", *map(lambda s: name_of[s], seeds)}
        assert name_of[request.inputs["response"]] not in shown, "nobody is its own example"
    scores = {
        name_of[r.last("assistant")]: r.facts["curation"]["scores"]
        for r in chosen
        if r.facts["origin"] == "augmented"
    }
    assert scores == {name: [score, 5] for name, score in first.items()}
    assert not any("examples" in record.facts for record in chosen)


@needs_shared
async def test_declarations_stay_what_they_are_in_every_script(bind: Bind):
    texts = declarations()
    assert len(texts) >= 20
    step, _ = bind(GENERATOR, {"backtranslation/label": "? ! 1948"}, max_words=10_000)
    for name, tag, text in texts:
        [child] = await step(paper(tag, text, name))
        assert isinstance(child, Record) and child.last("assistant") == text, name
