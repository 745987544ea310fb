"""The card states every number, labels a rehearsal, and publishes no secret."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest
import yaml

from engine.card import About, Stage, card, without_secrets

ABOUT = About(
    name="evol_de",
    job="version: 1\njob: evol_de\nmodels:\n  big: {url: http://gpu:8000/v1}\n",
    engine="0.1.0",
    format="messages",
    splits={"train": 11_873, "validation": 619},
    pattern="data/{split}-*.parquet",
    languages={"de": 12_001, "zh-Hans": 491},
    models={"big": ["Qwen/Qwen3-32B", "Qwen/Qwen3-8B"], "judge": ["mistral"]},
    prompts=["evol_instruct/deepen@9f3c2a", "evol_instruct/judge@11aa22"],
    funnel=[
        Stage("evolve", 20_007, 17_504, {"copied_seed": 2_401, "bad_reply": 102}),
        Stage("novel", 17_504, 12_492, {"near_duplicate": 5_012}),
    ],
    licences={"lines": "CC-BY-4.0", "docs": "CC-BY-4.0"},
    rehearsal=False,
    target=15_000,
    sizes={"train": 9_000_000, "validation": 400_000},
)


def front(text):
    return yaml.safe_load(text.split("---\n")[1])


def test_the_front_matter_is_what_the_hub_reads():
    assert front(card(ABOUT)) == {
        "pretty_name": "evol_de",
        "license": "cc-by-4.0",
        "language": ["de", "zh"],
        "language_bcp47": ["de", "zh-Hans"],
        "task_categories": ["text-generation"],
        "tags": ["synthetic", "synth-engine"],
        "size_categories": ["10K<n<100K"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": "train", "path": "data/train-*.parquet"},
                    {"split": "validation", "path": "data/validation-*.parquet"},
                ],
            }
        ],
        "dataset_info": {
            "splits": [
                {"name": "train", "num_bytes": 9_000_000, "num_examples": 11_873},
                {"name": "validation", "num_bytes": 400_000, "num_examples": 619},
            ]
        },
    }


@pytest.mark.parametrize(
    "stated",
    [
        {"a": "CC-BY-4.0", "b": "MIT"},
        {"a": "CC-BY-4.0", "b": ""},
        {"a": "house rules"},
        {},
    ],
)
def test_no_license_is_claimed_when_it_is_mixed_or_unknown(stated):
    assert "license" not in front(card(replace(ABOUT, licences=stated)))


@pytest.mark.parametrize(
    ("records", "size"), [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (20_000_000, "n>10M")]
)
def test_the_size_category_follows_the_count(records, size):
    made = front(card(replace(ABOUT, splits={"train": records})))
    assert made["size_categories"] == [size]


def test_every_number_and_name_is_there():
    text = card(ABOUT)
    for line in (
        "12,492 records of 15,000 asked for, in 2 languages",
        "| train | 11,873 |",
        "| zh-Hans | 491 |",
        "| evolve | 20,007 | 17,504 | copied_seed 2,401, bad_reply 102 |",
        "| novel | 17,504 | 12,492 | near_duplicate 5,012 |",
        "| big | Qwen/Qwen3-32B, Qwen/Qwen3-8B |",
        "- `evol_instruct/deepen@9f3c2a`",
        "| docs | CC-BY-4.0 |",
        "synth-engine 0.1.0",
        "The job asked for 15,000 records; 12,492 were kept.",
    ):
        assert line in text, line
    assert "no legal advice" in text


def test_the_terms_of_sources_and_models_stand_with_a_warning_where_they_forbid_training():
    plain = card(ABOUT)
    assert "| Qwen/Qwen3-8B | Apache-2.0 | allowed" in plain
    assert "Training on this dataset may be forbidden" not in plain
    stated = card(replace(ABOUT, stated={"big": "CC-BY-NC-ND-4.0"}))
    assert "| Qwen/Qwen3-8B | CC-BY-NC-ND-4.0 |" in stated
    closed = card(replace(ABOUT, models={"big": ["gpt-4o"]}))
    assert "**Training on this dataset may be forbidden.** gpt-4o" in closed


def test_a_rehearsal_is_labelled_at_the_top_and_in_the_tags():
    text = card(replace(ABOUT, rehearsal=True))
    assert "rehearsal" in front(text)["tags"]
    assert text.split("# evol_de\n\n")[1].startswith("> **REHEARSAL. Do not train on this.**")
    assert "REHEARSAL" not in card(ABOUT)


def test_the_job_is_in_a_fence_longer_than_any_in_it():
    job = 'job: x\nnote: "````python"\n'
    text = card(replace(ABOUT, job=job))
    assert f"`````yaml\n{job}`````" in text


def test_names_cannot_break_the_tables():
    stage = Stage("a|b\n# c", 1, 0, {"<script>": 1})
    text = card(replace(ABOUT, funnel=[stage]))
    assert "| a\\|b # c | 1 | 0 | &lt;script> 1 |" in text


def test_an_empty_dataset_still_has_a_card():
    text = card(replace(ABOUT, splits={}, languages={}, models={}, prompts=[], funnel=[]))
    assert "0 records of 15,000 asked for" in text
    assert "language" not in front(text)


@pytest.mark.parametrize(
    "line",
    [
        "api_key: sk-geheim",
        "api_key: 'sk-geheim'",
        "api_key: >-\n      sk-geheim\n",
        "api_key:\n      sk-geheim",
        '"api_key": &k "sk-geheim"',
        "url: http://me:sk-geheim@gpu/v1",
    ],
)
def test_a_key_written_into_the_job_is_not_published(line):
    job = f"models:\n  big:\n    {line}\n    revision: main\n"
    blanked = without_secrets(job)
    assert "geheim" not in blanked
    assert yaml.safe_load(blanked)["models"]["big"]["revision"] == "main"
    assert "geheim" not in card(replace(ABOUT, job=job))


def test_a_variable_that_holds_a_key_stays():
    job = "models: {big: {api_key: '${MY_KEY}', url: 'http://${HOST}/v1'}}\n"
    assert without_secrets(job) == job


def test_headings_follow_each_other_without_gaps_in_level():
    levels = [len(h) for h in re.findall(r"^(#+) ", card(ABOUT), flags=re.MULTILINE)]
    assert levels[0] == 1 and all(b - a <= 1 for a, b in pairwise(levels))
