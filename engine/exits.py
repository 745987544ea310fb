"""How a command of ``engine`` ends: its exit code, and one line for what the user can put right."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from engine.core import JobError, LedgerError

EXIT = {
    "MET": 0, "SPENT": 3, "BARREN": 3, "BUDGET": 4, "ERRORS": 5, "WAITING": 6, "INTERRUPTED": 130
}  # fmt: skip
"""Name of an ``engine.rounds.End`` -> exit code."""
CODES = """\b
Exit codes:
    0  done (run: target met, or all seeds done where there is no target)
    1  the run's folder cannot be used: full, read-only, locked or damaged
    2  the job or the command line is wrong
    3  target not met
    4  stopped by a budget (deadline, tokens)
    5  too many errors
    6  waiting for a batch: answer its files, then run the same command again
  130  interrupted and saved: run the same command again to go on"""


class Commands(TyperGroup):
    """Turns what a user can put right into one line and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a bug keeps its traceback."""
        try:
            return super().invoke(ctx)
        except (JobError, LedgerError) as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(2 if isinstance(error, JobError) else 1) from error
