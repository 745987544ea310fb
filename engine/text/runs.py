"""The stretch that two texts share: one run of tokens, in linear space and near-linear time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SharedRun:
    """Tokens ``a[begin_a : begin_a + length]`` are ``b[begin_b : begin_b + length]``."""

    begin_a: int
    begin_b: int
    length: int


def shared_run(a: Sequence[str], b: Sequence[str], least: int) -> SharedRun | None:
    """The earliest run in ``a`` of at least ``least`` tokens that is also in ``b``.

    It is followed for as long as both texts agree; ``None`` where there is none.
    """
    if least < 1 or least > min(len(a), len(b)):
        return None
    ids: dict[str, int] = {}
    left = [ids.setdefault(token, len(ids)) for token in a]
    right = [ids.setdefault(token, len(ids)) for token in b]
    begins = {window: at for at, window in reversed(list(enumerate(_hashes(right, least))))}
    for at, window in enumerate(_hashes(left, least)):
        begin = begins.get(window, -1)
        if begin >= 0 and left[at : at + least] == right[begin : begin + least]:
            return SharedRun(at, begin, _extent(left, right, at, begin))
    return None


_BASE, _PRIME = 1_000_003, (1 << 61) - 1


def _hashes(ids: Sequence[int], width: int) -> list[int]:
    """The rolling hash of each window; a match is compared afterwards."""
    top = pow(_BASE, width, _PRIME)
    rolling, hashes = 0, []
    for at, number in enumerate(ids):
        rolling = rolling * _BASE + number + 1
        if at >= width:
            rolling -= top * (ids[at - width] + 1)
        rolling %= _PRIME
        if at >= width - 1:
            hashes.append(rolling)
    return hashes


def _extent(a: Sequence[int], b: Sequence[int], at: int, begin: int) -> int:
    length = 0
    while at + length < len(a) and begin + length < len(b) and a[at + length] == b[begin + length]:
        length += 1
    return length
