"""Phase: keep the records of some phases of training, as the pass ``phase_split`` has set them.

A job makes what one phase needs, pairs for a reward model, say; the instructions of the others are
dropped here (``other_phase``) before a model is asked about them. A record without a phase is
dropped, too (``no_phase``): it has not been through that pass, so it may be in any.

Source: Lai et al., "Okapi", 2023, arXiv:2307.16039 (each phase has instructions of its own).
"""

from __future__ import annotations

from pydantic import BaseModel, Field

from engine.core import Drop, Outcome, Record
from engine.kit import Filter, Kit


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    keep: list[str] = Field(min_length=1)
    """Names of phases, as in the ``counts`` of the pass."""


def check(record: Record, kit: Kit[Params]) -> Outcome:
    """Keep the record if its phase is among those wanted."""
    phase = record.facts.get("phase")
    if not phase:
        return Drop(record, "no_phase", "put the pass phase_split before this filter")
    keep = kit.params.keep
    told = f"{phase}; kept here: {', '.join(keep)}"
    return record if phase in keep else Drop(record, "other_phase", told)


FILTER = Filter(check, Params)
