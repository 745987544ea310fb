"""Commands of ``engine`` that stand apart from ``cli``, each told by its own module.

Only typer is imported here, as there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.options import Json


def calibrate(
    where: Annotated[
        str, typer.Argument(metavar="JOB_OR_FILE", help="a run, its job, or JSON Lines of pairs")
    ],
    to: Annotated[
        Path | None, typer.Option("-o", metavar="FILE", help="write it here, not beside the job")
    ] = None,
    tail: Annotated[
        float, typer.Option(min=0.001, max=0.4, help="share of the set beyond each limit, at most")
    ] = 0.05,
    least: Annotated[
        int, typer.Option(min=1, help="translations that a pair needs, by one translator")
    ] = 30,
    as_json: Json = False,
) -> None:
    """Compute limits for translations, by language pair and translator.

    From a run of a job that translates texts you trust its translator with, or from a file with
    from, into, source, translation, engine, and where there are any back and similarity.
    """
    from engine.calibrating import calibrate as compute

    done = compute(where, to, tail, least)
    if as_json:
        import orjson

        typer.echo(orjson.dumps(done.value(), option=orjson.OPT_INDENT_2).decode())
        return
    for line in done.lines():
        typer.echo(line)


def languages(
    query: Annotated[
        str, typer.Argument(metavar="[QUERY]", help="a tag, name, script, family or tier")
    ] = "",
    as_json: Json = False,
) -> None:
    """Show the languages the engine knows: tags, names, scripts, direction, tier, family."""
    from engine import showing
    from engine.languages import listing

    found = listing.matching(query)
    if as_json:
        import orjson

        value = [listing.told(language) for language in found]
        typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
        return
    showing.table(showing.page(), listing.rows(found), indent="")
