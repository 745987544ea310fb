"""Names of languages, so that a prompt can say "Swahili" where a job says ``sw``.

The names are CLDR's, through babel. A small model follows "Write in Swahili" more reliably
than a bare tag.
"""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=1024)
def english_name(tag: str) -> str:
    """The English name of a BCP-47 tag, e.g. ``Simplified Chinese`` for ``zh-Hans``.

    A tag that CLDR has no name for is returned as it is.
    """
    from babel import Locale

    names = Locale("en").languages
    parts = tag.replace("_", "-").split("-")
    return str(names.get("_".join(parts)) or names.get(parts[0]) or tag)
