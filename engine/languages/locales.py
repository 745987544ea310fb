"""What is usual in a place: its money, dates, numbers and days, and names that people there know.

The first part is CLDR's, through babel, for any tag whose region is named or likely (``sw`` is
Tanzania's, ``sw-KE`` Kenya's). What CLDR does not have, the names of feasts, dishes, offices and
people, is a user's own *gazetteer*: a YAML file with lists by kind. Nothing stands in for it: of a
kind that no gazetteer lists, nobody here can say whether a name exists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import yaml
from pydantic import BaseModel, Field, StringConstraints, ValidationError

from engine.core import JobError
from engine.languages.localising import sheet

if TYPE_CHECKING:
    from babel import Locale

Kind = Literal[
    "person",
    "place",
    "food",
    "plant_or_animal",
    "holiday",
    "institution",
    "law",
    "work",
    "sport",
    "game",
    "school",
    "brand",
    "money",
    "measure",
    "date_or_time",
    "contact",
    "idiom",
    "address_form",
    "other",
]
"""What a culture-bound piece of a text is: ``work`` is a book, song or film, ``contact`` a
telephone number or postal address, ``address_form`` how people address each other."""
KINDS: tuple[Kind, ...] = get_args(Kind)
DAY, HOUR, AMOUNT = "2024-03-09", "15:30:00", 1234.5
"""What the samples of a card show: day before month, hours beyond twelve, groups and a fraction."""
SHOWN = 12
"""Names of a kind that a prompt shows."""


Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_WANTED: Mapping[str, str] = {
    "tuple_type": "want a list, in square brackets or with a dash before each",
    "string_type": "want a text; YAML reads no, on and 5 as something else without quotation marks",
    "string_too_short": "want a text, found a blank one",
    "literal_error": "no kind of names is called that",
    "dict_type": "want lists of names by kind",
    "model_type": "want notes and names",
    "extra_forbidden": "not known here",
}
"""What is said of a mistake in a gazetteer, by pydantic's name of it."""


class Gazetteer(BaseModel, extra="forbid", frozen=True):
    """A user's own knowledge of a place."""

    notes: tuple[Said, ...] = ()
    """Sentences a writer should know, e.g. that the school year begins in January."""
    names: Mapping[Kind, tuple[Said, ...]] = Field(default_factory=dict)
    """Names by kind, as they are written there; a kind that is listed allows no others."""


NOTHING = Gazetteer()


@dataclass(frozen=True, slots=True)
class Card:
    """What CLDR knows of a place."""

    tag: str
    region: str
    """ISO 3166-1, named by the tag or likely."""
    place: str
    """In English."""
    lines: tuple[str, ...]
    """What is usual there, a line each, for a prompt."""


@lru_cache(maxsize=256)
def card(tag: str) -> Card:
    """The card of a locale; without lines for what CLDR does not know of it."""
    region, locale = _region(tag), _locale(tag)
    place = str(_english().territories.get(region, ""))
    lines = [*_money(region, locale), *_units(region)]
    lines += [*_written(locale), *_week(locale)] if locale else []
    return Card(tag, region, place, tuple(lines))


def gazetteer(path: Path) -> Gazetteer:
    """A gazetteer from its file.

    Raises:
        JobError: it cannot be read, or is none; says what is wrong.
    """
    try:
        return Gazetteer.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise JobError(f"{path}: cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != "[key]") or "the file"
        wrong = _WANTED.get(first["type"], first["msg"])
        listed = f"notes, and names of these kinds: {', '.join(KINDS)}"
        raise JobError(f"{path}: {where}: {wrong}; it holds {listed}") from error


def told(gazetteer: Gazetteer, shown: Sequence[int] = ()) -> list[str]:
    """What a gazetteer says, a line each; ``shown`` are drawn numbers that pick among many names.

    Where there are more names of a kind than a prompt shows, those at ``shown``, modulo how many
    there are, else the first.
    """
    lines = list(gazetteer.notes)
    for kind, names in gazetteer.names.items():
        places = list(dict.fromkeys(at % len(names) for at in shown)) if names else []
        some = [names[at] for at in places][:SHOWN] if len(names) > SHOWN else list(names)
        lines += [f"{kind}: {', '.join(some or names[:SHOWN])}"] if names else []
    return lines


def _region(tag: str) -> str:
    """The region that a tag names, else the likely one; empty where CLDR knows none."""
    from babel.core import get_global

    parts = tag.split("-")
    if named := [part for part in parts[1:] if len(part) == 2 and part.isupper()]:
        return named[0]
    likely = get_global("likely_subtags")
    found = str(likely.get("_".join(parts[:2])) or likely.get(parts[0]) or "")
    return next((part for part in found.split("_")[1:] if len(part) == 2), "")


def _locale(tag: str) -> Locale | None:
    """CLDR's data for the tag's language, in its region where it has that; None without any."""
    from babel import Locale, UnknownLocaleError

    language, *rest = tag.split("-")
    scripts = [part for part in rest if len(part) == 4]
    region = [each for each in [_region(tag)] if each]
    for parts in ([language, *scripts, *region], [language, *region], [language]):
        try:
            return Locale.parse("_".join(parts), resolve_likely_subtags=False)
        except (UnknownLocaleError, ValueError):
            continue
    return None


@lru_cache(maxsize=1)
def _english() -> Locale:
    from babel import Locale

    return Locale.parse("en")


def _money(region: str, locale: Locale | None) -> list[str]:
    from babel.numbers import format_currency, get_currency_name, get_territory_currencies

    found = get_territory_currencies(region) if region else []
    if not found or locale is None:
        return [f"currency: {code}" for code in found[:1]]
    code = str(found[0])
    sample = format_currency(AMOUNT, code, locale=locale)
    return [f"currency: {get_currency_name(code, locale=locale)} ({code}), written like {sample}"]


def _units(region: str) -> list[str]:
    usual = "miles, pounds, Fahrenheit" if region in sheet().customary else "metric, Celsius"
    return [f"units: {usual}"] if region else []


def _written(locale: Locale) -> list[str]:
    from babel.dates import format_date, format_time, parse_date, parse_time
    from babel.numbers import format_decimal, format_percent

    day, hour = parse_date(DAY, locale="en"), parse_time(HOUR, locale="en")
    long, short = (format_date(day, form, locale=locale) for form in ("long", "short"))
    amount = format_decimal(AMOUNT * 1000, locale=locale)
    return [
        f"numbers: {amount}, {format_percent(0.25, locale=locale)}",
        f"dates: {long}; short {short}",
        f"time of day: {format_time(hour, 'short', locale=locale)}",
    ]


def _week(locale: Locale) -> list[str]:
    # "format", not "stand-alone": babel 2.18 resolves the alias of the latter once, for all locales
    days, months = locale.days["format"]["wide"], locale.months["format"]["wide"]
    free = " and ".join(
        dict.fromkeys(str(days[day]) for day in (locale.weekend_start, locale.weekend_end))
    )
    return [
        f"days: {', '.join(str(days[day]) for day in range(7))}",
        f"the week begins on {days[locale.first_week_day]}; free: {free}",
        f"months: {', '.join(str(months[month]) for month in range(1, 13))}",
    ]
