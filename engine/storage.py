"""One SQLite file with one writer: a thread that commits what has queued up, and waits for disk.

``synchronous=FULL``: when a write has been awaited it is on disk. Group commit makes that cheap:
while one commit waits for the disk, the next ones gather and share the following commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import IO, Any

from engine.core import LedgerError

BATCH = 4000
"""At most so many writes share one commit; more would only delay the first of them."""

_READ_ONLY = ("readonly", "unable to open", "Read-only file system")
_NO_FOLDER = (PermissionError, NotADirectoryError, FileExistsError)
_REFUSED = (sqlite3.Error, ValueError, TypeError, OverflowError)
"""What SQLite and its binding raise: a failing disk, half a surrogate pair, 65 bits."""

Op = Callable[[sqlite3.Cursor], object]
Waiter = tuple[asyncio.AbstractEventLoop, asyncio.Future[None]] | Future[None]


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system say into a sentence that a user can act on."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise explain(path, error) from error


def explain(path: Path, error: Exception) -> LedgerError:
    """The sentence for one error."""
    said = str(error)
    if "full" in said or "No space left" in said or "disk I/O error" in said:
        why = "the disk is full or failing; what was committed is safe: make room and run again"
    elif "malformed" in said or "not a database" in said or "corrupt" in said:
        why = "the file is damaged; move it away to start anew, or restore it from a copy"
    elif isinstance(error, _NO_FOLDER) or any(word in said for word in _READ_ONLY):
        why = "it cannot be written here; choose another folder with -o"
    else:
        why = "it cannot be used"
    return LedgerError(f"{path}: {why} ({said})")


def lock(folder: Path) -> IO[str]:
    """Hold the folder for this process until the returned file is closed.

    Raises:
        LedgerError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    held = (folder / ".lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held.seek(0)
        owner = held.read().strip() or "unknown"
        held.close()
        raise LedgerError(
            f"{folder} is in use by another engine (process {owner}); "
            "wait for it, stop it, or choose another folder with -o"
        ) from None
    held.truncate(0)
    held.write(str(os.getpid()))
    held.flush()
    return held


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """A connection in autocommit mode; transactions are written out where they are meant."""
    mode = "rwc" if write else "rw"
    uri = f"file:{str(path).replace('%', '%25').replace('?', '%3f').replace('#', '%23')}"
    made = sqlite3.connect(
        f"{uri}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False, timeout=30
    )
    try:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("PRAGMA synchronous = FULL")
        made.execute("PRAGMA cache_size = -4000")  # 4 MB: memory must not grow with the run
    except sqlite3.Error:
        made.close()
        raise
    return made


class Reader:
    """A connection for reading; damage that it meets is told as such."""

    def __init__(self, path: Path, *, write: bool) -> None:
        """Open; ``write`` creates the file where there is none."""
        self._path = path
        self._connection = connect(path, write=write)
        self.close = self._connection.close

    def all(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        """Every row."""
        with explained(self._path):
            return self._connection.execute(query, values).fetchall()

    def first(self, query: str, values: Sequence[object] = ()) -> Any:
        """The first row, or ``None``."""
        with explained(self._path):
            return self._connection.execute(query, values).fetchone()


class Writer:
    """The one thread that writes."""

    def __init__(self, path: Path, schema: str) -> None:
        self._path = path
        self._queue: queue.SimpleQueue[tuple[Op, Waiter] | None] = queue.SimpleQueue()
        self._connection = connect(path, write=True)
        try:
            self._connection.executescript(schema)
        except sqlite3.Error:
            self._connection.close()
            raise
        self._thread = threading.Thread(target=self._work, name="ledger", daemon=True)
        self._thread.start()

    async def soon(self, op: Op) -> None:
        """Run ``op`` in the next commit; returns when that is on disk."""
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        self._queue.put((op, (loop, waiter)))
        # A caller that is cancelled must not take the write back: it may be half of a group.
        await asyncio.shield(waiter)

    def now(self, op: Op) -> None:
        """The same for code outside an event loop; blocks."""
        waiter: Future[None] = Future()
        self._queue.put((op, waiter))
        waiter.result()

    def close(self) -> None:
        """Write what is queued and stop."""
        self._queue.put(None)
        self._thread.join()
        self._connection.close()

    def _work(self) -> None:
        going = True
        while going:
            group = [self._queue.get()]
            while len(group) < BATCH and group[-1] is not None:
                try:
                    group.append(self._queue.get_nowait())
                except queue.Empty:
                    break
            going = group[-1] is not None
            self._commit([item for item in group if item is not None])

    def _commit(self, group: list[tuple[Op, Waiter]]) -> None:
        error = self._try([op for op, _ in group]) if group else None
        if error is None or len(group) == 1:
            _tell([waiter for _, waiter in group], error)
            return
        for op, waiter in group:  # one write that cannot be must not take its neighbours along
            _tell([waiter], self._try([op]))

    def _try(self, ops: list[Op]) -> Exception | None:
        """One transaction; the error where there is one."""
        cursor = self._connection.cursor()
        try:
            cursor.execute("BEGIN IMMEDIATE")
            for op in ops:
                op(cursor)
            cursor.execute("COMMIT")
        except _REFUSED as failure:
            if self._connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):  # the first error is the one to tell
                    cursor.execute("ROLLBACK")
            known = isinstance(failure, sqlite3.Error)
            return explain(self._path, failure) if known else failure
        return None


def _tell(waiters: list[Waiter], error: Exception | None) -> None:
    """Wake all who wait: one wake-up an event loop, not one a write."""
    loops: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for waiter in waiters:
        if isinstance(waiter, Future):
            _resolve(waiter, error)
        else:
            loops.setdefault(waiter[0], []).append(waiter[1])
    for loop, futures in loops.items():
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_resolve_all, futures, error)


def _resolve_all(futures: list[asyncio.Future[None]], error: Exception | None) -> None:
    for future in futures:
        if not future.done():
            _resolve(future, error)


def _resolve(future: asyncio.Future[None] | Future[None], error: Exception | None) -> None:
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
