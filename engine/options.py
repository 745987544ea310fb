"""What the commands of ``engine`` take on the command line: one name per argument and option.

They stand apart from the commands, so that an option that several take reads the same in each.
Only typer is imported, since ``engine --help`` has to answer at once.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How a row of a dataset holds a conversation."""

    messages = "messages"
    alpaca = "alpaca"
    sharegpt = "sharegpt"
    preference = "preference"


class BatchWith(StrEnum):
    """Who answers batch files."""

    vllm = "vllm"
    api = "api"


class Place(StrEnum):
    """Where the workers of a run live, but for processes of this machine."""

    ray = "ray"


class SinkName(StrEnum):
    """How an export is written."""

    parquet = "parquet"
    jsonl = "jsonl"


# -- of several commands --------------------------------------------------------------------

JobName = Annotated[str, typer.Argument(metavar="JOB", help="a job file, or a shipped job's name")]
Run = Annotated[str, typer.Argument(metavar="DIR", help="a run's folder, or its job")]
Json = Annotated[bool, typer.Option("--json", help="one JSON document instead of text")]
Changes = Annotated[
    list[str] | None, typer.Option("--set", metavar="A.B=C", help="change one thing in the job")
]
Rehearse = Annotated[
    bool, typer.Option("--rehearse", help="let the embedded model answer: no server, no real data")
]

# -- of `engine estimate` -------------------------------------------------------------------

Seeds = Annotated[int, typer.Option("--seeds", min=1, help="seeds of the sample")]
Speed = Annotated[
    list[str] | None,
    typer.Option("--speed", metavar="[MODEL=]N", help="tokens out a second, or `measured`"),
]
Measure = Annotated[bool, typer.Option("--measure", help="let the real models answer the sample")]

# -- of `engine run` ------------------------------------------------------------------------

Fresh = Annotated[
    bool, typer.Option("--fresh", help="start anew; replies already paid for serve again")
]
Folder = Annotated[
    Path | None, typer.Option("-o", metavar="DIR", help="the run's folder; outputs/<job>")
]
Batch = Annotated[
    Path | None, typer.Option("--batch", metavar="DIR", help="ask by files in DIR, not servers")
]
AnsweredBy = Annotated[
    BatchWith | None,
    typer.Option("--with", help="with --batch: who answers; vllm run-batch, or a Batch API"),
]
BatchLines = Annotated[
    int, typer.Option("--batch-lines", min=0, help="with --batch: requests in one file; 10,000")
]
On = Annotated[
    Place | None,
    typer.Option("--on", help="put the workers of run.shards on a Ray cluster (RAY_ADDRESS)"),
]

# -- of `engine curate` ---------------------------------------------------------------------

Dataset = Annotated[
    Path, typer.Argument(metavar="DATASET", help="a .jsonl, .csv, .tsv or .parquet file")
]
Steps = Annotated[
    list[str] | None,
    typer.Option("--step", "-s", metavar="NAME[:KEY=VALUE,..]", help="a check or pass, in order"),
]
Language = Annotated[
    str, typer.Option("--language", metavar="TAG", help="of all rows, where no column says it")
]
Licence = Annotated[str, typer.Option("--licence", metavar="SPDX", help="of the dataset")]
Keep = Annotated[
    list[str] | None, typer.Option("--keep", metavar="COLUMN", help="a further column to keep")
]
