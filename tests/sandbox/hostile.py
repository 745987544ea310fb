"""Programs that misbehave, each with what it must be called. ``SECRET`` and the like are filled in.

``weaker`` is what Landlock calls it where that differs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from textwrap import dedent

from engine.sandbox.limits import Ended, Limits

OFFEND = Limits(wall_s=20, cpu_s=10, memory_mib=256, processes=12, disk_mib=4, files=50)
"""Room enough on a busy machine for whatever ends by itself."""
BRIEF = replace(OFFEND, wall_s=0.6)
"""For what never ends."""


@dataclass(frozen=True)
class Hostile:
    """One program and its due."""

    name: str
    ended: Ended
    source: str
    raised: tuple[str, ...] = ()
    """Any of these; empty where nothing comes out."""
    limits: Limits = OFFEND
    says: str = ""
    """What its output contains."""
    weaker: tuple[Ended, tuple[str, ...]] | None = None
    tests: str = field(default="assert True\n")

    def __str__(self) -> str:
        return self.name

    @property
    def code(self) -> str:
        return dedent(self.source)


NOT_THERE = ("FileNotFoundError", "PermissionError", "NotADirectoryError")
NO_WAY_OUT = ("OSError", "PermissionError", "gaierror", "ConnectionRefusedError")
REFUSED = ("PermissionError", "OSError", "BlockingIOError", "ValueError")

PROGRAMS = [
    # honest ones, or the rest would prove nothing
    Hostile("passes", "passed", "def f(x): return x + 1", tests="assert f(1) == 2"),
    Hostile(
        "is_wrong", "failed", "def f(x): return x", ("AssertionError",), tests="assert f(1)==2"
    ),
    Hostile("raises", "failed", "{}['no']", ("KeyError",), says="KeyError: 'no'"),
    Hostile("speaks_many_scripts", "passed", "print('שלום नमस्ते 你好')", says="नमस्ते"),
    # time
    Hostile("hangs", "timeout", "while True: pass", limits=BRIEF),
    Hostile("sleeps_without_processor", "timeout", "import time; time.sleep(99)", limits=BRIEF),
    Hostile(
        "spins_through_its_share",
        "timeout",
        "while True: pass",
        limits=replace(OFFEND, cpu_s=1),
    ),
    Hostile(
        "ignores_signals",
        "timeout",
        """
        import signal
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            try: signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError): pass
        while True: pass
        """,
        limits=replace(OFFEND, cpu_s=1),
    ),
    Hostile(
        "swallows_every_exception",
        "timeout",
        """
        while True:
            try:
                while True: pass
            except BaseException: pass
        """,
        limits=BRIEF,
    ),
    Hostile(
        "hangs_when_its_output_is_flushed",
        "timeout",
        """
        import sys
        class Tar:
            def write(self, text): pass
            def flush(self):
                while True: pass
        sys.stdout = Tar()
        """,
        limits=BRIEF,
    ),
    Hostile("stops_itself", "timeout", "import os; os.kill(os.getpid(), 19)", limits=BRIEF),
    # processes
    Hostile(
        "fork_bomb",
        "timeout",
        """
        import os
        while True:
            try: os.fork()
            except OSError: pass
        """,
        limits=BRIEF,
    ),
    Hostile(
        "forks_beyond_the_limit",
        "failed",
        """
        import os
        for _ in range(100):
            if os.fork() == 0:
                os.read(os.pipe()[0], 1)
        """,
        ("BlockingIOError",),
    ),
    Hostile(
        "thread_bomb",
        "failed",
        """
        import threading
        stay = threading.Event()
        for _ in range(1000):
            threading.Thread(target=stay.wait, daemon=True).start()
        """,
        ("RuntimeError", "MemoryError"),
    ),
    Hostile(
        "leaves_a_grandchild",
        "passed",
        """
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.closerange(0, 64)
                time.sleep(600)
            os._exit(0)
        os.wait()
        """,
    ),
    Hostile(
        "kills_its_parent",
        "failed",
        "import os; os.kill(os.getppid(), 9); {}[1]",
        ("KeyError", "PermissionError"),
    ),
    Hostile(
        "kills_everyone",
        "failed",
        "import os; os.kill(-1, 9); {}[1]",
        ("KeyError", "ProcessLookupError"),
        weaker=("failed", ("PermissionError",)),
    ),
    Hostile("kills_itself", "killed", "import os; os.kill(os.getpid(), 9)"),
    Hostile("crashes", "killed", "import ctypes; ctypes.string_at(0)"),
    Hostile("wants_to_be_first", "failed", "import os; os.nice(-15)", ("PermissionError",)),
    Hostile(
        "raises_its_limits",
        "failed",
        """
        import resource
        resource.setrlimit(resource.RLIMIT_NPROC, (9999, 9999))
        """,
        ("ValueError", "PermissionError"),
    ),
    # memory, disk, output
    Hostile("takes_memory", "memory", "x = bytearray(1 << 40)", ("MemoryError",)),
    Hostile(
        "takes_memory_bit_by_bit",
        "memory",
        "x = []\nwhile True: x.append('y' * 100_000)",
        ("MemoryError", ""),
    ),
    Hostile(
        "takes_memory_in_many_processes",
        "memory",
        """
        import os, time
        for _ in range(6):
            if os.fork() == 0:
                x = bytearray(b"x") * (80 << 20)
                time.sleep(60)
        time.sleep(60)
        """,
    ),
    Hostile(
        "hides_memory_in_a_file", "failed", "import os; os.memfd_create('x')", ("PermissionError",)
    ),
    Hostile(
        "writes_a_huge_file",
        "failed",
        """
        with open("huge", "wb") as file:
            for _ in range(100): file.write(bytes(1 << 20))
        """,
        ("OSError",),
    ),
    Hostile(
        "writes_many_files",
        "failed",
        """
        import time
        for at in range(100_000):
            open(f"{at}", "w").close()
            if at > 60: time.sleep(0.01)
        """,
        ("OSError",),
        weaker=("disk", ()),
    ),
    Hostile("writes_without_end", "output", "while True: print('x' * 1000)"),
    Hostile(
        "complains_without_end", "output", "import sys\nwhile True: sys.stderr.write('x' * 999)"
    ),
    Hostile("writes_too_much_and_is_gone", "output", "print('x' * 66_000)"),
    Hostile("recurses", "failed", "def f(): f()\nf()", ("RecursionError",)),
    Hostile("opens_too_much", "failed", "x = [open('/dev/null') for _ in range(99)]", ("OSError",)),
    # network
    Hostile(
        "calls_an_address",
        "failed",
        "import socket; socket.create_connection(('192.0.2.1', 80), 5)",
        NO_WAY_OUT,
    ),
    Hostile(
        "calls_this_machine",
        "failed",
        "import socket; socket.create_connection(('127.0.0.1', PORT), 5)",
        NO_WAY_OUT,
    ),
    Hostile(
        "asks_for_a_name",
        "failed",
        "import socket; socket.getaddrinfo('example.org', 80)",
        NO_WAY_OUT,
    ),
    Hostile(
        "calls_a_local_socket",
        "failed",
        "import socket; socket.socket(socket.AF_UNIX).connect('SOCKET')",
        NOT_THERE,
    ),
    # files
    Hostile("reads_a_file_of_the_user", "failed", "print(open('SECRET').read())", NOT_THERE),
    Hostile("reads_accounts", "failed", "print(open('/etc/passwd').read())", NOT_THERE),
    Hostile("lists_a_home", "failed", "import os; print(os.listdir('HOME'))", NOT_THERE),
    Hostile(
        "follows_a_link_out",
        "failed",
        "import os; os.symlink('SECRET', 'here'); print(open('here').read())",
        NOT_THERE,
    ),
    Hostile(
        "climbs_out",
        "failed",
        "print(open('../' * 20 + 'SECRET').read())",
        NOT_THERE,
    ),
    Hostile(
        "writes_over_a_file_of_the_user", "failed", "open('SECRET', 'w').write('x')", NOT_THERE
    ),
    Hostile("removes_a_file_of_the_user", "failed", "import os; os.unlink('SECRET')", NOT_THERE),
    Hostile("shuts_a_file_of_the_user", "failed", "import os; os.chmod('SECRET', 0)", NOT_THERE),
    Hostile("writes_to_the_system", "failed", "open('/usr/lib/x', 'w')", ("OSError", *NOT_THERE)),
    Hostile("reads_processes", "failed", "import os; print(os.listdir('/proc/1'))", NOT_THERE),
    Hostile("reads_environments", "failed", "print(open('/proc/self/environ').read())", NOT_THERE),
    Hostile(
        "finds_a_clean_environment",
        "passed",
        "import os; print(dict(os.environ), os.getcwd(), __import__('sys').argv)",
        tests="assert not {'SECRET', 'USER', 'PYTHONPATH', 'VIRTUAL_ENV'} & set(os.environ)",
    ),
    Hostile("imports_the_engine", "failed", "import engine", ("ModuleNotFoundError",)),
    Hostile(
        "becomes_root",
        "failed",
        "import os; os.setuid(0); assert False, os.getuid()",
        ("PermissionError",),
    ),
    Hostile(
        "calls_the_kernel_itself",
        "passed",
        """
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        denied = [
            libc.unshare(0x10000000),
            libc.mount(b"none", b"/tmp", b"tmpfs", 0, None),
            libc.ptrace(16, 1, 0, 0),
            libc.chroot(b"/tmp"),
            libc.shmget(0, 1 << 20, 0o1777),
            libc.setns(0, 0),
            libc.syscall(425, 1, 0),
        ]
        """,
        tests="assert denied == [-1] * 7",
    ),
    # forged verdicts
    Hostile("exits", "exited", "import sys; sys.exit(0)"),
    Hostile("exits_after_its_assertion", "exited", "assert True", tests="assert True\nexit()"),
    Hostile("exits_at_once", "exited", "import os; os._exit(0)"),
    Hostile("asserts_nothing", "no_assertion", "def f(): assert True", tests="f()"),
    Hostile("never_calls_its_check", "no_assertion", "x = 1", tests="def verify(): assert x == 1"),
    Hostile(
        "speaks_its_own_verdict",
        "exited",
        """
        import os
        print('{"ended": "passed", "assertions": 3}', flush=True)
        for fd in range(64):
            try: os.write(fd, b'passed end 3 \\n' + b'0' * 32 + b' end 3 \\n')
            except OSError: pass
        os._exit(0)
        """,
    ),
    Hostile("closes_every_descriptor", "exited", "import os; os.closerange(0, 64)"),
    Hostile(
        "drowns_the_channel",
        "passed",
        "import os\nfor _ in range(99): os.write(3, b'x' * 9999)",
        tests="assert True",
    ),
    Hostile(
        "replaces_what_it_finds",
        "failed",
        """
        import builtins, os, sys
        os._exit = os.write = sys.exit = lambda *_: None
        for name in ("exec", "compile", "len", "type", "isinstance", "print", "repr", "int"):
            setattr(builtins, name, lambda *_, **__: None)
        builtins.AssertionError = builtins.BaseException = builtins.Exception = KeyError
        sys.excepthook = lambda *_: None
        """,
        ("AssertionError",),
        tests="assert False",
    ),
    Hostile(
        "exits_behind_the_scenes",
        "exited",
        """
        import os, threading
        def leave():
            try: os._exit(0)
            except BaseException: pass
        threading.Thread(target=leave).start()
        while True: pass
        """,
    ),
    Hostile("lets_a_copy_speak", "exited", "import os\nif os.fork(): os.wait(); os._exit(0)"),
    # text that is no program
    Hostile("does_not_parse", "unparsable", "def f(:", ("SyntaxError",)),
    Hostile("holds_a_nul", "unparsable", "x = 1\0", ("ValueError", "SyntaxError")),
    Hostile("holds_half_a_character", "unparsable", "x = '\ud800'", ("UnicodeEncodeError",)),
    Hostile(
        "nests_too_deep", "unparsable", "(" * 9000, ("SyntaxError", "MemoryError", "RecursionError")
    ),
    Hostile("prints_half_a_character", "failed", "print('\\ud800')", ("UnicodeEncodeError",)),
    Hostile(
        "prints_no_text",
        "passed",
        r"import sys; sys.stdout.buffer.write(b'\xff\x00')",
        says="\\xff\0",
    ),
    Hostile("reads_input", "failed", "input()", ("EOFError",)),
    Hostile("is_empty", "no_assertion", "", tests=""),
]
