"""Times as the ledger holds them: whole microseconds since 1970 in UTC, so they sort and compare in every database."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Dialect, TypeDecorator

__all__ = ["Instant", "moment", "stored"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def stored(value: datetime) -> int:
    """An aware time as the tables hold it."""
    return (value - _EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    """The other way."""
    return _EPOCH + timedelta(microseconds=value)


class Instant(TypeDecorator[datetime]):
    """An aware time, stored as microseconds since 1970 in UTC; a naive one is refused."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002  # SQLAlchemy's signature
        """Aware time to microseconds."""
        return None if value is None else stored(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # SQLAlchemy's signature
        """Microseconds to aware time."""
        return None if value is None else moment(value)
