"""What there is to choose from: parts, prompts and jobs, and what a part can be told.

Everything shown comes from the files themselves: the first line of a docstring, the fields of
``Params`` with the docstrings under them, the headers of prompts. A list is read without
importing a single part, so it is quick, and one broken part does not hide the others.
"""

from __future__ import annotations

import ast
import difflib
import importlib.util
import inspect
import itertools
import re
import textwrap
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import parts, shipped
from engine.core import JobError

PARTS = (*parts.STEPS, *parts.SOURCES, *parts.SINKS)
KINDS = (*PARTS, "jobs", "prompts")


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of a part's ``Params``."""

    name: str
    type: str
    """As a person would write it, e.g. ``whole number`` or ``all | last``."""
    required: bool
    default: Any
    """A JSON value; None where there is none."""
    text: str
    """Its docstring."""
    path: bool
    """Whether it names a file or folder that must exist."""
    example: Any = None
    """A JSON value that would do, where there is no default and the part says one."""


def entries(kind: str) -> dict[str, str]:
    """Name -> first line of what it says about itself, for one of ``KINDS``."""
    if kind == "jobs":
        return {path.stem: _first_comment(path) for path in sorted(shipped.JOBS.glob("*.yaml"))}
    if kind == "prompts":
        from engine.prompting import Library

        library = Library(shipped.folder("prompts"))
        return {name: library.load(name).header.purpose for name in prompts()}
    return {name: _docstring(module) for name, module in sorted(parts.names(kind).items())}


def prompts() -> list[str]:
    """Names of the shipped prompts, without their language variants."""
    root = shipped.folder("prompts")
    paths = (path.relative_to(root) for path in root.rglob("*.j2"))
    return sorted({str(path.parent / path.name.split(".")[0]) for path in paths})


def describe(name: str) -> list[dict[str, Any]]:
    """All there is to say, as JSON, about the parts, the prompt and the job of this name.

    Raises:
        JobError: nothing has this name.
    """
    found = [_part(name, kind) for kind in PARTS if name in parts.names(kind)]
    if "." in name:
        found.append(_part(name, ""))
    if name in prompts():
        found.append(_prompt(name))
    if (path := shipped.JOBS / f"{name}.yaml").is_file():
        text = path.read_text(encoding="utf-8")
        found.append({"name": name, "kind": "jobs", "file": str(path), "text": text})
    if not found:
        raise JobError(_nothing(name))
    return found


def settings(params: Any) -> list[Setting]:
    """The fields of a ``Params``, in the order in which they are written."""
    from pydantic_core import PydanticUndefined, to_jsonable_python

    texts = _field_texts(params)
    found = []
    for name, field in params.model_fields.items():
        default = field.get_default(call_default_factory=True)
        plain = None if default is PydanticUndefined else to_jsonable_python(default)
        kind = field.annotation
        text, path, needed = texts.get(name, ""), _is_path(kind), field.is_required()
        example = field.examples[0] if needed and field.examples else None
        found.append(Setting(name, type_name(kind), needed, plain, text, path, example))
    return found


def type_name(kind: Any) -> str:
    """A type as a person would write it: ``Literal["a", "b"]`` is ``a | b``."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return type_name(inner[0])
    if origin is typing.Literal:
        return " | ".join(map(str, inner))
    if origin in (typing.Union, types.UnionType):
        return " | ".join(type_name(each) for each in inner)
    if origin in (list, tuple, set, frozenset):
        return f"list of {type_name(inner[0])}" if inner else "list"
    if origin in (dict, Mapping):
        return f"mapping of {type_name(inner[0])} to {type_name(inner[1])}"
    return _PLAIN.get(kind, getattr(kind, "__name__", str(kind)))


_PLAIN: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true | false",
    Path: "path",
    types.NoneType: "null",
    Any: "anything",
}


def _part(name: str, package: str) -> dict[str, Any]:
    kind = parts.find(name, (package,), Path())
    module = parts.names(package).get(name, name) if package else name
    asked = tuple(getattr(kind, "prompts", ()))
    return {
        "name": name,
        "kind": package or type(kind).__name__.lower(),
        "text": inspect.getdoc(importlib.import_module(module)) or "",
        "settings": [_setting(setting) for setting in settings(kind.params)],
        "prompts": [prompt.name for prompt in asked],
        "roles": sorted({*_roles(asked), *getattr(kind, "roles", ())}),
    }


def _roles(asked: tuple[Any, ...]) -> dict[str, list[str]]:
    from engine.prompting import Library, roles

    # a part of the user's own has its prompts beside it; the shipped ones come first here
    return roles(asked, Library(shipped.folder("prompts"), Path("prompts")))


def _setting(setting: Setting) -> dict[str, Any]:
    shown = {"name": setting.name, "type": setting.type, "required": setting.required}
    return shown | {"default": setting.default, "text": setting.text}


def _prompt(name: str) -> dict[str, Any]:
    from engine.prompting import Library

    root = shipped.folder("prompts")
    library = Library(root)
    header = library.load(name).header
    files = sorted((root / name).parent.glob(f"{Path(name).name}.*"))
    versions = [template.version for template in library.variants(name)]
    text = (root / f"{name}.j2").read_text(encoding="utf-8")
    about = {"name": name, "kind": "prompts", "files": [str(file) for file in files]}
    return about | {"versions": versions, **header.model_dump(mode="json"), "text": text}


def _nothing(name: str) -> str:
    known = [*parts.names(*PARTS), *prompts(), *entries("jobs"), *KINDS]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "`engine list` shows what there is"
    return f"nothing is called {name!r}; {hint}"


def _docstring(module: str) -> str:
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.origin:
        return ""
    text = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) or ""
    return text.split("\n\n")[0].replace("\n", " ")


def _first_comment(path: Path) -> str:
    """The first paragraph of the comment that a job begins with, on one line."""
    lines = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        if not line.startswith("# "):
            break
        lines.append(line[2:].strip())
    return " ".join(lines)


def _is_path(kind: Any) -> bool:
    return kind is Path or any(_is_path(inner) for inner in typing.get_args(kind))


def _field_texts(params: Any) -> dict[str, str]:
    """Field -> the docstring under it, the base classes' included."""
    found: dict[str, str] = {}
    for each in reversed(params.__mro__):
        if getattr(each, "model_fields", None):
            found |= _texts_in(each)
    return found


def _texts_in(model: type) -> Iterator[tuple[str, str]]:
    try:
        source = inspect.getsource(model)
    except (OSError, TypeError):  # typed into a prompt: there is no file to read
        return
    body = typing.cast(ast.ClassDef, ast.parse(textwrap.dedent(source)).body[0]).body
    for field, text in itertools.pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            value = text.value if isinstance(text, ast.Expr) else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield field.target.id, re.sub(r"\s+", " ", value.value).strip()
