"""Parquet shards with a card, pushed to the Hugging Face hub.

The dataset is written to disk first, as the sink ``parquet`` writes it, so a failed upload
loses nothing and can be repeated. The token is that of ``hf auth login``; a job file never
holds one. Repositories are private unless the job says otherwise: publishing is a decision.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from engine.core import JobError
from engine.rows import Sink, Splits
from engine.sinks import parquet

if TYPE_CHECKING:
    from huggingface_hub import HfApi


KIND = "dataset"


class Params(parquet.Params):
    """Where to, besides how rows are shaped and shards are cut."""

    repo: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")
    """The dataset's name on the hub, ``owner/name``; made if it is not there."""
    private: bool = True
    """Whether a new repository is seen by its owner only."""
    branch: str = "main"
    """The branch that is written; made if it is not there."""


def write(splits: Splits, folder: Path, params: Params, card: str) -> list[Path]:
    """Write the dataset to ``folder`` and push it.

    Raises:
        JobError: the format cannot express a record; nobody is logged in; the hub cannot be
            reached or refuses.
    """
    from huggingface_hub import HfApi

    files = parquet.write(splits, folder, params, card)
    push(HfApi(token=True), folder, params)
    return files


def push(hub: HfApi, folder: Path, params: Params) -> None:
    """One commit that makes the repository's ``data`` and card those of ``folder``."""
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError

    # The bases are the hub client's HTTP library's own errors, which changed from 0.x to 2.x.
    failures: tuple[Any, ...] = (OSError, HFValidationError, *HfHubHTTPError.__bases__)
    try:
        hub.create_repo(params.repo, repo_type=KIND, private=params.private, exist_ok=True)
        if params.branch != "main":
            hub.create_branch(params.repo, repo_type=KIND, branch=params.branch, exist_ok=True)
        hub.upload_folder(
            repo_id=params.repo,
            repo_type=KIND,
            folder_path=folder,
            revision=params.branch,
            allow_patterns=["README.md", "data/*.parquet"],
            delete_patterns=["data/*.parquet"],
            commit_message="Dataset written by synth-engine",
        )
    except LocalTokenNotFoundError as error:
        raise _failed(params, folder, "nobody is logged in: run hf auth login") from error
    except failures as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise _failed(params, folder, reason) from error


def _failed(params: Params, folder: Path, reason: str) -> JobError:
    return JobError(
        f"sink hub: {params.repo}: {reason}; the dataset itself is whole, in {folder}; "
        "run the same command again to push it"
    )


SINK = Sink(write, Params, "data/{split}-*.parquet")
