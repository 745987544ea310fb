"""One start of the engine in a process of its own, to be killed."""

from __future__ import annotations

import os
from pathlib import Path


def go(job: Path, folder: Path, url: str, changes: tuple[str, ...] = ()) -> None:
    """Run the job in ``folder``; a forked child of the fork server comes here."""
    import engine

    os.environ["SIM_URL"] = url
    engine.run(engine.load(job, changes), folder)
