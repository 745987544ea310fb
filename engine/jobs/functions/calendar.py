"""Dates and times: functions to make programming tasks from."""

from datetime import date, timedelta


def easter_sunday(year: int) -> date:
    """Return the date of Easter Sunday in the Gregorian calendar.

    Counts the moon's age by the year's place in the cycle of 19 years, then goes on to Sunday.
    """
    century, in_century = divmod(year, 100)
    moon = year % 19
    shift = (
        19 * moon + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15
    ) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (in_century // 4) - shift - in_century % 4) % 7
    late = (moon + 11 * shift + 22 * weekday) // 451
    month, day = divmod(shift + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def free_slots(
    busy: list[tuple[int, int]], opens: int, closes: int, least: int
) -> list[tuple[int, int]]:
    """Return the gaps of at least so many minutes between appointments of one day.

    Appointments may overlap and come in any order; all times are minutes since midnight.
    """
    slots = []
    now = opens
    for start, end in sorted(busy):
        if start - now >= least:
            slots.append((now, min(start, closes)))
        now = max(now, end)
    if closes - now >= least:
        slots.append((now, closes))
    return slots


def nth_weekday(year: int, month: int, weekday: int, nth: int) -> date | None:
    """Return the nth Monday (0) to Sunday (6) of a month, or None where there is none."""
    first = date(year, month, 1)
    found = first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))
    return found if found.month == month else None


def spoken_duration(seconds: int) -> str:
    """Write a duration with its two largest units, such as '2 h 5 min' or '48 s'."""
    units = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)]
    parts = []
    for name, size in units:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"
