"""Plans of open workbooks and their approval."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from xlsms.model import MessageId, RowId
from xlsms.states import State
from xlsms_service.ledger import acceptance
from xlsms_service.ledger.acceptance import Draft
from xlsms_service.ledger.chunk import chunks
from xlsms_service.ledger.schema import message, plan

__all__ = ["Stored", "approve", "drafted", "find", "keep", "want", "wanted"]

#: A plan that nobody has approved by then is forgotten; so is what its approval gave.
_KEPT = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A plan as it is kept."""

    id: str
    book: int
    hash: str
    asked: str
    made_at: datetime
    wanted: bool
    answer: dict[str, Any] | None


def keep(connection: Connection, *, id: str, book: int, hash: str, asked: str, now: datetime) -> None:  # noqa: A002  # as the columns are called
    """Keep a plan; old ones are forgotten."""
    connection.execute(delete(plan).where(plan.c.made_at < now - _KEPT))
    connection.execute(insert(plan).values(id=id, workbook_id=book, hash=hash, asked=asked, made_at=now))


def find(connection: Connection, id: str) -> Stored | None:  # noqa: A002  # as the column is called
    """The plan with this id."""
    row = connection.execute(select(plan).where(plan.c.id == id)).first()
    if row is None:
        return None
    return Stored(
        id=row.id,
        book=row.workbook_id,
        hash=row.hash,
        asked=row.asked,
        made_at=row.made_at,
        wanted=row.wanted_at is not None,
        answer=json.loads(row.answer) if row.answer else None,
    )


def want(connection: Connection, id: str, now: datetime | None) -> None:  # noqa: A002  # as the column is called
    """Somebody said yes on the plan's page; without a time, that is taken back."""
    connection.execute(update(plan).where(plan.c.id == id).values(wanted_at=now))


def wanted(connection: Connection, book: int) -> list[tuple[str, str, datetime]]:
    """Id and hash of the plans of a workbook that were said yes to and have not been approved yet, and since when."""
    query = select(plan.c.id, plan.c.hash, plan.c.wanted_at).where(
        plan.c.workbook_id == book, plan.c.wanted_at.is_not(None), plan.c.answer.is_(None)
    )
    return [(row.id, row.hash, row.wanted_at) for row in connection.execute(query)]


def approve(
    connection: Connection,
    stored: Stored,
    drafts: Sequence[Draft],
    answer: dict[str, Any],
    now: datetime,
) -> dict[str, Any]:
    """Write down the messages of a plan and what its approval gave, both or neither; the first approval holds."""
    before = connection.execute(select(plan.c.answer).where(plan.c.id == stored.id)).scalar()
    if before is not None:
        first: dict[str, Any] = json.loads(before)
        return first
    acceptance.propose(connection, stored.book, drafts, now)
    connection.execute(update(plan).where(plan.c.id == stored.id).values(answer=json.dumps(answer)))
    return answer


def drafted(connection: Connection, row_ids: Sequence[RowId]) -> dict[RowId, tuple[MessageId, State, bool]]:
    """Number, state and admission of the messages of these rows."""
    found: dict[RowId, tuple[MessageId, State, bool]] = {}
    for some in chunks(row_ids):
        query = select(message.c.row_id, message.c.id, message.c.state, message.c.admitted)
        for row in connection.execute(query.where(message.c.row_id.in_(some))):
            found[RowId(row.row_id)] = (MessageId(row.id), State(row.state), row.admitted)
    return found
