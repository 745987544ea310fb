"""Which of several options a reply is, whatever a model put around it."""

from __future__ import annotations

from collections.abc import Sequence

from engine.core import ReplyError

_AROUND = " \t\r\n\"'`*.。।「」“”‘’«»"
"""What models put around an option they choose."""


def chosen(text: str, options: Sequence[str]) -> str:
    """The option that a reply is.

    Raises:
        ReplyError: it is none, or could be several.
    """
    plain = text.strip()
    for reading in (plain, plain.strip(_AROUND)):
        if reading in options:
            return reading
    like = [each for each in options if each.casefold() == plain.strip(_AROUND).casefold()]
    if len(like) == 1:
        return like[0]
    listed = " | ".join(options)
    raise ReplyError(f"{plain[:80]!r} is not one of the options: reply with one of {listed}")
