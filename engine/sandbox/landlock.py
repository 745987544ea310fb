"""Which files a process may open, without privileges: Landlock (Linux 5.13 and later).

The second best, where no namespaces can be made. What is not allowed cannot be opened, listed,
written or removed; that it exists, its size and its dates can still be seen.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable

from engine.sandbox import linux

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_TRUNCATE, _IOCTL = 1 << 14, 1 << 15
_ALL = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""Version of the interface -> every right on files that it knows."""
_TCP = 3
"""Both rights of TCP, from version 4."""
_SCOPES = 3
"""Abstract sockets and signals stay inside, from version 6."""
_OF_A_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL


class _Rules(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def version() -> int:
    """Version of the kernel's interface; 0 where it has none."""
    try:
        return linux.syscall("landlock", _CREATE, None, 0, 1)
    except OSError:
        return 0


def confine(readable: Iterable[str], writable: Iterable[str]) -> None:
    """Only these folders and files, and what is below, may be opened from now on.

    Raises:
        OSError: the kernel has no Landlock, or one of the paths is not there.
    """
    known = version()
    rights = _ALL[max(v for v in _ALL if v <= max(known, 1))]
    rules = _Rules(rights, _TCP if known >= 4 else 0, _SCOPES if known >= 6 else 0)
    size = 8 if known < 4 else 16 if known < 6 else 24
    ruleset = linux.syscall("landlock", _CREATE, ctypes.byref(rules), size, 0)
    for path in readable:
        _allow(ruleset, path, rights & (_EXECUTE | _READ_FILE | _READ_DIR))
    for path in writable:
        _allow(ruleset, path, rights & ~_EXECUTE)
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    linux.syscall("landlock", _RESTRICT, ruleset, 0)
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    where = os.open(path, os.O_PATH | os.O_CLOEXEC)
    if not os.path.isdir(path):
        rights &= _OF_A_FILE
    beneath = _Beneath(rights, where)
    linux.syscall("landlock", _ADD, ruleset, 1, ctypes.byref(beneath), 0)
    os.close(where)
