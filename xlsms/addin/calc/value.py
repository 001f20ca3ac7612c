"""Cell values between Python and Calc, by the rules of Excel's `Range.Value`."""

import datetime as dt
import numbers
import re
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["ERROR", "cleaned", "moment", "prepared", "serial", "typed"]

_DAY = dt.timedelta(days=1)
_EXACT = 500  # microseconds: half of what a day count still tells apart
#: What Excel would not leave as the text it is when it is put into a cell that is not of the format "@".
_TYPED = re.compile(
    r"\s*[=+\-@'\d.(\u0660-\u0669]|true$|false$|#(n/a|value!|ref!|name\?|num!|null!|div/0!)", re.IGNORECASE
)


class _Error(str):
    """A cell that holds an error."""

    __slots__ = ()


ERROR = _Error("#VALUE!")  #: stands for any of them


def typed(text: object) -> bool:
    """Whether a program takes a text for something else when it is typed into a cell."""
    return isinstance(text, str) and _TYPED.match(text) is not None


def serial(moment: dt.datetime, epoch: dt.datetime) -> float:
    """The day count of a moment."""
    return (moment.replace(tzinfo=None) - epoch) / _DAY


def moment(count: float, epoch: dt.datetime) -> dt.datetime | float:
    """The moment of a day count to the millisecond; the count itself where the calendar ends."""
    try:
        exact = epoch + dt.timedelta(days=count) + dt.timedelta(microseconds=_EXACT)
    except OverflowError:
        return count
    return exact.replace(microsecond=exact.microsecond // 1000 * 1000)


def prepared(value: object) -> object:
    """A value as a block of cells takes it; what has no type there is text."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day)  # noqa: DTZ001 - wall-clock time, as a cell holds it
    if isinstance(value, bool | numbers.Real):
        return float(value)
    return str(value)


def cleaned(
    rows: Iterable[Iterable[Any]],
    dates: Callable[..., object],
    empty: object,
    number: Callable[[float], object] | None,
    *,
    errors: bool,
) -> list[list[object]]:
    """What was read, as xlwings' options ask for it."""

    def clean(value: Any) -> object:
        if isinstance(value, _Error):
            return str(value) if errors else None
        if value is None or value == "":
            return empty
        if isinstance(value, dt.datetime):
            if dates is dt.datetime:
                return value
            names = ("year", "month", "day", "hour", "minute", "second", "microsecond")
            return dates(**{name: getattr(value, name) for name in names}, tzinfo=None)
        return number(value) if number is not None and isinstance(value, float) else value

    return [[clean(value) for value in row] for row in rows]
