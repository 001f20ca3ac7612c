"""A moment in a date format, `dd/mm/yyyy` or `h:mm AM/PM`, and a stretch of time in `[h]:mm` (ECMA-376 §18.8.31)."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from xlsms.workbook.base import Language
from xlsms.workbook.placeholder import POINT, Token

__all__ = ["elapsed", "is_known_locale", "moment_text", "with_minutes"]

_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
}
_DAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
}
_LANGUAGE_IDS = {0x09: "en", 0x0A: "es"}  # the low ten bits of a locale id; 0 is that of the system
_TAG = re.compile(r"|x-sys(?:tem|date|time)|[a-z]{2,3}(?:-[a-z0-9]{2,8})*", re.IGNORECASE)
_GREGORIAN = 2  # the last of the calendars that count as ours does
_WESTERN = 1  # the last of the ways to write digits that is ours
_NOON = 12
_FIRST_YEAR = 1900  # of the dates that a workbook knows: what is before is a time of day alone
_SIZES = {"h": 3600, "m": 60, "s": 1}


def is_known_locale(text: str) -> bool:
    """Whether digits and years are ours where a format says `[$-text]`."""
    try:
        number = int(text, 16)
    except ValueError:
        return _TAG.fullmatch(text) is not None
    return number >> 24 <= _WESTERN and number >> 16 & 0xFF <= _GREGORIAN


def with_minutes(section: Sequence[Token]) -> tuple[Token, ...]:
    """A section in which `m` is a minute right after hours and right before seconds; elsewhere it is a month."""

    def unit(tokens: Iterable[Token]) -> str:
        return next((text[0].lower() for kind, text in tokens if kind == "date"), "")

    told = list(section)
    for at, (kind, text) in enumerate(section):
        between = unit(reversed(section[:at])) == "h" or unit(section[at + 1 :]) == "s"
        if kind == "date" and text.lower() in ("m", "mm") and between:
            told[at] = ("minute", text)
    return tuple(told)


def elapsed(value: float, section: Sequence[Token], language: Language) -> str | None:
    """A number of days as hours, minutes and seconds, the first of them beyond their day; None: not known."""
    places = _places(section)
    ticks = round(abs(value) * 86_400 * 10**places)
    seconds, rest = divmod(ticks, 10**places)
    out = "-" if value < 0 else ""
    for kind, text in section:
        if kind in ("elapsed", "date", "minute"):
            size = _SIZES.get(text[0].lower())
            if size is None:
                return None
            out += str(seconds // size).rjust(len(text), "0")
            seconds %= size
        elif kind == "number":
            out += POINT[language][0] + f"{rest:0{places}}"
        elif kind in ("literal", "slash"):
            out += text
    return out


def moment_text(moment: datetime, section: Sequence[Token], language: Language) -> str | None:
    """A moment as a section of a format shows it; None: not known."""
    kinds = [kind for kind, _ in section]
    half = "half" in kinds
    places = _places(section) if "number" in kinds else 0
    if places:
        step = timedelta(seconds=1) / 10**places
        moment = moment.replace(microsecond=0) + round(timedelta(microseconds=moment.microsecond) / step) * step
    spoken: str | None = language
    out = ""
    for kind, text in section:
        part: str | None = None
        if kind == "date":
            part = _unit(moment, text.lower(), spoken, half=half)
        elif kind == "minute":
            part = str(moment.minute).rjust(len(text), "0")
        elif kind == "half":
            part = text.split("/")[moment.hour >= _NOON]
        elif kind == "number" and text.startswith("."):
            part = POINT[language][0] + f"{moment.microsecond:06d}"[:places]
        elif kind in ("literal", "slash"):
            part = text
        elif kind in ("locale", "bracket"):
            part, spoken = "", _language_of(text, language) if kind == "locale" else spoken
        if part is None:  # also the year of an era, and places for a number: neither is known beside a date
            return None
        out += part
    return out


def _places(section: Sequence[Token]) -> int:
    """The decimals of the seconds."""
    return next((len(text) - 1 for kind, text in section if kind == "number" and re.fullmatch(r"\.0{1,6}", text)), 0)


def _unit(moment: datetime, unit: str, spoken: str | None, *, half: bool) -> str | None:
    """One part of a date or a time; None: not known."""
    length = len(unit)
    if unit[0] in "ymd" and moment.year < _FIRST_YEAR:
        return None
    if unit[0] == "y":
        return f"{moment.year:04d}" if length > 2 else f"{moment.year % 100:02d}"  # noqa: PLR2004 - two digits
    if unit[0] in "md" and length > 2:  # noqa: PLR2004 - names from three on
        if spoken is None:
            return None
        name = _MONTHS[spoken].split()[moment.month - 1] if unit[0] == "m" else _DAYS[spoken].split()[moment.weekday()]
        return name[0] if length == 5 else name[:3] if length == 3 else name  # noqa: PLR2004 - one letter, three, all
    hour = (moment.hour + 11) % 12 + 1 if half else moment.hour
    number = {"m": moment.month, "d": moment.day, "h": hour, "s": moment.second}[unit[0]]
    return str(number).rjust(min(length, 2), "0")


def _language_of(locale: str, language: Language) -> str | None:
    """The language of names where a format says `[$-locale]`; None: neither of those that are known."""
    try:
        number = int(locale, 16) & 0x3FF
    except ValueError:
        system = not locale or locale.lower().startswith("x-")
        return language if system else next((it for it in POINT if locale.lower().startswith(it)), None)
    return _LANGUAGE_IDS.get(number) if number else language
