"""Embed: give each record a vector that later passes compare records by.

The vector comes from the model that plays the role ``embedder``; where the job gives that role
to none, from the built-in character n-grams, which know spelling and no meaning
(``engine.text.hashed``). It is kept in the fact ``embedding`` with the model's name, because
passes have no model: ``semantic_duplicate`` reads it, and whatever selects for diversity. A
text with nothing in it has no vector, and the check does not apply to it.

Source: ours.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from engine.core import Finding, Record
from engine.kit import EMBEDDER, Filter, Kit
from engine.text.embedding import FACT, embedding_fact


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    field: Literal["instruction", "response", "both", "document"] = "instruction"
    """What is embedded: the last user message, the last reply, the two together, or the fact
    ``document`` of a seed that has no turns yet."""


async def check(record: Record, kit: Kit[Params]) -> Finding:
    """The record with its vector; it always passes."""
    field = kit.params.field
    parts = [record.last("user")] * (field != "response")
    parts += [record.last("assistant")] * (field != "instruction")
    parts = [str(record.facts.get(field) or "")] if field == "document" else parts
    text = "\n".join(part for part in parts if part.strip())
    if not text:
        return Finding(record, "skipped", f"no {field} to embed")
    vector = (await kit.embed([text]))[0]
    model = kit.hop("embed").calls[-1].model
    found = record.with_facts(**{FACT: embedding_fact(vector, model, field)})
    return Finding(found, "pass", f"{len(vector)} numbers of {model}")


FILTER = Filter(check, Params, roles=(EMBEDDER,))
