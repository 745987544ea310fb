"""A record as a row of the dataset, in one of four formats; and what a sink is.

The formats are those that trainers read as they are: ``messages`` (chat templates, TRL),
``alpaca`` (one instruction, one output), ``sharegpt`` (conversations) and ``preference`` (TRL's
conversational preference pairs). Whatever the format, every row says where it comes from:
source, licence, models, lineage, and whether it is a rehearsal. Each format has one Arrow
schema, fixed here: types are never guessed from the first rows, so the last ones cannot break
the file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from pydantic import BaseModel

from engine.core import Call, Hop, JobError, Message, Record, Verdict
from engine.text.clean import clean

if TYPE_CHECKING:
    import pyarrow

Format = Literal["messages", "alpaca", "sharegpt", "preference"]
Row = dict[str, Any]
Splits = Mapping[str, Callable[[], Iterator[Record]]]
"""Split name to its records, which can be read again and again and need not fit in memory."""
P = TypeVar("P", bound=BaseModel)

SPEAKERS = {"user": "human", "assistant": "gpt", "system": "system", "tool": "tool"}
"""ShareGPT's names for the roles."""


class Shape(BaseModel, extra="forbid"):
    """What every sink may be told."""

    format: Format = "messages"
    """How a row holds the conversation."""


@dataclass(frozen=True, slots=True)
class Sink(Generic[P]):
    """Where accepted records go.

    ``write(splits, folder, params, card)`` leaves a whole dataset with its card in ``folder``,
    in place of an earlier one, and returns the files; other files there are left alone.
    """

    write: Callable[[Splits, Path, P, str], list[Path]]
    params: type[P]
    pattern: str
    """Where a split's files lie below the folder, e.g. ``data/{split}-*.parquet``."""


def row(record: Record, format: Format) -> Row:
    """The record in this format, with the columns that all formats share.

    Raises:
        JobError: the format cannot express this record.
    """
    shared: Row = {
        "id": record.id,
        "language": record.language,
        "source": clean(str(record.facts.get("source", ""))),
        "licence": clean(str(record.facts.get("licence", ""))),
        "rehearsal": record.rehearsed,
        "models": sorted({call.model for hop in record.lineage for call in hop.calls}),
        "lineage": [_hop(hop) for hop in record.lineage],
        "verdicts": [_verdict(hop.step, hop.verdict) for hop in record.lineage if hop.verdict],
        "facts": clean(_json(record.facts)),
    }
    return {"id": record.id, **_BODIES[format](record), **shared}


def schema(format: Format) -> pyarrow.Schema:
    """The Arrow schema of the format's rows."""
    import pyarrow as pa

    text, count = pa.string(), pa.int64()
    turns = pa.list_(pa.struct([("role", text), ("content", text)]))
    said = pa.list_(pa.struct([("from", text), ("value", text)]))
    bodies: dict[Format, dict[str, pa.DataType]] = {
        "messages": {"messages": turns},
        "alpaca": {"instruction": text, "input": text, "output": text},
        "sharegpt": {"conversations": said},
        "preference": {"prompt": turns, "chosen": turns, "rejected": turns},
    }
    call = {"prompt": text, "role": text, "model": text, "key": text}
    call |= {"tokens_in": count, "tokens_out": count}
    hop = {"step": text, "parent": text, "calls": pa.list_(pa.struct(list(call.items())))}
    shared = {"language": text, "source": text, "licence": text, "rehearsal": pa.bool_()}
    shared |= {"models": pa.list_(text), "lineage": pa.list_(pa.struct(list(hop.items())))}
    said = dict.fromkeys(("step", "check", "version", "verdict", "evidence"), text)
    shared["verdicts"] = pa.list_(pa.struct(list(said.items())))
    return pa.schema({"id": text, **bodies[format], **shared, "facts": text})


def _json(facts: Mapping[str, Any]) -> str:
    return json.dumps(dict(facts), ensure_ascii=False, sort_keys=True, allow_nan=False)


def _hop(hop: Hop) -> Row:
    return {"step": hop.step, "parent": hop.parent, "calls": [_call(call) for call in hop.calls]}


def _verdict(step: str, said: Verdict) -> Row:
    """What a check said; not what it took, which would differ from run to run."""
    return {
        "step": step,
        "check": said.check,
        "version": said.version,
        "verdict": said.verdict,
        "evidence": clean(said.evidence),
    }


def _call(call: Call) -> Row:
    return {
        "prompt": call.prompt,
        "role": call.role,
        "model": clean(call.model),
        "key": call.key,
        "tokens_in": call.tokens_in,
        "tokens_out": call.tokens_out,
    }


def _messages(record: Record) -> Row:
    return {"messages": _turns(record.messages)}


def _sharegpt(record: Record) -> Row:
    turns = [{"from": SPEAKERS[m.role], "value": clean(m.content)} for m in record.messages]
    return {"conversations": turns}


def _alpaca(record: Record) -> Row:
    if [m.role for m in record.messages] != ["user", "assistant"]:
        raise _unfit(record, "alpaca", "one user and one assistant turn", "messages or sharegpt")
    asked, answer = (clean(m.content) for m in record.messages)
    bare, extra = (clean(str(record.facts.get(n) or "")) for n in ("instruction", "input"))
    if not extra or not _laid_out(asked, bare, extra):
        bare, extra = asked, ""  # a later step rewrote the turn: the facts are no longer it
    return {"instruction": bare, "input": extra, "output": answer}


def _laid_out(asked: str, bare: str, extra: str) -> bool:
    """Whether a turn is an instruction and below it its input, with no other words around."""
    before, there, after = asked.removeprefix(bare).partition(extra)
    around = before + after
    return bool(asked.startswith(bare) and there and "\n" in before) and not any(
        letter.isalnum() for letter in around
    )


def _preference(record: Record) -> Row:
    rejected = record.facts.get("rejected")
    if not isinstance(rejected, str):
        raise _unfit(record, "preference", "the fact 'rejected', a text", "another format")
    if len(record.messages) < 2 or record.messages[-1].role != "assistant":
        raise _unfit(record, "preference", "a prompt and, last, the chosen answer", "messages")
    *prompt, chosen = record.messages
    return {
        "prompt": _turns(prompt),
        "chosen": _turns([chosen]),
        "rejected": _turns([Message("assistant", rejected)]),
    }


_BODIES: Mapping[Format, Callable[[Record], Row]] = {
    "messages": _messages,
    "alpaca": _alpaca,
    "sharegpt": _sharegpt,
    "preference": _preference,
}
FORMATS = tuple(_BODIES)


def _unfit(record: Record, format: str, needs: str, instead: str) -> JobError:
    roles = ", ".join(m.role for m in record.messages) or "none"
    facts = ", ".join(sorted(record.facts)) or "none"
    return JobError(
        f"record {record.id} cannot be written as {format}, which needs {needs}; "
        f"its turns: {roles}; its facts: {facts}; write {instead}"
    )


def _turns(messages: Sequence[Message]) -> list[Row]:
    return [{"role": m.role, "content": clean(m.content)} for m in messages]
