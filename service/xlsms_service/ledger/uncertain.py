"""Messages that may have left: which they are, and what someone says became of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection, delete, select, update

from xlsms.model import MessageId, RowId
from xlsms.states import State
from xlsms_service.ledger import settlement
from xlsms_service.ledger.chunk import chunks
from xlsms_service.ledger.schema import UNSETTLED, message, part, workbook
from xlsms_service.ledger.settlement import Move

__all__ = ["VERDICTS", "Uncertain", "Verdict", "settle", "uncertain"]


class Verdict(StrEnum):
    """What someone may say of a message."""

    DELIVERED = "delivered"
    FAILED = "failed"
    RESEND = "resend"
    CANCELLED = "cancelled"


#: The state that a message gets for it.
VERDICTS: Mapping[Verdict, State] = {
    Verdict.DELIVERED: State.DELIVERED,
    Verdict.FAILED: State.FAILED,
    Verdict.RESEND: State.QUEUED,
    Verdict.CANCELLED: State.CANCELLED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertain:
    """A message that may have left."""

    message: MessageId
    number: str
    since: datetime
    connector: str | None
    code: str | None  #: why it is uncertain
    facts: dict[str, object]
    workbook: Path | None = None
    sheet: str | None = None
    row_id: RowId | None = None


def uncertain(connection: Connection, *, book: Path | None = None, number: str | None = None) -> list[Uncertain]:
    """The messages that may have left, oldest first: all, those of one workbook, those to one number."""
    query = (
        select(message, workbook.c.path)
        .join_from(message, workbook, isouter=True)
        .where(UNSETTLED, message.c.state == State.UNCERTAIN, message.c.superseded.is_(False))
        .order_by(message.c.id)
    )
    if book is not None:
        query = query.where(workbook.c.path == str(book))
    if number is not None:
        query = query.where(message.c.number == number)
    return [
        Uncertain(
            message=MessageId(row.id),
            number=row.number,
            since=row.state_at,
            connector=row.connector,
            code=row.code,
            facts=row.facts or {},
            workbook=Path(row.path) if row.path else None,
            sheet=row.sheet,
            row_id=row.row_id,
        )
        for row in connection.execute(query)
    ]


def settle(
    connection: Connection, messages: Sequence[MessageId], verdict: Verdict, now: datetime, validity: timedelta
) -> int:
    """Someone knows what became of these; how many were still uncertain. What goes again is valid anew."""
    state, settled = VERDICTS[verdict], 0
    for some in chunks(messages):
        open_ones = (message.c.id.in_(some), message.c.state == State.UNCERTAIN)
        ours = [MessageId(key) for key in connection.execute(select(message.c.id).where(*open_ones)).scalars()]
        _settle_parts(connection, ours, state, now)
        moves = [Move(message=key, state=state, at=now, code="settled-by-hand", not_before=now) for key in ours]
        settlement.move(connection, moves)
        fresh = {"expires_at": now + validity, "attempts": 1, "wish": None}  # not 0: some parts may have been taken
        connection.execute(update(message).where(message.c.id.in_(ours), message.c.state == State.QUEUED).values(fresh))
        settled += len(ours)
    return settled


def _settle_parts(connection: Connection, messages: Iterable[MessageId], state: State, now: datetime) -> None:
    """The parts share the fate; those that go again are as if they had never been tried."""
    lost = (part.c.message_id.in_(list(messages)), part.c.state == State.UNCERTAIN)
    if state is State.QUEUED:
        connection.execute(delete(part).where(*lost))
    else:
        connection.execute(update(part).where(*lost).values(state=state, at=now))
