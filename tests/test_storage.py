"""One writer, one lock, and sentences instead of SQLite's words."""

from __future__ import annotations

import asyncio
import errno
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine.core import LedgerError
from engine.storage import Reader, Writer, explain, lock

SCHEMA = "CREATE TABLE IF NOT EXISTS kept(key TEXT PRIMARY KEY, n INTEGER);"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a # b%20?.sqlite"


@pytest.fixture
def writer(path: Path) -> Iterator[Writer]:
    with closing(Writer(path, SCHEMA)) as writer:
        yield writer


def put(key: object, n: object = 1):
    return lambda cursor: cursor.execute("INSERT INTO kept VALUES(?,?)", (key, n))


def keys(path: Path) -> list[str]:
    with closing(Reader(path, write=False)) as reader:
        return [key for (key,) in reader.all("SELECT key FROM kept ORDER BY key")]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (sqlite3.OperationalError("database or disk is full"), "the disk is full or failing; what"),
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full or failing"),
        (sqlite3.OperationalError("disk I/O error"), "make room and run again"),
        (sqlite3.DatabaseError("database disk image is malformed"), "the file is damaged"),
        (sqlite3.DatabaseError("file is not a database"), "the file is damaged; move it away"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "cannot be written"),
        (sqlite3.OperationalError("unable to open database file"), "cannot be written here"),
        (OSError(errno.EROFS, "Read-only file system"), "choose another folder with -o"),
        (PermissionError(errno.EACCES, "Permission denied"), "cannot be written here"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory"), "cannot be written here"),
        (FileExistsError(errno.EEXIST, "File exists"), "cannot be written here"),
        (sqlite3.OperationalError("database is locked"), "it cannot be used (database is locked)"),
    ],
)
def test_an_error_becomes_a_sentence_that_says_what_to_do(error, said):
    told = str(explain(Path("out/run.sqlite"), error))
    assert told.startswith("out/run.sqlite: ")
    assert said in told
    assert str(error) in told


def test_a_write_that_was_waited_for_is_there_for_every_process(writer, path):
    writer.now(put("ä是"))
    read = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]);"
        "print(ascii(c.execute('SELECT key FROM kept').fetchall()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", read, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ascii([("ä是",)])


async def test_writes_of_many_tasks_are_all_kept(writer, path):
    await asyncio.gather(*(writer.soon(put(f"{i:04d}")) for i in range(1_000)))
    assert keys(path) == [f"{i:04d}" for i in range(1_000)]


@pytest.mark.parametrize(
    ("key", "n", "error"),
    [("0000", 1, LedgerError), ("\ud83d", 1, UnicodeEncodeError), ("big", 1 << 70, OverflowError)],
    ids=["twice", "half a surrogate pair", "70 bits"],
)
async def test_a_write_that_cannot_be_fails_alone_and_the_writer_goes_on(
    writer, path, key, n, error
):
    first = [writer.soon(put(f"{i:04d}")) for i in range(20)]
    told = await asyncio.gather(*first, writer.soon(put(key, n)), return_exceptions=True)
    assert [type(t) for t in told] == [type(None)] * 20 + [error]
    await writer.soon(put("later"))
    assert len(keys(path)) == 21


async def test_a_cancelled_writer_does_not_take_the_write_back(writer, path):
    task = asyncio.create_task(writer.soon(put("a")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    writer.now(put("b"))
    assert keys(path) == ["a", "b"]


def test_closing_writes_what_is_queued(path):
    async def leave_behind(writer: Writer) -> None:
        for i in range(50):
            asyncio.ensure_future(writer.soon(put(f"{i:02d}")))  # noqa: RUF006 - left on purpose
        await asyncio.sleep(0)

    writer = Writer(path, SCHEMA)
    asyncio.run(leave_behind(writer))
    writer.close()
    assert len(keys(path)) == 50


def test_a_folder_has_one_owner_at_a_time(tmp_path):
    held = lock(tmp_path / "new" / "folder")
    with pytest.raises(LedgerError, match="is in use by another engine"):
        lock(tmp_path / "new" / "folder")
    held.close()
    lock(tmp_path / "new" / "folder").close()
