"""Which way each row of a plan would take, why, and what it would cost."""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from rich.text import Text

from xlsms_service.cli.words import shown, tr
from xlsms_service.config import Settings
from xlsms_service.delivery.routing import Explanation, Router
from xlsms_service.planning import PlanEntry

__all__ = ["Ways"]


class Ways:
    """The routes and prices of the settings, for the rows of one workbook."""

    def __init__(self, settings: Settings, workbook: Path) -> None:
        self._router = Router.of(settings)
        self._workbook = workbook
        self.known = bool(settings.connectors)
        self.priced = any(connector.prices for connector in settings.connectors)

    def of(self, entry: PlanEntry) -> Explanation | None:
        """The way of a row; None for one without a number, or where there are no connectors."""
        if entry.number is None or not self.known:
            return None
        return self._router.explain(entry.number.e164, entry.sender, self._workbook)

    def cost(self, entry: PlanEntry) -> Decimal | None:
        """What a row costs over the connector that it prefers; None when that is not known."""
        way = self.of(entry)
        if way is None or way.price is None or entry.parts is None:
            return None
        return way.price * len(entry.parts.parts)

    def total(self, entries: Iterable[PlanEntry]) -> tuple[Decimal, int]:
        """What all that go cost together, and how many of them have no price."""
        costs = [self.cost(entry) for entry in entries if entry.goes]
        return sum((cost for cost in costs if cost is not None), Decimal(0)), costs.count(None)

    def text(self, entry: PlanEntry) -> Text:
        """Connectors, the preferred one first, and what made it so."""
        way = self.of(entry)
        if way is None:
            return Text("–", style="dim")
        text = Text(shown(" › ".join(way.use)))
        text.append(f"\n{shown(_why(way))}", style="dim")
        return text

    def figures(self, entry: PlanEntry) -> dict[str, object]:
        """The same for programs."""
        way, cost = self.of(entry), self.cost(entry)
        route = way.route if way else None
        return {
            "use": list(way.use) if way else [],
            "route": None
            if route is None
            else {
                "prefix": route.prefix,
                "country": route.country,
                "sender": route.sender,
                "workbook": route.workbook,
                "order": route.order,
            },
            "price": None if way is None or way.price is None else str(way.price),
            "cost": None if cost is None else str(cost),
        }


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
