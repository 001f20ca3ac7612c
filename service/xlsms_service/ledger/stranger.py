"""Receipts that nobody was found for, and the messages that they may be about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select

from xlsms.model import Alphabet, MessageId, Receipt
from xlsms.states import State
from xlsms_service.ledger.chunk import chunks
from xlsms_service.ledger.driver import Question
from xlsms_service.ledger.schema import UNSETTLED, message, part, waiting_receipt

__all__ = [
    "Suspect",
    "any_waiting",
    "forget",
    "lost_numbers",
    "suspects",
    "take",
    "take_to",
    "unsettled_numbers",
    "wait",
]

#: What a receipt's number has in common with the message's, however each is written.
_ENDING = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A message that a receipt for an unheard id may be about."""

    message: MessageId
    number: str
    text: str
    alphabet: Alphabet
    parts: int
    state: State
    code: str | None
    tries: int
    resent: int
    claimed_at: datetime
    named: frozenset[int]  #: parts whose id is known


def suspects(connection: Connection, connector: str, numbers: Iterable[str], since: datetime) -> list[Suspect]:
    """The messages that this connector was given for these numbers since then, oldest first."""
    found: list[Suspect] = []
    for some in chunks(sorted(set(numbers))):
        query = (
            select(message)
            .where(message.c.number.in_(some), message.c.connector == connector, message.c.claimed_at >= since)
            .order_by(message.c.id)
        )
        rows = connection.execute(query).all()
        named = _named(connection, [row.id for row in rows])
        found += [_suspect(row, named.get(row.id, frozenset())) for row in rows]
    return found


def _named(connection: Connection, messages: Sequence[int]) -> dict[int, frozenset[int]]:
    found: dict[int, set[int]] = {}
    for some in chunks(messages):
        query = select(part.c.message_id, part.c.part).where(
            part.c.message_id.in_(some), part.c.network_id.is_not(None)
        )
        for row in connection.execute(query):
            found.setdefault(row.message_id, set()).add(row.part)
    return {key: frozenset(parts) for key, parts in found.items()}


def _suspect(row: Row[Any], named: frozenset[int]) -> Suspect:
    return Suspect(
        message=MessageId(row.id),
        number=row.number,
        text=row.text,
        alphabet=row.alphabet,
        parts=row.parts,
        state=State(row.state),
        code=row.code,
        tries=row.attempts,
        resent=row.resent,
        claimed_at=row.claimed_at,
        named=named,
    )


def unsettled_numbers(connection: Connection, connector: str) -> set[str]:
    """The numbers of the messages that are with this connector, or may have left over it."""
    query = select(message.c.number).where(UNSETTLED, message.c.connector == connector).distinct()
    return set(connection.execute(query).scalars())


def lost_numbers(connection: Connection, connector: str) -> set[str]:
    """The numbers of the *uncertain* messages of this connector."""
    uncertain = (UNSETTLED, message.c.state == State.UNCERTAIN, message.c.connector == connector)
    return set(connection.execute(select(message.c.number).where(*uncertain).distinct()).scalars())


_ANY = Question(select(waiting_receipt.c.id).where(waiting_receipt.c.connector == bindparam("of")).limit(1), ("of",))


def any_waiting(connection: Connection, connector: str) -> bool:
    """Whether receipts of this connector wait for an answer."""
    return bool(_ANY.rows(connection, connector))


def wait(connection: Connection, receipts: Sequence[Receipt]) -> None:
    """Keep receipts that may be about a message whose answer has not come yet."""
    if receipts:
        connection.execute(
            insert(waiting_receipt),
            [
                {
                    "connector": receipt.connector,
                    "network_id": receipt.network_id,
                    "state": receipt.state,
                    "at": receipt.at,
                    "done_at": receipt.done_at,
                    "recipient": receipt.recipient,
                    "error": receipt.error,
                    "sender": receipt.sender,
                    "submitted_at": receipt.submitted_at,
                    "quoted": receipt.quoted,
                    "ending": _ending(receipt.recipient),
                }
                for receipt in receipts
            ],
        )


def take(connection: Connection, connector: str, network_ids: Iterable[str]) -> list[Receipt]:
    """The receipts of this connector that waited for these ids; they are not kept any longer."""
    return _take(connection, connector, waiting_receipt.c.network_id, network_ids)


def take_to(connection: Connection, connector: str, numbers: Iterable[str]) -> list[Receipt]:
    """Those that waited, whatever their id, and are about one of these numbers."""
    return _take(connection, connector, waiting_receipt.c.ending, {_ending(number) for number in numbers} - {""})


def _take(connection: Connection, connector: str, column: Any, values: Iterable[str]) -> list[Receipt]:
    rows: list[Row[Any]] = []
    for some in chunks(sorted(set(values))):
        query = (
            delete(waiting_receipt)
            .where(waiting_receipt.c.connector == connector, column.in_(some))
            .returning(waiting_receipt)
        )
        rows += connection.execute(query)
    return [_receipt(row) for row in sorted(rows, key=lambda row: row.id)]


def _receipt(row: Row[Any]) -> Receipt:
    return Receipt(
        connector=row.connector,
        network_id=row.network_id,
        state=row.state,
        at=row.at,
        done_at=row.done_at,
        recipient=row.recipient,
        error=row.error,
        sender=row.sender,
        submitted_at=row.submitted_at,
        quoted=row.quoted,
    )


def _ending(number: str) -> str:
    return "".join(filter(str.isdecimal, number))[-_ENDING:]


def forget(connection: Connection, before: datetime) -> None:
    """Receipts older than this belong to nothing that will still be answered."""
    connection.execute(delete(waiting_receipt).where(waiting_receipt.c.at < before))
