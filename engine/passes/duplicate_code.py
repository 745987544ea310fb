"""Keep the first of records whose programs are the same but for details.

Two rules on a program without its docstrings and comments, which the generator leaves as the fact
``code``: a set of function and class names that an earlier program had (in lower case, without
underscores) falls, since models write the same ``is_prime`` under a hundred instructions; and so
does a text that is near to an earlier one (MinHash proposes, the true Jaccard similarity
decides). A record without the fact is kept. What is first, is decided by order: seed order.

Source: Wei et al., "SelfCodeAlign: Self-Alignment for Code Generation", 2024, arXiv:2410.24198
(released sanitizer: repeated names; MinHash of 5-grams with 250 permutations at 0.7).
Differs: shingles of characters instead of words; rows are taken in seed order, not shuffled; the
same name in a fresh file is a setting, since small programs share names without being copies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import BaseModel, Field

from engine.core import Drop, Outcome, Record
from engine.kit import Desk, Pass
from engine.text.minhash import Index
from engine.text.packed import Packed
from engine.text.python_code import definitions
from engine.text.shingles import normalise

SHINGLE = 5


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    fact: str = "code"
    """The fact that holds the program."""
    names: bool = True
    """Whether a program falls that defines the same names as an earlier one."""
    threshold: float = Field(default=0.7, gt=0, le=1)
    """Jaccard similarity (0..1) of shingles from which two programs count as the same."""
    num_perm: int = Field(default=250, ge=1, le=4096)
    """Hash functions in a signature, 1..4096."""


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Keep the first of each, in order; what earlier rounds kept comes first."""
    ask = desk.params
    seed = desk.random("permutations").getrandbits(64)
    index, ids = Index(ask.threshold, SHINGLE, ask.num_perm, None, seed), Packed()
    names: dict[tuple[str, ...], str] = {}
    for record in kept:
        _dropped(record, index, ids, names, ask)
    for record in fresh:
        yield _dropped(record, index, ids, names, ask) or record


def _dropped(
    record: Record, index: Index, ids: Packed, names: dict[tuple[str, ...], str], ask: Params
) -> Drop | None:
    """Why the record falls; one that does not is remembered."""
    code = record.facts.get(ask.fact)
    if not isinstance(code, str) or not code.strip():
        return None
    defined = definitions(code) if ask.names else ()
    if defined in names:
        return Drop(record, "repeated_names", f"{', '.join(defined)} as in {names[defined]}")
    if twin := index.admit(normalise(code)):
        detail = f"Jaccard {twin.similarity:.3f} with {ids[twin.position]}"
        return Drop(record, "near_duplicate_code", detail)
    ids.append(record.id)
    if defined:
        names[defined] = record.id
    return None


PASS = Pass(settle, Params)
