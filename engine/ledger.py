"""What is durably done: one SQLite file per run, one writer, group commit.

Three things live here. *Calls*: every model reply, before a node sees it (the journal). *Units*:
a record's way through one stage, committed with all its outcomes in one transaction or not at
all. *Outcomes*: what each unit became, in an order that never depends on timing.

A unit is named by (round, stage, position): positions are those of the seed stream, so the
same job enumerates the same units at every start and resuming is skipping the ones that are
there. All writes go through one thread that commits whatever has queued up in one
transaction, with ``synchronous=FULL``: a write that was awaited survives SIGKILL and power loss.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any

import orjson

from engine.core import Drop, LedgerError, Record
from engine.entries import (
    SCHEMA,
    Encoded,
    Leaf,
    Tally,
    Unit,
    count,
    decode,
    encode,
    forget,
    insert,
    put_meta,
)
from engine.models.journal import Said
from engine.storage import BATCH, Op, Reader, Writer, explained, lock

FILE = "run.sqlite"
FORMAT = "1"
_ORDER = "ORDER BY round, stage, pos, ord"
PAGE = 500
"""Records read at a time."""
_START, _LAST = (-1, -1, -1, -1), (1 << 63) - 1


class Ledger:
    """The ledger of the run in one folder.

    Reading and writing may be mixed; one process at a time may hold it for writing.
    """

    def __init__(self, folder: Path, *, write: bool = False) -> None:
        """Open, and create where ``write`` is set.

        Raises:
            LedgerError: not there, locked by another process, damaged, full or read-only.
        """
        self.path = folder / FILE
        self._writer: Writer | None = None
        self._ways: set[tuple[str, str]] = set()
        with contextlib.ExitStack() as opened, explained(self.path):
            if write:
                opened.enter_context(lock(folder))
                self._writer = opened.enter_context(contextlib.closing(Writer(self.path, SCHEMA)))
            elif not self.path.is_file():
                raise LedgerError(f"no run in {folder} (there is no {FILE})")
            self._read = opened.enter_context(contextlib.closing(Reader(self.path, write=write)))
            found = self.meta("format")
            if write and found is None:
                self._now(lambda c: put_meta(c, "format", FORMAT))
            elif found != FORMAT:
                raise LedgerError(f"{self.path} has format {found}, this engine writes {FORMAT}")
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Write what is queued, fold the log into the file, let go of the lock."""
        self._opened.close()

    def reader(self) -> Ledger:
        """The same run through a connection of its own, for use in another thread."""
        return Ledger(self.path.parent)

    # -- calls -------------------------------------------------------------------------------

    def recall(self, key: str) -> Said | None:
        """The journalled call with this key."""
        return next(self.calls([key]), None)

    async def keep(self, *replies: Said) -> None:
        """Make replies durable, all or none; returns when they are."""
        rows = [
            (
                said.key, said.prompt, said.role, said.model, said.tokens_in, said.tokens_out,
                said.truncated, said.max_tokens, said.seconds, said.asked, said.text,
            )
            for said in replies
        ]  # fmt: skip
        await self._soon(
            lambda c: c.executemany(
                "INSERT OR REPLACE INTO calls(key, prompt, role, model, tokens_in, tokens_out,"
                " truncated, max_tokens, seconds, asked, text) VALUES(?,?,?,?,?,?,?,?,?,?,?)",
                rows,
            )
        )

    def calls(self, keys: Sequence[str] | None = None) -> Iterator[Said]:
        """The journalled calls in the order their replies came; all, or those with these keys."""
        columns = (
            "key, prompt, role, model, tokens_in, tokens_out, truncated, max_tokens, seconds,"
            " asked, text FROM calls"
        )
        if keys is not None:
            where = f"WHERE key IN ({','.join('?' * len(keys))}) ORDER BY at"
            yield from (Said(*row) for row in self._read.all(f"SELECT {columns} {where}", keys))
            return
        query, after = f"SELECT at, {columns} WHERE at > ? ORDER BY at LIMIT {PAGE}", -1
        while rows := self._read.all(query, (after,)):
            yield from (Said(*row[1:]) for row in rows)
            after = rows[-1][0]

    def called(self) -> list[tuple[str, str, int, int, int, float]]:
        """Per model and prompt: calls, tokens in, tokens out, seconds."""
        return self._read.all(
            "SELECT model, prompt, count(*), sum(tokens_in), sum(tokens_out), sum(seconds)"
            " FROM calls GROUP BY model, prompt ORDER BY model, prompt"
        )

    # -- rounds, units, passes ---------------------------------------------------------------

    def rounds(self) -> list[tuple[dict[str, Any], bool]]:
        """Per round: how many seeds of which source it takes from where, and whether it is done."""
        rows = self._read.all("SELECT feeds, done FROM rounds ORDER BY round")
        return [(orjson.loads(feeds), bool(done)) for feeds, done in rows]

    async def begin_round(self, round: int, feeds: Mapping[str, Any]) -> None:
        """Write down which seeds a round takes, before it takes any."""
        row = (round, orjson.dumps(feeds).decode())
        await self._soon(lambda c: c.execute("INSERT INTO rounds(round, feeds) VALUES(?,?)", row))

    async def narrow_round(self, round: int, feeds: Mapping[str, Any]) -> None:
        """Let a round that has begun take fewer seeds."""
        row = (orjson.dumps(feeds).decode(), round)
        await self._soon(lambda c: c.execute("UPDATE rounds SET feeds = ? WHERE round = ?", row))

    async def end_round(self, round: int, feeds: Mapping[str, Any]) -> None:
        """Mark a round as settled; ``feeds`` now says how many seeds there really were."""
        row = (orjson.dumps(feeds).decode(), round)
        await self._soon(
            lambda c: c.execute("UPDATE rounds SET done = 1, feeds = ? WHERE round = ?", row)
        )

    def finished(self, round: int, stage: int, first: int, last: int) -> dict[int, tuple[str, str]]:
        """Position -> (record id, status) of the units from ``first`` up to and with ``last``."""
        rows = self._read.all(
            "SELECT pos, id, status FROM units"
            " WHERE round = ? AND stage = ? AND pos BETWEEN ? AND ?",
            (round, stage, first, last),
        )
        return {pos: (id_, status) for pos, id_, status in rows}

    async def commit(self, unit: Unit, leaves: Sequence[Leaf | Encoded], tally: Tally) -> None:
        """Keep all that a unit became and that it is done, in one transaction."""
        rows = [
            (unit.round, unit.stage, unit.pos, i, *encode(leaf)) for i, leaf in enumerate(leaves)
        ]
        done = (unit.round, unit.stage, unit.pos, unit.record.id)

        ways = {(unit.record.language, row[7]) for row in rows if row[5] is not None} - self._ways

        def op(c: sqlite3.Cursor) -> None:
            c.executemany("INSERT OR IGNORE INTO ways VALUES(?,?)", ways)
            c.execute(
                "INSERT INTO units VALUES(?,?,?,?,'done',1,NULL) ON CONFLICT DO UPDATE SET"
                " status = 'done', attempts = attempts + 1, error = NULL",
                done,
            )
            c.executemany("INSERT INTO outcomes VALUES(?,?,?,?,?,?,?,?,?,?,?)", rows)
            count(c, unit.round, unit.stage, tally)

        await self._soon(op)
        self._ways |= ways

    async def fail(self, unit: Unit, error: str) -> None:
        """Record that a unit failed; it has no outcomes, and can be retried."""
        row = (unit.round, unit.stage, unit.pos, unit.record.id, error)
        await self._soon(
            lambda c: c.execute(
                "INSERT INTO units VALUES(?,?,?,?,'failed',1,?) ON CONFLICT DO UPDATE SET"
                " status = 'failed', attempts = attempts + 1, error = excluded.error",
                row,
            )
        )

    def settled(self, round: int, stage: int) -> bool:
        """Whether a pass has been through this round."""
        query = "SELECT 1 FROM passes WHERE round = ? AND stage = ?"
        return self._read.first(query, (round, stage)) is not None

    def passed(self) -> bool:
        """Whether any pass has been through any round."""
        return self._read.first("SELECT 1 FROM passes LIMIT 1", ()) is not None

    def settle(self, round: int, stage: int, leaves: Iterable[Leaf], tally: Tally) -> int:
        """Keep the outcomes of a pass, however many; blocks. A half-written pass is done anew."""
        self._now(lambda c: forget(c, "outcomes", round, stage))
        rows: list[tuple[Any, ...]] = []
        pos = 0
        for pos, leaf in enumerate(leaves, start=1):
            rows.append((round, stage, pos, 0, *encode(leaf)))
            if len(rows) == BATCH:
                self._now(insert(rows))
                rows = []

        def op(c: sqlite3.Cursor) -> None:
            insert(rows)(c)
            forget(c, "tallies", round, stage)
            count(c, round, stage, tally)
            c.execute("INSERT INTO passes VALUES(?,?)", (round, stage))

        self._now(op)
        return pos

    def retry(self) -> int:
        """Put failed units back in line and undo what later stages made without them.

        Nothing is paid for again: the calls stay in the journal.
        """
        rows = self._read.all(
            "SELECT round, min(stage) FROM units WHERE status = 'failed' GROUP BY round"
        )
        if not rows:
            return 0
        failed = sum(1 for _ in self.failures())
        first, stage = min(rows)

        def op(c: sqlite3.Cursor) -> None:
            c.execute("UPDATE units SET status = 'again' WHERE status = 'failed'")
            for table in ("outcomes", "tallies", "passes", "units"):
                c.execute(
                    f"DELETE FROM {table} WHERE round > ? OR (round = ? AND stage > ?)",
                    (first, first, stage),
                )
            c.execute("DELETE FROM rounds WHERE round > ?", (first,))
            c.execute("UPDATE rounds SET done = 0 WHERE round = ?", (first,))

        self._now(op)
        return failed

    def wipe(self) -> None:
        """Forget all progress; the journal stays, so that replies already paid for serve again."""

        def op(c: sqlite3.Cursor) -> None:
            for table in ("meta", "rounds", "units", "outcomes", "passes", "tallies", "ways"):
                c.execute(f"DELETE FROM {table}")
            put_meta(c, "format", FORMAT)

        self._now(op)

    # -- reading what there is ---------------------------------------------------------------

    def meta(self, key: str) -> str | None:
        """What was written down under ``key``."""
        row = self._read.first("SELECT value FROM meta WHERE key = ?", (key,))
        return row and str(row[0])

    def note(self, **values: str) -> None:
        """Write down facts about the run as a whole; blocks until they are durable."""

        def op(c: sqlite3.Cursor) -> None:
            for key, value in values.items():
                put_meta(c, key, value)

        self._now(op)

    def arrived(
        self, dst: Sequence[str], round: int | None = None, limit: int = -1
    ) -> Iterator[tuple[str, Record]]:
        """(destination, record) for all that waits at ``dst``, in seed order."""
        # "round <= ?" and a start, not "round = ?": SQLite then walks the index from page to page.
        before, start = (_LAST, _START) if round is None else (round, (round, -1, -1, -1))
        ways = [self._page("dst = ? AND round <= ?", (d, before), limit, start) for d in dst]
        rows = merge(*ways, key=itemgetter(slice(4)))
        return ((row[5], decode(row[8])) for row in islice(rows, limit if limit >= 0 else None))

    def accepted(self, limit: int = -1) -> Iterator[Record]:
        """What reached the sink, in seed order; the first ``limit`` of it."""
        return (record for _, record in self.arrived([""], limit=limit))

    def accepted_before(self, round: int) -> int:
        """How many records reached the sink in earlier rounds."""
        query = "SELECT count(*) FROM outcomes WHERE dst = '' AND round < ?"
        return int(self._read.first(query, (round,))[0])

    def kept(self, src: str, dst: str, before: int) -> Iterator[Record]:
        """What ``src`` sent to ``dst`` in the rounds before ``before``, in seed order."""
        rows = self._page("src = ? AND dst = ? AND round < ?", (src, dst, before))
        return (decode(row[8]) for row in rows)

    def accepted_languages(self) -> dict[str, int]:
        """Tag -> records that reached the sink."""
        query = "SELECT language, count(*) FROM outcomes WHERE dst = '' GROUP BY language"
        return dict(self._read.all(query))

    def ways(self) -> list[tuple[str, str]]:
        """(language of what went into a stage, language of what came of it), each once."""
        return self._read.all("SELECT before, after FROM ways ORDER BY before, after")

    def waiting(self, dst: str) -> int:
        """How many records reached ``dst``; ``""`` counts the accepted."""
        row = self._read.first("SELECT count(*) FROM outcomes WHERE dst = ?", (dst,))
        return int(row[0])

    def drops(
        self, step: str = "", reason: str = "", limit: int = -1
    ) -> Iterator[tuple[str, Drop]]:
        """(step, drop) for all that was dropped, in seed order."""
        where = "reason IS NOT NULL AND (? = '' OR src = ?) AND (? = '' OR reason = ?)"
        rows = self._page(where, (step, step, reason, reason), limit)
        return ((row[4], Drop(decode(row[8]), row[6], row[7])) for row in rows)

    def _page(
        self, where: str, values: Sequence[object], limit: int = -1, after: tuple[int, ...] = _START
    ) -> Iterator[tuple[Any, ...]]:
        """(round, stage, pos, ord, src, dst, reason, detail, body) in seed order, page by page.

        One long query would hold on to its snapshot, and the write-ahead log would grow for as
        long as a stage takes; memory stays flat either way.
        """
        query = (
            "SELECT round, stage, pos, ord, src, dst, reason, detail, body FROM outcomes"
            f" WHERE {where} AND (round, stage, pos, ord) > (?, ?, ?, ?) {_ORDER} LIMIT ?"
        )
        left = limit
        while left:
            page = PAGE if left < 0 else min(PAGE, left)
            rows = self._read.all(query, (*values, *after, page))
            yield from rows
            if len(rows) < page:
                return
            after = rows[-1][:4]
            left = left - len(rows) if left > 0 else left

    def reasons(self) -> list[tuple[str, str, str, int]]:
        """(step, reason, language, count) of the drops."""
        return self._read.all(
            "SELECT src, reason, language, count(*) FROM outcomes WHERE reason IS NOT NULL"
            " GROUP BY src, reason, language ORDER BY src, count(*) DESC, reason, language"
        )

    def tallies(self) -> dict[str, tuple[int, int, int]]:
        """Step -> (entered, kept, dropped) over all rounds."""
        rows = self._read.all(
            "SELECT step, sum(entered), sum(kept), sum(dropped) FROM tallies GROUP BY step"
        )
        return {step: (a, b, c) for step, a, b, c in rows}

    def seeds(self) -> tuple[int, int]:
        """(done, failed) among the seeds."""
        rows = dict(
            self._read.all("SELECT status, count(*) FROM units WHERE stage = 0 GROUP BY status")
        )
        return rows.get("done", 0), rows.get("failed", 0)

    def failures(self) -> Iterator[dict[str, Any]]:
        """Units that failed: round, stage, position, record id, attempts, error."""
        rows = self._read.all(
            "SELECT round, stage, pos, id, attempts, error FROM units WHERE status = 'failed'"
            " ORDER BY round, stage, pos"
        )
        names = ("round", "stage", "pos", "id", "attempts", "error")
        return (dict(zip(names, row, strict=True)) for row in rows)

    def find(self, id_: str) -> list[tuple[str, str | None, str, str, Record]]:
        """(from, to, reason, detail, record) of every record whose id starts with ``id_``."""
        rows = self._read.all(
            "SELECT src, dst, ifnull(reason, ''), ifnull(detail, ''), body FROM outcomes"
            f" WHERE substr(id, 1, ?) = ? {_ORDER} LIMIT 50",
            (len(id_), id_),
        )
        return [(src, dst, why, detail, decode(body)) for src, dst, why, detail, body in rows]

    # -- writing -----------------------------------------------------------------------------

    async def _soon(self, op: Op) -> None:
        assert self._writer, "opened for reading"
        await self._writer.soon(op)

    def _now(self, op: Op) -> None:
        assert self._writer, "opened for reading"
        self._writer.now(op)
