import json
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from engine.core import JobError, Message, Record
from engine.sources.pool import SOURCE
from tests.conftest import SHARED, needs_shared, read

GERMAN = [f"Aufgabe {n}" for n in range(12)]
CHINESE = ["写一首诗", "翻译这句话", "总结全文"]


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    rows = [{"instruction": t, "language": "de", "input": "E", "output": "A"} for t in GERMAN]
    rows += [{"instruction": t, "language": "zh", "is_classification": False} for t in CHINESE]
    return written(tmp_path / "tasks.jsonl", rows)


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    text = "\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text(text, encoding="utf-8")
    return path


def keeping(*records: Record) -> Callable[[str], Iterator[Record]]:
    return lambda step: iter(records if step == "novel" else ())


def made(number: int, language: str = "de") -> Record:
    return Record(f"m{number}", language, (Message("user", f"Maschine {number}"),))


def shown(record: Record) -> list[str]:
    return [task["instruction"] for task in record.facts["demonstrations"]]


def machine(record: Record) -> int:
    return sum(text.startswith("Maschine") for text in shown(record))


def first(path: Path, count: int = 50, **params: Any) -> list[Record]:
    return list(islice(read(SOURCE, path.parent, path=path.name, **params), count))


def test_a_first_round_shows_eight_different_human_tasks_of_one_language(tasks: Path):
    for record in first(tasks, languages={"de": 1}):
        assert len(set(shown(record))) == 8 and set(shown(record)) <= set(GERMAN)
        assert record.language == "de" and record.messages == ()


def test_a_language_with_few_tasks_shows_all_of_them_and_none_of_another(tasks: Path):
    for record in first(tasks):
        assert set(shown(record)) <= set(GERMAN if record.language == "de" else CHINESE)
        assert len(shown(record)) == (8 if record.language == "de" else 3)


def test_later_rounds_mix_two_machine_made_tasks_with_six_human_ones(tasks: Path):
    kept = keeping(*(made(n) for n in range(5)), made(9, "zh"))
    draws = first(tasks, round=1, kept=kept, grow_from="novel")
    for record in draws:
        german = record.language == "de"
        assert machine(record) == (2 if german else 1)
        assert len(shown(record)) == (8 if german else 4)
    places = {n for r in draws for n, t in enumerate(shown(r)) if t.startswith("Maschine")}
    assert places == set(range(8)), "machine-made tasks stand anywhere in the list"


def test_human_tasks_stand_in_while_the_pool_is_small(tasks: Path):
    kept = keeping(made(1))
    [record] = first(tasks, 1, round=1, kept=kept, grow_from="novel", languages={"de": 1})
    assert machine(record) == 1 and len(shown(record)) == 8


def test_the_pool_does_not_grow_in_the_first_round_nor_unasked(tasks: Path):
    kept = keeping(*(made(n) for n in range(5)))
    assert not any(map(machine, first(tasks, kept=kept, grow_from="novel")))
    assert not any(map(machine, first(tasks, round=1, kept=kept)))


def test_a_draw_may_be_all_human_or_all_machine_made(tasks: Path):
    kept = keeping(*(made(n) for n in range(5)))
    grown: dict[str, Any] = {"round": 1, "kept": kept, "grow_from": "novel", "languages": {"de": 1}}
    assert machine(first(tasks, 1, machine=0, **grown)[0]) == 0
    [record] = first(tasks, 1, machine=8, demonstrations=3, **grown)
    assert machine(record) == len(shown(record)) == 3


def test_a_kept_task_is_shown_without_its_input(tasks: Path):
    facts = {"instruction": "Maschine", "input": "Text", "is_classification": True}
    record = Record(
        "m", "de", (Message("user", "Maschine\n\nText"), Message("assistant", "Ja")), facts
    )
    draws = first(tasks, 9, round=1, kept=keeping(record), grow_from="novel", languages={"de": 1})
    expected = {
        "instruction": "Maschine",
        "input": "Text",
        "output": "Ja",
        "is_classification": True,
    }
    assert all(expected in draw.facts["demonstrations"] for draw in draws)


def test_a_large_pool_is_sampled_within_its_limit_from_first_to_last(tasks: Path):
    kept = keeping(*(made(n) for n in range(1000)))
    params: dict[str, Any] = {"round": 2, "kept": kept, "grow_from": "novel", "pool_limit": 20}
    draws = first(tasks, 200, languages={"de": 1}, **params)
    seen = {text for r in draws for text in shown(r) if text.startswith("Maschine")}
    numbers = sorted(int(text.split()[1]) for text in seen)
    assert len(seen) == 20 and numbers[0] < 300 and numbers[-1] > 700
    assert draws == first(tasks, 200, languages={"de": 1}, **params)


def test_draws_are_the_same_at_every_start_and_others_in_every_round(tasks: Path):
    assert first(tasks) == first(tasks)
    assert {r.id for r in first(tasks)}.isdisjoint(r.id for r in first(tasks, round=1))
    assert [shown(r) for r in first(tasks)] != [shown(r) for r in first(tasks, round=1)]
    assert len({r.id for r in first(tasks)}) == 50


def test_languages_are_drawn_alike_or_by_weight(tasks: Path):
    alike = Counter(r.language for r in first(tasks, 400))
    weighted = Counter(r.language for r in first(tasks, 400, languages={"de": 0.9, "zh": 0.1}))
    assert 150 < alike["zh"] < 250
    assert 15 < weighted["zh"] < 70


def test_origin_and_licence_go_with_every_draw(tasks: Path):
    [record] = first(tasks, 1, licence="Apache-2.0")
    assert record.facts["source"] == "source" and record.facts["licence"] == "Apache-2.0"


@pytest.mark.parametrize(
    ("text", "params", "said"),
    [
        ('{"instruction": "Tu", "language": "fr"}\n\n{"task": "x"}', {}, ":3: instruction"),
        ('{"instruction": "", "language": "fr"}', {}, ":1: instruction"),
        ("{broken", {}, ":1: Invalid JSON"),
        ('{"instruction": "करो"}', {}, ":1: no language"),
        ("\n", {"language": "hi"}, "holds no task"),
        ('{"instruction": "करो"}', {"language": "hi", "languages": {"sw": 1}}, "no task in sw"),
        ('{"instruction": "करो"}', {"language": "hi", "languages": {"hi": 0}}, "above 0"),
        ('{"instruction": "करो"}', {"language": "hi", "languages": {}}, ""),
    ],
)
def test_a_wrong_file_or_setting_says_where(
    text: str, params: dict[str, Any], said: str, tmp_path: Path
):
    path = tmp_path / "tasks.jsonl"
    path.write_text(text, encoding="utf-8")
    if not said:
        assert first(path, 1, **params)[0].language == "hi"
        return
    with pytest.raises(JobError, match=said):
        first(path, 1, **params)


def test_a_file_that_is_no_utf_8_or_not_there_is_the_user_s_mistake(tmp_path: Path):
    (tmp_path / "latin.jsonl").write_bytes('{"instruction": "Über"}'.encode("latin-1"))
    with pytest.raises(JobError, match="UTF-8"):
        first(tmp_path / "latin.jsonl", 1, language="de")
    with pytest.raises(ValidationError, match="there is no"):
        first(tmp_path / "none.jsonl", 1)


@needs_shared
def test_the_public_seed_tasks_are_read_with_their_instances():
    draws = first(SHARED / "self_instruct_seed_tasks.jsonl", 300, language="en")
    seen = {t["instruction"]: t for r in draws for t in r.facts["demonstrations"]}
    assert len(seen) > 170
    assert sum(t["is_classification"] for t in seen.values()) > 20
    assert sum(bool(t["input"]) for t in seen.values()) > 110
    assert all(t["output"] for t in seen.values())


def test_extrapolation_shows_only_what_rounds_before_have_kept(tasks: Path):
    for number in range(1, 4):
        earlier = [made(n).with_facts(round=n % number) for n in range(30)]
        draws = first(
            tasks, 20, round=number, kept=keeping(*earlier), grow_from="novel", machine=8,
            languages={"de": 1},
        )  # fmt: skip
        assert all(draw.facts["round"] == number for draw in draws)
        shown = [task for draw in draws for task in draw.facts["demonstrations"]]
        assert len(shown) == 20 * 8 and all(task["round"] < number for task in shown)
        assert not {task["instruction"] for task in shown} & set(GERMAN), "the seeds are left"


def test_extrapolation_begins_with_human_tasks_that_are_of_no_round(tasks: Path):
    [draw] = first(tasks, 1, machine=8, grow_from="novel", languages={"de": 1})
    assert draw.facts["round"] == 0
    assert all("round" not in task for task in draw.facts["demonstrations"])
