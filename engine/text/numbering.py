"""Numbering plans and the words around numbers: what ``taxonomies/pii.yaml`` and a library know.

A number with its country's code is held against that country's plan. One without is tried in the
countries where the text's language is spoken, and must then be announced by a word or be grouped
as that country groups its numbers: eight loose digits are a telephone number nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import regex

from engine import shipped

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

Word = Literal["phone", "identity", "card", "version"]
WINDOW = 40
"""Characters before a number in which a word may say what it is."""
_DIGITS = regex.compile(r"\d+")
_LAST_GROUP = regex.compile(r"[^\d]+\d+\Z")


@lru_cache(maxsize=1)
def known() -> Mapping[str, Any]:
    """The data of ``taxonomies/pii.yaml``."""
    file = shipped.folder("taxonomies") / "pii.yaml"
    return dict(shipped.read(file))


def announced(text: str, start: int, word: Word, within: int = WINDOW) -> bool:
    """Whether a word of this kind stands shortly before ``start``."""
    return _words(word).search(text[max(0, start - within) : start]) is not None


@lru_cache(maxsize=8)
def _words(word: Word) -> regex.Pattern[str]:
    listed = {each for kinds in known()["words"].values() for each in kinds.get(word, ())}
    either = "|".join(  # a short word is a whole word: "wa" is no part of "wars"
        regex.escape(each) + (r"(?!\p{Latin})" if len(each) < 4 else "")
        for each in sorted(listed, key=len, reverse=True)
    )
    return regex.compile(rf"(?<![\p{{Latin}}\p{{Greek}}\p{{Cyrillic}}])(?:{either})", regex.I)


@lru_cache(maxsize=512)
def regions(language: str) -> tuple[str, ...]:
    """ISO 3166 codes of the countries whose numbers a text in ``language`` may hold."""
    from babel.core import get_global

    parts = language.replace("_", "-").split("-")
    own = [part.upper() for part in parts[1:] if len(part) == 2]
    listed = known()["regions"].get(parts[0].lower())
    if listed is None:
        likely = get_global("likely_subtags").get(parts[0].lower(), "")
        listed = [part for part in likely.split("_")[1:] if len(part) == 2]
    return tuple(dict.fromkeys([*own, *listed]))


@lru_cache(maxsize=65536)
def telephone(written: str, language: str, with_word: bool) -> tuple[str, int]:
    """The number in E.164 and how much of ``written`` it takes; ``("", 0)`` if it is none.

    What follows a number (a year, a house number) may have been taken for a part of it, so that
    its last groups are tried as left out.
    """
    for end in _ends(written):
        head = written[:end]
        if len(_DIGITS.sub("", head)) < len(head) - 6 and (
            found := _read(head, language, with_word)
        ):
            return found, end
    return "", 0


def _ends(written: str) -> Iterator[int]:
    end = len(written)
    for _ in range(3):
        yield end
        shorter = _LAST_GROUP.search(written, 0, end)
        if shorter is None:
            return
        end = shorter.start()


def _read(written: str, language: str, with_word: bool) -> str:
    import phonenumbers as plan  # its tables take a while to load, and few jobs mask

    spaced = len(_DIGITS.findall(written)) > 2
    if written.startswith("00") and (with_word or spaced):
        written = "+" + written[2:]
    abroad = written.startswith("+")
    if _kept_free().fullmatch("".join(_DIGITS.findall(written))):
        return ""
    for region in (None,) if abroad else regions(language):
        try:
            number = plan.parse(written, region)
        except plan.NumberParseException:
            continue
        if plan.is_valid_number(number) and (abroad or with_word or _grouped(written, number)):
            return plan.format_number(number, plan.PhoneNumberFormat.E164)
    return ""


def _grouped(written: str, number: PhoneNumber) -> bool:
    """Whether the digits stand in the groups in which their country writes them."""
    import phonenumbers as plan

    usual = plan.format_number(number, plan.PhoneNumberFormat.NATIONAL)
    groups = _DIGITS.findall(written)
    if groups != _DIGITS.findall(usual) or " - " in written:
        return False
    return len(groups) > 2 or (len(groups) == 2 and groups[0][0] == "0" and len(groups[1]) > 4)


@lru_cache(maxsize=1)
def _kept_free() -> regex.Pattern[str]:
    """The digits of numbers that are kept free for films and examples, with codes or without."""
    import phonenumbers as plan

    ranges = [
        rf"(?:(?:00)?{plan.country_code_for_region(region)}0?|0)?{digits.replace('n', '[0-9]')}"
        for region, several in known()["phones"].items()
        for digits in several
    ]
    return regex.compile(rf"{'|'.join(ranges)}|(?:(?:00)?1)?(?:[2-9]\d\d)?55501\d\d")
