"""Licences: whether what went into a dataset may be trained on, as far as anybody here knows.

Two things decide: the licence of each source, and the terms of each model that answered. Both are
looked up in ``taxonomies/licences.yaml``; what is not there is unknown, and said to be. A model's
licence stated in the job wins over what its name suggests: a served name can be anything, and a
fine-tune has the terms of what it was made from.

This is a reading aid for the card, no legal advice, and it never stops a run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import regex

from engine import shipped
from engine.core import REHEARSAL

Allowed = Literal["yes", "conditions", "no", "unknown"]
_CUTS = regex.compile(r"[-_:\s@]+|\.(?!\d)|(?<!\d)\.")
"""Where a model's name is cut into parts; not in a version (3.1)."""
_SAID = {
    "yes": "allowed",
    "conditions": "allowed with conditions",
    "no": "FORBIDDEN, at least for some",
    "unknown": "unknown",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What applies to one source, or to what one model wrote."""

    of: str
    """The source's name in the job, or the model's as its server reported it."""
    terms: str
    """SPDX identifier, or the name of the terms; empty where nobody knows them."""
    training: Allowed
    """Whether a model may be trained on it."""
    note: str = ""
    """The condition, or what is forbidden."""

    @property
    def said(self) -> str:
        """``training`` in words, for a table."""
        return f"{_SAID[self.training]}{': ' + self.note if self.note else ''}"


def of_source(name: str, licence: str) -> Terms:
    """The terms of a source under the licence that its job states; unknown if it states none."""
    found = _known()["licences"].get(licence.strip().lower(), {})
    return Terms(name, licence, found.get("training", "unknown"), found.get("note", ""))


def of_model(model: str, stated: str = "") -> Terms:
    """The terms of what ``model`` wrote: by the licence stated for it, else by its name."""
    if model == REHEARSAL:
        return Terms(model, "the engine's own", "no", "stock phrases, written to try out a job")
    if stated:
        found = _known()["licences"].get(stated.strip().lower(), {})
        return Terms(model, stated, found.get("training", "unknown"), found.get("note", ""))
    family = _family(model)
    if family is None:
        return Terms(model, "", "unknown", "")
    return Terms(model, family["terms"], family["outputs"], family.get("note", ""))


def every(
    sources: Mapping[str, str],
    models: Mapping[str, Sequence[str]],
    stated: Mapping[str, str] | None = None,
) -> tuple[list[Terms], list[Terms]]:
    """The terms of all sources, and of all models that answered.

    Args:
        sources: source name -> the licence the job states; empty: none.
        models: name in the job -> the models that answered under it.
        stated: name in the job -> the licence that it states for the model.
    """
    said = stated or {}
    answered = {model: said.get(name, "") for name, each in models.items() for model in each}
    return (
        [of_source(name, licence) for name, licence in sources.items()],
        [of_model(model, licence) for model, licence in answered.items()],
    )


def warnings(terms: Sequence[Terms]) -> Iterator[str]:
    """One sentence for all that forbids training, one for conditions, one for the unknown."""
    for training, words in (
        ("no", "**Training on this dataset may be forbidden.**"),
        ("conditions", "Training on this dataset comes with conditions."),
        ("unknown", "Whether training is allowed is not known; read the terms of what follows."),
    ):
        which = [t for t in terms if t.training == training]
        if which:
            yield f"{words} {'; '.join(_sentence(each) for each in which)}."


def _sentence(terms: Terms) -> str:
    named = f" ({terms.terms})" if terms.terms else ""
    return f"{terms.of}{named}{': ' + terms.note if terms.note else ''}"


def _family(model: str) -> Mapping[str, Any] | None:
    """The entry whose name is the longest that the model's begins with."""
    name = model.rstrip("/").rpartition("/")[2]
    parts = _parts(name)
    best: tuple[int, Mapping[str, Any] | None] = (0, None)
    for begins, family in _families():
        if len(begins) > best[0] and _begins(parts, begins):
            best = (len(begins), family)
    return best[1]


def _begins(parts: Sequence[str], begins: Sequence[str]) -> bool:
    return tuple(parts[: len(begins)]) == tuple(begins)


def _parts(name: str) -> tuple[str, ...]:
    return tuple(part for part in _CUTS.split(name.lower()) if part)


@lru_cache(maxsize=1)
def _known() -> Mapping[str, Any]:
    file = shipped.folder("taxonomies") / "licences.yaml"
    return dict(shipped.read(file))


@lru_cache(maxsize=1)
def _families() -> tuple[tuple[tuple[str, ...], Mapping[str, Any]], ...]:
    return tuple(
        (_parts(name), family) for family in _known()["models"] for name in family["names"]
    )
