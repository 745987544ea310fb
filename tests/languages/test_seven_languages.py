"""Every filter, verifier and pass, on records in seven languages of six scripts.

A part is handed what it needs beside the text (facts, a model that approves), the same in every
language. What it must not do is to drop all of a language: an English default shows here. A part
whose words are lists by language may say ``unworded_language``, for the languages in ``UNWORDED``.
A part that stands in no table below fails the test: whoever adds one says how it is tried.
"""

from __future__ import annotations

import importlib
import json
import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import parts
from engine.core import Drop, Message, Record
from engine.models.chat import Request, Scores
from engine.symbolic.renderings import rendered, words_for
from engine.symbolic.tables import read
from engine.text import chains, pivots
from engine.text.embedding import embedding_fact
from tests.conftest import Bind, settle
from tests.filters.samples import GOOD
from tests.verifiers.test_cycle import STRANGER
from tests.verifiers.toy import PAIRS, SCRIPT

LANGUAGES = ("en", "de", "zh", "ar", "hi", "th", "sw")
UNWORDED = {("pivot_form", "en")}
"""Lists that lack a language: the part does not claim it. English is the pivot there."""

Facts = Mapping[str, Any]


def pair(language: str, n: int = 0, **facts: Any) -> Record:
    """One of three records in a language."""
    key = {"zh": "zh-Hans"}.get(language, language)
    asked, said = (GOOD[language], PAIRS[key], (STRANGER[key], GOOD[language][1]))[n]
    turns = (Message("user", asked), Message("assistant", said))
    return Record(f"{language}{n}", language, turns, facts)


def answered(language: str, asked: str, said: str, **facts: Any) -> Record:
    turns = (Message("user", asked), Message("assistant", said))
    return replace(pair(language, **facts), messages=turns)


# -- filters ---------------------------------------------------------------------------------


def chain(language: str) -> Record:
    words = chains.words_for(language)
    assert words is not None
    asked, said = GOOD[language]
    whole = chains.joined([asked, STRANGER.get(language, asked)], words)
    return answered(language, whole, chains.written([said, said], words), instruction=whole)


def blocks(language: str) -> Record:
    heads = pivots.headings("en", language)
    if heads is None:
        return pair(language)
    row = pivots.Row(GOOD["en"][0], GOOD["en"][1], GOOD[language][1])
    return answered(language, GOOD[language][0], pivots.composed(row, heads))


FILTERS: dict[str, Callable[[str], Record]] = {
    **dict.fromkeys(
        ("copied", "decontaminate", "embed", "format", "hidden_unicode", "human_review",
         "injection", "language", "length", "pii", "refusal", "repetition", "secrets"),
        pair,
    ),
    "chain_form": chain,
    "pivot_form": blocks,
    "phase": lambda language: pair(language, phase="reward"),
    "safety_route": lambda language: pair(language, safety={"class": "ordinary"}),
}  # fmt: skip
"""What each filter is tried on."""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(parts.names("filters")))
async def test_a_filter_keeps_a_good_record(
    bind: Bind, tmp_path: Path, name: str, language: str
) -> None:
    benchmark = tmp_path / "benchmark.jsonl"
    benchmark.write_text('{"question": "How many moons has Jupiter, and who saw them first?"}\n')
    settings: dict[str, dict[str, Any]] = {
        "decontaminate": {"against": benchmark, "fields": ["question"]},
        "phase": {"keep": ["reward"]},
    }
    assert name in FILTERS, f"{name} is tried in no language: say here on what"
    step, _ = bind(_part("filters", name).FILTER, **settings.get(name, {}))
    [outcome] = await step(FILTERS[name](language))
    if (name, language) in UNWORDED:
        assert isinstance(outcome, Drop), "its words are listed now: take it from UNWORDED"
    else:
        assert isinstance(outcome, Record), outcome


# -- verifiers -------------------------------------------------------------------------------

CODE = "```python\ndef add(a, b):\n    return a + b\n```\n\n```python\nassert add(1, 2) == 3\n```"
RULES = {"rules": [["ab", "c"]], "string": "xabab", "mode": "one", "max_steps": 12}
TABLE: dict[str, Any] = {"columns": ["城市", "高度"], "rows": [["伯尔尼", 540], ["格拉茨", 353]]}
SQL = 'SELECT "城市" FROM t WHERE "高度" > 300'
NEEDLE = {"kind": "numbers", "expected": ["1234567"], "none": ["none"]}
LEVELS = {1: 0.05, 2: 0.05, 3: 0.1, 4: 0.5, 5: 0.1, 6: 0.1}


def level(request: Request) -> Scores:
    share = LEVELS[int(request.messages[-1].content)]
    return Scores(("d",), (math.log(share),), "toy")


def said(**values: Any) -> str:
    return json.dumps(values)


def graded(request: Request) -> str:
    assert request.schema is not None
    names = request.schema["required"]
    return json.dumps({name: {"reason": "It is so.", "score": 5} for name in names})


def prefers_the_first(request: Request) -> str:
    first = not request.inputs["response_a"].endswith("!!")
    return said(reason="It is so.", better="A" if first else "B")


def result_of_a_query(language: str) -> Record:
    words = words_for(language)
    assert words is not None
    table = rendered(read(TABLE), "indexed", words)
    facts = {"table": TABLE, "sql": SQL, "rendering": "indexed"}
    return answered(language, f"{SQL}\n\n{table}", "伯尔尼, 格拉茨", **facts)


def with_constraints(language: str) -> Record:
    """In its own language, which somebody has to tell; and of some length."""
    own = {"type": "language:response_language", "params": {"language": language}}
    long = {
        "type": "length_constraints:number_words",
        "params": {"relation": "at least", "count": 5},
    }
    return pair(language, constraints=[own, long])


CRITERIA = said(criteria=[{"criterion": f"Criterion {n}.", "weight": n} for n in (4, 5, 1)])
HARMLESS = dict.fromkeys(("prompt_harm", "response_harm", "refusal", "category"), "none")
POINTS = ("relevant", "complete", "self_contained", "assistant_like", "expert")
Tried = tuple[Callable[[str], Record], dict[str, Any]]
VERIFIERS: dict[str, Tried] = {
    "constraints": (with_constraints, {}),
    "cycle": (pair, {"cycle/reverse": lambda request: ""}),
    "deita": (pair, {"deita/complexity": level, "deita/quality": level}),
    "execution": (lambda tag: answered(tag, GOOD[tag][0], CODE), {}),
    "harm_judge": (pair, {"harm_judge/label": said(reason="It is so.", **HARMLESS)}),
    **dict.fromkeys(("ic_ifd", "ifd", "perplexity", "s_ifd"), (pair, dict(SCRIPT))),
    "instruction_rubric": (
        pair, {"instruction_rubric/criteria": CRITERIA, "instruction_rubric/grade": graded}
    ),
    "judge_ensemble": (pair, {"judge_ensemble/judge": "Right.\n[[5]]"}),
    "majority": (pair, {"majority/solve": ["\\boxed{42}"] * 64}),
    "math": (lambda tag: answered(tag, GOOD[tag][0], "\\boxed{42}", answer="42"), {}),
    "needles": (lambda tag: answered(tag, GOOD[tag][0], "1234567", needles=NEEDLE), {}),
    "pairwise_judge": (
        lambda tag: pair(tag, rejected=GOOD[tag][1] + "!!"),
        {"pairwise_judge/compare": prefers_the_first},
    ),
    "r_ifd": (pair, {**SCRIPT, "r_ifd/reverse": SCRIPT["score"]}),
    "rewriting": (lambda tag: answered(tag, f"{GOOD[tag][0]} ab > c: xabab", "xcab", **RULES), {}),
    "rubric_judge": (pair, {"rubric_judge/judge": graded}),
    "self_curation": (
        lambda tag: pair(tag, origin="augmented"),
        {"self_curation/points": said(reason="It is so.", **dict.fromkeys(POINTS, True))},
    ),
    "self_validation": (
        pair, {"self_validation/validate": said(flaw="none", instruction=5, input=5, output=5)}
    ),
    "sql_answer": (result_of_a_query, {}),
}  # fmt: skip
"""What each verifier is tried on, and what the model says that it asks: that all is well."""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(parts.names("verifiers")))
async def test_a_verifier_keeps_what_a_model_approves(bind: Bind, name: str, language: str) -> None:
    assert name in VERIFIERS, f"{name} is tried in no language: say here on what"
    made, script = VERIFIERS[name]
    record = made(language)
    if name == "cycle":
        script = {"cycle/reverse": record.last("user")}
    step, _ = bind(_part("verifiers", name).VERIFIER, script)
    [outcome] = await step(record)
    assert isinstance(outcome, Record), outcome


# -- passes ----------------------------------------------------------------------------------

SIZE = 18
"""Of 21 records: a pass that chooses has to leave out some, and no language."""
AS_THEY_ARE = (
    "balance constraint_pool duplicate_code exact_duplicate human_instructions in_context_examples "
    "merge_pairs mosaic_rows near_duplicate other_steps rouge_novelty safety_quota "
    "semantic_duplicate split tag_synonyms task_coverage translated_duplicate weak_points"
)
SIZED = ["facility_location", "k_center", "k_means", "submodular_mix", "temperature_mix"]
PASSES: dict[str, dict[str, Any]] = {
    **{name: {} for name in AS_THEY_ARE.split()},
    **{name: {"size": SIZE} for name in SIZED},
    "best_share": {"scores": ["scores.mean"], "share": 0.9},
    "deita_select": {"size": SIZE, "score": "scores.mean", "threshold": 1},
    "language_mix": {"size": 14, "temperature": 1},
    "n_shot": {"unsplit": "accept"},
    "other_rows": {"facts": ["task"]},
    "phase_split": {"counts": {"supervised": 9, "reward": 7, "reinforcement": 5}},
    "top_share": {"score": "scores.mean", "then": "difficulty", "share": 0.9},
    "weighted_coreset": {"size": SIZE, "weights": ["scores.mean"]},
}  # fmt: skip
"""How each pass is set."""
RING = {
    one: {other: 1} for one, other in zip(LANGUAGES, LANGUAGES[1:] + LANGUAGES[:1], strict=True)
}
"""Every language asks for the next one, and the last for the first."""


def linked(record: Record, n: int) -> dict[str, Any]:
    """A task that leads to the two others of its language."""
    others = [
        {"id": f"{record.language}{m}", "task": f"{record.language} {m}", "leads": True}
        for m in range(3)
        if m != n
    ]
    own = {"leads": True, "follows": True, "task": f"{record.language} {n}"}
    return {**own, "followers": others, "strangers": []}


def shared_example(record: Record, n: int) -> dict[str, Any]:
    """What is the same in all languages."""
    return {"parallel_id": f"e{n}", "headline": record.last("user")}


def of_one_task(record: Record, n: int) -> dict[str, Any]:
    asked = record.last("user")
    return {"task_id": record.language, "instruction": asked, "input": asked}


def told_about(record: Record, n: int) -> dict[str, Any]:
    """Rich and hard, as two models said."""
    tags = [f"{record.language} {m}" for m in range(5)]
    return {"label": {"tags": tags}, "scores_ifd": {"ifd_perplexities": 0.9 - n / 10}}


OWN_FACTS: dict[str, tuple[Callable[[Record, int], dict[str, Any]], dict[str, Any]]] = {
    "aligned_rows": (shared_example, {"key": "parallel_id", "facts": ["headline"]}),
    "chain_partners": (linked, {}),
    "chain_walks": (linked, {}),
    "cross_in_pairs": (shared_example, {"size": 7, "weights": RING, "forms": {"answer": 1}}),
    "gather_tasks": (of_one_task, {"examples": 1}),
    "haystacks": (lambda record, n: {"document": record.last("assistant")}, {"characters": 100}),
    "informative_seeds": (told_about, {}),
    "parallel_ids": (shared_example, {"languages": list(LANGUAGES)}),
}
"""Passes over records that only their own generators make: what these know, and how each is set."""


def records() -> list[Record]:
    """Three in each language, with vectors and scores."""
    made = []
    for language in LANGUAGES:
        for n in range(3):
            record = pair(language, n)
            name = zlib.crc32(record.last("user").encode())
            vector = np.random.default_rng(name).normal(size=8).astype(np.float32)
            made.append(
                record.with_facts(
                    embedding=embedding_fact(vector / np.linalg.norm(vector), "toy", "instruction"),
                    scores={"mean": 3 + n / 2},
                    difficulty=n,
                    task="abc"[n],
                    source="seeds",
                )
            )
    return made


@pytest.mark.parametrize("name", sorted(set(parts.names("passes")) - set(OWN_FACTS)))
def test_a_pass_leaves_records_of_every_language(name: str) -> None:
    assert name in PASSES, f"{name} is tried in no language: say here how it is set"
    outcomes = settle(_part("passes", name).PASS, records(), **PASSES[name])
    kept = {outcome.language for outcome in outcomes if isinstance(outcome, Record)}
    missing = set(LANGUAGES) - kept
    assert missing == {language for part, language in UNWORDED if part == name}
    for outcome in outcomes:
        if isinstance(outcome, Drop) and outcome.record.language in missing:
            assert outcome.reason == "unworded_language"


@pytest.mark.parametrize("name", OWN_FACTS)
def test_a_pass_over_what_its_method_makes_leaves_records_of_every_language(name: str) -> None:
    facts, settings = OWN_FACTS[name]
    made = [record.with_facts(**facts(record, at % 3)) for at, record in enumerate(records())]
    outcomes = settle(_part("passes", name).PASS, made, **settings)
    kept = [outcome for outcome in outcomes if isinstance(outcome, Record)]
    assert {record.language for record in kept} == set(LANGUAGES)
    for record in kept:
        noted = {fact: value for fact, value in record.facts.items() if fact not in made[0].facts}
        assert all(noted.values()), noted


def _part(kind: str, name: str) -> Any:
    return importlib.import_module(parts.names(kind)[name])
