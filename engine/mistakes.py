"""What pydantic finds wrong in a YAML file, as one line for whoever wrote the file.

The first mistake in the file's order is told, at its line and column, in the words of YAML
(text, a list, a mapping) and not of Python, with the right word where one is near. Where a
value may have several forms (one or a list of them), the mistake is that of the form it has.
"""

from __future__ import annotations

import math
import re
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from engine.jobfile import Place, Sheet, did_you_mean, plain


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that pydantic found."""

    place: Place
    """Where it is, below the value that was checked."""
    root: Place
    """The place of the value with several forms that it is in; its own where there is none."""
    error: ErrorDetails

    @property
    def kind(self) -> str:
        """Pydantic's name for it."""
        return self.error["type"]


def explain(sheet: Sheet, above: Place, model: type[BaseModel], error: ValidationError) -> str:
    """The first mistake in the value at ``above``, which was checked by ``model``."""
    value = _find(sheet.value, above)
    found = [_placed(value, e) for e in error.errors(include_url=False)]
    depth = {m.root: max(len(n.place) for n in found if n.root == m.root) for m in found}
    deepest = [m for m in found if len(m.place) == depth[m.root]]
    first = min(deepest, key=lambda m: _rank(sheet, above, m))
    place = (*above, *first.place)
    if first.kind == "missing":
        return f"{sheet.at(place[:-1])}: {dotted(place)}: is missing"
    if first.kind == "extra_forbidden":
        why = _unknown(str(place[-1]), _fields(model, first.place[:-1]))
        return f"{sheet.at(place, key=True)}: {dotted(place)}: {why}"
    at_key = first.error["loc"][-1:] == ("[key]",)
    same = [m.error for m in deepest if m.place == first.place]
    return f"{sheet.at(place, key=at_key)}: {dotted(place)}: {_wording(same)}"


def dotted(place: Place) -> str:
    """A place as a person writes it."""
    return ".".join(plain(str(part)) for part in place) or "the job"


def shown(value: object) -> str:
    """A value as a person would write it; never long."""
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:57] + "...")
    if isinstance(value, list | dict):
        return ("a" if value else "an empty") + (" list" if isinstance(value, list) else " mapping")
    if value is None:
        return "nothing"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _find(value: Any, place: Place) -> Any:
    for part in place:
        value = value[part] if _is_key(value, part) else None
    return value


def _is_key(value: object, part: str | int) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and part < len(value)


def _placed(value: Any, error: ErrorDetails) -> Mistake:
    """What in pydantic's location is a key of the file; the rest names forms a value may have."""
    place: list[str | int] = []
    root: Place | None = None
    for i, part in enumerate(error["loc"], start=1):
        if _is_key(value, part):
            value = value[part]
            place.append(part)
        elif error["type"] == "missing" and i == len(error["loc"]):
            place.append(part)
        elif root is None and part != "[key]":
            root = tuple(place)
    return Mistake(tuple(place), tuple(place) if root is None else root, error)


def _rank(sheet: Sheet, above: Place, mistake: Mistake) -> tuple[bool, float, float]:
    """The file's order; what is missing comes last, as a misspelt key may be what is missing."""
    marks = sheet.keys if mistake.kind == "extra_forbidden" else sheet.values
    line, column = marks.get((*above, *mistake.place), (math.inf, math.inf))
    return mistake.kind == "missing", line, column


def _unknown(key: str, known: list[str]) -> str:
    hint = did_you_mean(key, known)
    if "with" in known and not hint.startswith("did"):
        hint += "; the settings of a part stand under `with`"
    return f"unknown key {shown(key)}; {hint}"


def _fields(model: Any, place: Place) -> list[str]:
    """The keys that may stand at a place of the model."""
    if typing.get_origin(model) is not None:
        inner = [arg for arg in typing.get_args(model) if arg is not type(None)]
        deeper = place[1:] if typing.get_origin(model) in (dict, list, tuple) else place
        return list(dict.fromkeys(name for arg in inner for name in _fields(arg, deeper)))
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    fields = {f.alias or name: f.annotation for name, f in model.model_fields.items()}
    return _fields(fields.get(str(place[0])), place[1:]) if place else list(fields)


_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping of `key: value`",
    "model_type": "a mapping of `key: value`",
    "model_attributes_type": "a mapping of `key: value`",
    "path_type": "a path",
    "none_required": "nothing",
    "greater_than_equal": "{ge} or more",
    "greater_than": "more than {gt}",
    "less_than_equal": "{le} or less",
    "less_than": "less than {lt}",
    "too_short": "at least {min_length} of them",
    "too_long": "at most {max_length} of them",
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
    "string_pattern_mismatch": "text of the form {pattern}",
    "literal_error": "{expected}",
    "enum": "{expected}",
}
"""Kind of mistake -> what is wanted instead; names in braces are pydantic's particulars."""
_QUOTED = re.compile(r"'([^']*)'")


def _wording(errors: Sequence[ErrorDetails]) -> str:
    """What is wrong with one value, in every form it may have."""
    first = errors[0]
    if not all(error["type"] in _WANTED for error in errors):
        told = next(error["msg"] for error in errors if error["type"] not in _WANTED)
        return " ".join(re.sub(r"^(Value error|Assertion failed), ", "", told).split())
    counted = [error for error in errors if error["type"] in ("too_short", "too_long")]
    wanted = [_WANTED[e["type"]].format(**e.get("ctx", {})) for e in counted or errors]
    given = first["input"]
    found = str(len(given)) if counted and given else shown(given)
    want = re.sub(r"(\d)\.0\b", r"\1", " or ".join(dict.fromkeys(wanted)))
    return f"want {want}, found {found}" + _hint(first, wanted, given)


def _hint(error: ErrorDetails, wanted: list[str], given: object) -> str:
    if "text" in wanted and isinstance(given, int | float):
        return "; put it in quotes"
    near = did_you_mean(str(given), _QUOTED.findall(str(error.get("ctx", {}).get("expected", ""))))
    return f"; {near}" if near.startswith("did") else ""
