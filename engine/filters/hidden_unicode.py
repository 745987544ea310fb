"""Hidden Unicode: take out signs that nobody sees, and spare those that spell.

Orders in tag characters, code that reads backwards, watermarks in zero-width signs, NUL, halves
of surrogate pairs. Persian and Urdu non-joiners, Indic joiners, emoji sequences, variation
selectors, Thai break marks and balanced marks of direction stay (``engine.text.hidden`` says
which do a service where). Half surrogates that belong together are joined first.

``facts["hidden_unicode"]`` counts what was found by kind: ``bidi``, ``tag``, ``zero_width``,
``variation_selector``, ``control`` (NUL and other control characters, noncharacters) and
``surrogate``.

Source: Boucher and Anderson, "Trojan Source: Invisible Vulnerabilities", 2021, arXiv:2111.00169.
Differs: removed where harmless, so that a soft hyphen costs no record.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal

from pydantic import BaseModel

from engine.core import Drop, Finding, Outcome, Record
from engine.kit import Filter, Kit
from engine.text.everywhere import rewritten
from engine.text.hidden import Kind, hidden, without


class Params(BaseModel, extra="forbid"):
    """What happens to a record with hidden signs."""

    action: Literal["remove", "drop", "mark"] = "remove"
    """``remove`` the signs; ``drop`` the record, without them; ``mark``: leave and count them."""
    drop_kinds: tuple[Kind, ...] = ("tag",)
    """Kinds for which a record is dropped whatever ``action`` says: nobody writes tag characters
    by mistake."""


def check(record: Record, kit: Kit[Params]) -> Outcome | Finding:
    """Remove what is hidden in the record's turns and facts."""
    found: Counter[Kind] = Counter()

    def cleaned(text: str) -> str:
        whole = _joined(text)
        signs = hidden(whole)
        found.update(sign.kind for sign in signs)
        return without(whole, signs) if signs else whole

    clean = rewritten(record, cleaned)
    if not found:
        return clean
    counts = dict(sorted(found.items()))
    evidence = ", ".join(f"{kind} {number}" for kind, number in counts.items())
    clean = clean.with_facts(hidden_unicode=counts)
    if kit.params.action == "drop" or found.keys() & set(kit.params.drop_kinds):
        return Drop(clean, "hidden_unicode", evidence)
    if kit.params.action == "mark":
        return Finding(record.with_facts(hidden_unicode=counts), "pass", f"marked: {evidence}")
    return Finding(clean, "pass", f"removed: {evidence}")


def _joined(text: str) -> str:
    """The text with the two halves of a surrogate pair made one; lone halves stay."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return text


FILTER = Filter(check, Params)
