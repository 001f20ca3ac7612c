"""Each connector's link as last known, for those who look from outside."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from xlsms_service.ledger.schema import link

__all__ = ["LinkRow", "links", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """A connector's link as last known."""

    connector: str
    state: str
    code: str | None
    facts: dict[str, object]
    at: datetime
    breaker: str = "closed"  #: or half-open, or open: left alone after failures


def note(connection: Connection, row: LinkRow) -> None:
    """A link has changed."""
    connection.execute(delete(link).where(link.c.connector == row.connector))
    values = {"connector": row.connector, "state": row.state, "code": row.code, "facts": row.facts, "at": row.at}
    connection.execute(insert(link).values(values | {"breaker": row.breaker}))


def links(connection: Connection) -> list[LinkRow]:
    """Every link as last known."""
    rows = connection.execute(select(link).order_by(link.c.connector))
    return [
        LinkRow(
            connector=row.connector,
            state=row.state,
            code=row.code,
            facts=row.facts or {},
            at=row.at,
            breaker=row.breaker,
        )
        for row in rows
    ]
