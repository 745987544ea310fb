from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from engine.core import Drop, Record
from engine.generators.muri import GENERATOR
from engine.models.chat import Reply, Request
from engine.sources.documents import SOURCE as DOCUMENTS_SOURCE
from engine.text.nearer import nearer
from tests.conftest import SHARED, Bind, needs_shared, read, seed
from tests.generators.reversing import (
    DOCUMENTS,
    TAGS,
    declarations,
    paper,
    replies,
    told,
    written,
)

PIVOT = written(next(path for path in replies("muri") if path.stem == "de_plain"))
SCRIPT = {f"muri/{name}": PIVOT[name] for name in ("to_pivot", "reverse", "from_pivot")}
ARTICLE = "Everyone has the right to life, liberty and security of person, and to rest and leisure."


def asked(chat: Any) -> list[str]:
    return [request.prompt.partition("@")[0].removeprefix("muri/") for request in chat.asked]


@pytest.mark.parametrize("path", replies("muri"), ids=lambda path: path.stem)
async def test_replies_as_models_write_them_pair_up_or_drop_by_rule(path: Path, bind: Bind):
    said = written(path)
    script = {f"muri/{name}": said[name] for name in ("to_pivot", "reverse", "from_pivot")}
    script["muri/to_pivot"] = said["to_pivot"].replace("<document>", DOCUMENTS["de"])
    step, chat = bind(GENERATOR, script)
    [outcome] = await step(paper("de"))
    assert told(outcome) == said["outcome"].strip()
    if isinstance(outcome, Drop) and outcome.reason != "not_translated":
        assert asked(chat).count("reverse") == 2, "it is asked once more"


async def test_the_response_is_the_document_and_only_the_instruction_was_translated(bind: Bind):
    step, chat = bind(GENERATOR, SCRIPT)
    [child] = await step(paper("de"))
    assert isinstance(child, Record) and child.last("assistant") == DOCUMENTS["de"]
    assert asked(chat) == ["to_pivot", "reverse", "from_pivot"]
    assert [request.language for request in chat.asked] == ["en", "en", "de"]
    assert chat.asked[1].inputs["document"] == PIVOT["to_pivot"], "found in the pivot language"
    assert chat.asked[2].inputs["instruction"] == PIVOT["reverse"]
    assert (chat.asked[0].inputs["origin"], chat.asked[2].inputs["origin"]) == ("German", "English")
    assert child.facts["provenance"] == {"instruction": "translated", "response": "native"}
    assert child.facts["pivot_instruction"] == PIVOT["reverse"] and "document" not in child.facts


async def test_two_calls_of_the_translator_stand_in_the_lineage(bind: Bind):
    step, _ = bind(GENERATOR, SCRIPT)
    [child] = await step(paper("de"))
    [hop] = child.lineage
    assert Counter(call.role for call in hop.calls) == {"translator": 2, "writer": 1}


async def test_a_document_in_the_pivot_language_needs_no_translator(bind: Bind):
    step, chat = bind(GENERATOR, {"muri/reverse": "How do I keep compost warm?"})
    [child] = await step(paper("en"))
    assert asked(chat) == ["reverse"] and child.last("user") == "How do I keep compost warm?"
    [hop] = child.lineage
    assert [call.role for call in hop.calls] == ["writer"]


async def test_the_pivot_is_the_jobs_choice(bind: Bind):
    pivot, back = DOCUMENTS["de"], "How do I bake a loaf without kneading the dough?"
    script = {"muri/to_pivot": pivot, "muri/reverse": PIVOT["from_pivot"], "muri/from_pivot": back}
    step, chat = bind(GENERATOR, script, pivot="de")
    [child] = await step(paper("en"))
    assert [request.language for request in chat.asked] == ["de", "de", "en"]
    assert child.last("user") == back and child.facts["pivot"] == "de"


async def test_an_instruction_that_comes_back_in_the_pivot_language_is_found_anew(bind: Bind):
    def back(request: Request) -> str:
        return PIVOT["from_pivot"] if request.take else PIVOT["reverse"]

    step, chat = bind(GENERATOR, {**SCRIPT, "muri/from_pivot": back})
    [child] = await step(paper("de"))
    assert child.last("user") == PIVOT["from_pivot"]
    assert asked(chat) == ["to_pivot", "reverse", "from_pivot", "reverse", "from_pivot"]


async def test_an_instruction_in_a_script_of_its_own_needs_no_words_of_the_document(bind: Bind):
    said = "列出四种"
    assert not nearer(said, DOCUMENTS["zh"], PIVOT["to_pivot"])
    step, chat = bind(GENERATOR, {**SCRIPT, "muri/from_pivot": said})
    [child] = await step(paper("zh"))
    assert child.last("user") == said and asked(chat) == ["to_pivot", "reverse", "from_pivot"]


async def test_a_translation_cut_by_the_token_limit_ends_it(bind: Bind):
    cut = Reply(PIVOT["to_pivot"], model="fake", truncated=True)
    step, chat = bind(GENERATOR, {**SCRIPT, "muri/to_pivot": cut})
    [outcome] = await step(paper("de"))
    assert isinstance(outcome, Drop) and outcome.reason == "cut_translation"
    assert asked(chat) == ["to_pivot"]


@pytest.mark.parametrize(
    "record, reason",
    [(seed("Hallo"), "no_document"), (paper("de", "Zu kurz."), "document_too_short"),
     (paper("zh", "太短了。"), "document_too_short")],
)  # fmt: skip
async def test_documents_that_will_not_do_cost_no_call(bind: Bind, record: Record, reason: str):
    step, chat = bind(GENERATOR, SCRIPT)
    [outcome] = await step(record)
    assert isinstance(outcome, Drop) and outcome.reason == reason and not chat.asked


async def test_of_a_very_long_document_head_and_tail_are_translated(bind: Bind):
    long = DOCUMENTS["de"] + " Und noch ein Satz dazu." * 20_000 + " Ende."
    step, chat = bind(GENERATOR, SCRIPT, max_document_chars=2000)
    [child] = await step(paper("de", long))
    assert len(chat.asked[0].inputs["document"]) <= 2010
    assert child.last("assistant") == long


async def test_totals_by_source_add_up(bind: Bind):
    step, _ = bind(GENERATOR, SCRIPT)
    given = [paper("de", id=f"r{n}", source=("wiki", "crawl")[n % 3 == 0]) for n in range(31)]
    found = [outcome for record in given for outcome in await step(record)]
    counted = Counter(outcome.facts["source"] for outcome in found)
    assert counted == {"wiki": 20, "crawl": 11} and counted.total() == len(given)


@needs_shared
async def test_declarations_in_many_scripts_become_responses_byte_for_byte(bind: Bind):
    texts = declarations()
    assert len(texts) >= 20, [name for name, _, _ in texts]
    english = next(text for _, tag, text in texts if tag == "en")
    for name, tag, text in texts:
        sentence = max((line.strip() for line in text.splitlines()), key=len)[:120]
        script = {
            "muri/to_pivot": english[:3000],
            "muri/reverse": "List the rights every human being has.",
            "muri/from_pivot": sentence,
        }
        step, chat = bind(GENERATOR, script, max_shared_words=60)
        [child] = await step(paper(tag, text, name))
        assert isinstance(child, Record), (name, child)
        assert child.last("assistant") == text, name
        assert asked(chat) == (
            ["reverse"] if tag == "en" else ["to_pivot", "reverse", "from_pivot"]
        )


@needs_shared
async def test_every_part_of_a_cut_document_is_a_span_of_its_file(bind: Bind):
    whole = {name: text for name, _, text in declarations()}
    wanted = {"path": SHARED / "udhr2.zip", "glob": [f"{name}.txt" for name in TAGS]}
    how = {"language_from": "stem", "languages": TAGS, "split": "paragraphs"}
    parts = [
        part
        for part in read(DOCUMENTS_SOURCE, SHARED, **wanted, **how, min_characters=1500)
        if part.facts["part"] == 1
    ]
    assert len({part.language for part in parts}) >= 20
    for part in parts:
        script = {"muri/to_pivot": ARTICLE, "muri/reverse": "List some rights."}
        text = part.facts["document"]
        script |= {"muri/from_pivot": text[-90:]}
        step, _ = bind(GENERATOR, script, min_words=1, max_shared_words=400)
        [child] = await step(part)
        assert isinstance(child, Record), (part.language, child)
        start, end = child.facts["span"]
        assert child.last("assistant") == text == whole[Path(part.facts["path"]).stem][start:end]
