"""The command ``engine``: reads its arguments, calls what does the work, prints, exits.

Only typer is imported here; everything else is imported by the command that needs it, so that
``engine --help`` answers at once (``engine run --help`` waits for what typer itself imports).
What a person reads goes to standard output; progress goes to standard error, so that ``--json``
leaves exactly one JSON document on standard output.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
import sys
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine import commands, options
from engine.exits import CODES, EXIT, Commands
from engine.options import Changes, Format, JobName, Json, Rehearse, Run, SinkName
from engine.quiet import hush

if TYPE_CHECKING:
    from engine.result import Result
    from engine.session import Job

app = typer.Typer(
    cls=Commands,
    help="Synthetic instruction data: a YAML job in, a multilingual training corpus out.",
    epilog=CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def init(
    method: Annotated[str, typer.Argument(help="a shipped job or a generator; see `engine list`")],
    to: Annotated[Path | None, typer.Option("-o", metavar="FILE", help="write it here")] = None,
) -> None:
    """Print a commented job to start from.

    With -o it is written to a file, and example seeds or documents beside it.
    """
    from engine import starter

    if to is None:
        _write(starter.start(method).text)
    else:
        for said in starter.write(method, to):
            typer.echo(said)


@app.command("list")
def list_(
    what: Annotated[
        str, typer.Argument(metavar="[KIND|NAME]", help="generators, ..., prompts; or one of them")
    ] = "",
    as_json: Json = False,
) -> None:
    """Show the parts, prompts and jobs there are.

    With a name, what that one does, and its settings, prompts and roles.
    """
    from engine import catalogue, showing

    if what and what not in catalogue.KINDS:
        found = catalogue.describe(what)
        if as_json:
            return _json(found)
        for about in found:
            showing.entry(showing.page(), about)
        return None
    kinds = {kind: catalogue.entries(kind) for kind in catalogue.KINDS if what in ("", kind)}
    return _json(kinds) if as_json else showing.entries(showing.page(), kinds)


@app.command()
def check(
    job: JobName, changes: Changes = None, rehearse: Rehearse = False, as_json: Json = False
) -> None:
    """Say what is wrong with a job, or its plan.

    Everything is tried that needs no model call; who would answer is found out.
    """
    import asyncio

    from engine import inspecting, showing

    value = asyncio.run(inspecting.check(_load(job, changes), rehearse=rehearse))
    return _json(value) if as_json else showing.plan(showing.page(), value)


@app.command()
def graph(job: JobName, changes: Changes = None, as_json: Json = False) -> None:
    """Draw a job and its generators in Mermaid.

    One Markdown page, drawn from the wiring and the graphs that a run uses.
    """
    from engine import drawing
    from engine.wiring import wire

    wired = wire(_load(job, changes))
    if as_json:
        return _json({"job": drawing.job(wired), "generators": drawing.generators(wired)})
    return _write(drawing.page(wired))


@app.command()
def preview(
    job: JobName,
    n: Annotated[int, typer.Option("-n", min=1, help="seeds to run")] = 3,
    show_prompts: Annotated[
        bool, typer.Option("--show-prompts", help="every call's messages and reply as well")
    ] = False,
    rehearse: Rehearse = False,
    changes: Changes = None,
    as_json: Json = False,
) -> None:
    """Run a few seeds and show what they become.

    They pass the whole job; nothing is kept.
    """
    from engine import inspecting, showing

    _log_nothing()
    shown = _load(job, changes).preview(n, rehearse=rehearse)
    value = inspecting.preview(shown, n, calls=show_prompts)
    if as_json:
        _json(value)
    else:
        showing.preview(showing.page(), value)
    if value["failures"] and not value["records"] and not value["drops"]:
        raise typer.Exit(EXIT["ERRORS"])


@app.command()
def estimate(
    job: JobName,
    seeds: options.Seeds = 50,
    speed: options.Speed = None,
    measure: options.Measure = False,
    changes: Changes = None,
    as_json: Json = False,
) -> None:
    """Say what a job will take: calls, tokens, hours, disk.

    Rehearses a sample, or reads an earlier run; every figure says what it rests on.
    """
    from engine import forecast

    _log_nothing()
    value = forecast.of(_load(job, changes), seeds, speed or (), measure=measure)
    return _json(value) if as_json else forecast.show(value)


@app.command()
def run(
    job: JobName,
    changes: Changes = None,
    rehearse: Rehearse = False,
    fresh: options.Fresh = False,
    to: options.Folder = None,
    batch: options.Batch = None,
    answered_by: options.AnsweredBy = None,
    batch_lines: options.BatchLines = 0,
    on: options.On = None,
    as_json: Json = False,
) -> None:
    """Run a job, or go on where it stopped.

    Ends with a dataset, its card and a report; Ctrl-C saves what there is.
    """
    _run(job, changes, rehearse, fresh, to, batch, answered_by, batch_lines, on, as_json)


@app.command()
def curate(
    dataset: options.Dataset,
    step: options.Steps = None,
    language: options.Language = "",
    licence: options.Licence = "",
    keep: options.Keep = None,
    changes: Changes = None,
    rehearse: Rehearse = False,
    fresh: options.Fresh = False,
    to: options.Folder = None,
    as_json: Json = False,
) -> None:
    """Check, score and thin a dataset that exists; nothing is generated.

    Filters, verifiers and passes in the order given, by default length, repetition, refusal,
    format and near_duplicate. The job it runs is written beside the result, as curate.yaml.
    """
    from engine import curating

    asked = curating.Asked(dataset, step or (), language, licence, keep or ())
    folder = to or Path("outputs") / f"{dataset.stem}-curated"
    job = curating.write(asked, folder)
    _run(str(job), changes, rehearse, fresh, folder, None, None, 0, None, as_json)


def _run(
    job: str,
    changes: list[str] | None,
    rehearse: bool,
    fresh: bool,
    to: Path | None,
    batch: Path | None,
    answered_by: options.BatchWith | None,
    batch_lines: int,
    on: options.Place | None,
    as_json: bool,
) -> None:
    began = datetime.now().astimezone()  # before imports that take a while: a deadline counts
    from rich.console import Console

    from engine import batching, progress, session

    _log_nothing()
    console = Console(stderr=True, highlight=False)
    live = console.is_terminal and not console.is_dumb_terminal
    watch = progress.screen(console) if live else progress.lines(console)
    files = batching.chosen(batch, answered_by, batch_lines, partial(progress.say, console))
    result = session.run(
        _load(job, changes), to, rehearse=rehearse, fresh=fresh, watch=watch, batch=files,
        began=began, on=on.value if on else "",
    )  # fmt: skip
    again = ["engine", "run", job, *(part for each in changes or () for part in ("--set", each))]
    again += (["--rehearse"] if rehearse else []) + (["-o", str(to)] if to else [])
    again += (files.words if files else []) + (["--on", on.value] if on else [])
    _finish(result, shlex.join(again), as_json=as_json)


def _finish(result: Result, again: str, *, as_json: bool) -> None:
    """Say what a run came to, and exit with its code."""
    from engine import inspecting, showing

    code = EXIT[result.end.name]
    value = inspecting.status(result.folder)
    if as_json:
        _json({**value, "exit": code})
    else:
        showing.ending(showing.page(), value, again)
    raise typer.Exit(code)


@app.command()
def status(
    where: Annotated[str, typer.Argument(metavar="[DIR|JOB]", help="all runs if left out")] = "",
    as_json: Json = False,
) -> None:
    """Show where a run stands, or list all runs."""
    from engine import inspecting, showing

    if where:
        value = inspecting.status(inspecting.folder_of(where))
        return _json(value) if as_json else showing.status(showing.page(), value)
    values = [inspecting.status(folder) for folder in inspecting.runs()]
    return _json(values) if as_json else showing.runs(showing.page(), values)


@app.command()
def show(
    where: Run,
    id_: Annotated[str, typer.Argument(metavar="ID", help="a record's id, or how it begins")],
    as_json: Json = False,
) -> None:
    """Show a record with its lineage.

    Every step it passed, its parents, and each call with its messages and reply; drops too.
    """
    from engine import inspecting, showing

    value = inspecting.record(inspecting.folder_of(where), id_)
    return _json(value) if as_json else showing.lineage(showing.page(), value)


@app.command()
def failures(
    where: Run,
    retry: Annotated[bool, typer.Option("--retry", help="put them back in line")] = False,
    as_json: Json = False,
) -> None:
    """Show failed seeds, or put them back in line."""
    from engine import inspecting, showing

    folder = inspecting.folder_of(where)
    if not retry:
        found = inspecting.failures(folder)
        return _json(found) if as_json else showing.failures(showing.page(), found, where)
    value = inspecting.retry(folder)
    if as_json:
        return _json(value)
    typer.echo(f"{value['retried']} seeds are back in line")
    if value["retried"]:
        words = ["engine", "run", value["job"], "-o", value["folder"]]
        typer.echo(f"to try them: {shlex.join(words)} (with the options it was run with)")
    return None


@app.command()
def drops(
    where: Run,
    step: Annotated[str, typer.Option("--step", help="only of this step")] = "",
    reason: Annotated[str, typer.Option("--reason", help="only for this reason")] = "",
    n: Annotated[int, typer.Option("-n", min=0, help="drops to show")] = 10,
    as_json: Json = False,
) -> None:
    """Show what was dropped, and for which reason."""
    from engine import inspecting, showing

    value = inspecting.drops(inspecting.folder_of(where), step, reason, n)
    return _json(value) if as_json else showing.drops(showing.page(), value, n)


@app.command()
def export(
    where: Run,
    format_: Annotated[Format, typer.Option("--format", help="how a row holds a conversation")],
    to: Annotated[
        Path | None, typer.Option("-o", metavar="FOLDER", help="where; DIR/export-FORMAT")
    ] = None,
    sink: Annotated[SinkName, typer.Option("--sink", help="how it is written")] = SinkName.parquet,
) -> None:
    """Write accepted records in another format."""
    from engine import inspecting, outputs

    folder = inspecting.folder_of(where)
    place = to or folder / f"export-{format_.value}"
    for file in outputs.export(folder, format_.value, sink.value, place):
        typer.echo(file)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a job file."""
    from engine.job import JobFile

    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return _json({**draft, **JobFile.model_json_schema(by_alias=True)})


app.command()(commands.calibrate)
app.command()(commands.languages)


def _load(job: str, changes: list[str] | None) -> Job:
    from engine import session

    return session.load(job, changes or ())


def _json(value: Any) -> None:
    """One JSON document, in UTF-8 wherever it goes."""
    import orjson

    _write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode())


def _write(text: str) -> None:
    """Text for a file or a program: UTF-8, whatever the terminal's encoding."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.removesuffix("\n").encode("utf-8", "replace") + b"\n")
    sys.stdout.buffer.flush()


def _log_nothing() -> None:
    """Failures are counted in the view and kept in the ledger; the log would tear the view."""
    logging.getLogger("engine").addHandler(logging.NullHandler())


def main() -> None:
    """The entry point: nothing is sent anywhere, and no character can break the output."""
    hush(os.environ)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):  # replaced by something that is no text stream
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    app()


if __name__ == "__main__":
    main()
