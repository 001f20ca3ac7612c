"""Replies to rows of workbooks, and which of them a workbook's sheet of replies lacks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, literal, select, update

from xlsms.model import MessageId
from xlsms_service.ledger.chunk import chunks
from xlsms_service.ledger.instant import Instant
from xlsms_service.ledger.schema import message, reply

__all__ = ["LackingReply", "keep", "lacking", "written"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LackingReply:
    """A reply that the workbook's sheet of replies does not show yet."""

    id: int
    number: str
    text: str
    at: datetime
    sheet: str
    row_id: str


def keep(connection: Connection, to: MessageId, text: str, at: datetime) -> None:
    """Note down a reply, if the message that it answers is from a workbook."""
    values = select(
        message.c.workbook_id,
        message.c.id,
        literal(text),
        literal(at, Instant),
    ).where(message.c.id == to, message.c.workbook_id.is_not(None))
    connection.execute(insert(reply).from_select(["workbook_id", "message_id", "text", "at"], values))


def lacking(connection: Connection, book: int, *, after: int = 0, most: int | None = None) -> list[LackingReply]:
    """The replies that a workbook lacks, oldest first: those with an id above `after`, no more than `most`."""
    query = (
        select(reply.c.id, reply.c.text, reply.c.at, message.c.number, message.c.sheet, message.c.row_id)
        .join(message, message.c.id == reply.c.message_id)
        .where(reply.c.workbook_id == book, reply.c.written_at.is_(None), reply.c.id > after)
        .order_by(reply.c.id)
        .limit(most)
    )
    return [
        LackingReply(
            id=row.id, number=row.number, text=row.text, at=row.at, sheet=row.sheet or "", row_id=row.row_id or ""
        )
        for row in connection.execute(query)
    ]


def written(connection: Connection, replies: Sequence[LackingReply], now: datetime) -> None:
    """The workbook shows these now."""
    for some in chunks([each.id for each in replies]):
        connection.execute(update(reply).where(reply.c.id.in_(some)).values(written_at=now))
