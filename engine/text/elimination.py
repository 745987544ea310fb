"""Why an evolved instruction or its answer is eliminated, as far as no model is needed to see it.

Source: Xu et al., "WizardLM: Empowering Large Language Models to Follow Complex Instructions",
2023, arXiv:2304.12244, section 3.2, rules 2 to 4.
Differs: apologies, stop words and labels are lists by language; a word counts only where the
instruction itself does not say it; length is measured in words in every script; copies, empty
and refused rewrites are told as well.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.text.leftovers import apologises, names_label, opens_sorry, says_nothing
from engine.text.lengths import words
from engine.text.tokens import tokens


def rewrite_fault(child: str, known: Sequence[str], language: str) -> str:
    """What is wrong with a rewrite, as a slug, or ``""``; ``known`` are parent and ancestors."""
    found = tokens(child)
    if not found:
        return "empty_rewrite"
    if any(found == tokens(text) for text in known):
        return "copied_parent"
    said = "\n".join(known)
    if names_label(child, language) and not names_label(said, language):
        return "label_leak"
    return "apology" if opens_sorry(child, language) and not apologises(said, language) else ""


def answer_fault(answer: str, instruction: str, language: str, below: int) -> str:
    """What is wrong with an answer, as a slug; an apology is, in fewer than ``below`` words."""
    if says_nothing(answer, language):
        return "empty_answer"
    sorry = apologises(answer, language) and not apologises(instruction, language)
    return "apology" if sorry and words(answer) < below else ""
