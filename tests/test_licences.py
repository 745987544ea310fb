from __future__ import annotations

import pytest
import yaml

from engine.licences import every, of_model, of_source, warnings
from tests.conftest import ROOT

LISTED = yaml.safe_load((ROOT / "taxonomies/licences.yaml").read_text(encoding="utf-8"))
ALLOWED = {"yes", "conditions", "no", "unknown"}


def test_every_entry_says_one_of_four_things_and_conditions_say_which():
    entries = [*LISTED["licences"].values(), *LISTED["models"]]
    for entry in entries:
        said = entry.get("training") or entry.get("outputs")
        assert said in ALLOWED, entry
        assert said not in ("conditions", "no") or entry["note"], entry
    names = [name for family in LISTED["models"] for name in family["names"]]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "model, training",
    [
        ("meta-llama/Llama-3.1-8B-Instruct", "conditions"),
        ("meta-llama/Meta-Llama-3-8B-Instruct", "no"),
        ("llama3.1:8b", "conditions"),
        ("/models/Llama-3.2-1B-Instruct/", "conditions"),
        ("Qwen/Qwen2.5-7B-Instruct", "yes"),
        ("Qwen/Qwen2.5-72B-Instruct", "conditions"),
        ("Qwen/Qwen1.5-7B-Chat", "no"),
        ("Qwen/Qwen3-4B", "yes"),
        ("google/gemma-3-4b-it", "conditions"),
        ("google/gemma-4-31B-it", "yes"),
        ("gpt-4o-mini", "no"),
        ("openai/gpt-oss-20b", "yes"),
        ("claude-sonnet-4-5", "no"),
        ("deepseek-ai/DeepSeek-R1", "yes"),
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-8B", "conditions"),
        ("rehearsal", "no"),
    ],
)
def test_a_models_family_is_told_by_its_name(model, training):
    assert of_model(model).training == training


@pytest.mark.parametrize("model", ["", "my-model", "模型", "Qwen9-1B", "llamafile", "a/b/", "\x00"])
def test_a_name_that_says_nothing_is_unknown(model):
    assert of_model(model).training == "unknown" and of_model(model).terms == ""


def test_a_stated_licence_wins_over_the_name():
    assert of_model("gpt-4o", "MIT").training == "yes"
    assert of_model("Qwen3-4B", "some terms of ours").training == "unknown"
    assert of_model("rehearsal", "MIT").training == "no"


@pytest.mark.parametrize(
    "licence, training",
    [
        ("CC0-1.0", "yes"),
        (" apache-2.0 ", "yes"),
        ("cc-by-sa-4.0", "conditions"),
        ("CC-BY-NC-ND-4.0", "no"),
        ("", "unknown"),
        ("house rules", "unknown"),
    ],
)
def test_a_sources_licence_is_an_spdx_identifier_in_any_case(licence, training):
    assert of_source("seeds", licence).training == training


def test_warnings_name_what_forbids_what_asks_and_what_nobody_knows():
    sources, models = every(
        {"web": "", "wiki": "cc-by-sa-4.0", "own": "cc0-1.0"},
        {"writer": ["gpt-4o", "Qwen/Qwen3-4B"], "judge": ["house-model"], "guard": []},
        {"judge": "cc-by-nc-4.0"},
    )
    forbidden, conditions, unknown = warnings([*sources, *models])
    assert "may be forbidden" in forbidden and "gpt-4o (OpenAI" in forbidden
    assert "wiki (cc-by-sa-4.0)" in conditions and "house-model (cc-by-nc-4.0)" in conditions
    assert unknown.endswith("web.")
    said = forbidden + conditions + unknown
    assert "cc0" not in said and "Qwen3" not in said


def test_nothing_to_warn_of_is_no_warning():
    sources, models = every({"own": "mit"}, {"writer": ["Qwen/Qwen3-4B"]})
    assert list(warnings([*sources, *models])) == []
    assert [terms.said for terms in models] == ["allowed"]
    assert list(warnings([])) == []
