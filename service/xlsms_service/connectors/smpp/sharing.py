"""Several links as one: how parts are dealt out to them, and how they stand together."""

from collections.abc import Sequence

from xlsms_service.connectors.base import Link, LinkStatus

__all__ = ["shares", "standing"]

#: The best state of the links that matter is that of the connector.
_BEST_FIRST = (Link.UP, Link.CONNECTING, Link.REFUSED, Link.DOWN)


def shares(count: int, rooms: Sequence[int]) -> list[int]:
    """How many of `count` parts each link takes: in proportion to its room, what is over in equal shares."""
    total = sum(rooms)
    dealt = [room * min(count, total) // total if total else 0 for room in rooms]
    each, odd = divmod(count - sum(dealt), len(rooms))
    return [share + each + (place < odd) for place, share in enumerate(dealt)]


def standing(links: Sequence[LinkStatus], sending: Sequence[bool]) -> LinkStatus:
    """The state of the connector: as good as its best link that sends, or its best one where none does.

    While it is up, its error is that of a link which is not.
    """
    deciding = [status for status, sends in zip(links, sending, strict=True) if sends] or links
    best = min(deciding, key=lambda status: _BEST_FIRST.index(status.link))
    if best.link is not Link.UP:
        return best
    trouble = next((status for status in links if status.error is not None), best)
    return LinkStatus(connector=best.connector, link=Link.UP, error=trouble.error, retry_in=trouble.retry_in)
