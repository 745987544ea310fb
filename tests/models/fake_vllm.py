"""Stands in for ``vllm serve``: a process that behaves as FAKE_VLLM says (JSON of ``Behaviour``).

Run as a program. It answers what the engine asks of a server, keeps a child as vLLM does, and
writes each start to ``starts`` in its folder, so that a test can count lives.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

BEHAVIOUR: dict[str, Any] = json.loads(os.environ.get("FAKE_VLLM", "{}"))
"""``says``: last words at once; ``slow_s``: until it listens; ``mute``: never listens; ``dies_at``:
the chat that kills it, counted over all lives; ``always_dies``; ``refuses``: status of every
chat; ``deaf``: SIGTERM does nothing; ``strays``: its child leaves the group; ``speaks``: what it
answers depends on nothing but the question; ``device``: there is room for one that is awake, and
``naps`` says whether it knows sleep mode (``falls_asleep_badly``: its sleep is refused,
``wakes_badly``: its waking)."""
HOME = Path(os.environ["FAKE_HOME"])
LOCK = threading.Lock()
PROBES = 5
"""Chats by which the engine finds out what it can do."""


def count(name: str) -> int:
    """One more line in a file of its folder; how many there are."""
    with LOCK:
        with open(HOME / name, "a") as file:
            file.write(f"{os.getpid()}\n")
        return len((HOME / name).read_text().splitlines())


class Device:
    """Memory that only one process may hold; a file has the one's id."""

    holder = HOME / "device"

    def take(self) -> bool:
        """Whether it was free; what a dead process held is."""
        if not BEHAVIOUR.get("device"):
            return True
        with contextlib.suppress(FileNotFoundError, ValueError, ProcessLookupError):
            if (pid := int(self.holder.read_text())) != os.getpid():
                os.kill(pid, 0)
                return False
        self.holder.write_text(str(os.getpid()))
        return True

    def leave(self) -> None:
        self.holder.unlink(missing_ok=True)


DEVICE = Device()


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    chats = 0
    asleep = False
    naps = False

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == "/is_sleeping" and Answers.naps:
            return self._send({"is_sleeping": Answers.asleep})
        if self.path == "/is_sleeping":
            return self._send({"detail": "Not Found"}, 404)
        self._send({"version": "0.fake"} if self.path == "/version" else {"data": []})

    def do_POST(self) -> None:
        size = int(self.headers.get("content-length", 0))
        asked = json.loads(self.rfile.read(size) or b"{}")
        if self.path in ("/sleep?level=1", "/wake_up") and Answers.naps:
            return self._send({}, self._nap(self.path != "/wake_up"))
        if self.path != "/v1/chat/completions":
            return self._send({"detail": "Not Found"}, 404)
        if self.headers.get("authorization") != f"Bearer {os.environ['VLLM_API_KEY']}":
            return self._send({"error": "Unauthorized"}, 401)
        if refused := BEHAVIOUR.get("refuses"):
            return self._send({"error": {"message": "no template"}}, refused)
        if Answers.asleep:
            return self._send({"error": {"message": "the engine sleeps"}}, 500)
        Answers.chats += 1
        if Answers.chats > PROBES:
            self._die_if_told()
        text = "yes" if "structured_outputs" in asked else '{"ok": "yes"}'
        probed = "sky blue" in asked["messages"][-1]["content"]
        text = text if probed else self._text(asked)
        self._send(
            {
                "model": asked["model"],
                "choices": [{"message": {"role": "assistant", "content": text}}],
                "usage": {"prompt_tokens": 1, "completion_tokens": 1},
            }
        )

    def _text(self, asked: Any) -> str:
        if not BEHAVIOUR.get("speaks"):
            return f"from {os.getpid()}"
        drawn = random.Random(json.dumps([asked["model"], asked["messages"], asked.get("seed")]))
        if "response_format" in asked:
            return json.dumps({"usable": drawn.random() < 0.8})
        return " ".join(drawn.choice(["tide", "loom", "ferry", "salt", "kiln"]) for _ in range(9))

    def _nap(self, sleeps: bool) -> int:
        """Fall asleep or wake up; the status."""
        count("naps" if sleeps else "wakings")
        if BEHAVIOUR.get("falls_asleep_badly" if sleeps else "wakes_badly"):
            return 500
        if not sleeps and not DEVICE.take():
            return 500
        if sleeps:
            DEVICE.leave()
        Answers.asleep = sleeps
        return 200

    def _die_if_told(self) -> None:
        turn = count("chats")
        if BEHAVIOUR.get("always_dies") or turn in BEHAVIOUR.get("dies_at", ()):
            print("RuntimeError: CUDA error: an illegal memory access", file=sys.stderr, flush=True)
            os._exit(1)
        time.sleep(BEHAVIOUR.get("thinks_s", 0))

    def _send(self, body: Any, status: int = 200) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


def main(arguments: list[str]) -> None:
    (HOME / "arguments.json").write_text(json.dumps([arguments, dict(os.environ)]))
    lives = count("starts")
    if (says := BEHAVIOUR.get("says")) and lives > BEHAVIOUR.get("well_for", 0):
        print(f"(APIServer pid=1) {says}", file=sys.stderr, flush=True)
        raise SystemExit(1)
    if "--enable-sleep-mode" in arguments and not BEHAVIOUR.get("naps"):
        print("ValueError: Sleep mode is not supported on current platform.", file=sys.stderr)
        raise SystemExit(1)
    if not DEVICE.take():
        print("ValueError: Free memory on device is less than desired", file=sys.stderr)
        raise SystemExit(1)
    developing = os.environ.get("VLLM_SERVER_DEV_MODE") == "1"
    Answers.naps = "--enable-sleep-mode" in arguments and developing
    child = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"],
        start_new_session=bool(BEHAVIOUR.get("strays")),
    )
    (HOME / "processes").write_text(f"{os.getpid()} {child.pid}")
    if BEHAVIOUR.get("deaf"):
        import signal

        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600 if BEHAVIOUR.get("mute") else BEHAVIOUR.get("slow_s", 0))
    port = int(arguments[arguments.index("--port") + 1])
    ThreadingHTTPServer(("127.0.0.1", port), Answers).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
