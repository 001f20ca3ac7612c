"""Send times as sheets hold them -> moments in UTC."""

import re
from datetime import UTC, date, datetime, time, tzinfo

from xlsms.errors import UserError
from xlsms.model import CellValue

__all__ = ["said", "send_time"]

_WRITTEN = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:,?\s+(\d{1,2})[:.hH](\d{2})(?:[:.](\d{2}))?)?")
_CLOCK = re.compile(r"(\d{1,2})[:hH](\d{2})(?::(\d{2}))?")
#: The days on which a workbook's calendar begins: a cell with a time and no date shows it on one of them.
_NO_DAY = (date(1899, 12, 30), date(1904, 1, 1))
_FORMATS = {"en": "%Y-%m-%d %H:%M", "es": "%d/%m/%Y %H:%M"}


def send_time(cell: CellValue, zone: tzinfo | None = None, *, now: datetime) -> datetime | None:
    """The moment that a send-time cell means, read in `zone` (None: this computer's own); None for an empty cell.

    A time without a date is today's, whether it has passed or not. A time that the clocks skip or show twice is the
    first that fits. Text is read only where it can mean one thing: 2026-12-24 09:30, or 24/12/2026 09:30 where the
    month cannot be the day.

    Raises `send-time-unclear`.
    """
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    moment = cell if isinstance(cell, datetime) else _read(cell) if isinstance(cell, str) else None
    if isinstance(cell, str) and moment is None:
        clock = _clock(cell)
        moment = datetime.combine(now.astimezone(zone), clock) if clock else None
    elif isinstance(cell, datetime) and cell.date() in _NO_DAY:
        moment = datetime.combine(now.astimezone(zone), cell.time())
    if moment is None:
        raise UserError("send-time-unclear", value=cell)
    if moment.tzinfo is None and zone is not None:
        moment = moment.replace(tzinfo=zone)
    try:
        return moment.astimezone(UTC)
    except (OverflowError, OSError, ValueError):  # a year that no calendar here reaches
        raise UserError("send-time-unclear", value=f"{moment:%Y-%m-%d}") from None


def said(moment: datetime, zone: tzinfo | None, language: str) -> str:
    """A moment as the wall clock shows it in `zone`, to the minute, in the order of day and month of a language."""
    return moment.astimezone(zone).strftime(_FORMATS.get(language, _FORMATS["en"]))


def _read(text: str) -> datetime | None:
    text = text.strip()
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        found = _WRITTEN.fullmatch(text)
    if not found:
        return None
    first, second, year, hour, minute, second_of = (int(part or 0) for part in found.groups())
    if first <= 12 and second <= 12 and first != second:  # noqa: PLR2004 (months of a year)
        return None
    day, month = (first, second) if second <= 12 else (second, first)  # noqa: PLR2004
    try:
        return datetime(year, month, day, hour, minute, second_of)  # noqa: DTZ001 (the caller knows the zone)
    except ValueError:
        return None


def _clock(text: str) -> time | None:
    found = _CLOCK.fullmatch(text.strip())
    try:
        return time(int(found[1]), int(found[2]), int(found[3] or 0)) if found else None
    except ValueError:
        return None
