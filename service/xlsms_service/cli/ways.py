"""Which way each row of a plan would take, why, and what it would cost."""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from rich.text import Text

from xlsms_service.app.live import LinkLive, Live
from xlsms_service.cli.words import shown, tr
from xlsms_service.config import Settings
from xlsms_service.delivery.breaker import Phase
from xlsms_service.delivery.routing import Explanation, Router
from xlsms_service.planning import PlanEntry

__all__ = ["Ways"]


class Ways:
    """The routes and prices of the settings, for the rows of one workbook.

    `live` is what the running service tells of its links; without one nothing is known of their health.
    """

    def __init__(self, settings: Settings, workbook: Path, live: Live | None = None) -> None:
        self._router = Router.of(settings)
        self._workbook = workbook
        self._unfit = {link.connector: link for link in live.links if not _fit(link)} if live else {}
        self.known = bool(settings.connectors)
        self.priced = any(connector.prices for connector in settings.connectors)

    def of(self, entry: PlanEntry) -> Explanation | None:
        """The way of a row; None for one without a number, or where there are no connectors."""
        if entry.number is None or not self.known:
            return None
        return self._router.explain(entry.number.e164, entry.sender, self._workbook)

    def taken(self, way: Explanation) -> str | None:
        """The connector that the row would take now; None while none of them can be used, and it waits."""
        return next((name for name in way.use if name not in self._unfit), None)

    def price(self, entry: PlanEntry) -> Decimal | None:
        """Of one SMS where it would go now, or where it would rather go while it waits; None when not known."""
        way = self.of(entry)
        if way is None or not way.use:
            return None
        return way.prices.get(self.taken(way) or way.use[0])

    def cost(self, entry: PlanEntry) -> Decimal | None:
        """What a row costs; None when that is not known."""
        price = self.price(entry)
        return None if price is None or entry.parts is None else price * len(entry.parts.parts)

    def total(self, entries: Iterable[PlanEntry]) -> tuple[Decimal, int]:
        """What all that go cost together, and how many of them have no price."""
        costs = [self.cost(entry) for entry in entries if entry.goes]
        return sum((cost for cost in costs if cost is not None), Decimal(0)), costs.count(None)

    def text(self, entry: PlanEntry) -> Text:
        """Connectors, the preferred one first, and what made it so."""
        way = self.of(entry)
        if way is None:
            return Text("–", style="dim")
        text = Text(" › ").join(Text(shown(name), style="red strike" * (name in self._unfit)) for name in way.use)
        text.append(f"\n{shown(_why(way))}", style="dim")
        for name in way.use:
            if name == self.taken(way):
                break  # what comes behind it is not asked
            text.append(f"\n{shown(name)}: {_trouble(self._unfit[name])}", style="yellow")
        return text

    def figures(self, entry: PlanEntry) -> dict[str, object]:
        """The same for programs."""
        way, price, cost = self.of(entry), self.price(entry), self.cost(entry)
        route = way.route if way else None
        return {
            "use": list(way.use) if way else [],
            "now": self.taken(way) if way else None,
            "unfit": [name for name in way.use if name in self._unfit] if way else [],
            "route": None
            if route is None
            else {
                "prefix": route.prefix,
                "country": route.country,
                "sender": route.sender,
                "workbook": route.workbook,
                "order": route.order,
            },
            "price": None if price is None else str(price),
            "cost": None if cost is None else str(cost),
        }


def _fit(link: LinkLive) -> bool:
    """Whether messages are given to it now."""
    return link.link == "up" and link.breaker != Phase.OPEN


def _trouble(link: LinkLive) -> str:
    return tr("left alone after failures") if link.link == "up" else tr(link.link)


def _why(way: Explanation) -> str:
    route = way.route
    if route is None:
        return tr("no route of its own")
    conditions = [text for text in (route.prefix, route.country, route.sender, route.workbook) if text]
    if not conditions:
        conditions = [tr("every number")]
    if route.order == "price":
        conditions.append(tr("cheapest first"))
    return " · ".join(conditions)
