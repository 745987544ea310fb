from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.core import Drop, JobError, Record
from engine.generators.subject_tags import GENERATOR
from engine.models.chat import Request
from engine.taxonomy import leaves, load, names, shipped
from tests.conftest import SHARED, Bind, needs_shared, seed

REPLIES = sorted((Path(__file__).parent / "replies" / "subject_tags").glob("*.txt"))
PHYSICS = "natural_science/physics"


def script(tagged: Any, choose: Any = "other") -> dict[str, Any]:
    return {"subject_tags/tag": tagged, "subject_tags/choose": choose}


def tagged(*tags: str) -> str:
    return json.dumps({"topics": list(tags), "skills": []})


def physics(request: Request) -> str:
    """Goes down to physics, a level at a time."""
    keys = [each["key"] for each in request.inputs["categories"]]  # type: ignore[attr-defined]
    return "natural_science" if "natural_science" in keys else "physics"


def written(path: Path) -> tuple[str, str]:
    """What a model replied, and what must become of it."""
    reply, _, expected = path.read_text(encoding="utf-8").rpartition("\n=== outcome\n")
    return reply, expected.strip()


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_tags_as_models_write_them_are_tidied_or_drop(path: Path, bind: Bind):
    reply, expected = written(path)
    step, _ = bind(GENERATOR, script(reply))
    [outcome] = await step(seed("Erkläre Ebbe und Flut.", language=path.stem.split("_")[0]))
    told = (
        outcome.reason if isinstance(outcome, Drop) else " | ".join(outcome.facts["label"]["tags"])
    )
    assert told == expected


async def test_the_model_chooses_a_macro_category_and_then_one_below_it(bind: Bind):
    step, chat = bind(GENERATOR, script(tagged("gezeiten"), physics))
    [record] = await step(seed("Erkläre Ebbe und Flut."))
    assert isinstance(record, Record) and record.facts["label"] == {
        "tags": ["gezeiten"],
        "macro": "natural_science",
        "category": PHYSICS,
        "names": ["Naturwissenschaft", "Physik"],
    }
    assert len(chat.asked) == 3
    first, second = (request.inputs["categories"] for request in chat.asked[1:])
    assert len(first) == 25 and [each["key"] for each in second] == [
        "physics", "chemistry", "biology", "earth_and_space",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tag", "category"),
    [
        ("physics", PHYSICS),
        ("Physik", PHYSICS),
        ("física", PHYSICS),
        ("Physique!", PHYSICS),
        ("物理", PHYSICS),
        ("writing_code", "programming/writing_code"),
        ("Erste Hilfe", "health/first_aid"),
    ],
)
async def test_a_tag_that_is_a_categorys_name_is_mapped_without_a_model(
    bind: Bind, tag: str, category: str
):
    step, chat = bind(GENERATOR, script(tagged(tag)))
    [record] = await step(seed("说说看。", "zh"))
    assert isinstance(record, Record) and record.facts["label"]["category"] == category
    assert len(chat.asked) == 1


async def test_most_names_decide_and_the_name_of_a_macro_category_is_gone_below(bind: Bind):
    step, _ = bind(GENERATOR, script(tagged("algebra", "music", "Musik")))
    [record] = await step(seed("Zähle die Takte."))
    assert isinstance(record, Record) and record.facts["label"]["category"] == "arts/music"
    step, chat = bind(GENERATOR, script(tagged("reasoning"), "logic"))
    [record] = await step(seed("Löse das Rätsel."))
    assert isinstance(record, Record) and record.facts["label"]["category"] == "reasoning/logic"
    assert len(chat.asked) == 2


async def test_other_goes_no_deeper(bind: Bind):
    for said, macro, category in (
        (["other"], "other", "other"),
        (["arts", "other"], "arts", "arts"),
    ):
        replies = iter(said)
        step, _ = bind(GENERATOR, script(tagged("gezeiten"), lambda r, it=replies: next(it)))
        [record] = await step(seed("Frage."))
        assert isinstance(record, Record)
        assert (record.facts["label"]["macro"], record.facts["label"]["category"]) == (
            macro,
            category,
        )


async def test_a_key_that_is_not_offered_is_asked_for_again_and_then_drops(bind: Bind):
    step, chat = bind(GENERATOR, script(tagged("gezeiten"), "astrology"))
    [outcome] = await step(seed("Frage."))
    assert isinstance(outcome, Drop) and outcome.reason == "bad_reply" and len(chat.asked) == 4


async def test_tags_may_be_in_one_language_for_all_records(bind: Bind):
    for setting, asked in ((dict(tag_language="en"), "English"), ({}, "Swahili")):
        step, chat = bind(GENERATOR, script(tagged("tides")), **setting)
        await step(seed("Eleza maji.", "sw"))
        assert chat.asked[0].inputs["language"] == asked


async def test_a_tree_of_ones_own_may_have_any_depth(bind: Bind, tmp_path: Path):
    own = tmp_path / "own.yaml"
    own.write_text("sea: {children: {water: [tides, waves]}}\nland:\n", encoding="utf-8")
    replies = iter(["sea", "water", "waves"])
    step, _ = bind(GENERATOR, script(tagged("x"), lambda r: next(replies)), categories=own)
    [record] = await step(seed("Frage."))
    assert isinstance(record, Record) and record.facts["label"]["category"] == "sea/water/waves"
    step, _ = bind(GENERATOR, script(tagged("Land")), categories=own)
    [record] = await step(seed("Frage."))
    assert isinstance(record, Record) and record.facts["label"]["names"] == ["land"]


async def test_a_file_that_is_no_tree_is_the_jobs_mistake(bind: Bind, tmp_path: Path):
    (tmp_path / "no.yaml").write_text("[", encoding="utf-8")
    step, _ = bind(GENERATOR, script(tagged("x")), categories=tmp_path / "no.yaml")
    with pytest.raises(JobError, match=r"no\.yaml"):
        await step(seed("Frage."))


async def test_what_asks_nothing_costs_no_call(bind: Bind):
    step, chat = bind(GENERATOR, script(tagged("x")))
    [outcome] = await step(seed(""))
    assert isinstance(outcome, Drop) and outcome.reason == "no_instruction" and not chat.asked


def test_the_shipped_tree_has_25_macro_categories_in_five_languages():
    tree = load(shipped("subject_tags") or Path())
    macros = list(tree.successors(""))
    assert len(macros) == 25 and len(list(leaves(tree))) >= 75
    for node in [node for node in tree.nodes if node]:
        assert {"en", "de", "es", "fr", "zh"} <= set(tree.nodes[node]["names"]), node
        assert node.count("/") == (0 if node in macros else 1)
    for macro in macros:
        assert 3 <= tree.out_degree(macro) <= 5
        assert len({names(tree, macro, tag)[0] for tag in ("en", "zh")}) == 2


def test_the_drawn_graph_maps_by_name_or_goes_down_the_tree():
    drawn = GENERATOR.graph().compile().get_graph()
    edges = {(edge.source, edge.target) for edge in drawn.edges}
    assert {
        ("tag", "normalise"), ("normalise", "label"), ("normalise", "choose"),
        ("choose", "choose"), ("choose", "label"), ("normalise", "give_up"),
    } <= edges  # fmt: skip


@needs_shared
async def test_the_public_seed_tasks_are_tagged(bind: Bind):
    lines = (SHARED / "self_instruct_seed_tasks.jsonl").read_text(encoding="utf-8").splitlines()
    step, _ = bind(GENERATOR, script(tagged("tides"), physics))
    for task in map(json.loads, lines):
        [record] = await step(seed(task["instruction"], "en"))
        assert isinstance(record, Record) and record.facts["label"]["category"] == PHYSICS
