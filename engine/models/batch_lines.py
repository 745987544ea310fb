"""One line of OpenAI's Batch format: what a request looks like in a file, and what came back.

Request: ``{custom_id, method, url, body}``. Result: ``{id, custom_id, response: {status_code,
body}, error}``; what reports a failure differs from one server to the next, so both places count.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import orjson

from engine.models import bodies
from engine.models.bodies import BrokenReply
from engine.models.chat import Reply

ENDPOINT = "/v1/chat/completions"


def request(key: str, number: int, body: Mapping[str, Any]) -> bytes:
    """The line that asks a call for the ``number``-th time."""
    line = {"custom_id": id_of(key, number), "method": "POST", "url": ENDPOINT, "body": body}
    return orjson.dumps(line) + b"\n"


def id_of(key: str, number: int) -> str:
    """The id of a call's ``number``-th try: its key, ``KEY.2``, ``KEY.3``, ..."""
    return key if number == 1 else f"{key}.{number}"


def parse_id(id_: str) -> tuple[str, int]:
    """Key and try; an id that is not ours is a key that nobody knows."""
    key, _, number = id_.partition(".")
    return (key, int(number)) if number.isascii() and number.isdigit() else (id_, 1)


def asked_for(line: bytes) -> tuple[str, int]:
    """Id and ``max_tokens`` of a request line; no id where it is none (the mark then tells)."""
    try:
        row = orjson.loads(line)
        return str(row["custom_id"]), int(row["body"].get("max_tokens") or 0)
    except (ValueError, LookupError, TypeError, AttributeError):
        return "", 0


def rows(lines: IO[bytes]) -> Iterator[tuple[dict[str, Any], int, bool]]:
    """(row, offset, ended) of each line; an empty row for what is none, not ended if it is cut."""
    offset = 0
    for line in lines:
        at, offset = offset, offset + len(line)
        if not line.strip():
            continue
        try:  # the standard library's parser: orjson refuses a lone surrogate
            row = json.loads(line)
        except ValueError:
            row = None
        yield row if isinstance(row, dict) else {}, at, line.endswith(b"\n")


def reply(row: Mapping[str, Any], model: str) -> Reply:
    """The reply in a result line.

    Raises:
        BrokenReply: it reports a failure, or holds no reply.
    """
    response = row.get("response")
    response = response if isinstance(response, Mapping) else {}
    body, error = response.get("body"), row.get("error")
    if response.get("status_code") != 200 or error:
        status = response.get("status_code") or ""
        words = bodies.said(error) or bodies.said(body)
        raise BrokenReply(" ".join(f"{status} {words}".split()))
    return bodies.read(json.dumps(body), model)


def refused(row: Mapping[str, Any]) -> bool:
    """Whether asking again would be refused again."""
    response = row.get("response")
    status = response.get("status_code") if isinstance(response, Mapping) else None
    return isinstance(status, int) and 400 <= status < 500 and status not in bodies.PASSING


def put(aside: Path, place: Path) -> None:
    """Put a file that was written aside in its place, whole, and so that a power cut keeps it."""
    with aside.open("rb") as content:
        os.fsync(content.fileno())
    aside.replace(place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
