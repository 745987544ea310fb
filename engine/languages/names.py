"""Names of languages, so that a prompt can say "Swahili" where a job says ``sw``.

The names are CLDR's, through babel. A small model follows "Write in Swahili" more reliably
than a bare tag.
"""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=1024)
def english_name(tag: str) -> str:
    """The English name of a BCP-47 tag, e.g. ``Simplified Chinese`` for ``zh-Hans``.

    Where CLDR has no name, the table of languages may have one; else the tag is its own name.
    """
    from babel import Locale

    from engine.languages.sheet import sheet

    names = Locale("en").languages
    parts = tag.replace("_", "-").split("-")
    listed = sheet().languages.get(parts[0], {}).get("name")
    return str(names.get("_".join(parts)) or names.get(parts[0]) or listed or tag)
