"""What a run left behind, read from its folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.core import Drop, JobError, Record
from engine.ledger import Ledger
from engine.rounds import End

if TYPE_CHECKING:
    import datasets

DATASET = "dataset"
"""The folder of the dataset within that of the run."""


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a run; everything but the counts is read when it is asked for."""

    folder: Path
    end: End
    accepted: int
    """Records in the dataset."""
    wanted: int
    """``target.accepted`` of the job; 0: no target."""

    def dataset(self, split: str | None = None) -> datasets.Dataset | datasets.DatasetDict:
        """The dataset that the sink wrote; all splits together in one where ``split`` is None.

        Raises:
            JobError: the job has no parquet sink, or the run was interrupted before it wrote one.
        """
        import datasets

        files = sorted((self.folder / DATASET / "data").glob(f"{split or '*'}-*.parquet"))
        if not files:
            raise JobError(
                f"{self.folder / DATASET} holds no parquet files of {split or 'any'} split"
            )
        return datasets.Dataset.from_parquet([str(file) for file in files])

    def records(self) -> Iterator[Record]:
        """The accepted records, in seed order."""
        with self._ledger() as ledger:
            yield from ledger.accepted(self.wanted or -1)

    def drops(self, step: str = "", reason: str = "") -> Iterator[Drop]:
        """What was dropped, in seed order; of one step or for one reason where given."""
        with self._ledger() as ledger:
            yield from (drop for _, drop in ledger.drops(step, reason))

    def failures(self) -> list[dict[str, Any]]:
        """Seeds that failed: round, stage, position, record id, attempts, error."""
        with self._ledger() as ledger:
            return list(ledger.failures())

    def push_to_hub(self, repo_id: str, *, private: bool = True) -> None:
        """Upload the dataset folder, card included, to the Hugging Face hub.

        Raises:
            JobError: no login, or the hub cannot be reached.
        """
        from huggingface_hub import HfApi

        from engine.sinks import hub

        hub.push(HfApi(), self.folder / DATASET, hub.Params(repo=repo_id, private=private))

    @contextmanager
    def _ledger(self) -> Iterator[Ledger]:
        ledger = Ledger(self.folder)
        try:
            yield ledger
        finally:
            ledger.close()
