"""Parts of a reply that stand under labels of the prompt's own, as models write labels.

A label is a line of its own, or the beginning of one with a colon behind it, whatever the dress:
``**EVOLVE_FINAL:**``, ``### 4. Evolve final``, ``[evolve_final]``. A sentence that merely mentions
it is none. Models think aloud and begin again, so a label's last line counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import regex

_BEFORE = r"^[ \t#>*_`\[(【-]*+(?:\d{1,2}[.)．、][ \t]*+)?[*_`\[(【]*+"
_BEHIND = r"[*_`\])】]*[ \t]*(?:[:：][*_`\])】]*|[ \t\r]*$)"


def labelled(reply: str, labels: Sequence[str]) -> dict[str, str]:
    """What stands under each label, up to the next; the last label's goes to the end.

    Labels are words joined by ``_``, in the order in which they are asked for; one that is not
    there is left out.
    """
    places = sorted((*span, label) for label in labels for span in _spans(reply, label))
    begins = [begin for begin, _, _ in places]
    parts: dict[str, str] = {}
    for at, (_, end, label) in enumerate(places):
        last = label == labels[-1] or at + 1 == len(places)
        parts[label] = reply[end : len(reply) if last else begins[at + 1]].strip()
    return parts


def _spans(reply: str, label: str) -> list[tuple[int, int]]:
    """Where a label's line begins, and where its text does."""
    words = r"\\?[_ \t]+".join(map(regex.escape, label.split("_")))
    found = regex.finditer(f"{_BEFORE}{words}{_BEHIND}", reply, regex.M | regex.I)
    return [match.span() for match in found]
