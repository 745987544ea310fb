from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from engine.core import Drop, Outcome, Record
from engine.generators.string_rewriting import GENERATOR
from engine.passes.split import PASS as SPLIT
from engine.verifiers.rewriting import VERIFIER
from tests.conftest import Bind, settle

LANGUAGES = ["en", "de", "zh", "ar", "hi", "th", "sw"]


async def made(bind: Bind, language: str = "en", n: int = 0, **params: Any) -> list[Outcome]:
    step, chat = bind(GENERATOR, **params)
    out = list(await step(Record(f"seed{n}", language)))
    assert not chat.asked
    return out


async def many(bind: Bind, count: int, **params: Any) -> list[Record]:
    step, _ = bind(GENERATOR, **params)
    seeds = (Record(f"s{n}", LANGUAGES[n % len(LANGUAGES)]) for n in range(count))
    return [r for seed in seeds for r in await step(seed) if isinstance(r, Record)]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_row_is_right_when_it_is_worked_out_again(bind: Bind, language: str) -> None:
    verify, _ = bind(VERIFIER)
    for n in range(8):
        for record in await made(bind, language, n, strings=3):
            assert isinstance(record, Record), record
            assert record.facts["string"] in record.facts["input"]
            assert (
                record.last("user") == f"{record.facts['instruction']}\n\n{record.facts['input']}"
            )
            assert isinstance((await verify(record))[0], Record)


async def test_the_share_of_strings_that_stay_is_the_one_asked_for(bind: Bind) -> None:
    found = await many(bind, 60, strings=10, no_op_share=0.3)
    share = sum(record.facts["no_op"] for record in found) / len(found)
    assert 0.24 < share < 0.36  # three standard deviations of 600 draws
    for edge in (0.0, 1.0):
        assert {r.facts["no_op"] for r in await many(bind, 5, no_op_share=edge)} == {bool(edge)}


async def test_most_seeds_come_to_as_many_strings_as_asked(bind: Bind) -> None:
    found = await many(bind, 50, strings=4)
    assert len(found) > 180 and len({record.id for record in found}) == len(found)


@pytest.mark.slow
async def test_no_rule_is_on_both_sides_of_the_split(bind: Bind) -> None:
    found = await many(bind, 150, left=[1, 2], alphabet="abcdefgh", strings=2)
    split = settle(SPLIT, found, test=0.3, validation=0.0, group="rule_family")
    sides: dict[str, set[str]] = {"train": set(), "test": set()}
    for record in split:
        assert isinstance(record, Record)
        sides[record.facts["split"]] |= {left for left, _ in record.facts["rules"]}
    assert len(sides["train"]) > 10 and len(sides["test"]) > 3
    assert not sides["train"] & sides["test"]


async def test_modes_lengths_and_letters_are_those_of_the_settings(bind: Bind) -> None:
    settings: dict[str, Any] = {"modes": ["step"], "rules": [2, 2], "left": [2, 2], "right": [0, 0]}
    for record in await many(bind, 20, **settings, string=[9, 9], alphabet="xyz"):
        assert record.facts["mode"] == "step" and len(record.facts["rules"]) == 2
        assert len(record.facts["string"]) == 9 and set(record.facts["string"]) <= set("xyz")
        assert all(len(left) == 2 and right == "" for left, right in record.facts["rules"])


async def test_the_same_seed_gives_the_same_rows(bind: Bind) -> None:
    assert await made(bind, "th") == await made(bind, "th")


@pytest.mark.parametrize("language", ["eu", "xx", ""])
async def test_a_language_without_words_drops(bind: Bind, language: str) -> None:
    [drop] = await made(bind, language)
    assert isinstance(drop, Drop) and drop.reason == "unworded_language"


async def test_an_alphabet_that_is_too_small_drops(bind: Bind) -> None:
    [drop] = await made(bind, alphabet="a", left=[1, 1], right=[1, 1])
    assert isinstance(drop, Drop) and drop.reason == "too_few_rules"


async def test_rules_that_come_to_no_end_drop(bind: Bind) -> None:
    endless: dict[str, Any] = {
        "modes": ["repeat"],
        "rules": [1, 1],
        "left": [1, 1],
        "right": [3, 3],
    }
    step, _ = bind(GENERATOR, **endless, alphabet="ab", no_op_share=0.0, max_steps=30)
    outcomes = [outcome for n in range(20) for outcome in await step(Record(f"s{n}", "en"))]
    assert {o.reason for o in outcomes if isinstance(o, Drop)} == {"no_string_ends"}
    assert any(isinstance(o, Record) for o in outcomes)


@pytest.mark.parametrize(
    "params",
    [{"left": [0, 2]}, {"left": [3, 2]}, {"string": [2, 9]}, {"rules": [0, 1]}, {"modes": []},
     {"no_op_share": 1.5}, {"modes": ["twice"]}],
)  # fmt: skip
def test_settings_that_cannot_be_are_mistakes_in_the_job(params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GENERATOR.params.model_validate(params)
