"""The inside: a bare interpreter that walls itself in and then forks one child per program.

It is started by ``pool``, reads programs from standard input and answers on standard output, each
message a length in four bytes and JSON. For each program there are three processes: a *watcher*
outside the program's namespace, which holds the limits and says what happened; a *warden*, the
first process of the namespace, whose end ends all others there; and the program. The program has
no descriptor, no signal and no memory of the other two: what it can do is end, write output, and
testify in one line (see ``program``).

Forking costs a few milliseconds where starting an interpreter costs thirty or more.
"""

from __future__ import annotations

import gc
import json
import os
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from os import _exit
from typing import Any

from engine.sandbox import program, walls, watch
from engine.sandbox.limits import MODES, Limits, Mode, Program, Ran

_WARM = (
    "bisect collections copy dataclasses datetime decimal enum fractions functools heapq "
    "itertools json math operator re statistics string time typing unittest"
)
"""Modules that programs import often: every one loaded here is loaded once."""
_BROKEN = 70
"""Exit code of a process of the sandbox that broke."""
_FAR = 64
"""Descriptors are moved up here before 0 to 3 are given out."""


def main() -> None:
    """Serve until standard input ends. Arguments: the modes to try, the folder for programs."""
    base, named = sys.argv[2], sys.argv[3].split(",")
    modes = sorted((mode for mode in MODES if mode in named), key=named.index)
    for name in _WARM.split():
        __import__(name)
    __import__("_sitebuiltins")
    standing, refused = _first_that_stands(modes, base)
    if standing is None:
        _send({"refused": refused})
        return
    gc.collect()
    gc.disable()
    gc.freeze()  # collecting would write to pages that the children share
    _send({"walls": asdict(standing.walls)})
    while (message := _receive()) is not None:
        _serve(standing, message)


def _first_that_stands(modes: list[Mode], base: str) -> tuple[walls.Standing | None, str]:
    """Walls are tried in a child first: half of a wall cannot be taken down again."""
    refused = []
    for mode in modes:
        reading, writing = os.pipe()
        child = forked(partial(_try, mode, base, writing))
        os.close(writing)
        why = os.read(reading, 1000).decode("utf-8", "replace")
        os.close(reading)
        if os.waitpid(child, 0)[1] == 0:
            return walls.stand(mode, base), ""
        refused.append(f"{mode}: {why or 'broke'}")
    return None, "; ".join(refused)


def _try(mode: Mode, base: str, out: int) -> int:
    try:
        walls.try_out(walls.stand(mode, base))
    except OSError as error:
        os.write(out, str(error).encode())
        return 1
    return 0


def _serve(standing: walls.Standing, message: dict[str, Any]) -> None:
    limits, asked = Limits(**message["limits"]), Program(**message["program"])
    child = forked(lambda: _supervise(standing, limits, asked))
    _, status = os.waitpid(child, 0)
    if status:
        _send(asdict(Ran("error", detail=f"the watcher ended with status {status}")))


def forked(work: Callable[[], int]) -> int:
    """Process id of a child that does the work, ends with its result and never returns."""
    child = os.fork()
    if child:
        return child
    code = _BROKEN
    try:
        code = work()
    finally:
        if code == _BROKEN:
            sys.excepthook(*sys.exc_info())
        _exit(code)


def _supervise(standing: walls.Standing, limits: Limits, asked: Program) -> int:
    """The watcher: start the warden, hold the limits, answer."""
    walls.own_tree(standing)
    walls.bound_to_parent(standing)
    folder = "" if standing.namespaces else walls.private_folder(standing, limits)
    pipes = [os.pipe() for _ in range(4)]
    token = os.urandom(16).hex()
    started = time.monotonic()
    ends = [writing for _, writing in pipes]
    warden = forked(lambda: _ward(standing, limits, asked, token, folder, ends))
    for end in ends:
        os.close(end)
    watching = watch.Watch(standing, limits, warden, [reading for reading, _ in pipes], folder)
    ran = watching.until_it_ends(token, started)
    watch.remove(folder)
    _send(asdict(ran))
    return 0


def _ward(
    standing: walls.Standing,
    limits: Limits,
    asked: Program,
    token: str,
    folder: str,
    ends: list[int],
) -> int:
    """The warden: start the program, say how it ended, take every other process with it."""
    walls.bound_to_parent(standing)
    folder = folder or walls.private_folder(standing, limits)
    status_end = ends[3]
    child = forked(lambda: _become(standing, limits, asked, token, folder, ends))
    os.write(status_end, watch.STARTED.pack(child))
    os.close(0)
    while (pid := _ended()) != child:
        os.waitpid(pid, 0)
    if not standing.namespaces:  # while its number is still taken
        watch.end_group(child)
    _, status, used = os.wait4(child, 0)
    os.write(status_end, watch.ENDED.pack(status, used.ru_utime + used.ru_stime))
    return 0


def _ended() -> int:
    """The process id of a child that has ended and is not yet forgotten."""
    found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
    return found.si_pid if found else 0


def _become(
    standing: walls.Standing,
    limits: Limits,
    asked: Program,
    token: str,
    folder: str,
    ends: list[int],
) -> int:
    """The program's process: let go of everything, then run it."""
    walls.first_to_go(standing)
    beside = walls.others(standing)
    out, errors, testimony, _ = (_far(end) for end in ends)
    for given, number in ((_far(standing.null), 0), (out, 1), (errors, 2)):
        os.dup2(given, number)
    os.dup2(testimony, 3, inheritable=False)
    os.closerange(4, 1 << 20)
    _fresh_standard_streams()
    walls.close_around(standing, limits, folder, beside)
    os.write(3, watch.ready(token))
    return program.perform(asked, token, 3)


def _far(descriptor: int) -> int:
    import fcntl

    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FAR)


def _fresh_standard_streams() -> None:
    """What a program finds in ``sys``: nothing of the worker's."""
    import builtins
    import io
    import signal
    from _sitebuiltins import Quitter

    raw = [
        io.FileIO(number, mode, closefd=False) for number, mode in ((0, "r"), (1, "w"), (2, "w"))
    ]
    sys.stdin = io.TextIOWrapper(io.BufferedReader(raw[0]), "utf-8")
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(raw[1]), "utf-8")
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(raw[2]), "utf-8", "backslashreplace", line_buffering=True
    )
    vars(sys).update(__stdin__=sys.stdin, __stdout__=sys.stdout, __stderr__=sys.stderr)
    builtins.exit = Quitter("exit", "Ctrl-D")
    builtins.quit = Quitter("quit", "Ctrl-D")
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _send(message: dict[str, Any]) -> None:
    body = json.dumps(message).encode()
    left = memoryview(struct.pack("!I", len(body)) + body)
    while left:
        left = left[os.write(1, left) :]


def _receive() -> dict[str, Any] | None:
    head = _exactly(4)
    if head is None:
        return None
    body = _exactly(struct.unpack("!I", head)[0])
    return None if body is None else json.loads(body)


def _exactly(size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        part = os.read(0, size - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)
