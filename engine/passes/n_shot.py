"""N-shot rows: a few other rows of the same language stand before a row, as its context.

A model that is trained with examples before the question learns to use examples. How many a row
gets is drawn, from ``fewest`` to ``most``, all alike likely; which ones is drawn, too, among rows
of one question and one answer in the row's own language, as long as everything together stays
within ``max_length``. A row is never its own example, nor is one that descends from the same seed,
and a row held out (``split``) is nobody's: what validation or test holds would be trained on. So
the pass ``split`` comes before this one, and rows that no split has seen end the run.

Examples become turns before the row's own, behind a system turn (``place: context``), or wait in
the fact ``examples`` for a generator that shows them in its own way (``fact``). The fact ``n_shot``
has their ids, how many turns they take, and ``loss``: it is meant for the last answer alone. The
formats of the sinks have no mark for that; trainers have a setting (TRL: ``completion_only_loss``).

Nothing is dropped. What earlier rounds kept may be an example in a later one.

Source: Ahuja et al., "sPhinX: Sample Efficient Multilingual Instruction Fine-Tuning Through N-shot
Guided Prompting", 2024, arXiv:2407.09879 (LANGIT: 0 to N examples in the row's language).
Differs: relatives are no examples either; a cap on the length of the whole row.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from pydantic import BaseModel, Field, model_validator

from engine.core import JobError, Json, Message, Outcome, Record, stable_id
from engine.kit import Desk, Pass
from engine.selecting import seed_of
from engine.spool import Spool
from engine.text.sizes import estimated_tokens

FACT = "n_shot"
EXAMPLES = "examples"
TRIES = 4
"""Candidates looked at for each example that is wanted: some are too long."""


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    fewest: int = Field(default=0, ge=0, le=50)
    """Examples a row gets at least, where there are so many that fit."""
    most: int = Field(default=3, ge=1, le=50)
    """Examples a row gets at most."""
    max_length: int = Field(default=2000, ge=1)
    """Examples and the row's own turns together, at most; a row that is longer by itself stays
    alone."""
    unit: Literal["tokens", "characters"] = "tokens"
    """What that counts; tokens are estimated (a quarter of the UTF-8 bytes)."""
    place: Literal["context", "fact"] = "context"
    """Whether examples become turns, or wait in the fact ``examples``."""
    carry: list[str] = []
    """Facts of an example that go along into the fact ``examples``, e.g. ``[segments]``."""
    unsplit: Literal["refuse", "accept"] = "refuse"
    """What to do with rows without the fact ``split``: end the run, or take them for training
    rows, in a job that holds nothing out."""
    pool_limit: int = Field(default=500, ge=2)
    """Rows held in memory as examples for each language; drawn where there are more."""

    @model_validator(mode="after")
    def _in_order(self) -> Params:
        if self.fewest > self.most:
            raise ValueError(f"fewest is {self.fewest}, and most only {self.most}")
        return self


class Example(NamedTuple):
    """A row of the pool; the pool keeps those with the highest lot."""

    lot: str
    id: str
    family: str
    turns: tuple[Message, Message]
    carried: dict[str, Json]


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Every row, with its examples; see the module."""
    pools: dict[str, list[Example]] = {}
    for record in kept:
        _join(record, pools, desk)
    with Spool[Record]() as waiting:
        for record in fresh:
            _join(record, pools, desk)
            waiting.put(record)
        ordered = {language: sorted(pool) for language, pool in pools.items()}
        for record in waiting:
            yield _dealt(record, ordered.get(record.language, []), desk)


def _join(record: Record, pools: dict[str, list[Example]], desk: Desk[Params]) -> None:
    """Put a row that may be shown into the pool of its language."""
    if "split" not in record.facts and desk.params.unsplit == "refuse":
        raise JobError(
            f"record {record.id} has no split, and might be held out later: put the pass `split` "
            "before n_shot, or set unsplit: accept in a job that holds nothing out"
        )
    turns = _own(record)
    if record.facts.get("split", "train") != "train" or len(turns) != 2:
        return
    asked, answer = turns
    if (asked.role, answer.role) != ("user", "assistant") or not answer.content.strip():
        return
    pool = pools.setdefault(record.language, [])
    carried = {name: record.facts[name] for name in desk.params.carry if name in record.facts}
    lot = stable_id(seed_of(desk), record.id)
    example = Example(lot, record.id, _family(record), (asked, answer), carried)
    if len(pool) < desk.params.pool_limit:
        heapq.heappush(pool, example)
    else:
        heapq.heappushpop(pool, example)


def _own(record: Record) -> tuple[Message, ...]:
    """What the row itself says: without a system turn and the examples of an earlier round."""
    noted = record.facts.get(FACT)
    before = noted.get("turns") if isinstance(noted, Mapping) else 0
    turns = tuple(turn for turn in record.messages if turn.role != "system")
    return turns[before:] if isinstance(before, int) else turns


def _family(record: Record) -> str:
    """The id of the seed that a row descends from."""
    return record.lineage[0].parent if record.lineage else record.id


def _dealt(record: Record, pool: Sequence[Example], desk: Desk[Params]) -> Record:
    ask = desk.params
    wanted = desk.random("count", record.id).randint(ask.fewest, ask.most)
    others = [each for each in pool if each.family != _family(record)]
    tried = desk.random("deal", record.id).sample(others, min(len(others), TRIES * wanted))
    size, chosen = _size(record.messages, ask), list[Example]()
    for each in tried:
        more = _size(each.turns, ask)
        if len(chosen) < wanted and size + more <= ask.max_length:
            chosen.append(each)
            size += more
    return _placed(record, chosen, wanted, size, ask)


def _placed(
    record: Record, chosen: Sequence[Example], wanted: int, size: int, ask: Params
) -> Record:
    ids: list[Json] = [each.id for each in chosen]
    noted: dict[str, Json] = {"ids": ids, "wanted": wanted, "turns": 0, "loss": "last_answer"}
    if ask.place == "fact":
        shown: list[Json] = [
            e.carried
            | {"id": e.id, "instruction": e.turns[0].content, "response": e.turns[1].content}
            for e in chosen
        ]
        return record.with_facts(**{FACT: noted, EXAMPLES: shown})
    turns = [turn for each in chosen for turn in each.turns]
    at = int(bool(record.messages) and record.messages[0].role == "system")
    noted |= {"turns": len(turns), "length": size, "unit": ask.unit}
    messages = (*record.messages[:at], *turns, *record.messages[at:])
    return replace(record.with_facts(**{FACT: noted}), messages=messages)


def _size(turns: Sequence[Message], ask: Params) -> int:
    texts = [turn.content for turn in turns]
    return estimated_tokens(*texts) if ask.unit == "tokens" else sum(map(len, texts))


PASS = Pass(settle, Params)
