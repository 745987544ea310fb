"""Which system calls a program may make: a filter that the kernel applies to it and its children.

The filter says no to what no honest program of a test needs and what kernels were broken with:
other namespaces, mounts, tracing, kernel programs, keys, io_uring, memory that no limit counts.
Sockets are for the same machine only. Where there are no namespaces it says no to more: to
signals to others, to new sessions (so that a group can be killed whole), to any socket, and to
changing files by name (which Landlock does not know).
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator

from engine.sandbox import linux

_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_NUMBERS = {  # name: (x86_64, aarch64); -1 where there is none
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "init_module": (175, 105),
    "ioperm": (173, -1),
    "iopl": (172, -1),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "mbind": (237, 235),
    "memfd_create": (319, 279),
    "migrate_pages": (256, 238),
    "modify_ldt": (154, -1),
    "mount": (165, 40),
    "move_pages": (279, 239),
    "mq_open": (240, 180),
    "msgget": (68, 186),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "semget": (64, 190),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "shmget": (29, 194),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "vhangup": (153, 58),
    # the same everywhere
    "pidfd_send_signal": (424, 424),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440),
    "mount_setattr": (442, 442),
    "quotactl_fd": (443, 443),
    "memfd_secret": (447, 447),
    "process_mrelease": (448, 448),
}
_NOT_WITHOUT_NAMESPACES = {
    "chmod": (90, -1),
    "chown": (92, -1),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "fchownat": (260, 54),
    "futimesat": (261, -1),
    "ioprio_set": (251, 30),
    "lchown": (94, -1),
    "lremovexattr": (198, 15),
    "lsetxattr": (189, 6),
    "removexattr": (197, 14),
    "removexattrat": (466, 466),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "setpgid": (109, 154),
    "setpriority": (141, 140),
    "setsid": (112, 157),
    "setxattr": (188, 5),
    "setxattrat": (463, 463),
    "socket": (41, 198),
    "tkill": (200, 130),
    "truncate": (76, 45),
    "utime": (132, -1),
    "utimensat": (280, 88),
    "utimes": (235, -1),
}
_CLONE, _CLONE3, _SOCKET, _IOCTL = (56, 220), (435, 435), (41, 198), (16, 29)
_KILL, _TGKILL, _PRLIMIT = (62, 129), (234, 131), (302, 261)
_NEW_NAMESPACES = 0x7E020000
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _FIRST, _SECOND = 0, 4, 16, 24
"""Where the kernel shows the call's number, the architecture and the low halves of arguments."""
_ALLOW, _KILL_PROCESS, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000

Instruction = tuple[int, int, int, int]
"""Code, jump if true, jump if false, operand."""


class _Filter(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("true", ctypes.c_uint8),
        ("false", ctypes.c_uint8),
        ("k", ctypes.c_uint32),
    )


class _Listing(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Filter)))


def known() -> bool:
    """Whether there is a filter for this architecture."""
    return linux.MACHINE in _ARCHITECTURE


def forbid(*, namespaces: bool) -> None:
    """Apply the filter to this process for good; ``PR_SET_NO_NEW_PRIVS`` is set before.

    Raises:
        OSError: the kernel takes no filters.
    """
    listing = list(_listing(namespaces))
    filters = (_Filter * len(listing))(*(_Filter(*each) for each in listing))
    program = _Listing(len(listing), filters)
    result = linux.libc().prctl(linux.PR_SET_SECCOMP, 2, ctypes.byref(program), 0, 0)
    linux.checked("seccomp", result)


def _listing(namespaces: bool) -> Iterator[Instruction]:
    column = list(_ARCHITECTURE).index(linux.MACHINE)
    yield _LOAD, 0, 0, _ARCH
    yield _EQUAL, 1, 0, _ARCHITECTURE[linux.MACHINE]
    yield _RETURN, 0, 0, _KILL_PROCESS
    yield _LOAD, 0, 0, _NUMBER
    yield _AT_LEAST, 0, 1, 0x40000000  # x32: the same calls by other numbers
    yield _RETURN, 0, 0, _KILL_PROCESS
    calls = _NUMBERS if namespaces else {**_NUMBERS, **_NOT_WITHOUT_NAMESPACES}
    for numbers in calls.values():
        if numbers[column] >= 0:
            yield from _refuse(numbers[column], errno.EPERM)
    yield from _refuse(_CLONE3[column], errno.ENOSYS)  # its flags cannot be seen; libc uses clone
    yield from _on(_CLONE[column], _FIRST, [(_ANY_BIT, _NEW_NAMESPACES)], _FAIL | errno.EPERM)
    yield from _on(
        _IOCTL[column], _SECOND, [(_EQUAL, _TIOCSTI), (_EQUAL, _TIOCLINUX)], _FAIL | errno.EPERM
    )
    yield from _only(_SOCKET[column], [1], errno.EACCES)  # AF_UNIX
    if not namespaces:
        me = os.getpid()
        yield from _only(_KILL[column], [0, me], errno.EPERM)
        yield from _only(_TGKILL[column], [me], errno.EPERM)
        yield from _only(_PRLIMIT[column], [0, me], errno.EPERM)
    yield _RETURN, 0, 0, _ALLOW


def _refuse(number: int, error: int) -> Iterator[Instruction]:
    yield _EQUAL, 0, 1, number
    yield _RETURN, 0, 0, _FAIL | error


def _on(
    number: int, argument: int, tests: list[tuple[int, int]], action: int
) -> Iterator[Instruction]:
    """``action`` where the argument meets a test; the call is allowed otherwise."""
    yield _EQUAL, 0, 2 + 2 * len(tests), number
    yield _LOAD, 0, 0, argument
    for test, operand in tests:
        yield test, 0, 1, operand
        yield _RETURN, 0, 0, action
    yield _RETURN, 0, 0, _ALLOW


def _only(number: int, values: list[int], error: int) -> Iterator[Instruction]:
    """The call is allowed where its first argument is one of the values."""
    yield _EQUAL, 0, 2 + 2 * len(values), number
    yield _LOAD, 0, 0, _FIRST
    for value in values:
        yield _EQUAL, 0, 1, value
        yield _RETURN, 0, 0, _ALLOW
    yield _RETURN, 0, 0, _FAIL | error
