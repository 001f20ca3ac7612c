"""Which connector a number may take: the longest prefix decides, then the first of its connectors that is up."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

__all__ = ["DEFAULT", "Router"]

#: Key of the route that every number takes for which the settings name no other: all connectors, in their order.
DEFAULT = ""


class Router:
    """The routes of the settings. A route's key is its prefix; messages wait under it in the ledger."""

    def __init__(self, routes: Mapping[str, Sequence[str]], connectors: Sequence[str]) -> None:
        self._routes = {DEFAULT: tuple(connectors)} | {prefix: tuple(use) for prefix, use in routes.items()}
        self._prefixes = sorted(self._routes, key=len, reverse=True)

    @property
    def keys(self) -> tuple[str, ...]:
        """Every route."""
        return tuple(self._routes)

    def key(self, number: str) -> str:
        """The route of a number."""
        return next(prefix for prefix in self._prefixes if number.startswith(prefix))

    def keys_of(self, connector: str, up: AbstractSet[str]) -> list[str]:
        """The routes that this connector serves while these are up: those where no better one is up."""
        return [
            key for key, use in self._routes.items() if next((name for name in use if name in up), None) == connector
        ]
