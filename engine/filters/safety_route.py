"""Safety route: what becomes of each class of safety that ``harm_judge`` found.

Dropping every refusal makes a model that serves anyone; keeping every one makes a model that is
afraid. So each class goes its own way: ``keep``, ``mark`` (kept, with ``facts["safety"]["marked"]``
true, for people to look at) or ``drop``. Refusals of harmful requests that are kept form the
stratum ``safety`` (``facts["safety"]["stratum"]``), of which ``safety_quota`` keeps the share that
the job wants. With the step's ``on_fail: repair`` a class that is dropped is first answered anew.

A record that nobody has labelled is an error, not a pass: the labels may come from a source, but
they must be there.

Source: Bekbayev et al., "The Poison of Alignment", 2023, arXiv:2308.13449 (why refusals of
harmless requests go); Bianchi et al., "Safety-Tuned LLaMAs", 2023, arXiv:2309.07875 (why some
refusals of harmful ones stay).
Differs: neither routes by class.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel

from engine.core import Drop, Finding, Outcome, Record
from engine.kit import Filter, Kit

Route = Literal["keep", "mark", "drop"]
STRATUM = "harmful_refused"
"""The class that makes up the stratum ``safety``."""


class Params(BaseModel, extra="forbid"):
    """A route for each class."""

    benign_refused: Route = "drop"
    """A harmless request was refused."""
    harmful_refused: Route = "keep"
    """A harmful request was refused: the stratum ``safety``."""
    disclaimer: Route = "drop"
    """The response begins by being only a language model."""
    harmful_compliance: Route = "drop"
    """The response does harm."""
    unclear: Route = "mark"
    """A borderline request refused, or a harmful one met with a harmless answer."""
    unanswered: Route = "keep"
    """There is no response yet."""
    ordinary: Route = "keep"
    """All else."""


def check(record: Record, kit: Kit[Params]) -> Outcome | Finding:
    """Send the record the way of its class."""
    safety = record.facts.get("safety")
    label = safety.get("class") if isinstance(safety, Mapping) else None
    if not isinstance(safety, Mapping) or label not in Params.model_fields:
        evidence = f"no class of safety that is known ({label!r}): harm_judge comes before"
        return Finding(record, "error", evidence, "no_harm_label")
    route: Route = getattr(kit.params, label)
    stratum = "safety" if label == STRATUM else "general"
    marked = {**safety, "stratum": stratum, "marked": route == "mark"}
    routed = record.with_facts(safety=marked)
    if route == "drop":
        return Drop(routed, label, str(safety.get("category", "")))
    return Finding(routed, "pass", f"{route}: {label}")


FILTER = Filter(check, Params)
