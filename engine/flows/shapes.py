"""What a declared graph is written with: nodes, edges, what is kept; and replies by small schemas.

Only the form is checked here; whether it makes a graph is in ``checking``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, create_model, model_validator

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
KEEP, DROP = "keep", "drop"
"""Where every way ends."""
ENDS = (KEEP, DROP)

Kind = Literal["string", "integer", "number", "boolean", "strings"]
Options = Annotated[list[str], Field(min_length=2)]
Reply = Literal["text", "list"] | Options | dict[Name, Kind | Options]
_TYPES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "strings": list[str],
}


class NodePart(BaseModel, extra="forbid"):
    """One node: a question to a model (``prompt`` or ``template``), or a ``check``."""

    prompt: str = ""
    """Name of a prompt file, in the job's ``prompts`` folder or the engine's."""
    template: str = ""
    """The question itself, as jinja over what the record and earlier nodes have brought; it may
    use ``{% turn "system" %}`` blocks as prompt files do, and is one user turn without them."""
    role: str = "writer"
    """Which of the step's models answers a ``template``; a prompt file names its own."""
    sampling: dict[str, Any] = Field(default_factory=dict)
    """Sampling fields of a ``template``."""
    reply: Reply = "text"
    """What comes back: ``text``; ``list``, a numbered list; a list of options to choose one from;
    or fields with their types: ``string``, ``integer``, ``number``, ``boolean``, ``strings``, or
    a list of options. The server is held to it."""
    check: str = ""
    """A filter or verifier, which looks at the turns that ``keep`` would make now, under the
    record's own facts. It brings ``passed``, ``verdict``, ``reason`` and ``evidence``."""
    settings: dict[str, Any] = Field(default_factory=dict, alias="with")
    """Settings of the check."""
    adds: Name | Literal[""] = ""
    """The name its result has for later nodes; the node's own where left out."""
    at_most: int = Field(default=0, ge=0, le=100)
    """How often a record may come here: edges to it are then closed. 0: no bound."""

    @model_validator(mode="after")
    def _one_thing(self) -> NodePart:
        has = [name for name in ("prompt", "template", "check") if getattr(self, name)]
        if len(has) != 1:
            found = " and ".join(has) or "none of them"
            raise ValueError(f"a node has one of prompt, template and check; found {found}")
        for name in ("settings",) if not self.check else ("reply", "sampling"):
            if name in self.model_fields_set:
                of = "a check" if name == "settings" else "a question"
                raise ValueError(f"{'with' if name == 'settings' else name} is for {of}")
        return self


def _way(value: object) -> object:
    """``ask -> answer`` as a mapping."""
    if isinstance(value, str):
        start, arrow, end = (part.strip() for part in value.partition("->"))
        if not (start and arrow and end) or "->" in end:
            raise ValueError("an edge is written `from -> to`, or as from, to and when")
        return {"from": start, "to": end}
    return value


class EdgePart(BaseModel, extra="forbid"):
    """A way from a node to the next."""

    start: str = Field(alias="from")
    """The node it leaves."""
    to: str
    """The node it leads to; ``keep`` or ``drop`` ends."""
    when: str = ""
    """A jinja expression over what there is; of a node's edges the first that holds is taken."""
    reason: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")] | Literal[""] = ""
    """Why it is dropped, with ``to: drop``; ``after_<node>`` where left out."""

    @model_validator(mode="after")
    def _dropped(self) -> EdgePart:
        if self.reason and self.to != DROP:
            raise ValueError("reason is for `to: drop`")
        return self

    @property
    def end(self) -> str:
        """The node of the graph that it leads to: there is one ``drop_...`` for each reason."""
        return f"{DROP}_{self.reason or f'after_{self.start}'}" if self.to == DROP else self.to


Edge = Annotated[EdgePart, BeforeValidator(_way)]
Turn = dict[Literal["system", "user", "assistant"], str]


class KeepPart(BaseModel, extra="forbid"):
    """The record that comes out."""

    messages: list[Annotated[Turn, Field(min_length=1, max_length=1)]] = Field(min_length=1)
    """Its turns in their order, each ``role: template``."""
    facts: dict[Name, str] = Field(default_factory=dict)
    """Facts by name, each a jinja expression."""


def reply_type(name: str, reply: Reply) -> type[Any]:
    """The type a reply is read into: text is ``str``, fields are a model of that name."""
    if not isinstance(reply, dict):
        return str
    fields: dict[str, Any] = {field: (_type(kind), ...) for field, kind in reply.items()}
    made: type[Any] = create_model(name.title().replace("_", ""), **fields)
    return made


def _type(kind: str | list[str]) -> Any:
    return _TYPES[kind] if isinstance(kind, str) else Literal[tuple(kind)]
