"""Why an evolved instruction or its answer is eliminated, as far as no model is needed to see it.

Source: Xu et al., "WizardLM: Empowering Large Language Models to Follow Complex Instructions",
2023, arXiv:2304.12244, section 3.2, rules 2 to 4.
Differs: apologies, stop words and labels are lists by language; a word counts only where the
instruction itself does not say it; length is measured in words in every script; copies, empty
and refused rewrites are told as well.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from engine.text.leftovers import apologises, names_label, opens_sorry, says_nothing
from engine.text.lengths import words
from engine.text.tokens import tokens

RULES = ("no_gain", "apology", "empty_answer", "label_leak")
"""The published rules, by the reason under which they eliminate; the first is a judge's."""


def rewrite_fault(
    child: str, known: Sequence[str], language: str, rules: Collection[str] = RULES
) -> str:
    """What is wrong with a rewrite, as a slug, or ``""``; ``known`` are parent and ancestors.

    Nothing and a copy are wrong whatever the ``rules``.
    """
    found = tokens(child)
    if not found:
        return "empty_rewrite"
    if any(found == tokens(text) for text in known):
        return "copied_parent"
    said = "\n".join(known)
    leaks = names_label(child, language) and not names_label(said, language)
    sorry = opens_sorry(child, language) and not apologises(said, language)
    broken = {"label_leak": leaks, "apology": sorry}
    return next((rule for rule, holds in broken.items() if holds and rule in rules), "")


def answer_fault(
    answer: str, instruction: str, language: str, below: int, rules: Collection[str] = RULES
) -> str:
    """What is wrong with an answer, as a slug; an apology is, in fewer than ``below`` words."""
    if says_nothing(answer, language):
        return "empty_answer" if "empty_answer" in rules else ""
    sorry = apologises(answer, language) and not apologises(instruction, language)
    return "apology" if sorry and words(answer) < below and "apology" in rules else ""
