"""Texts that belong together, translated in one reply, each under a label of its own.

An instruction and its responses are translated better by somebody who sees all of them; but each
is held against its own source. So every text is a ``Unit`` as in ``translate``, masked by itself,
and stands in question and reply under a label: ``RESPONSE_A``, and ``TRANSLATED_RESPONSE_A``. A
label that did not come back leaves an empty translation, which is a fault as any other.

Nothing here asks a model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from engine.languages.masking import mask
from engine.languages.translate import FIELDS, Unit, marks, unmasked
from engine.text.labelled import labelled
from engine.text.leftovers import unwrapped

_BEFORE = "TRANSLATED_"


def parcel(texts: Mapping[str, str], language: str) -> list[Unit]:
    """The texts by label, masked, on their way into one language."""
    kinds = {kind.upper(): kind for kind in FIELDS.values()}
    return [
        Unit(language, label, kinds.get(label, "response"), text, mask(text))
        for label, text in texts.items()
    ]


def all_marks(units: Sequence[Unit]) -> list[str]:
    """The sentinels in any of the texts, for the prompt that names them."""
    return list(dict.fromkeys(mark for unit in units for mark in marks(unit.masked.text)))


def reply_labels(units: Sequence[Unit]) -> list[str]:
    """The labels under which the translations are wanted."""
    return [_BEFORE + unit.place for unit in units]


def opened_parcel(units: Sequence[Unit], reply: str, *, cut: bool = False) -> list[Unit]:
    """The texts with their translations out of a reply, or with the fault that forbids them.

    ``cut`` says that the token limit cut the reply, so that its last part is not whole.
    """
    wanted = reply_labels(units)
    parts = labelled(unwrapped(reply), wanted)
    done = [_opened(*each, parts) for each in zip(units, wanted, strict=True)]
    if cut:
        told = "the token limit cut the reply short"
        done[-1] = replace(done[-1], text="", fault="cut_translation", detail=told)
    return done


def _opened(unit: Unit, label: str, parts: Mapping[str, str]) -> Unit:
    part = parts.get(label, "")
    done = unmasked(unit, [part], [unit.masked.text], ["", ""])
    if part:
        return done
    return replace(done, fault="empty_translation", detail=f"nothing stands under {label}")
