"""A server's log in the run's folder: what vLLM prints, with lines of the engine's own between."""

from __future__ import annotations

from pathlib import Path

from engine.models import command

TAIL = 200_000
"""Bytes that are searched for a server's last words."""


class ServerLog:
    """The log of one server, over all of its lives."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._since = 0

    def note(self, text: str, *, begins: bool = False) -> None:
        """A line of the engine's own; ``begins`` where a life does."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with open(self._path, "ab") as log:
            log.write(f"--- engine: {text}\n".encode())
            if begins:
                self._since = log.tell()

    def last_words(self, code: int | None) -> str:
        """What the server said at the end of this life, or that it said nothing."""
        with open(self._path, "rb") as log:
            log.seek(max(self._since, log.seek(0, 2) - TAIL))
            said = command.last_words(log.read().decode("utf-8", "replace"))
        return said or f"exit code {code}, and no word in its log"
