"""Keep a record only if it reads unlike everything kept before it.

The records are taken in order. One whose text has a ROUGE-L above the threshold with a text kept
earlier (in this round, in a round before, or listed in the file ``against``) is dropped. The
decisions are those of comparing with every one; ``engine.text.rouge`` says how most comparisons
are avoided. A text without a letter or digit is similar to nothing and is kept.

The fact ``novelty`` gives the nearest earlier text: ``{"nearest": id, "similarity": 0..1}``. It
is there where the similarity is at least ``report_floor``: lower ones would make common words
decide, and each search touch most of the pool.

Source: Wang et al., "Self-Instruct: Aligning Language Models with Self-Generated Instructions",
2022, arXiv:2212.10560, section 2.2 (a new instruction is added when its ROUGE-L with every
existing one is below 0.7; the released code drops above 0.7, so that 0.7 itself stays).
Differs: tokens are words or characters of any script (``engine.text.tokens``). The paper's
library, rouge-score, keeps ``[a-z0-9]`` only, so that two equal Chinese instructions score 0.
Only the nearest is recorded, not the nearest ten and the mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Literal

import orjson
from pydantic import BaseModel, Field, field_validator

from engine.core import Drop, JobError, Outcome, Record
from engine.kit import Desk, InputPath, Pass
from engine.text.rouge import Pool
from engine.text.tokens import tokens


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    threshold: float = Field(default=0.7, ge=0, le=1)
    """ROUGE-L F-measure (0..1) above which a text is not novel; at the threshold it still is."""
    field: Literal["instruction", "bare_instruction", "response"] = "instruction"
    """What is compared: the last user message, the instruction without its input (the fact
    ``instruction``; the last user message where there is none), or the last reply."""
    against: InputPath | None = None
    """JSONL file with further texts to be unlike, such as the seeds written by people."""
    against_field: str = "instruction"
    """The key in each line of ``against`` that holds the text."""
    report_floor: float = Field(default=0.5, ge=0, le=1)
    """Similarity (0..1) from which the nearest text is recorded; 0 records it always, and is
    slow in large pools. At most the threshold is used."""

    @field_validator("against")
    @classmethod
    def _a_file(cls, path: Path | None) -> Path | None:
        if path and not path.is_file():
            raise ValueError(f"{path} is not a file; it should be one JSONL file")
        return path


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Keep what is novel, in order; see the module."""
    params = desk.params
    pool = Pool(min(params.report_floor, params.threshold))
    ids: list[str] = []
    for id_, text in chain(_against(params), ((r.id, _text(r, params)) for r in kept)):
        ids.append(id_)
        pool.add(tokens(text))
    for record in fresh:
        words = tokens(_text(record, params))
        match = pool.nearest(words)
        if match:
            novelty = {"nearest": ids[match.position], "similarity": match.similarity}
            record = record.with_facts(novelty=novelty)
        if match and match.similarity > params.threshold:
            detail = f"ROUGE-L {match.similarity:.3f} with {ids[match.position]}"
            yield Drop(record, "not_novel", detail)
        else:
            ids.append(record.id)
            pool.add(words)
            yield record


def _text(record: Record, params: Params) -> str:
    if params.field == "response":
        return record.last("assistant")
    bare = record.facts.get("instruction") if params.field == "bare_instruction" else None
    return bare if isinstance(bare, str) else record.last("user")


def _against(params: Params) -> Iterator[tuple[str, str]]:
    """Where each text stands, and the text."""
    if params.against is None:
        return
    with params.against.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            where = f"{params.against.name}:{number}"
            if line.strip():
                yield where, _text_in(line, params.against_field, where)


def _text_in(line: bytes, key: str, where: str) -> str:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise JobError(f"{where}: not a line of JSON ({error})") from error
    text = row.get(key) if isinstance(row, dict) else None
    if not isinstance(text, str):
        raise JobError(f"{where}: no text under {key!r}; name the key in against_field")
    return text


PASS = Pass(settle, Params)
