"""JSON Lines become seeds; every mistake in them names its line."""

import json

import pytest
from pydantic import ValidationError

from engine.core import JobError, Message
from engine.sources.jsonl import SOURCE
from tests.conftest import SHARED, needs_shared, read


def lines(tmp_path, *rows, encoding="utf-8"):
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    (tmp_path / "seeds.jsonl").write_bytes(text.encode(encoding))
    return tmp_path


def seeds(folder, **params):
    return list(read(SOURCE, folder, **{"path": "seeds.jsonl", "language": "de", **params}))


def test_each_line_is_a_seed_with_its_source_and_licence(tmp_path):
    folder = lines(tmp_path, {"instruction": "Zähle bis drei."}, {"instruction": "数到三。"})
    first, second = seeds(folder, licence="CC0-1.0")
    assert first.messages == (Message("user", "Zähle bis drei."),)
    assert (first.language, second.last("user")) == ("de", "数到三。")
    assert first.facts == {"source": "source", "licence": "CC0-1.0"}


def test_ids_are_the_same_at_every_start_and_differ_for_repeated_lines(tmp_path):
    folder = lines(tmp_path, {"instruction": "a"}, {"instruction": "a"})
    ids = [record.id for record in seeds(folder)]
    assert ids == [record.id for record in seeds(folder)]
    assert len(set(ids)) == 2


def test_input_response_and_kept_fields_are_found_by_path(tmp_path):
    row = {
        "instruction": "Übersetze.",
        "instances": [{"input": "hello", "output": "hallo"}],
        "source": "book",
        "n": 3,
    }
    (record,) = seeds(
        lines(tmp_path, row),
        input="instances.0.input",
        response="instances.0.output",
        keep={"origin": "source", "n": "n"},
    )
    assert record.messages == (
        Message("user", "Übersetze.\n\nhello"),
        Message("assistant", "hallo"),
    )
    assert record.facts == {
        "instruction": "Übersetze.",
        "input": "hello",
        "origin": "book",
        "n": 3,
        "source": "source",
    }


def test_an_empty_input_or_response_is_none(tmp_path):
    folder = lines(tmp_path, {"instruction": "a", "input": "", "output": None})
    (record,) = seeds(folder, input="input", response="output")
    assert record.messages == (Message("user", "a"),)
    assert "input" not in record.facts


def test_whole_conversations_come_in_either_spelling(tmp_path):
    folder = lines(
        tmp_path,
        {"turns": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
        {"turns": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]},
    )
    first, second = seeds(folder, messages="turns")
    assert first.messages == second.messages == (Message("user", "a"), Message("assistant", "b"))


def test_the_language_may_come_from_a_field(tmp_path):
    tags = ["sw", "zh_hans", "eng", "pt-br"]
    folder = lines(tmp_path, *({"instruction": "x", "lang": tag} for tag in tags))
    found = seeds(folder, language="", language_field="lang")
    assert [record.language for record in found] == ["sw", "zh-Hans", "en", "pt-BR"]


def test_blank_lines_and_a_byte_order_mark_are_skipped(tmp_path):
    folder = lines(
        tmp_path, '{"instruction": "a"}', "", "  ", '{"instruction": "b"}\r', encoding="utf-8-sig"
    )
    assert [record.last("user") for record in seeds(folder)] == ["a", "b"]


def test_half_a_surrogate_pair_is_replaced_so_that_it_can_be_stored(tmp_path):
    (record,) = seeds(lines(tmp_path, '{"instruction": "a\\ud83d b \\ud83d\\ude00"}'))
    assert record.last("user") == "a\ufffd b 😀"


def test_nan_is_kept_as_null(tmp_path):
    (record,) = seeds(lines(tmp_path, '{"instruction": "a", "score": NaN}'), keep=["score"])
    assert record.facts["score"] is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"instruction": "a"', r"seeds.jsonl:2:\d+: not JSON"),
        ("[1, 2]", r"seeds.jsonl:2: want an object .* found '\[1, 2\]'"),
        ('{"text": "a", "id": 1}', r"seeds.jsonl:2: no field 'instruction'; there are id, text"),
        ('{"instruction": ["a"]}', r"seeds.jsonl:2: 'instruction' is a list, want text"),
        ('{"instruction": null}', r"seeds.jsonl:2: 'instruction' is null, want text"),
        ("[" * 100_000, r"seeds.jsonl:2: not usable JSON"),
        ("1" * 5000, r"seeds.jsonl:2: not usable JSON"),
    ],
)
def test_a_bad_line_ends_the_job_with_its_number(tmp_path, line, said):
    with pytest.raises(JobError, match=said) as caught:
        seeds(lines(tmp_path, {"instruction": "ok"}, line))
    assert len(str(caught.value)) < 600


def test_a_bad_turn_is_named(tmp_path):
    folder = lines(tmp_path, {"turns": [{"role": "user", "content": "a"}, {"role": "robot"}]})
    with pytest.raises(JobError, match=r":1: turns\[1\]: role is 'robot', want one of system"):
        seeds(folder, messages="turns")


def test_a_language_that_is_none_is_named_with_its_line(tmp_path):
    folder = lines(tmp_path, {"instruction": "a", "lang": "Deutsch!"})
    with pytest.raises(JobError, match=r":1: 'lang': 'Deutsch!' is not a BCP-47"):
        seeds(folder, language="", language_field="lang")


def test_latin_1_is_refused_with_its_line(tmp_path):
    with pytest.raises(JobError, match=r"seeds.jsonl:2: not UTF-8: byte 0xe4"):
        seeds(lines(tmp_path, '{"instruction": "a"}', '{"instruction": "ä"}', encoding="latin-1"))


def test_a_number_beyond_64_bits_cannot_be_a_fact(tmp_path):
    with pytest.raises(JobError, match="'n' holds a value that JSON has no form for"):
        seeds(lines(tmp_path, {"instruction": "a", "n": 10**30}), keep=["n"])


def test_lines_are_read_as_they_are_needed(tmp_path):
    folder = lines(tmp_path, {"instruction": "a"}, "broken")
    first = next(read(SOURCE, folder, path="seeds.jsonl", language="de"))
    assert first.last("user") == "a"


def test_a_very_long_instruction_is_read_whole(tmp_path):
    (record,) = seeds(lines(tmp_path, {"instruction": "长" * 1_000_000}))
    assert record.last("user") == "长" * 1_000_000


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"language": ""}, "give either language"),
        ({"language_field": "lang"}, "give either language"),
        ({"language": "German"}, "not a BCP-47 language tag"),
        ({"messages": "m", "text": "t"}, "leave out"),
        ({"keep": ["source"]}, "facts of the engine's own"),
        ({"path": "nowhere.jsonl"}, "there is no nowhere.jsonl"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(tmp_path, params, said):
    lines(tmp_path, {"instruction": "a"})
    with pytest.raises(ValidationError, match=said):
        seeds(tmp_path, **params)


def test_a_folder_is_not_a_file(tmp_path):
    with pytest.raises(JobError, match="cannot be read"):
        seeds(tmp_path, path=".")


@needs_shared
def test_the_175_public_seed_tasks_are_read():
    found = list(
        read(
            SOURCE,
            SHARED,
            path="self_instruct_seed_tasks.jsonl",
            language="en",
            input="instances.0.input",
            response="instances.0.output",
            keep=["is_classification"],
        )
    )
    assert len({record.id for record in found}) == 175
    assert all(record.last("assistant") for record in found)
    assert sum(record.facts["is_classification"] for record in found) == 26
