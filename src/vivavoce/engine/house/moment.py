"""Times and dates as one says them."""

import re
from datetime import datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from vivavoce.engine.house.number import spell_out
from vivavoce.engine.house.turn import Turn

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September", "October"),
    *("November", "December"),
)
_TIME: Final = re.compile(
    r"\b(?:what|tell|know|current|check|give|say|is)\b.*\b(?:times?|timer|timed|clock)\b|^(?:the )?time\b"
)
_ASKS: Final = r"(?:what|which|tell|know|give|say|current|today is|today's)\b"
_DATE: Final = re.compile(
    rf"\b{_ASKS}.*\b(?:dates?|day|today|weekday|month|year|tomorrow|yesterday)\b|^(?:the )?date\b"
)
_OTHER_DAY: Final = {"tomorrow": 1, "yesterday": -1}
_PLACE: Final = re.compile(r"\b(?:in|at|for)\s+(.+)$")


def tell_time(turn: Turn) -> str | None:
    """The time of day here or, when its zone is known, in the place that was asked for."""
    if not _TIME.search(turn.plain):
        return None
    place = _PLACE.search(turn.plain)
    if place and (zone := _zone_of(place[1])):
        there = turn.now.astimezone(ZoneInfo(zone))
        return f"In {zone.rpartition('/')[2].replace('_', ' ')} it is {_time_of_day(there)}."
    return f"It is {_time_of_day(turn.now)}."


def tell_date(turn: Turn) -> str | None:
    """The day, the month or the year."""
    if not _DATE.search(turn.plain):
        return None
    words = set(turn.words)
    for word, days in _OTHER_DAY.items():
        if word in words:
            verb = "is" if days > 0 else "was"
            return f"{word.capitalize()} {verb} {_date(turn.now + timedelta(days=days))}."
    if "year" in words:
        return f"It is the year {turn.now.year}."
    if "month" in words:
        return f"It is {_MONTHS[turn.now.month - 1]} {turn.now.year}."
    return f"Today is {_date(turn.now)}."


def _time_of_day(moment: datetime) -> str:
    hour = spell_out((moment.hour - 1) % 12 + 1)
    match moment.minute:
        case 0 if moment.hour in {0, 12}:
            return "midnight" if moment.hour == 0 else "noon"
        case 0:
            said = f"{hour} o'clock"
        case minute if minute < 10:
            said = f"{hour} oh {spell_out(minute)}"
        case minute:
            said = f"{hour} {spell_out(minute)}"
    return f"{said} {_part_of_day(moment.hour)}"


def _part_of_day(hour: int) -> str:
    if 5 <= hour < 12:
        return "in the morning"
    if 12 <= hour < 18:
        return "in the afternoon"
    return "in the evening" if 18 <= hour < 22 else "at night"


def _date(day: datetime) -> str:
    ending = "th" if 10 < day.day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    return f"{_DAYS[day.weekday()]}, the {day.day}{ending} of {_MONTHS[day.month - 1]} {day.year}"


def _zone_of(place: str) -> str | None:
    """The zone of the longest run of words at the start of `place` that is a city with a zone of its own."""
    words = place.split()
    for end in range(len(words), 0, -1):
        if zone := _zones().get("_".join(words[:end])):
            return zone
    return None


@cache
def _zones() -> dict[str, str]:
    zones = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))
    return {zone.rpartition("/")[2].lower(): zone for zone in zones}
