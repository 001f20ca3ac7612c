"""Which way messages take, what it costs and how fast they may go: `[[route]]`, `[[limit]]`, `price`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Literal, cast

import phonenumbers

from xlsms_service.config.table import Table

__all__ = ["Limit", "Route", "limit", "prices", "route"]

_PREFIX = re.compile(r"\+?\d{0,15}")
_COUNTS = range(1, 1_000_001)
_PERIODS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One `[[route]]` table: messages that meet all its conditions go over the first of `use` that is up."""

    use: tuple[str, ...]
    prefix: str = ""  #: how the number begins
    country: str | None = None  #: of the number, two letters
    sender: str | None = None
    workbook: str | None = None  #: name of the file, with * and ?
    order: Literal["listed", "price"] = "listed"  #: which of `use` is the first


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One `[[limit]]` table: no more SMS than this, of those that it concerns."""

    interval: timedelta  #: from one SMS to the next
    burst: int = 1  #: how many may go at once after a rest
    prefix: str = ""
    sender: str | None = None
    each: Literal["sender", "number"] | None = None  #: what has an allowance of its own; None: all share one

    def concerns(self, number: str, sender: str | None) -> bool:
        """Whether a message falls under it."""
        ours = self.sender is None or self.sender.casefold() == (sender or "").casefold()
        return ours and number.startswith(self.prefix)


def route(table: Table, names: tuple[str, ...]) -> Route:
    """A `[[route]]` table; `names` are the connectors that there are."""
    prefix, use = _prefix(table), tuple(dict.fromkeys(table.texts("use")))
    country, sender, workbook = table.optional("country"), table.optional("sender"), table.optional("workbook")
    order = table.choice("order", ("listed", "price"), "listed")
    table.done()
    if (prefix, country, sender, workbook) == (None,) * 4:
        raise table.error("config-missing-key", "prefix")
    if country is not None and country not in phonenumbers.SUPPORTED_REGIONS:
        raise table.error("config-expects-country", "country", value=country)
    for name in use:
        if name not in names:
            raise table.error("config-unknown-connector", "use", name=name, known=", ".join(names) or "–")
    return Route(
        use=use,
        prefix=prefix or "",
        country=country,
        sender=sender,
        workbook=workbook,
        order=cast(Literal["listed", "price"], order),
    )


def limit(table: Table) -> Limit:
    """A `[[limit]]` table."""
    if (count := table.whole("count", _COUNTS, 0)) == 0:
        raise table.error("config-missing-key", "count")
    period = timedelta(seconds=_PERIODS[table.choice("per", tuple(_PERIODS))])
    each = table.choice("each", ("all", "sender", "number"), "all")
    found = Limit(
        interval=period / count,
        burst=table.whole("burst", _COUNTS, 1),
        prefix=_prefix(table) or "",
        sender=table.optional("sender"),
        each=None if each == "all" else cast(Literal["sender", "number"], each),
    )
    table.done()
    return found


def _prefix(table: Table) -> str | None:
    prefix = table.take("prefix")
    if prefix is None or (isinstance(prefix, str) and _PREFIX.fullmatch(prefix)):
        return prefix
    raise table.error("config-expects-prefix", "prefix")


def prices(table: Table) -> Mapping[str, Decimal]:
    """The `price` of a connector: what one SMS costs, by the prefix of the number."""
    value = table.take("price")
    if value is None:
        return {}
    given = value if isinstance(value, dict) else {"": value}
    found = {}
    for prefix, price in given.items():
        usable = isinstance(price, int | float) and not isinstance(price, bool) and 0 <= price < 1_000_000  # noqa: PLR2004 - nobody asks that for one SMS
        if not usable or not _PREFIX.fullmatch(prefix):
            raise table.error("config-expects-price", "price")
        found[prefix] = Decimal(str(price))
    return found
