"""Whether a heading is one that an author gave a text, or a scrap of a page.

Segments of pages come under headings such as "HOME | LOGIN | CART", "http://..." or "12/05". What
stands below those is rarely a text that could answer anybody.

Source: the rule is that of Li et al., "Self-Alignment with Instruction Backtranslation", 2023,
arXiv:2308.06259, appendix (segments with low-quality headers are left out).
Differs: capitals count only where the script has them; addresses and bare numbers are scraps, too.
"""

from __future__ import annotations

import regex

from engine.text.lengths import words

LONGEST_HEADING = 25
"""Words; more are a paragraph that somebody made bold."""
SHOUTED = 0.7
"""Share of capitals among the letters that have cases, from which on a heading is shouted."""
FEWEST_CASED = 8
"""Letters with cases below which nothing is said of them: ``FAQ``, ``DIY``."""

_LETTER = regex.compile(r"\p{L}")
_CASED = regex.compile(r"[\p{Lu}\p{Ll}]")
_CAPITAL = regex.compile(r"\p{Lu}")
_ADDRESS = regex.compile(r"(?i)\bhttps?:|\bwww\.|\S@\S+\.\p{L}")
_BARS = regex.compile(r"\s[|•·»›/]\s")


def heading_fault(heading: str) -> str:
    """Why the text below this heading is not worth a label, as a slug; ``""`` for no heading."""
    if not heading.strip():
        return ""
    if not _LETTER.search(heading) or _ADDRESS.search(heading) or len(_BARS.findall(heading)) > 1:
        return "heading_is_scrap"
    cased = _CASED.findall(heading)
    capitals = len(_CAPITAL.findall(heading))
    if len(cased) >= FEWEST_CASED and capitals >= SHOUTED * len(cased):
        return "heading_is_shouted"
    return "heading_too_long" if words(heading) > LONGEST_HEADING else ""
