"""The walls around programs: made once by a worker, closed around each program when it starts.

With namespaces a worker moves into a view of its own: the system's libraries and the interpreter
read-only, a handful of devices, no home folders, no ``/proc``, a network with nothing in it. Each
program then gets a process tree, a private folder in memory and no privileges. Without namespaces
Landlock, a system call filter and limits stand in; ``weaker`` says in sentences what that lacks.
Where there is neither, nothing is run.
"""

from __future__ import annotations

import errno
import os
import resource
import signal
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.sandbox import landlock, linux, seccomp
from engine.sandbox.limits import Limits, Mode, Walls

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store")
_FILES = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_ROOT = "/proc"
"""Where the new root is put together: a folder that every system has and no program gets."""
_OWN_USER = 61184, 4335
"""First and number of the user ids that systemd lends to services for a while."""
PRIVATE = "/tmp"
_NO_FILTER = "system calls are not filtered on this architecture"
_WEAKER = (
    "that a file exists, its size and its dates can be seen, though it cannot be opened",
    "programs see the ids of other processes, though they cannot signal, trace or change them",
    "disk space and files are counted 20 times a second and the program is then ended, "
    "instead of being refused more",
    "programs have no shared memory, so that locks of multiprocessing cannot be made",
)
_SHARED_USER = "the limit on processes counts what else this user runs when the program starts"


@dataclass(frozen=True, slots=True)
class Standing:
    """Walls that stand around this worker."""

    walls: Walls
    proc: int
    """Descriptor of the machine's ``/proc``, for the watch; programs do not get it."""
    null: int
    """Descriptor of ``/dev/null``."""
    user: int
    """The user id of programs."""
    becomes: bool
    """Whether that is another one than the worker's."""
    base: str
    """Folder for private folders, where there are no namespaces."""
    readable: tuple[str, ...]
    """Folders and files that programs may read."""

    @property
    def namespaces(self) -> bool:
        """Whether programs get namespaces of their own."""
        return self.walls.mode == "namespaces"


def stand(mode: Mode, base: str) -> Standing:
    """Put up the walls that can stand before there is a program.

    Raises:
        OSError: this machine does not allow it.
    """
    proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    root = os.geteuid() == 0 and _can_become(_OWN_USER[0] + _OWN_USER[1])
    user = _OWN_USER[0] + os.getpid() % _OWN_USER[1] if root else os.geteuid()
    os.nice(10)
    weaker = [] if seccomp.known() else [_NO_FILTER]
    readable = tuple(path for path in (*_roots(), *_FILES) if os.path.lexists(path))
    if mode == "namespaces":
        _move_into_the_view(root, readable)
    else:
        _need_landlock()
        weaker += [*_WEAKER, *([] if root else [_SHARED_USER])]
    return Standing(Walls(mode, tuple(weaker)), proc, null, user, root, base, readable)


def _can_become(user: int) -> bool:
    """Whether ids up to this one exist here: in some containers root is the only user."""
    for kind in ("uid", "gid"):
        ranges = Path(f"/proc/self/{kind}_map").read_text().splitlines()
        if not any(int(r.split()[0]) + int(r.split()[2]) >= user for r in ranges):
            return False
    return True


def own_tree(standing: Standing) -> None:
    """Children from here on are in namespaces of their own, where the machine has them."""
    if standing.namespaces:
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        linux.unshare(linux.CLONE_NEWPID | linux.CLONE_NEWNS | linux.CLONE_NEWIPC)


def bound_to_parent(standing: Standing) -> None:
    """Of two processes around a program none outlives the other, nor loses a child of it."""
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    if standing.namespaces:
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)


def private_folder(standing: Standing, limits: Limits) -> str:
    """An empty folder for one program; memory that ends with its namespace, where there is one."""
    if standing.namespaces:
        size, owner = limits.disk_mib << 20, f"uid={standing.user},gid={os.getegid()}"
        if standing.becomes:
            owner = f"uid={standing.user},gid={standing.user}"
        options = f"size={size},nr_inodes={limits.files},mode=700,{owner}"
        linux.mount("tmpfs", PRIVATE, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, options)
        return PRIVATE
    folder = tempfile.mkdtemp(prefix="program-", dir=standing.base)
    if standing.becomes:
        os.chown(folder, standing.user, standing.user)
    return folder


def others(standing: Standing) -> int:
    """Processes and threads that the kernel counts with the program's own."""
    if standing.becomes:  # its user id is its own
        return 0
    if standing.namespaces:  # the worker, the watcher and the warden
        return 3
    return _tasks_of(standing)


def close_around(standing: Standing, limits: Limits, folder: str, beside: int) -> None:
    """Give up everything that a program must not have. What follows is the program's.

    ``beside`` is what ``others`` counted.

    Raises:
        OSError: a wall could not be closed; nothing may run then.
    """
    os.setsid()
    os.chdir(folder)
    os.umask(0o077)
    _limit(limits, beside)
    _change_user(standing)
    if not standing.namespaces:
        readable = [*standing.readable, *_DEVICES]
        landlock.confine(filter(os.path.exists, readable), [folder, "/dev/null"])
    linux.drop_capabilities()
    if seccomp.known():
        seccomp.forbid(namespaces=standing.namespaces)


def first_to_go(standing: Standing) -> None:
    """Where the machine's memory ends, this process ends before any other."""
    linux.prctl(linux.PR_SET_DUMPABLE, 1)  # else its own files in /proc belong to root
    mark = os.open("self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC, dir_fd=standing.proc)
    os.write(mark, b"1000")
    os.close(mark)


def _change_user(standing: Standing) -> None:
    if standing.becomes:
        os.setgroups([])
        os.setresgid(standing.user, standing.user, standing.user)
        os.setresuid(standing.user, standing.user, standing.user)


def try_out(standing: Standing) -> None:
    """Go as far as a program's start, in a process that ends afterwards.

    Raises:
        OSError: this machine does not allow it, or programs could not read their interpreter.
    """
    own_tree(standing)
    _change_user(standing)
    try:
        os.listdir(sysconfig.get_path("stdlib"))
    except OSError as error:
        why = "programs run as another user than root, who cannot read the interpreter"
        raise OSError(error.errno, f"{why} ({error})") from error


def _limit(limits: Limits, beside: int) -> None:
    memory, disk = limits.memory_mib << 20, limits.disk_mib << 20
    fixed = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_FSIZE: disk,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_NPROC: limits.processes + beside,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    for which, value in fixed.items():
        resource.setrlimit(which, (value, value))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_s, limits.cpu_s + 1))


def _tasks_of(standing: Standing) -> int:
    """Threads that this user has now, on the whole machine."""
    count = 0
    for name in os.listdir(standing.proc):
        try:
            if name.isdigit() and os.stat(name, dir_fd=standing.proc).st_uid == standing.user:
                tasks = os.open(f"{name}/task", os.O_RDONLY, dir_fd=standing.proc)
                count += len(os.listdir(tasks))
                os.close(tasks)
        except OSError:  # it ended meanwhile
            continue
    return count


def _need_landlock() -> None:
    if not landlock.version():
        raise OSError(errno.ENOSYS, "this kernel has no Landlock")
    if not seccomp.known():
        raise OSError(errno.ENOSYS, _NO_FILTER)


def _move_into_the_view(root: bool, readable: Iterable[str]) -> None:
    user, group = os.geteuid(), os.getegid()
    view = linux.CLONE_NEWNS | linux.CLONE_NEWNET | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS
    view |= linux.CLONE_NEWCGROUP
    linux.unshare(view if root else view | linux.CLONE_NEWUSER)
    if not root:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    linux.mount("none", "/", "none", linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("tmpfs", _ROOT, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=755,size=1m")
    for path in readable:
        _show(path)
    for path in _DEVICES:
        _show(path, writable=True)
    os.symlink(PRIVATE, f"{_ROOT}/dev/shm")
    os.makedirs(_ROOT + PRIVATE, exist_ok=True)
    linux.pivot_into(_ROOT)
    linux.read_only("/", below=False)


def _roots() -> list[str]:
    """The folders that programs may read: the system's, and the interpreter's."""
    stdlib, prefix = sysconfig.get_path("stdlib"), sys.base_prefix
    own = [stdlib, sysconfig.get_path("platstdlib"), f"{prefix}/lib", f"{prefix}/bin"]
    found = list(_SYSTEM)
    for path in own:
        if not any(Path(path).is_relative_to(parent) for parent in found):
            found.append(path)
    return found


def _show(path: str, *, writable: bool = False) -> None:
    """Make a file or folder of the machine part of the view; one that is not there is left out."""
    target = _ROOT + path
    if not os.path.lexists(path):
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.islink(path):  # /lib -> usr/lib
        os.symlink(os.readlink(path), target)
        return
    if os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o444))
    linux.mount(path, target, "none", linux.MS_BIND | linux.MS_REC)
    if not writable:
        linux.read_only(target)
