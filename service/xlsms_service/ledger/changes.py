"""What has changed, in the order in which it became durable: a cursor over the whole ledger.

Triggers write a line for each change of a message and each text that came in, in the same transaction; one process at a
time writes the ledger, so the lines' numbers grow in the order of commits.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, case, delete, func, or_, select

from xlsms.model import MessageId, RowId
from xlsms.states import State
from xlsms_service.ledger.chunk import chunks
from xlsms_service.ledger.schema import change, message, received, workbook

__all__ = ["Changed", "MessageState", "compact", "heard", "newest", "of_rows", "since"]

#: Lines looked at for one answer.
_MOST = 2_000

#: Lines from which on it is worth to leave out those that newer ones have overtaken.
_MANY = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageState:
    """How a message stands."""

    message: MessageId
    row_id: RowId | None
    workbook: int | None
    language: str | None  #: of its workbook
    sheet: str | None
    state: State
    code: str | None
    facts: Mapping[str, object]
    state_at: datetime
    reply: str | None
    reply_at: datetime | None
    superseded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Messages that have changed, each as it is now, and up to where the log was read."""

    cursor: int
    more: bool
    states: tuple[MessageState, ...]


def newest(connection: Connection) -> int:
    """The number of the newest line; 0 when there is none."""
    return connection.execute(select(func.max(change.c.id))).scalar() or 0


def since(connection: Connection, cursor: int, book: int | None = None) -> Changed:
    """What has changed after the line `cursor`, in one workbook or everywhere: at most some thousand messages."""
    query = select(change.c.id, change.c.message_id).where(change.c.id > cursor).order_by(change.c.id).limit(_MOST)
    lines = connection.execute(query).all()
    if not lines:
        # A cursor of another ledger, or of one that was put back from a copy, must not stay ahead of this one for ever.
        return Changed(cursor=min(cursor, newest(connection)), more=False, states=())
    ids = dict.fromkeys(line.message_id for line in lines if line.message_id is not None)
    states = _states(connection, ids, book)
    return Changed(cursor=lines[-1].id, more=len(lines) == _MOST, states=tuple(states))


def _states(connection: Connection, ids: Iterable[int], book: int | None) -> list[MessageState]:
    found: list[MessageState] = []
    for some in chunks(list(ids)):
        query = _query().where(message.c.id.in_(some), message.c.superseded.is_(False))
        if book is not None:
            query = query.where(message.c.workbook_id == book)
        found += [_state(row) for row in connection.execute(query)]
    return found


def heard(
    connection: Connection, cursor: int, *, book: int | None = None, number: str | None = None
) -> tuple[int, bool]:
    """Up to where the log was read, and whether any of it is of a workbook, or of texts to or from a number."""
    some = select(change).where(change.c.id > cursor).order_by(change.c.id).limit(_MOST).subquery()
    if book is not None:
        own = message.c.workbook_id == book
    else:
        own = or_(message.c.number == number, received.c.number == number)
    query = (
        select(func.max(some.c.id).label("last"), func.max(case((own, 1), else_=0)).label("own"))
        .select_from(some)
        .join(message, message.c.id == some.c.message_id, isouter=True)
        .join(received, received.c.id == some.c.received_id, isouter=True)
    )
    found = connection.execute(query).one()
    # As in `since`, a cursor must not stay ahead of the ledger.
    return (min(cursor, newest(connection)), False) if found.last is None else (found.last, bool(found.own))


def of_rows(connection: Connection, row_ids: Sequence[RowId]) -> list[MessageState]:
    """How the messages of these rows stand."""
    found: list[MessageState] = []
    for some in chunks(row_ids):
        found += [_state(row) for row in connection.execute(_query().where(message.c.row_id.in_(some)))]
    return found


def compact(connection: Connection) -> int:
    """Leave out lines that newer ones have overtaken; no cursor misses anything by it. How many."""
    first, last = connection.execute(select(func.min(change.c.id), func.max(change.c.id))).one()
    if last is None or last - first < _MANY:
        return 0
    kept = select(func.max(change.c.id)).group_by(change.c.message_id, change.c.received_id)
    return connection.execute(delete(change).where(change.c.id.not_in(kept))).rowcount


def _query() -> Select[Any]:
    columns = (message.c.id, message.c.row_id, message.c.workbook_id, message.c.sheet, message.c.state,
               message.c.code, message.c.facts, message.c.state_at, message.c.reply, message.c.reply_at,
               message.c.superseded, workbook.c.language)  # fmt: skip
    query = select(*columns).join_from(message, workbook, isouter=True)
    return query.where(message.c.admitted).order_by(message.c.id)


def _state(row: Row[Any]) -> MessageState:
    return MessageState(
        message=MessageId(row.id),
        row_id=None if row.row_id is None else RowId(row.row_id),
        workbook=row.workbook_id,
        language=row.language,
        sheet=row.sheet,
        state=State(row.state),
        code=row.code,
        facts=row.facts or {},
        state_at=row.state_at,
        reply=row.reply,
        reply_at=row.reply_at,
        superseded=row.superseded,
    )
