"""What was said with a number, and what came in: read from the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, select

from xlsms.model import RowId
from xlsms.states import State
from xlsms_service.ledger.schema import live, message, received, workbook

__all__ = ["Said", "came_over", "inbox", "number_of", "sender_to", "thread"]

#: Texts of a conversation that are shown: the newest.
_MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One text: ours, or one that came in."""

    id: int
    mine: bool
    number: str
    text: str
    at: datetime
    state: State | None = None
    code: str | None = None
    facts: Mapping[str, object] | None = None
    workbook: str | None = None
    sheet: str | None = None
    row_id: RowId | None = None


def thread(connection: Connection, number: str) -> list[Said]:
    """The newest texts to and from a number, oldest first."""
    columns = (message.c.id, message.c.text, message.c.accepted_at, message.c.state, message.c.code, message.c.facts,
               message.c.sheet, message.c.row_id, workbook.c.path, live.c.name)  # fmt: skip
    ours = (
        select(*columns)
        .join_from(message, workbook, isouter=True)
        .join(live, live.c.workbook_id == workbook.c.id, isouter=True)
        .where(message.c.number == number, message.c.admitted)
        .order_by(message.c.id.desc())
        .limit(_MOST)
    )
    texts = [
        Said(
            id=row.id,
            mine=True,
            number=number,
            text=row.text,
            at=row.accepted_at,
            state=State(row.state),
            code=row.code,
            facts=row.facts,
            workbook=_name(row.path, row.name),
            sheet=row.sheet,
            row_id=None if row.row_id is None else RowId(row.row_id),
        )
        for row in connection.execute(ours)
    ]
    texts += _came(connection, number, _MOST)
    return sorted(texts, key=lambda said: said.at)[-_MOST:]


def inbox(connection: Connection, limit: int) -> list[Said]:
    """The newest texts that came in, newest first."""
    return _came(connection, None, limit)


def _came(connection: Connection, number: str | None, limit: int) -> list[Said]:
    columns = (received.c.id, received.c.number, received.c.text, received.c.at, message.c.sheet, message.c.row_id,
               workbook.c.path, live.c.name)  # fmt: skip
    query = (
        select(*columns)
        .select_from(
            received.outerjoin(message, message.c.id == received.c.message_id)
            .outerjoin(workbook, workbook.c.id == message.c.workbook_id)
            .outerjoin(live, live.c.workbook_id == workbook.c.id)
        )
        .order_by(received.c.id.desc())
        .limit(limit)
    )
    if number is not None:
        query = query.where(received.c.number == number)
    return [
        Said(
            id=row.id,
            mine=False,
            number=row.number,
            text=row.text,
            at=row.at,
            workbook=_name(row.path, row.name),
            sheet=row.sheet,
            row_id=None if row.row_id is None else RowId(row.row_id),
        )
        for row in connection.execute(query)
    ]


def _name(path: str | None, live_name: str | None) -> str | None:
    """What a workbook is called; one that was never saved has no file's name."""
    return live_name or (None if path is None else Path(path).name)


def number_of(connection: Connection, row_id: RowId) -> str | None:
    """The number that the message of a row goes to."""
    number: str | None = connection.execute(select(message.c.number).where(message.c.row_id == row_id)).scalar()
    return number


def sender_to(connection: Connection, number: str) -> str | None:
    """The sender of the newest message to a number; None when there is none, or it is the connector's own."""
    query = select(message.c.sender).where(message.c.number == number, message.c.admitted)
    sender: str | None = connection.execute(query.order_by(message.c.id.desc()).limit(1)).scalar()
    return sender


def came_over(connection: Connection, number: str) -> str | None:
    """The connector that the newest text of a number came in over; None when it never wrote."""
    query = select(received.c.connector).where(received.c.number == number).order_by(received.c.id.desc()).limit(1)
    connector: str | None = connection.execute(query).scalar()
    return connector
