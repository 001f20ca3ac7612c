"""Python's values as a cell holds them."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

from xlsms.model import CellValue
from xlsms.ooxml.batch import TEXT_DATE, New, Timed
from xlsms.ooxml.cells import serial_of
from xlsms.workbook.reading import wall_time

__all__ = ["Writable", "content_of", "hours"]

Writable = CellValue | date | time | timedelta | Decimal  #: what `write_cells` takes

_WHOLE = 18  # digits of a decimal number that are worth a whole number; a longer one is a float
_DAY = timedelta(days=1)
_MARCH_1900 = 61  # before this serial, day counts differ between programs


def content_of(value: Writable, *, date1904: bool) -> New:
    """What is put into a cell for `value`; TypeError for a type that no cell can hold.

    A moment takes the wall-clock time of this computer, and a cell format of the same looks that shows day and hour.
    Other dates, times and durations become text where the cell's own format does not show them.
    """
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int | float):  # not their subclasses, which may show themselves in other ways
        return int(value) if isinstance(value, int) else float(value)
    if isinstance(value, Decimal):
        whole = value.is_finite() and value.adjusted() < _WHOLE and value == value.to_integral_value()
        return int(value) if whole else float(value)
    return _timed(value, date1904=date1904)


def _timed(value: date | time | timedelta, *, date1904: bool) -> Timed:
    match value:
        case datetime():
            moment = wall_time(value, None)
            text = moment.strftime(f"{TEXT_DATE}:%S" if moment.second else TEXT_DATE)
            return Timed(serial=_serial(moment, date1904=date1904), text=text, moment=True)
        case date():
            midnight = datetime(value.year, value.month, value.day)  # noqa: DTZ001 (wall-clock time, as a cell holds it)
            return Timed(serial=_serial(midnight, date1904=date1904), text=value.isoformat())
        case time():
            since = timedelta(hours=value.hour, minutes=value.minute, seconds=value.second)
            return Timed(serial=since / _DAY, text=f"{value:%H:%M:%S}" if value.second else f"{value:%H:%M}")
        case timedelta():
            return Timed(serial=value / _DAY if value >= timedelta() else None, text=hours(value), duration=True)
    raise TypeError(type(value).__name__)


def _serial(moment: datetime, *, date1904: bool) -> float | None:
    serial = serial_of(moment, date1904=date1904)
    return serial if serial >= (0 if date1904 else _MARCH_1900) else None


def hours(value: timedelta) -> str:
    """A duration as text: `26:30`, or `26:30:05`."""
    minutes, seconds = divmod(round(abs(value).total_seconds()), 60)
    text = f"{'-' if value < timedelta() else ''}{minutes // 60}:{minutes % 60:02}"
    return f"{text}:{seconds:02}" if seconds else text
