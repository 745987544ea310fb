"""What an invented task must be like: the rules of Self-Instruct's filter, for any language.

The methods that have a model continue a list of tasks share them: too short or too long, fit for
eyes and hands only, one more "Write a program", opened by a punctuation mark, in another script.

Source: Wang et al., "Self-Instruct: Aligning Language Models with Self-Generated
Instructions", 2022, arXiv:2212.10560, section 2.2 and the filters of its released code.
Differs: "starts with a character outside ASCII" stood for "not English" and is "mostly in another
script" here; an opening ¿ or ¡ is no punctuation mark; words by language (``unfit``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import regex
from pydantic import BaseModel, Field

from engine.text.scripts import share_in_script
from engine.text.unfit import opens_as_program, unfit_word
from engine.text.wording import word_count

STARTS_WELL = regex.compile(r"[¿¡]?[\p{L}\p{N}]")


class TaskRules(BaseModel, extra="forbid"):
    """What a task must be like."""

    min_words: int = Field(default=4, ge=1)
    """Words a task has at least; ``engine.text.lengths`` says how in scripts without spaces."""
    max_words: int = Field(default=150, ge=1)
    """Words a task has at most."""
    min_in_script: float = Field(default=0.5, ge=0, le=1)
    """Share (0..1) of a task's words that are in the script of its language, at least."""
    blocked: dict[str, list[str]] = Field(default_factory=dict)
    """Words and phrases of unfit tasks by language, on top of the shipped ones."""

    def fault(
        self, task: str, language: str, more: Mapping[str, Sequence[str]] | None = None
    ) -> tuple[str, str]:
        """The reason to reject a task, with particulars; two empty strings for a good one.

        ``more`` are further words of unfit tasks, by language.
        """
        words = word_count(task)
        if words < self.min_words:
            return "too_short", f"{words} words"
        if words > self.max_words:
            return "too_long", f"{words} words"
        for listed in (self.blocked, more or {}):
            if word := unfit_word(task, language, listed):
                return "blocked_word", word
        if opens_as_program(task, language):
            return "writes_program", ""
        if not STARTS_WELL.match(task):
            return "starts_with_punctuation", task[:1]
        share = share_in_script(task, language)
        return ("wrong_script", f"{share:.2f}") if share < self.min_in_script else ("", "")
