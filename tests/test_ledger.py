"""What is committed is there: all of it, once, in order, for every process and after every end."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sqlite3
import subprocess
import sys
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from engine.core import Call, Drop, Hop, LedgerError, Message, Record
from engine.entries import Leaf, Unit
from engine.ledger import FILE, PAGE, Ledger
from engine.models.journal import Said
from engine.storage import BATCH


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Ledger(tmp_path / "run", write=True)) as ledger:
        yield ledger


def record(i: int | str = 0, text: str = "Nenne drei Flüsse.") -> Record:
    name = f"{i:06d}" if isinstance(i, int) else i
    return Record(name, "de", (Message("user", text), Message("assistant", "Elbe, 长江, النيل")))


def said(key: str = "k", text: str = "ja", **changes: object) -> Said:
    plain = Said(key, "p@1", "writer", "m", 3, 5, False, 9, 0.5, b"{}", text)
    return replace(plain, **changes)  # type: ignore[arg-type]


async def done(
    ledger: Ledger, pos: int, *leaves: Leaf, round: int = 0, stage: int = 0, step: str = "s"
) -> None:
    kept = sum(isinstance(leaf.outcome, Record) for leaf in leaves)
    tally = {step: (1, kept, len(leaves) - kept)}
    await ledger.commit(Unit(round, stage, pos, record(pos)), leaves, tally)


WHOLE = Record(
    "id",
    "zh-Hans",
    (
        Message("system", "Be brief."),
        Message("user", "列出三条河流 \u2028 \x00 \U0001f30d"),
        Message("assistant", "النيل, गंगा, Ọ̀ṣun"),
        Message("tool", ""),
    ),
    {"n": 1, "x": 0.1, "none": None, "yes": True, "list": [1, "二", {"a": []}], "ключ": {"b": "c"}},
    (
        Hop("evolve", "x", (Call("p@1", "writer", "m", "key", 3, 4), Call("q@2", "judge", "", ""))),
        Hop("length", "id"),
    ),
)  # fmt: skip


async def test_what_is_committed_is_read_back_equal_in_every_field_and_script(ledger):
    await done(ledger, 0, Leaf("s", "", WHOLE), Leaf("s", None, Drop(WHOLE, "too_long", "9 字")))
    assert list(ledger.accepted()) == [WHOLE]
    assert list(ledger.drops()) == [("s", Drop(WHOLE, "too_long", "9 字"))]
    assert ledger.find("i") == [("s", "", "", "", WHOLE), ("s", None, "too_long", "9 字", WHOLE)]
    assert ledger.finished(0, 0, 0, 9) == {0: ("000000", "done")}


async def test_a_reply_is_read_back_equal_and_by_its_key(ledger):
    one = said("a", "是\n\x00", asked='{"messages":"да"}'.encode(), seconds=1.25)
    await ledger.keep(one)
    await ledger.keep(said("b", ""))
    assert ledger.recall("a") == one
    assert ledger.recall("c") is None
    assert [s.key for s in ledger.calls()] == ["a", "b"]
    assert [s.key for s in ledger.calls(["b", "x"])] == ["b"]
    assert ledger.called() == [("m", "p@1", 2, 6, 10, 1.75)]


async def test_a_reply_to_the_same_question_replaces_the_older_one(ledger):
    await ledger.keep(said("a", "cut", truncated=True))
    await ledger.keep(said("a", "whole"))
    assert [s.text for s in ledger.calls()] == ["whole"]


async def test_replies_are_listed_beyond_one_page_in_the_order_they_came(ledger):
    await asyncio.gather(*(ledger.keep(said(f"{i:04d}")) for i in range(PAGE + 7)))
    assert [s.key for s in ledger.calls()] == [f"{i:04d}" for i in range(PAGE + 7)]


async def test_the_order_is_that_of_the_seeds_and_not_of_completion(ledger):
    for round, stage, pos in [(1, 0, 0), (0, 2, 5), (0, 0, 7), (0, 0, 2), (0, 2, 1)]:
        name = f"{round}{stage}{pos}"
        await done(ledger, pos, Leaf("s", "", record(name)), round=round, stage=stage)
    assert [r.id for r in ledger.accepted()] == ["002", "007", "021", "025", "100"]
    assert [r.id for r in ledger.accepted(limit=2)] == ["002", "007"]
    assert ledger.accepted_before(1) == 4
    assert ledger.waiting("") == 5
    assert [r.id for r in ledger.kept("s", "", 1)] == ["002", "007", "021", "025"]


async def test_what_waits_at_several_places_is_merged_in_seed_order(ledger):
    places = ["a", "b", "a", "c", "b"]
    for pos, place in reversed(list(enumerate(places))):
        await done(ledger, pos, Leaf("s", place, record(pos)))
    await done(ledger, 0, Leaf("s", "a", record("other")), round=1)
    assert [(at, r.id[-1]) for at, r in ledger.arrived(["b", "a"], 0)] == [
        ("a", "0"),
        ("b", "1"),
        ("a", "2"),
        ("b", "4"),
    ]
    assert [at for at, _ in ledger.arrived(["b", "a"], 0, limit=3)] == ["a", "b", "a"]
    assert [r.id for _, r in ledger.arrived(["a"], 1)] == ["other"]
    assert len(list(ledger.arrived(["a", "b"]))) == 5


async def test_drops_are_found_by_step_and_reason_and_counted_by_language(ledger):
    drops = [("a", "short"), ("b", "short"), ("a", "long"), ("a", "short")]
    for pos, (step, why) in enumerate(drops):
        await done(ledger, pos, Leaf(step, None, Drop(record(pos), why)), step=step)
    assert [d.record.id[-1] for _, d in ledger.drops("a")] == ["0", "2", "3"]
    assert [d.record.id[-1] for _, d in ledger.drops("a", "short")] == ["0", "3"]
    assert [d.record.id[-1] for _, d in ledger.drops("", "short", limit=2)] == ["0", "1"]
    assert ledger.reasons() == [
        ("a", "short", "de", 2),
        ("a", "long", "de", 1),
        ("b", "short", "de", 1),
    ]
    assert ledger.tallies() == {"a": (3, 0, 3), "b": (1, 0, 1)}


def leaves(n: int, text: str = "x") -> Iterator[Leaf]:
    return (Leaf("p", "", record(i, text)) for i in range(n))


@pytest.mark.parametrize("n", [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE])
def test_pages_leave_nothing_out_and_repeat_nothing(ledger, n):
    ledger.settle(0, 1, leaves(n), {})
    assert [r.id for r in ledger.accepted()] == [f"{i:06d}" for i in range(n)]


def test_reading_a_long_run_takes_the_memory_of_a_page(ledger):
    ledger.settle(0, 1, leaves(6_000, "long " * 500), {})
    tracemalloc.start()
    try:
        assert sum(1 for _ in ledger.accepted()) == 6_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2.5 * PAGE * 2_700  # all of it would be 6,000 * 2,700 bytes


def test_a_pass_is_settled_once_and_counted_once(ledger):
    assert not ledger.settled(0, 1)
    assert ledger.settle(0, 1, leaves(3), {"p": (5, 3, 2)}) == 3
    assert ledger.settled(0, 1)
    assert ledger.tallies() == {"p": (5, 3, 2)}


def test_a_pass_that_was_cut_off_half_written_is_done_anew(ledger):
    def cut_off() -> Iterator[Leaf]:
        yield from leaves(BATCH + 5, "first")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ledger.settle(0, 1, cut_off(), {"p": (9, 9, 0)})
    assert ledger.waiting("") == BATCH  # half of it is there ...
    assert not ledger.settled(0, 1)
    ledger.settle(0, 1, leaves(2, "second"), {"p": (2, 2, 0)})
    assert [r.messages[0].content for r in ledger.accepted()] == ["second"] * 2  # ... and gone
    assert ledger.tallies() == {"p": (2, 2, 0)}


@pytest.fixture
async def failed(ledger: Ledger) -> AsyncIterator[Ledger]:
    """Two rounds of two stages and a pass; a seed of round 0 failed, and so did one of round 1."""
    await ledger.keep(said())
    for round in (0, 1):
        await ledger.begin_round(round, {"source": {"start": 2 * round, "count": 2}})
        await done(ledger, 0, Leaf("s", "p", record(10 * round)), round=round)
        await ledger.fail(Unit(round, 0, 1, record(10 * round + 1)), "ValueError: x")
        ledger.settle(round, 1, leaves(1), {"p": (1, 1, 0)})
        await done(ledger, 1, Leaf("t", "", record("late")), round=round, stage=2, step="t")
        await ledger.end_round(round, {"source": {"start": 2 * round, "count": 2}})
    yield ledger


async def test_failures_are_told_with_their_place_error_and_attempts(failed):
    assert [(f["round"], f["pos"], f["attempts"]) for f in failed.failures()] == [
        (0, 1, 1),
        (1, 1, 1),
    ]
    assert next(iter(failed.failures()))["error"] == "ValueError: x"
    assert failed.seeds() == (2, 2)
    await failed.fail(Unit(0, 0, 1, record(1)), "OSError: y")
    first = next(iter(failed.failures()))
    assert (first["attempts"], first["error"]) == (2, "OSError: y")


async def test_retrying_puts_failed_units_back_and_undoes_what_was_made_without_them(failed):
    assert failed.retry() == 2
    assert failed.rounds() == [({"source": {"start": 0, "count": 2}}, False)]
    assert failed.finished(0, 0, 0, 9) == {0: ("000000", "done"), 1: ("000001", "again")}
    assert failed.finished(1, 0, 0, 9) == {}
    assert failed.finished(0, 2, 0, 9) == {}
    assert not failed.settled(0, 1)
    assert list(failed.accepted()) == []
    assert [r.id for _, r in failed.arrived(["p"])] == ["000000"]
    assert failed.tallies() == {"s": (1, 1, 0)}
    assert failed.recall("k") == said()
    await done(failed, 1, Leaf("s", "p", record(1)))
    assert list(failed.failures()) == []
    assert failed.seeds() == (2, 0)


def test_there_is_nothing_to_retry_where_nothing_failed(ledger):
    ledger.settle(0, 1, leaves(1), {})
    assert ledger.retry() == 0
    assert ledger.settled(0, 1)


def test_wiping_forgets_progress_and_keeps_replies(failed):
    failed.note(job="x")
    failed.wipe()
    assert failed.rounds() == []
    assert failed.seeds() == (0, 0)
    assert failed.tallies() == {}
    assert list(failed.accepted()) == list(failed.drops()) == list(failed.failures()) == []
    assert failed.meta("job") is None
    assert failed.recall("k") == said()
    with closing(failed.reader()) as again:
        assert again.recall("k") == said()


# -- other processes and bad ends ---------------------------------------------------------------

HOLD = """
import sys, time
from pathlib import Path
from engine.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]), write=True)
print("held", flush=True)
sys.stdin.read()
"""

WRITE_AND_DIE = """
import asyncio, os, signal, sys
from pathlib import Path
from engine.core import Record
from engine.entries import Leaf, Unit
from engine.ledger import Ledger

async def write(ledger):
    for i in range(20):
        record = Record(f"{i:06d}", "de")
        await ledger.commit(Unit(0, 0, i, record), [Leaf("s", "", record)] * 3, {"s": (1, 3, 0)})
    print("written", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(write(Ledger(Path(sys.argv[1]), write=True)))
"""
ROOT = Path(__file__).parent.parent


def test_a_second_process_is_told_which_one_has_the_folder(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=ROOT) as other:
        assert other.stdout and other.stdout.readline() == b"held\n"
        with pytest.raises(LedgerError, match=rf"in use by another engine \(process {other.pid}\)"):
            Ledger(tmp_path, write=True)
        Ledger(tmp_path).close()  # reading is free
        other.communicate()
    Ledger(tmp_path, write=True).close()


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a process that was killed right after its last write."""
    folder = tmp_path_factory.mktemp("killed")
    command = [sys.executable, "-c", WRITE_AND_DIE, str(folder)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True)
    assert ended.stdout == b"written\n", ended.stderr
    assert ended.returncode == -signal.SIGKILL
    return folder


@pytest.mark.parametrize("torn", [0, 1, 500, 5_000, 40_000])
def test_after_a_kill_and_a_torn_last_write_units_are_whole_or_not_there(killed, tmp_path, torn):
    folder = shutil.copytree(killed, tmp_path / "copy")
    log = folder / f"{FILE}-wal"
    with log.open("r+b") as file:
        file.truncate(log.stat().st_size - torn)
    with closing(Ledger(folder, write=True)) as ledger:
        units = ledger.finished(0, 0, 0, 99)
        assert list(units) == list(range(len(units)))
        assert len(units) == 20 if not torn else 0 < len(units) < 20
        assert ledger.waiting("") == 3 * len(units)
        assert ledger.tallies() == {"s": (len(units), 3 * len(units), 0)}


def test_a_folder_without_a_run_is_no_run(tmp_path):
    with pytest.raises(LedgerError, match="no run in"):
        Ledger(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["file", "file/below", "file/below/deep"])
def test_a_folder_that_cannot_be_made_is_told(tmp_path, place):
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match="cannot be written here; choose another folder"):
        Ledger(tmp_path / place, write=True)


def test_a_file_that_is_no_ledger_is_told_and_left_alone(tmp_path):
    (tmp_path / FILE).write_bytes(b"rubbish " * 1_000)
    for write in (True, False, True):  # the lock is let go of each time
        with pytest.raises(LedgerError, match="the file is damaged; move it away"):
            Ledger(tmp_path, write=write)
    assert (tmp_path / FILE).read_bytes() == b"rubbish " * 1_000


@pytest.mark.parametrize("how", ["zeros", "cut"])
def test_damage_in_the_middle_is_told_when_it_is_met(tmp_path, how):
    with closing(Ledger(tmp_path, write=True)) as ledger:
        ledger.settle(0, 1, leaves(2_000, "text " * 100), {})
    path = tmp_path / FILE
    size = path.stat().st_size
    with path.open("r+b") as file:
        if how == "zeros":
            file.seek(size // 2 // 4096 * 4096)
            file.write(bytes(40 * 4096))
        else:
            file.truncate(size // 2)
    with pytest.raises(LedgerError, match="the file is damaged"):  # noqa: SIM117
        with closing(Ledger(tmp_path)) as ledger:
            list(ledger.accepted())
            ledger.reasons()


async def test_a_ledger_of_another_format_is_refused_and_let_go(tmp_path):
    with closing(Ledger(tmp_path, write=True)) as ledger:
        ledger.note(format="99")
    for write in (True, False, True):
        with pytest.raises(LedgerError, match="has format 99, this engine writes 1"):
            Ledger(tmp_path, write=write)


def test_somebody_elses_database_is_refused(tmp_path):
    with closing(sqlite3.connect(tmp_path / FILE)) as other:
        other.execute("CREATE TABLE meta(x)")
    with pytest.raises(LedgerError, match="cannot be used"):
        Ledger(tmp_path)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "none", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(folder: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", str(folder)], check=True)


async def test_on_a_full_disk_the_error_is_clear_and_what_was_committed_stays(small_disk):
    kept = 0
    with closing(Ledger(small_disk, write=True)) as ledger:
        with pytest.raises(LedgerError, match="the disk is full or failing; what was committed is"):
            for kept in range(1_000):
                await ledger.keep(said(f"{kept:04d}", "word " * 400))
        assert kept > 10
        assert [s.key for s in ledger.calls()] == [f"{i:04d}" for i in range(kept)]
        with pytest.raises(LedgerError, match="the disk is full"):
            await ledger.keep(said("again", "word " * 4_000))
    remount(small_disk, "size=4m")
    with closing(Ledger(small_disk, write=True)) as ledger:
        assert len(list(ledger.calls())) == kept
        await ledger.keep(said("more", "word " * 400))


def test_a_read_only_disk_is_told(small_disk):
    Ledger(small_disk, write=True).close()
    remount(small_disk, "ro")
    with pytest.raises(LedgerError, match="cannot be written here; choose another folder"):
        Ledger(small_disk, write=True)
