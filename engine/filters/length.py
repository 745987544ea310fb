"""Length: drop instructions and responses that are too short or too long to learn from.

Lengths are in words, in every script: a Chinese character counts 0.65 of a word, a Japanese
Kana 0.3 and a Thai, Lao, Khmer, Burmese or Tibetan letter 0.25, because that is what they carry
in a text that exists in all these languages (see ``engine.text.lengths``). So one bound means
the same length in every language of a job. Of a conversation the last turn of each side counts;
a side that has no turn is not checked.

Source: Wang et al., "Self-Instruct: Aligning Language Models with Self-Generated Instructions",
2023, arXiv:2212.10560; its released code keeps instructions of more than 3 and at most 150
words.
Differs: words are counted in every script, not split at blanks; two words may be an instruction
("Explain gravity"); the response has bounds of its own, wide enough for a document.
"""

from __future__ import annotations

from pydantic import BaseModel, Field

from engine.core import Drop, Outcome, Record
from engine.kit import Filter, Kit
from engine.text.lengths import words
from engine.text.sides import Side, turns


class Params(BaseModel, extra="forbid"):
    """Bounds, each in words and itself allowed; ``null`` is not checked."""

    min_instruction: int | None = Field(default=2, ge=0)
    """Fewest words of the last instruction."""
    max_instruction: int | None = Field(default=2_000, ge=1)
    """Most words of the last instruction, its input included."""
    min_response: int | None = Field(default=1, ge=0)
    """Fewest words of the last response; a bare sign, as in ``>``, is one."""
    max_response: int | None = Field(default=4_000, ge=1)
    """Most words of the last response."""


def check(record: Record, kit: Kit[Params]) -> Outcome:
    """Keep the record if both sides are within their bounds."""
    bounds: dict[Side, tuple[int | None, int | None]] = {
        "instruction": (kit.params.min_instruction, kit.params.max_instruction),
        "response": (kit.params.min_response, kit.params.max_response),
    }
    for side, (least, most) in bounds.items():
        for text in turns(record, side)[-1:]:
            length = words(text)
            if least is not None and length < least:
                return Drop(record, f"{side}_too_short", f"{length} words, at least {least}")
            if most is not None and length > most:
                return Drop(record, f"{side}_too_long", f"{length} words, at most {most}")
    return record


FILTER = Filter(check, Params)
