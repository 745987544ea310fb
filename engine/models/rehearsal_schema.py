"""Values that follow a JSON schema, for the rehearsal model.

Walks what pydantic writes (``$ref``, ``anyOf``, ``enum``, ``const``, bounds, tuples, maps) and
asks the voice for each text; the last word of a field's name says what kind of text it is
(``revised_instruction`` is an instruction). A ``pattern`` is tried on a few usual values and
otherwise not met: a real server would hold the reply to it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import regex

from engine.core import Json
from engine.models.rehearsal_voices import Kind

Schema = Mapping[str, Any]

TRUE = 0.85
"""Share of yes-or-no fields that say yes; of those whose yes is bad news (``has_error``), no."""
NULL = 0.15
"""Share of optional fields left empty."""
TRIES = 8
"""Draws per entry for lists whose entries must differ."""

_KINDS: dict[Kind, str] = {
    "instruction": "instruction question task query prompt request problem rewrite",
    "answer": "answer response output text solution reply story summary translation document "
    "essay content completion chosen rejected",
    "material": "input context passage material snippet source excerpt",
    "reason": "reason critique feedback explanation rationale reasoning comment justification "
    "analysis evidence thought thinking",
    "label": "label category class tag type kind verdict domain genre",
    "title": "title name topic subject concept skill keyword theme heading entity key subtopic "
    "term field",
    "quote": "quote quotation span",
}
_CLAIMS = frozenset({"claim", "statement"})
"""Fields that say what the quotation beside them says."""
_WORD_KIND = {word: kind for kind, words in _KINDS.items() for word in words.split()}
_BAD_NEWS = regex.compile(
    r"error|leak|harm|toxic|refus|duplicat|cop(y|ied)|wrong|unsafe|contradict|bias|hallucinat|"
    r"ambig|missing|invalid|broken|trivial"
)
_NUMERIC = regex.compile(r"(^|_)(scores?|ratings?|points?|grades?|count|number|index)$")
_FORMATS = {
    "date": "2025-03-14",
    "date-time": "2025-03-14T09:26:53Z",
    "time": "09:26:53Z",
    "email": "reader@example.org",
    "uri": "https://example.org/",
    "uuid": "3f2b8c1e-5d4a-4e6f-9b7c-0a1d2e3f4a5b",
}
_USUAL = ("A", "B", "a", "1", "7", "42", "0.5", "yes", "abc", "item_1", "A1", "a-b", "#", "en")


@lru_cache(maxsize=4096)
def kind_of(name: str) -> Kind:
    """The kind of text a field of this name holds; the last word that says one decides."""
    for word in reversed(regex.findall(r"[A-Z]?[a-z]+", name)):
        word = word.lower()
        for stem in (word, word.removesuffix("s"), word.removesuffix("es")):
            if stem in _WORD_KIND:
                return _WORD_KIND[stem]
    return "sentence"


class SchemaWriter:
    """Writes one value; ``wanted`` is how many entries a list without bounds gets, 0 for a draw."""

    def __init__(
        self,
        root: Schema,
        rng: random.Random,
        say: Callable[[Kind], str],
        language: str,
        wanted: int = 0,
    ) -> None:
        self._root, self._rng, self._say = root, rng, say
        self._language, self._wanted = language, wanted
        self._open: list[str] = []
        """References that are being written, so that a recursive type comes to an end."""

    def write(self) -> Json:
        """A value of the root schema."""
        return self._value(self._root, "")

    @property
    def _lean(self) -> bool:
        return len(self._open) > len(set(self._open))

    def _value(self, schema: Schema | bool, name: str) -> Json:
        if isinstance(schema, bool):
            return self._say(kind_of(name))
        if "$ref" in schema:
            return self._referred(schema, name)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._rng.choice(schema["enum"])
        for union in ("anyOf", "oneOf"):
            if union in schema:
                return self._value(self._option(schema[union]), name)
        if "allOf" in schema:
            return self._value(self._merged(schema), name)
        return self._typed(schema, name)

    def _referred(self, schema: Schema, name: str) -> Json:
        ref = schema["$ref"]
        self._open.append(ref)
        value = self._value(self._resolved(ref), name)
        self._open.pop()
        return value

    def _resolved(self, ref: str) -> Schema:
        target: Any = self._root
        for part in filter(None, ref.removeprefix("#").split("/")):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        resolved: Schema = target
        return resolved

    def _merged(self, schema: Schema) -> Schema:
        merged = {key: value for key, value in schema.items() if key != "allOf"}
        for part in schema["allOf"]:
            part = self._resolved(part["$ref"]) if "$ref" in part else part
            both = {**merged.get("properties", {}), **part.get("properties", {})}
            merged = {**part, **merged} | ({"properties": both} if both else {})
        return merged

    def _option(self, options: Sequence[Schema]) -> Schema:
        nulls = [option for option in options if option.get("type") == "null"]
        rest = [option for option in options if option.get("type") != "null"]
        if nulls and (not rest or self._lean or self._rng.random() < NULL):
            return nulls[0]
        flat = [option for option in rest if "$ref" not in option]
        return self._rng.choice(flat if self._lean and flat else rest)

    def _typed(self, schema: Schema, name: str) -> Json:
        kind = schema.get("type")
        if isinstance(kind, list):
            return self._value(self._option([{**schema, "type": each} for each in kind]), name)
        if kind == "object" or (kind is None and "properties" in schema):
            return self._object(schema, name)
        if kind == "array" or (kind is None and ("items" in schema or "prefixItems" in schema)):
            return self._array(schema, name)
        if kind in ("integer", "number"):
            return self._number(schema, whole=kind == "integer")
        if kind == "boolean":
            return self._rng.random() < (1 - TRUE if _BAD_NEWS.search(name.lower()) else TRUE)
        return None if kind == "null" else self._string(schema, name)

    def _object(self, schema: Schema, name: str) -> dict[str, Json]:
        required = schema.get("required", ())
        fields = schema.get("properties", {})
        out = {
            key: self._value(part, key)
            for key, part in fields.items()
            if key in required or not self._lean
        }
        if quote := next((out[key] for key in out if kind_of(key) == "quote"), None):
            out |= {key: quote for key in _CLAIMS & out.keys()}
        extra = schema.get("additionalProperties", not fields)
        least = schema.get("minProperties", 0)
        if extra is False or (fields and extra is True and len(out) >= least):
            return out
        size = max(least, min(schema.get("maxProperties", 4), self._rng.randint(2, 4)))
        for i in range(TRIES * size):
            if len(out) >= size + len(fields):
                break
            key = self._say("title") + (f" {i}" if i >= size else "")
            out[key] = self._value(extra, name)
        return out

    def _array(self, schema: Schema, name: str) -> list[Json]:
        out = [self._value(part, name) for part in schema.get("prefixItems", ())]
        items = schema.get("items", not out)
        if items is False:
            return out
        size = self._size(schema, len(out))
        choices = self._choices(items)
        if choices:
            drawn = self._rng.sample(choices, min(size - len(out), len(choices)))
            return out + (drawn or [self._rng.choice(choices) for _ in range(size - len(out))])
        wanted, self._wanted = self._wanted, 0  # lists within the list are no longer meant
        for _ in range(TRIES * size):
            if len(out) >= size:
                break
            value = self._value(items, name)
            if not (schema.get("uniqueItems") and value in out):
                out.append(value)
        self._wanted = wanted
        return out

    def _size(self, schema: Schema, given: int) -> int:
        least = schema.get("minItems", 0)
        most = schema.get("maxItems", max(least + 3, 100))
        if self._lean or (given and "minItems" not in schema):
            return int(max(least, given))
        wanted = self._wanted or self._rng.randint(max(least, 3), max(least, 6))
        return int(max(least, min(most, wanted)))

    def _choices(self, items: Schema | bool) -> list[Json]:
        while isinstance(items, Mapping) and "$ref" in items:
            items = self._resolved(items["$ref"])
        return list(items.get("enum", ())) if isinstance(items, Mapping) else []

    def _number(self, schema: Schema, *, whole: bool) -> int | float:
        """Within the bounds and mostly above the middle, as judges score; 1 to 10 without any."""
        step = schema.get("multipleOf", 1 if whole else 0)
        low = schema.get("minimum", schema.get("exclusiveMinimum"))
        high = schema.get("maximum", schema.get("exclusiveMaximum"))
        low = min(1, high) if low is None and high is not None else 1 if low is None else low
        high = max(10, low + 9) if high is None else high
        edge = step or (high - low) / 1000
        low += edge * ("exclusiveMinimum" in schema)
        high -= edge * ("exclusiveMaximum" in schema)
        drawn = self._rng.triangular(low, high, low + 0.7 * (high - low))
        if step:
            drawn = min(max(round(drawn / step), math.ceil(low / step)), math.floor(high / step))
            drawn *= step
        return int(drawn) if whole else min(max(round(drawn, 2), low), high)

    def _string(self, schema: Schema, name: str) -> str:
        least, most = schema.get("minLength", 0), schema.get("maxLength")
        if "format" in schema and schema["format"] in _FORMATS:
            return _FORMATS[schema["format"]]
        if name == "language":
            text = self._language
        elif _NUMERIC.search(name):
            text = str(self._rng.randint(1, 10))
        else:
            text = self._say(kind_of(name))
        while len(text) < least:
            text += " " + self._say("sentence")
        if "pattern" in schema:
            text = _matching(schema["pattern"], [text, self._say("label"), *_USUAL])
        return text if most is None else text[:most]


def _matching(pattern: str, candidates: Sequence[str]) -> str:
    found = regex.compile(pattern)
    return next((text for text in candidates if found.search(text)), candidates[0])
