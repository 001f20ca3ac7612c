"""Times as SMPP 3.4 §7.1.1 writes them, read."""

import re
from datetime import UTC, datetime, timedelta

from xlsms_service.protocols.smpp.receipt import read_date

__all__ = ["read_moment"]

_SPAN = re.compile(r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\d00R", re.ASCII)
_DAYS = (366, 31, 1)  # of years, months and days, as `text.relative_time` writes them


def read_moment(said: str, now: datetime) -> datetime | None:
    """A date, or a span from `now`; None where it is neither, or empty."""
    if (span := _SPAN.fullmatch(said)) is None:
        return read_date(said, UTC) if said else None
    *days, hours, minutes, seconds = map(int, span.groups())
    whole = sum(count * length for count, length in zip(days, _DAYS, strict=True))
    return now + timedelta(days=whole, hours=hours, minutes=minutes, seconds=seconds)
