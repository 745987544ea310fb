"""What a sink leaves behind is whole, loads with ``datasets``, and is the same every time."""

import json
import tracemalloc
from dataclasses import replace

import pyarrow.parquet
import pytest
from pydantic import ValidationError

from engine.card import About, card
from engine.core import Call, Hop, JobError, LedgerError, Message
from engine.rows import FORMATS, row, schema
from engine.sinks import hub, jsonl, parquet
from tests.conftest import seed

BOTH = [parquet.SINK, jsonl.SINK]


def records(count, **facts):
    """Records in two scripts, each with a call in its lineage."""
    hop = Hop("answer", "seed", (Call("answer@123456", "writer", "some-model", "k", 1, 2),))
    for n in range(count):
        text = ("Frage", "问题")[n % 2]
        made = seed(f"{text} {n}", response=f"{n}", rejected="nein", source="lines", **facts)
        yield replace(made, id=f"{n:016x}", lineage=(hop,))


def splits(train=5, validation=2):
    return {"train": lambda: records(train), "validation": lambda: records(validation)}


def write(sink, folder, given=None, text="# Card\n", **params):
    return sink.write(given or splits(), folder, sink.params(**params), text)


def files(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


@pytest.mark.parametrize("format", FORMATS)
def test_datasets_loads_the_shards_with_their_splits_and_every_value(tmp_path, format):
    import datasets

    given = splits(train=5, validation=2)
    about = About(
        name="x",
        job="version: 1\n",
        engine="0",
        format=format,
        splits={"train": 5, "validation": 2},
        pattern=parquet.SINK.pattern,
        languages={"de": 7},
        models={},
        prompts=[],
        funnel=[],
        licences={},
        rehearsal=False,
    )
    folder = tmp_path / "out"
    write(parquet.SINK, folder, given, card(about), format=format, rows_per_shard=2)
    (folder / "dropped.jsonl").write_text('{"other": 1}\n')  # the card says which files count
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert {name: split.num_rows for name, split in loaded.items()} == {"train": 5, "validation": 2}
    assert loaded["train"].column_names == schema(format).names
    assert loaded["train"][3]["id"] == f"{3:016x}"
    assert loaded["train"][3]["lineage"][0]["calls"][0]["model"] == "some-model"


def test_a_dataset_that_was_written_anew_is_not_read_from_the_cache_of_datasets(tmp_path):
    import datasets

    made = []
    for text in ("old", "newer"):  # as many records, at the same place
        about = About(
            name="x",
            job="version: 1\n",
            engine="0",
            format="messages",
            splits={"train": 2},
            sizes={"train": 2 * len(text)},
            pattern=parquet.SINK.pattern,
            languages={"de": 2},
            models={},
            prompts=[],
            funnel=[],
            licences={},
            rehearsal=False,
        )
        given = {"train": lambda text=text: (seed("Frage", response=text, n=i) for i in range(2))}
        write(parquet.SINK, tmp_path / "out", given, card(about))
        loaded = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
        made.append(loaded["train"][0]["messages"][-1]["content"])
    assert made == ["old", "newer"]


def test_shards_are_numbered_of_how_many_and_hold_the_rows_in_order(tmp_path):
    made = write(parquet.SINK, tmp_path, rows_per_shard=2)
    assert [path.relative_to(tmp_path).as_posix() for path in made] == [
        "README.md",
        "data/train-00000-of-00003.parquet",
        "data/train-00001-of-00003.parquet",
        "data/train-00002-of-00003.parquet",
        "data/validation-00000-of-00001.parquet",
    ]
    ids = [i for path in made[1:4] for i in pyarrow.parquet.read_table(path)["id"].to_pylist()]
    assert ids == [record.id for record in records(5)]
    assert set(files(tmp_path)) == {path.relative_to(tmp_path).as_posix() for path in made}


def test_a_full_last_shard_is_not_followed_by_an_empty_one(tmp_path):
    made = write(parquet.SINK, tmp_path, {"train": lambda: records(4)}, rows_per_shard=2)
    assert [path.name for path in made[1:]] == [
        "train-00000-of-00002.parquet",
        "train-00001-of-00002.parquet",
    ]


@pytest.mark.parametrize("sink", BOTH)
def test_the_same_records_give_the_same_bytes(tmp_path, sink):
    write(sink, tmp_path / "a")
    write(sink, tmp_path / "b")
    assert files(tmp_path / "a") == files(tmp_path / "b")


@pytest.mark.parametrize("sink", BOTH)
def test_writing_again_replaces_the_dataset_and_nothing_else(tmp_path, sink):
    write(sink, tmp_path, text="old")
    (tmp_path / "ledger.sqlite").write_text("mine")
    write(sink, tmp_path, {"train": lambda: records(1)}, text="new")
    left = files(tmp_path)
    assert left["ledger.sqlite"] == b"mine" and left["README.md"] == b"new"
    assert len(left) == 3 and not any("validation" in name for name in left)


@pytest.mark.parametrize("sink", BOTH)
def test_a_record_that_cannot_be_written_leaves_the_old_dataset_as_it_was(tmp_path, sink):
    write(sink, tmp_path)
    before = files(tmp_path)
    bad = {"train": lambda: iter([*records(3), seed("a", response="b")])}
    with pytest.raises(JobError, match="record seed cannot be written as preference"):
        write(sink, tmp_path, bad, text="new", format="preference")
    assert files(tmp_path) == before


@pytest.mark.parametrize("sink", BOTH)
def test_a_folder_that_cannot_be_written_is_a_plain_error(tmp_path, sink):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LedgerError, match="file"):
        write(sink, tmp_path / "file")


@pytest.mark.parametrize("sink", BOTH)
def test_a_split_without_records_is_there_and_empty(tmp_path, sink):
    made = write(sink, tmp_path, {"train": lambda: iter(())})
    names = [path.name for path in made]
    if sink is jsonl.SINK:
        assert (tmp_path / "train.jsonl").read_bytes() == b""
    else:
        assert names[1] == "train-00000-of-00001.parquet"
        assert pyarrow.parquet.read_schema(made[1]).equals(schema("messages"))


def test_jsonl_has_a_row_a_line_in_the_order_of_the_schema(tmp_path):
    made = write(jsonl.SINK, tmp_path, format="sharegpt")
    assert [path.name for path in made] == ["train.jsonl", "validation.jsonl", "README.md"]
    rows = [json.loads(line) for line in (tmp_path / "train.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == [record.id for record in records(5)]
    assert list(rows[0]) == schema("sharegpt").names
    assert "问题 1" in (tmp_path / "train.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize("sink", BOTH)
def test_memory_does_not_grow_with_the_dataset(tmp_path, sink):
    def peak(count):
        tracemalloc.start()
        write(sink, tmp_path, {"train": lambda: records(count, note="x" * 2000)})
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(100)  # imports
    assert peak(8000) < 1.3 * peak(2000)


class Hub:
    """Keeps what it is asked to do."""

    def __init__(self, fails=None):
        self.asked, self.fails = [], fails

    def __getattr__(self, name):
        def call(*args, **settings):
            self.asked.append((name, args, settings))
            if self.fails:
                raise self.fails

        return call


def test_a_push_makes_a_private_repository_and_uploads_only_the_dataset(tmp_path):
    api = Hub()
    hub.push(api, tmp_path, hub.Params(repo="me/corpus"))
    made, sent = api.asked
    assert made == (
        "create_repo",
        ("me/corpus",),
        {"repo_type": "dataset", "private": True, "exist_ok": True},
    )
    assert sent[0] == "upload_folder"
    assert sent[2]["folder_path"] == tmp_path and sent[2]["repo_id"] == "me/corpus"
    assert sent[2]["allow_patterns"] == ["README.md", "data/*.parquet"]
    assert sent[2]["delete_patterns"] == ["data/*.parquet"]
    assert sent[2]["revision"] == "main"


def test_another_branch_is_made_first(tmp_path):
    api = Hub()
    hub.push(api, tmp_path, hub.Params(repo="me/corpus", branch="v2", private=False))
    assert [name for name, _, _ in api.asked] == ["create_repo", "create_branch", "upload_folder"]
    assert api.asked[0][2]["private"] is False
    assert api.asked[2][2]["revision"] == "v2"


def test_a_push_that_fails_says_why_and_where_the_dataset_is(tmp_path):
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

    transport = HfHubHTTPError.__bases__[0]
    for error, said in (
        (LocalTokenNotFoundError("no token"), "nobody is logged in: run hf auth login"),
        (ConnectionError("no route\nto host"), "no route to host"),
        (transport("connection refused"), "connection refused"),
    ):
        with pytest.raises(JobError, match=f"me/corpus: {said}.*{tmp_path}"):
            hub.push(Hub(fails=error), tmp_path, hub.Params(repo="me/corpus"))


def test_settings_of_a_sink_are_checked():
    for sink, params in (
        (parquet.SINK, {"format": "chatml"}),
        (parquet.SINK, {"rows_per_shard": 0}),
        (jsonl.SINK, {"rows_per_shard": 5}),
        (hub.SINK, {"repo": "no-owner"}),
        (hub.SINK, {}),
    ):
        with pytest.raises(ValidationError):
            sink.params(**params)


ODD = [
    "2020-01-01T00:00:00",
    "12",
    "null",
    "",
    "a\0b\u2028c",
    '\n\\"',
    "ไม่\u200d🙂",
    "\ufffd",
    "x" * 70_000,
]


@pytest.mark.parametrize("format", ["messages", "alpaca"])
def test_texts_come_back_as_they_were_whatever_they_look_like(tmp_path, format):
    made = [replace(next(records(1)), id=f"{n}", messages=()) for n in range(len(ODD))]
    texts = [
        replace(record, messages=(Message("user", text), Message("assistant", text[::-1])))
        for record, text in zip(made, ODD, strict=True)
    ]
    write(parquet.SINK, tmp_path, {"train": lambda: iter(texts)}, format=format)
    [path] = (tmp_path / "data").iterdir()
    table = pyarrow.parquet.read_table(path)
    assert table.schema.remove_metadata() == schema(format)
    assert table.to_pylist() == [row(record, format) for record in texts]


def test_rows_too_large_for_one_piece_are_read_in_several():
    lines = [b"%d" % n for n in range(9)]
    assert list(parquet.blocks(lines)) == [b"\n".join(lines)]
    pieces = list(parquet.blocks(lines, largest=6))
    assert b"\n".join(pieces) == b"\n".join(lines)
    assert all(len(piece) < 6 for piece in pieces)
    assert list(parquet.blocks([b"x" * 9], largest=6)) == [b"x" * 9], "a row is never cut"
