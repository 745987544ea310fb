"""The Linux calls that Python's ``os`` lacks: namespaces, mounts, capabilities, no-new-privileges.

Thin and named as in the manual pages. A call that fails raises ``OSError`` with its name.
"""

from __future__ import annotations

import ctypes
import os
import platform
from typing import Any

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS = 0x00020000, 0x02000000, 0x04000000
CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID = 0x08000000, 0x10000000, 0x20000000
CLONE_NEWNET = 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV = 1, 2, 4
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP = 1, 4, 22, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 36, 38

MACHINE = platform.machine()
_OWN = {"x86_64": {"pivot_root": 155, "capset": 126}, "aarch64": {"pivot_root": 41, "capset": 91}}
_MOUNT_SETATTR = 442
_AT_RECURSIVE, _AT_FDCWD = 0x8000, -100
_CAPABILITY_VERSION = 0x20080522
_LAST_CAPABILITY = 40


def libc() -> ctypes.CDLL:
    """The C library of this process."""
    return ctypes.CDLL(None, use_errno=True)


def syscall(name: str, number: int, *args: Any) -> int:
    """A system call by its number; whole numbers are passed as ``long``.

    Raises:
        OSError: it failed.
    """
    passed = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    return checked(name, libc().syscall(ctypes.c_long(number), *passed))


def checked(name: str, result: int) -> int:
    """The result of a C call.

    Raises:
        OSError: it is negative.
    """
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def own_number(name: str) -> int:
    """Number of a call that every architecture counts differently.

    Raises:
        OSError: this architecture is not known here.
    """
    if MACHINE not in _OWN:
        raise OSError(f"no system call numbers for {MACHINE}")
    return _OWN[MACHINE][name]


def unshare(flags: int) -> None:
    """Leave the namespaces of the parent."""
    checked("unshare", libc().unshare(flags))


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """Mount a file system, or bind a folder or file to another place."""
    words = [word.encode() for word in (source, target, kind)]
    checked(
        f"mount {target}",
        libc().mount(*words, ctypes.c_ulong(flags), options.encode() or None),
    )


class _MountAttributes(ctypes.Structure):
    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns", ctypes.c_uint64),
    )


def read_only(path: str, *, below: bool = True) -> None:
    """Make a mount, and all below it, read-only without devices or set-user-ID (Linux 5.12)."""
    flags = _MountAttributes(MS_RDONLY | MS_NOSUID | MS_NODEV, 0, 0, 0)
    size = ctypes.sizeof(flags)
    where = ctypes.c_char_p(path.encode())
    syscall(
        "mount_setattr",
        _MOUNT_SETATTR,
        _AT_FDCWD,
        where,
        _AT_RECURSIVE if below else 0,
        ctypes.byref(flags),
        size,
    )


def pivot_into(root: str) -> None:
    """Make ``root`` the root folder and let go of everything else."""
    os.chdir(root)
    here = ctypes.c_char_p(b".")
    syscall("pivot_root", own_number("pivot_root"), here, here)
    checked("umount2", libc().umount2(b".", MNT_DETACH))
    os.chdir("/")


def prctl(option: int, value: int = 0) -> None:
    """Set a property of this process."""
    long = ctypes.c_ulong
    checked(f"prctl {option}", libc().prctl(option, long(value), long(0), long(0), long(0)))


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


def drop_capabilities() -> None:
    """Give up every privilege, now and for whatever is executed later."""
    for capability in range(_LAST_CAPABILITY + 1):
        libc().prctl(
            PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0
        )  # an unprivileged has none
    header = _CapabilityHeader(_CAPABILITY_VERSION, 0)
    nothing = (ctypes.c_uint32 * 6)()
    syscall("capset", own_number("capset"), ctypes.byref(header), ctypes.byref(nothing))
    prctl(PR_SET_NO_NEW_PRIVS, 1)
