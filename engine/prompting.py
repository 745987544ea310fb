"""Prompt files: jinja2 text under a YAML header that says what goes in.

A prompt is looked up by name (``evol_instruct/deepen`` is ``prompts/evol_instruct/deepen.j2``);
a variant written for one language lies next to it (``deepen.zh.j2``) and wins for that language.
Turns are opened by a tag, ``{% turn "user" %}``, and collected while the template runs, so text
that a model or a corpus put into an input can never open a turn of its own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar, cast, get_args

import jinja2
import jinja2.ext
import jinja2.meta
import jinja2.nodes
import jinja2.parser
import yaml
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from engine.core import JobError, Message, ReplyError, Role

T = TypeVar("T")


class Text(str):
    """A free-text reply; ``truncated`` says that the token limit cut it."""

    truncated: bool = False


@dataclass(frozen=True)
class Prompt(Generic[T]):
    """A prompt by name, and the type its reply is read into (``str``: the text as it is)."""

    name: str
    reply: type[T]

    @cached_property
    def _adapter(self) -> TypeAdapter[T]:
        return TypeAdapter(self.reply)

    @cached_property
    def schema(self) -> Mapping[str, Any] | None:
        """JSON schema a server can hold the reply to; ``None`` for free text."""
        return None if self.reply is str else self._adapter.json_schema()

    def read(self, text: str, *, truncated: bool = False) -> T:
        """The reply as its type; free text is stripped and comes back as ``Text``.

        Raises:
            ReplyError: ``text`` is not of that type; says what is wrong and how it began.
        """
        if self.schema is None:
            free = Text(text.strip())
            free.truncated = truncated
            return cast(T, free)
        if truncated:
            raise ReplyError(f"the JSON was cut by the token limit after {text[-60:]!r}")
        try:
            return self._adapter.validate_json(_without_fence(text))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise ReplyError(
                f"{where + ': ' if where else ''}{first['msg']} in {text[:80]!r}"
            ) from error


def _without_fence(text: str) -> str:
    """The reply without the Markdown fence that small models like to put around JSON."""
    stripped = text.strip()
    if stripped.startswith("```") and stripped.endswith("```") and "\n" in stripped:
        return stripped.split("\n", 1)[1][:-3]
    return stripped


class Header(BaseModel, extra="forbid", frozen=True):
    """What a prompt file says about itself."""

    purpose: str
    inputs: tuple[str, ...] = ()
    role: str = "writer"
    """Which of the step's models answers."""
    source: str = ""
    form: str = "text"
    """Shape of a free-text reply: text, numbered_list, instruction or label."""
    sampling: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Template:
    """A loaded prompt file."""

    name: str
    header: Header
    version: str
    """``name@`` and the first 6 hex digits of the file's BLAKE2: what lineage records."""
    _body: jinja2.Template

    def render(self, inputs: Mapping[str, object]) -> tuple[Message, ...]:
        """Fill in ``inputs``.

        Raises:
            JobError: an input is missing or unknown, or has no such attribute; never rendered as
                an empty string.
        """
        if inputs.keys() != set(self.header.inputs):
            raise JobError(
                f"prompt {self.name} takes {sorted(self.header.inputs)}, was given {sorted(inputs)}"
            )
        turns: list[Message] = []
        try:
            self._body.render({**inputs, "_turns": turns})
        except (jinja2.UndefinedError, SecurityError) as error:
            raise JobError(f"prompt {self.name}: {error.message}") from error
        return tuple(turns)


class _TurnTag(jinja2.ext.Extension):
    """``{% turn "user" %} ... {% endturn %}``: one message."""

    tags = {"turn"}  # noqa: RUF012 - jinja2's own protocol

    def parse(self, parser: jinja2.parser.Parser) -> jinja2.nodes.Node:
        line = next(parser.stream).lineno
        role = parser.parse_expression()
        if not isinstance(role, jinja2.nodes.Const) or role.value not in get_args(Role):
            parser.fail(f"a turn is one of {', '.join(get_args(Role))}", line)
        body = parser.parse_statements(("name:endturn",), drop_needle=True)
        call = self.call_method("_add", [jinja2.nodes.ContextReference(), role])
        return jinja2.nodes.CallBlock(call, [], [], body).set_lineno(line)

    def _add(self, context: Any, role: Role, caller: Callable[[], str]) -> str:
        context["_turns"].append(Message(role, caller().strip()))
        return ""


READING: Mapping[str, Any] = {
    "undefined": jinja2.StrictUndefined,
    "extensions": [_TurnTag],
    "trim_blocks": True,
    "lstrip_blocks": True,
}
"""How prompts are read."""


class Library:
    """The prompts under some folders; an earlier folder wins, so a job can bring its own."""

    def __init__(self, *roots: Path) -> None:
        self.roots = roots
        self._env = jinja2.Environment(**READING)
        self._sandbox = ImmutableSandboxedEnvironment(**READING)
        self._loaded: dict[tuple[str, str], Template] = {}
        self._files: dict[tuple[str, Path], Template] = {}
        self._written: set[str] = set()

    def load(self, name: str, language: str = "") -> Template:
        """The prompt of this name, in the variant for ``language`` where there is one.

        ``zh-Hans`` looks for ``name.zh-Hans.j2``, then ``name.zh.j2``, then ``name.j2``, in one
        root after the other.

        Raises:
            JobError: no such prompt, or its header and body do not match.
        """
        key = (name, "" if name in self._written else language)
        if key not in self._loaded:
            file = (name, self._find(name, language))
            if file not in self._files:  # one file serves many languages
                self._files[file] = self._read(*file)
            self._loaded[key] = self._files[file]
        return self._loaded[key]

    def write(self, name: str, body: str, where: str, **header: Any) -> Template:
        """A prompt without a file: its body, one user turn where it has no turns, and a header.

        Its inputs are what the body uses. It is rendered in a sandbox: a job file is text that
        travels, prompt files are code. ``where`` stands in messages for the file's path.

        Raises:
            JobError: it is no template.
        """
        turns = body if _TURN.search(body) else f'{{% turn "user" %}}\n{body}{{% endturn %}}\n'
        try:
            inputs = sorted(jinja2.meta.find_undeclared_variables(self._env.parse(turns)))
        except jinja2.TemplateSyntaxError as error:
            raise JobError(f"{where}: {error.message}") from error
        front = yaml.safe_dump({**header, "inputs": inputs}, allow_unicode=True)
        made = self._template(name, f"---\n{front}---\n{turns}", where, self._sandbox)
        self._written.add(name)
        return self._loaded.setdefault((name, ""), made)

    def variants(self, name: str) -> Iterator[Template]:
        """Every file of this prompt: the plain one and those written for one language."""
        yield self.load(name)
        for root in self.roots:
            for path in sorted((root / name).parent.glob(f"{Path(name).name}.*.j2")):
                yield self.load(name, path.name.split(".")[1])

    def _find(self, name: str, language: str) -> Path:
        parts = language.split("-") if language else []
        tags = ["-".join(parts[:n]) for n in range(len(parts), 0, -1)]
        for root in self.roots:
            for file in [*(f"{name}.{tag}.j2" for tag in tags), f"{name}.j2"]:
                if (root / file).is_file():
                    return root / file
        raise JobError(f"no prompt {name!r} in {' or '.join(map(str, self.roots))}")

    def _read(self, name: str, path: Path) -> Template:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise JobError(f"{path}: is not UTF-8: {error.reason} at byte {error.start}") from error
        return self._template(name, text, str(path), self._env)

    def _template(self, name: str, text: str, path: str, env: jinja2.Environment) -> Template:
        parts = _FILE.fullmatch(text)
        if not parts:
            raise JobError(f"{path}:1: starts with a YAML header between two lines of ---")
        header = _header(path, parts["header"])
        above = text.count("\n", 0, parts.start("body"))
        try:
            body = env.parse(parts["body"])
            template = env.from_string(parts["body"])
        except jinja2.TemplateSyntaxError as error:
            raise JobError(f"{path}:{above + error.lineno}: {error.message}") from error
        used = jinja2.meta.find_undeclared_variables(body)
        if used != set(header.inputs):
            raise JobError(
                f"{path}: header declares inputs {sorted(header.inputs)}, body uses {sorted(used)}"
            )
        if body.find(jinja2.nodes.CallBlock) is None:
            raise JobError(f'{path}: has no {{% turn "user" %}} ... {{% endturn %}}')
        if stray := _outside(body):
            raise JobError(f"{path}:{above + stray}: text outside of a turn is never sent")
        digest = hashlib.blake2b(text.encode(), digest_size=3).hexdigest()
        return Template(name, header, f"{name}@{digest}", template)


_TURN = re.compile(r"\{%[-+]?\s*turn\b")
_FILE = re.compile(r"---[ ]*\n(?P<header>.*?)^---[ ]*\n(?P<body>.*)", re.DOTALL | re.MULTILINE)


def _header(path: str, text: str) -> Header:
    try:
        return Header.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise JobError(f"{path}: header: {where + ': ' if where else ''}{first['msg']}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 1
        raise JobError(f"{path}:{line}: header: {getattr(error, 'problem', error)}") from error


def _outside(node: jinja2.nodes.Node) -> int:
    """The line of the first output that no turn, macro or ``set`` takes in; 0 where all is."""
    if isinstance(node, jinja2.nodes.CallBlock | jinja2.nodes.Macro | jinja2.nodes.AssignBlock):
        return 0
    if isinstance(node, jinja2.nodes.Output):
        for part in node.nodes:
            if not isinstance(part, jinja2.nodes.TemplateData):
                return part.lineno
            if part.data.strip():
                blank = len(part.data) - len(part.data.lstrip())
                return part.lineno + part.data.count("\n", 0, blank)
        return 0
    return next(filter(None, map(_outside, node.iter_child_nodes())), 0)


def roles(prompts: Sequence[Prompt[Any]], library: Library) -> dict[str, list[str]]:
    """The model roles these prompts ask for, each with the names of its prompts."""
    found: dict[str, list[str]] = {}
    for prompt in prompts:
        found.setdefault(library.load(prompt.name).header.role, []).append(prompt.name)
    return found
