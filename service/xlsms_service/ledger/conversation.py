"""Texts from phones: kept first, then given their place beside a row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, insert, select, update

from xlsms.model import Concat, Inbound, MessageId
from xlsms.states import State
from xlsms_service.ledger import reply as replies
from xlsms_service.ledger.driver import Question
from xlsms_service.ledger.schema import inbound, message, received

__all__ = ["Waiting", "answered", "keep", "latest_to", "waiting"]

#: A text to a number that is in one of these states cannot have been read by anyone yet.
_NOT_OUT = (State.QUEUED, State.SCHEDULED, State.HELD, State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A text, or one part of a long one, that has no place yet."""

    id: int
    inbound: Inbound


def keep(connection: Connection, texts: Sequence[Inbound]) -> None:
    """Write texts down as they came."""
    if texts:
        connection.execute(
            insert(inbound),
            [
                {
                    "connector": text.connector,
                    "sender": text.sender,
                    "recipient": text.recipient,
                    "text": text.text,
                    "at": text.at,
                    "reference": text.concat.reference if text.concat else None,
                    "total": text.concat.total if text.concat else None,
                    "part": text.concat.part if text.concat else None,
                    "raw": text.raw or None,
                }
                for text in texts
            ],
        )


#: Asked after every bundle of reports; seldom does any.
_ANY_WAITS = Question(select(inbound.c.id).where(inbound.c.handled_at.is_(None)).limit(1))


def waiting(connection: Connection) -> list[Waiting]:
    """The texts without a place, oldest first."""
    if not _ANY_WAITS.rows(connection):
        return []
    rows = connection.execute(select(inbound).where(inbound.c.handled_at.is_(None)).order_by(inbound.c.id))
    return [
        Waiting(
            row.id,
            Inbound(
                connector=row.connector,
                sender=row.sender,
                recipient=row.recipient,
                text=row.text,
                at=row.at,
                concat=Concat(row.reference, row.total, row.part) if row.total else None,
                raw=row.raw or b"",
            ),
        )
        for row in rows
    ]


def latest_to(connection: Connection, number: str, connector: str, since: datetime) -> MessageId | None:
    """The message that a text from `number` answers: the newest one sent to it, this connector's before others'."""
    query = (
        select(message.c.id)
        .where(message.c.number == number, message.c.state.not_in(_NOT_OUT), message.c.accepted_at >= since)
        .order_by(case((message.c.connector == connector, 0), else_=1), message.c.id.desc())
        .limit(1)
    )
    key = connection.execute(query).scalar()
    return None if key is None else MessageId(key)


def answered(
    connection: Connection,
    texts: Sequence[int],
    *,
    to: MessageId | None,
    text: str,
    at: datetime,
    now: datetime,
    number: str = "",
) -> None:
    """These make up one text from `number`; with a message, it stands beside that message's row from now on."""
    connection.execute(update(inbound).where(inbound.c.id.in_(texts)).values(handled_at=now, message_id=to))
    if texts:
        first = select(inbound.c.recipient, inbound.c.connector).where(inbound.c.id == min(texts))
        recipient, connector = connection.execute(first).one()
        whole = {"number": number, "recipient": recipient, "connector": connector, "text": text, "at": at}
        connection.execute(insert(received).values(**whole, message_id=to))
    if to is not None:
        reply = case((message.c.reply.is_(None), text), else_=message.c.reply + "\n" + text)
        values = {"reply": reply, "reply_at": at, "version": message.c.version + 1}
        connection.execute(update(message).where(message.c.id == to).values(values))
        replies.keep(connection, to, text, at)
