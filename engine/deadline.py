"""When a run must be over: a duration, a time of day, or a date and a time.

A duration counts from the start of the run (8h, 90m, 1h30m). A time of day (06:30) is the next
one of this machine's clock, today or tomorrow. A date and a time (2026-11-20T06:30) is local
where it names no offset. What is meant is decided once, when the run starts, and no clock is
read here: whoever asks says what time it is.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DURATION = re.compile(
    r"(?:([0-9]{1,6}(?:\.[0-9]+)?)h)?\s*(?:([0-9]{1,6}(?:\.[0-9]+)?)m)?"
    r"\s*(?:([0-9]{1,6}(?:\.[0-9]+)?)s)?"
)
_OF_DAY = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}")
WANTED = "a duration such as 8h, 90m or 1h30m, a time such as 06:30, or 2026-11-20T06:30"
"""What a deadline may be, for whoever wrote something else."""


def is_one(text: str) -> bool:
    """Whether a text is a deadline."""
    known = duration_s(text) > 0 or _OF_DAY.fullmatch(text.strip()) or _date(text)
    return bool(known)


def duration_s(text: str) -> float:
    """The seconds of a duration; 0 for what is none."""
    found = _DURATION.fullmatch(text.strip())
    hours, minutes, seconds = (float(n or 0) for n in found.groups()) if found else (0, 0, 0)
    return hours * 3600 + minutes * 60 + seconds


def moment(text: str, now: datetime) -> datetime:
    """The moment that a deadline means for a run that starts ``now`` (with its time zone).

    The result may lie before ``now``: a date that is past.
    """
    if seconds := duration_s(text):
        # in UTC: Python adds within a zone by its wall clock, wrong when the clocks change
        return (now.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(now.tzinfo)
    if found := _OF_DAY.fullmatch(text.strip()):
        hour, minute, second = (int(part or 0) for part in found.groups())
        wanted = time(hour, minute, second)
        return next(day for day in _days(now, wanted) if day > now)
    date = _date(text)
    assert date, "checked before"
    return date if date.tzinfo else _local(date, now)


def seconds_left(text: str, now: datetime) -> float:
    """Seconds from ``now`` to the deadline; negative where it is past."""
    return moment(text, now).timestamp() - now.timestamp()


def _days(now: datetime, wanted: time) -> list[datetime]:
    """The time of day of today and the next two days; one may fall into a missing hour."""
    days = (now.date() + timedelta(days=ahead) for ahead in range(3))
    return [_local(datetime.combine(day, wanted), now) for day in days]


def _local(naive: datetime, now: datetime) -> datetime:
    """A time without an offset, in the zone of ``now``.

    Where that is a mere offset, which a change of the clocks between now and then would make
    wrong, the machine's own zone counts.
    """
    zone = now.tzinfo if isinstance(now.tzinfo, ZoneInfo) else None
    return naive.replace(tzinfo=zone) if zone else naive.astimezone()


def _date(text: str) -> datetime | None:
    if not _DATE.match(text.strip()):
        return None
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None
