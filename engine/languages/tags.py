"""Tags of languages: one spelling for each language, whatever the file says that came in.

Datasets write ``zh-CN``, ``zh_Hans``, ``cmn``, ``zho_Hans``; ``he_IL``, ``iw``; ``no``, ``nb``. A
job that counts languages, or meets quotas by them, needs one of each. Besides CLDR's aliases
(through babel) there are those of ``taxonomies/languages.yaml``. A region stays where it makes a
variety with a name (``pt-BR``), becomes the script where that is what it says (``zh-TW``,
``pa-PK``), and goes where it says nothing (``he-IL``).

Why not langcodes: babel, which is needed anyway, has the same data of CLDR; what is left to do is
to know which tags this engine knows more about, and to say what was meant.
"""

from __future__ import annotations

import difflib
import re
from functools import lru_cache

from engine.core import JobError
from engine.languages.sheet import sheet
from engine.text.scripts import script as likely_script

UNDETERMINED = "und"
"""The tag of a text whose language nobody knows."""
SPECIAL = frozenset({UNDETERMINED, "mul", "zxx"})
"""Undetermined, several languages, none: tags that name no language."""

HAN = frozenset({"Hans", "Hant"})
"""Scripts that stay in a tag: ``zh`` alone says nothing of which one is meant."""

_TAG = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")


@lru_cache(maxsize=4096)
def normalise(tag: str) -> str:
    """The tag by which the engine knows a language: ``zh-CN`` is ``zh-Hans``, ``iw`` is ``he``.

    Raises:
        JobError: it names no language that is known here; the nearest is said.
    """
    said = tag.strip().replace("_", "-")
    if not _TAG.fullmatch(said):
        raise JobError(_unknown(tag))
    if meant := sheet().aliases.get(said.lower()):
        return meant
    code, script, region, rest = _parts(said)
    code, implied, place = _language(code, tag)
    if code in SPECIAL:
        return code
    script, region = _placed(code, script or implied, region or place)
    _check(tag, script, region)
    if script == sheet().languages[code]["scripts"][0] and script not in HAN:
        script = ""
    return "-".join(part for part in (code, script, region, *rest) if part)


def base(tag: str) -> str:
    """The language of a normalised tag, without script and region: ``zh`` of ``zh-Hant``."""
    return tag.split("-")[0]


def _parts(said: str) -> tuple[str, str, str, list[str]]:
    """Language, script, region and what else a tag says, each in its usual spelling."""
    code, *rest = said.split("-")
    script = region = ""
    if rest and len(rest[0]) == 4 and rest[0].isalpha():
        script = rest.pop(0).title()
    if rest and (len(rest[0]) == 2 or (len(rest[0]) == 3 and rest[0].isdigit())):
        region = rest.pop(0).upper()
    return code.lower(), script, region, [part.lower() for part in rest]


def _language(code: str, tag: str) -> tuple[str, str, str]:
    """The code by which the sheet has a language; script and region that an alias implies."""
    from babel.core import get_global

    if code in sheet().languages or code in SPECIAL:
        return code, "", ""
    meant = sheet().aliases.get(code) or get_global("language_aliases").get(code) or code
    code, implied, place, _ = _parts(str(meant).replace("_", "-"))
    code = sheet().aliases.get(code, code)
    if code not in sheet().languages:
        code = _by_iso().get(code, code)
    if code not in sheet().languages:
        raise JobError(_unknown(tag))
    return code, implied, place


@lru_cache(maxsize=1)
def _by_iso() -> dict[str, str]:
    return {said["iso"]: tag for tag, said in sheet().languages.items()}


def _placed(code: str, script: str, region: str) -> tuple[str, str]:
    """Script and region, once the region has said what it says of the script."""
    from babel import Locale
    from babel.core import get_global

    if not region:
        return script, region
    likely = get_global("likely_subtags")
    there = likely_script(f"{code}-{region}")
    if not script and there != likely_script(code):
        return there, ""
    named = f"{code}_{region}" in Locale("en").languages
    usual = str(likely.get(code, "")).endswith(f"_{region}")
    return script, "" if usual and not named else region


def _check(tag: str, script: str, region: str) -> None:
    from babel import Locale

    english = Locale("en")
    for kind, part, names in (
        ("script", script, english.scripts),
        ("region", region, english.territories),
    ):
        if part and part not in names:
            near = difflib.get_close_matches(part, names, n=1)
            hint = f"; the nearest is {near[0]!r} ({names[near[0]]})" if near else ""
            raise JobError(f"{tag!r}: there is no {kind} {part!r}{hint}")


def _unknown(tag: str) -> str:
    return f"{tag[:60]!r} is the tag of no language that is known here; {nearest(tag)}"


def nearest(tag: str) -> str:
    """Which language may be meant, in words: the nearest by tag, code or name."""
    words: dict[str, str] = {}
    for known, said in sheet().languages.items():
        for word in (known, said["iso"], said["name"], said["own"]):
            words.setdefault(word.casefold(), known)
    others = {alias: meant for alias, meant in sheet().aliases.items() if "-" not in alias}
    words = {**others, **words}
    asked = tag.strip().replace("_", "-").casefold()
    near = difflib.get_close_matches(asked, words, n=1, cutoff=0.5)
    near = near or difflib.get_close_matches(asked.split("-")[0], words, n=1, cutoff=0.5)
    hint = "`engine languages` lists those there are"
    if near:
        meant = words[near[0]]
        named = sheet().languages.get(meant, {}).get("name", near[0])
        return f"did you mean {meant!r} ({named})? {hint}"
    return hint
