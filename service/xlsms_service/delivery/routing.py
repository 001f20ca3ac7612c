"""Which connectors a message may take, and why: the most specific route decides, then price, then who is up."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Self

import phonenumbers

from xlsms_service.config import Route, Settings

__all__ = ["DEFAULT", "Explanation", "Router"]

#: Key of the route that every message takes for which the settings name no other: all connectors, in their order.
DEFAULT = ""

Prices = Mapping[str, Mapping[str, Decimal]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Where a message goes, and why."""

    key: str
    route: Route | None  #: None: the settings have none for it
    use: tuple[str, ...]  #: connectors, the preferred one first
    prices: Mapping[str, Decimal]  #: of one SMS, by connector, where known

    @property
    def price(self) -> Decimal | None:
        """Of one SMS over the preferred connector."""
        return self.prices.get(self.use[0]) if self.use else None


@dataclass(frozen=True, slots=True)
class _Way:
    """A route with the keys under which its messages wait: one for each order of its connectors."""

    route: Route | None
    use: tuple[str, ...]
    keys: Mapping[tuple[str, ...], str] = field(default_factory=dict)


class Router:
    """The routes of the settings. Messages wait under a route's key in the ledger.

    The key of a route that asks for a prefix alone is that prefix, so that other connectors can be given to what waits
    already; another condition, or an order by price, makes it a name of its own. An answer waits under a key that has
    the connector that it answers before the others of its route.
    """

    def __init__(self, routes: Sequence[Route], connectors: Sequence[str], prices: Prices | None = None) -> None:
        self._prices = prices or {}
        self._connectors = frozenset(connectors)
        default = _Way(None, tuple(connectors), {tuple(connectors): DEFAULT})
        ranked = sorted(routes, key=_rank, reverse=True)
        self._ways = [*(self._way(route) for route in ranked), default]
        self._uses = {key: use for way in reversed(self._ways) for use, key in way.keys.items()}
        orders = {_first(name, use) for use in self._uses.values() for name in connectors if name != use[0]}
        self._answers = {order: _answer_key(order) for order in sorted(orders)}
        self._uses |= {key: order for order, key in self._answers.items()}
        self._by_country = any(route.country for route in routes)
        self._by_workbook = any(route.workbook for route in routes)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The router that the settings ask for."""
        prices = {connector.name: connector.prices for connector in settings.connectors}
        return cls(settings.routes, [connector.name for connector in settings.connectors], prices)

    def _way(self, route: Route) -> _Way:
        if route.order == "listed":
            return _Way(route, route.use, {route.use: _key(route)})
        # The price of a number is that of the longest prefix known, so each known prefix stands for all its numbers.
        prefixes = {prefix for name in route.use for prefix in self._prices.get(name, ())} | {""}
        orders = {self._by_price(route.use, prefix) for prefix in prefixes}
        return _Way(route, route.use, {order: _key(route, order) for order in orders})

    def _by_price(self, use: Sequence[str], number: str) -> tuple[str, ...]:
        """The cheapest first; those whose price is not known last, in the order of the settings."""
        prices = self._prices_of(use, number)
        return tuple(sorted(use, key=lambda name: (name not in prices, prices.get(name, Decimal(0)))))

    def _prices_of(self, use: Iterable[str], number: str) -> dict[str, Decimal]:
        found = {}
        for name in use:
            known = self._prices.get(name, {})
            prefix = max((prefix for prefix in known if number.startswith(prefix)), key=len, default=None)
            if prefix is not None:
                found[name] = known[prefix]
        return found

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key that a message may wait under."""
        return tuple(self._uses)

    def key(self, number: str, sender: str | None = None, workbook: str | Path | None = None) -> str:
        """What a message waits under."""
        if self._ways[0].route is None:  # no route asks for anything
            return DEFAULT
        way, use = self._choose(number, sender, workbook)
        return way.keys[use]

    def answer_key(self, number: str, over: str | None, sender: str | None = None) -> str:
        """What an answer waits under to a text that came in over this connector; one that is gone does not count."""
        way, use = self._choose(number, sender, None)
        if over not in self._connectors or over == use[0]:
            return way.keys[use]
        return self._answers[_first(over, use)]

    def explain(self, number: str, sender: str | None = None, workbook: str | Path | None = None) -> Explanation:
        """Where a message goes, and why."""
        way, use = self._choose(number, sender, workbook)
        return Explanation(key=way.keys[use], route=way.route, use=use, prices=self._prices_of(use, number))

    def _choose(self, number: str, sender: str | None, workbook: str | Path | None) -> tuple[_Way, tuple[str, ...]]:
        country = _country(number) if self._by_country else None
        name = Path(workbook).name if workbook and self._by_workbook else ""
        way = next(way for way in self._ways if way.route is None or _fits(way.route, number, country, sender, name))
        listed = way.route is None or way.route.order == "listed"
        return way, way.use if listed else self._by_price(way.use, number)

    def keys_of(self, connector: str, up: AbstractSet[str]) -> list[str]:
        """The keys that this connector serves while these are up: those where no better one is up."""
        return [key for key, use in self._uses.items() if next((name for name in use if name in up), None) == connector]


def _rank(route: Route) -> tuple[bool, bool, int, bool]:
    """The more specific the greater."""
    return (route.workbook is not None, route.sender is not None, len(route.prefix), route.country is not None)


def _fits(route: Route, number: str, country: str | None, sender: str | None, workbook: str) -> bool:
    return (
        number.startswith(route.prefix)
        and route.country in (None, country)
        and (route.sender is None or route.sender.casefold() == (sender or "").casefold())
        and (route.workbook is None or fnmatchcase(workbook.casefold(), route.workbook.casefold()))
    )


def _country(number: str) -> str | None:
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:  # a short code is of no one country
        return None


def _first(connector: str, use: tuple[str, ...]) -> tuple[str, ...]:
    """An order of connectors with this one before the others."""
    return (connector, *(name for name in use if name != connector))


def _answer_key(use: tuple[str, ...]) -> str:
    return "@" + hashlib.sha256(repr(use).encode()).hexdigest()[:16]


def _key(route: Route, order: Sequence[str] | None = None) -> str:
    if (route.country, route.sender, route.workbook, order) == (None,) * 4:
        return route.prefix
    asked = repr((route.prefix, route.country, route.sender, route.workbook, order))
    return "~" + hashlib.sha256(asked.encode()).hexdigest()[:16]
