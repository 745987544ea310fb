"""What is wrong with a text that was written for a human one, before it is scored.

A question is held to what holds for every reverse instruction; an answer must be one, and no echo
of its question.
"""

from __future__ import annotations

from engine.text.leftovers import opens_sorry, says_nothing
from engine.text.reversal import request_fault
from engine.text.sameness import bare
from engine.text.unpaired import Side


def written_fault(text: str, human: str, side: Side, language: str, most_shared: int) -> str:
    """Why ``text`` cannot stand beside the human ``side``, as a slug; empty where it can.

    ``most_shared`` is the longest run of words that a question may share with its answer.
    """
    if side == "answer":
        return request_fault(text, human, language, most_shared)
    if says_nothing(text, language):
        return "no_answer"
    if opens_sorry(text, language):
        return "apology"
    said, asked = (bare(each, punctuation=False) for each in (text, human))
    return "copies_question" if said in asked or said == 2 * asked else ""
