"""Formulations with one slot for an input, as models write them.

The slot is the literal ``{INPUT}``, exactly once, and what is put in stays as it is, character by
character: braces, slots and line breaks of the input are none of the formulation's.
"""

from __future__ import annotations

import regex

from engine.text.leftovers import unwrapped
from engine.text.sameness import bare

SLOT = "{INPUT}"
_SLOT = regex.compile(r"(?<!\{)\{INPUT\}(?!\})")


def formulation(reply: str) -> str:
    """What a model wrote, without a fence or quotation marks around all of it."""
    return unwrapped(reply)


def slot_fault(form: str, instruction: str) -> str:
    """Why a formulation cannot be filled, as the reason of a drop; empty for a good one."""
    slots = len(_SLOT.findall(form))
    if slots != 1 or form.count("INPUT}") != 1:
        return "several_slots" if slots > 1 else "no_slot"
    words = bare(_SLOT.sub("", form), punctuation=False)
    if not words:
        return "no_instruction"
    return "same_formulation" if words == bare(instruction, punctuation=False) else ""


def filled(form: str, text: str) -> str:
    """The formulation with ``text`` in its slot, verbatim."""
    before, _, after = form.partition(SLOT)
    return before + text + after
