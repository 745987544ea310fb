"""What people put into tables of steps and answers, read as the two sides of an exchange.

Steps are a list of texts, or of mappings with the key ``text``; answers the same, with ``score``
and ``accepted`` where the table has them. Blank ones are nobody's.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from engine.core import Json
from engine.text.phrases import phrase_lists, phrases_for

LISTS = "structured_corpus.yaml"


def steps_in(value: Json) -> list[str]:
    """The steps of a row, stripped, blank ones left out; none where it is no list."""
    return [text for text, _, _ in _entries(value)]


def steps_listed(steps: Sequence[str]) -> str:
    """The steps as a numbered list, each as it was written."""
    return "\n".join(f"{number}. {step}" for number, step in enumerate(steps, start=1))


def best_answer(value: Json) -> str:
    """The accepted answer, else the one with the highest score, else the first; ``""`` for none."""
    found = _entries(value)
    return max(found, key=lambda entry: entry[1:])[0] if found else ""


def how_to_request(title: str, count: int, language: str, draw: random.Random) -> tuple[str, bool]:
    """A request for the steps to ``title``, and whether it names their ``count`` (0: it shall not).

    The bare title where the language has no wording.
    """
    kind = "counted" if count else "plain"
    listed = phrases_for(phrase_lists(LISTS), kind, language)
    if not listed:
        return title, False
    wording = draw.choice(listed)
    return wording.replace("{count}", str(count)).replace("{title}", title), bool(count)


def _entries(value: Json) -> list[tuple[str, bool, float]]:
    """Text, whether it was accepted, and its score; in order."""
    found = []
    for entry in value if isinstance(value, list | tuple) else ():
        about = entry if isinstance(entry, Mapping) else {"text": entry}
        text, score = about.get("text"), about.get("score")
        if isinstance(text, str) and text.strip():
            number = float(score) if isinstance(score, int | float) else 0.0
            found.append((text.strip(), about.get("accepted") is True, number))
    return found
