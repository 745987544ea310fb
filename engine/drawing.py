"""Mermaid pictures of a job and of the graph inside each of its generators.

Nothing here is drawn by hand: the job's picture comes from the wiring that a run uses, a
generator's from the LangGraph graph that it runs. GitHub and most editors show them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.kit import Generator, Pass
from engine.plan import SINK
from engine.wiring import Wiring


def job(wiring: Wiring) -> str:
    """The way of the records: sources, what streams together, passes, sinks."""
    ids = {name: f"n{i}" for i, name in enumerate(wiring.follows)}
    lines = ["flowchart TD", *_sources(wiring, ids)]
    for number, names in enumerate(wiring.stages):
        lines += _stage(wiring, number, names, ids)
    lines += _sinks(wiring)
    lines += _edges(wiring, ids)
    return "\n".join(lines) + "\n"


def generators(wiring: Wiring) -> dict[str, str]:
    """Step -> the graph that its generator or its repair runs, as LangGraph draws it."""
    from engine import repair

    graphs = {
        name: bound.kind.graph()
        for name, bound in wiring.steps.items()
        if isinstance(bound.kind, Generator)
    }
    for name, part in wiring.job.file.steps.items():
        if part.on_fail == "repair":
            graphs[name] = repair.graph()
    return {n: str(g.compile().get_graph().draw_mermaid()) for n, g in graphs.items()}


def page(wiring: Wiring) -> str:
    """All pictures as one Markdown page, which GitHub and most editors render."""
    titles = {
        f"{name}: {wiring.job.file.steps[name].use}": picture
        for name, picture in generators(wiring).items()
    }
    pictures = {f"{wiring.job.name}: the job": job(wiring), **titles}
    return "\n".join(
        f"## {title}\n\n```mermaid\n{text.strip()}\n```\n" for title, text in pictures.items()
    )


def _sources(wiring: Wiring, ids: Mapping[str, str]) -> Iterator[str]:
    for part in wiring.job.sources:
        yield f"    {ids[part.name]}([{_label(part.name, f'source {part.use}')}])"


def _stage(wiring: Wiring, number: int, names: list[str], ids: Mapping[str, str]) -> Iterator[str]:
    """A pass as a hexagon; what streams between two passes in a box of its own."""
    if len(names) == 1 and isinstance(wiring.steps[names[0]].kind, Pass):
        name = names[0]
        yield f"    {ids[name]}{{{{{_label(name, f'pass {wiring.job.file.steps[name].use}')}}}}}"
        return
    if not names:
        return
    yield f'    subgraph stage{number} ["streams"]'
    for name in names:
        kind = type(wiring.steps[name].kind).__name__.lower()
        asks = [f"{role}: {model}" for role, model in wiring.roles[name].items()]
        text = _label(name, f"{kind} {wiring.job.file.steps[name].use}", *asks)
        yield f"        {ids[name]}[{text}]"
    yield "    end"


def _sinks(wiring: Wiring) -> Iterator[str]:
    for i, part in enumerate(wiring.job.sinks):
        yield f"    sink{i}[({_label(f'sink {part.use}', *_target(wiring))})]"


def _target(wiring: Wiring) -> list[str]:
    wanted = wiring.job.file.target.accepted
    return [f"{wanted} records"] if wanted else []


def _edges(wiring: Wiring, ids: Mapping[str, str]) -> Iterator[str]:
    sinks = [f"sink{i}" for i in range(len(wiring.job.sinks))]
    for name, readers in wiring.after().items():
        for reader in readers:
            for to in sinks if reader == SINK else [ids[reader]]:
                yield f"    {ids[name]} --> {to}"
    for name, bound in wiring.sources.items():
        grows: Any = getattr(bound.params, "grow_from", "")
        if grows:
            yield f"    {ids[grows]} -. next round .-> {ids[name]}"


def _label(*lines: str) -> str:
    """Lines in one box; names in a job hold no character that could end it."""
    return f'"{"<br/>".join(lines)}"'
