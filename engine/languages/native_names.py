"""What a language is called in another one: German is ``Kijerumani`` in Swahili (CLDR)."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=4096)
def name_in(language: str, tag: str) -> str:
    """The name of the language ``tag`` as one says it in ``language``.

    ``""`` where CLDR does not know it, or only by its code.
    """
    from babel import Locale, UnknownLocaleError

    names = None
    parts = language.replace("_", "-").split("-")
    for length in range(len(parts), 0, -1):
        try:
            names = Locale.parse("_".join(parts[:length])).languages
            break
        except (UnknownLocaleError, ValueError):
            continue
    wanted = tag.replace("_", "-").split("-")
    found = (names.get("_".join(wanted[:n])) for n in range(len(wanted), 0, -1)) if names else ()
    return str(next(filter(None, found), ""))
