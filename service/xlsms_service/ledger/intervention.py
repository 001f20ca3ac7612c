"""Messages under way paused, let go on, taken back: what has not left at once, what is on a link when it comes back.

A message that is with a link cannot be stopped. What is wished of it stands beside it, and is carried out if it turns
out not to have left; what the network has accepted can be taken back where the network allows that.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, TextClause, delete, func, insert, select, true, update

from xlsms.model import MessageId, PartKey, RowId
from xlsms.states import State
from xlsms_service.ledger.chunk import chunks
from xlsms_service.ledger.schema import PROPOSED, SHOWN, UNSETTLED, WISHED, campaign, intervention, message, part
from xlsms_service.ledger.settlement import PartRecord

__all__ = [
    "LEFT_IN_PART",
    "RECALL_REFUSED",
    "Reach",
    "Wish",
    "asked_back",
    "carry_out",
    "forget",
    "last",
    "pause",
    "recall",
    "tell_refused",
    "unpause",
    "wishes",
]

#: Whether anything is wished at all: seldom, and each accepted list asks.
_ANY_WISH = (select(message.c.id).where(WISHED).limit(1), select(campaign.c.id).where(WISHED).limit(1))

#: Some of its parts had left when the rest came back and was not sent again.
LEFT_IN_PART = "recalled-in-part"

#: The network keeps it, or nobody can ask the network about it.
RECALL_REFUSED = "recall-refused"


class Wish(StrEnum):
    """What is to become of a message that has not left; the values are the codes that the sheet shows."""

    PAUSED = "paused"
    RECALLED = "recalled"
    MARKED_ANEW = "marked-anew"  #: its row has a newer message

    @property
    def state(self) -> State:
        """What a message that has not left becomes by it."""
        return State.HELD if self is Wish.PAUSED else State.CANCELLED


@dataclass(frozen=True, slots=True)
class Reach:
    """How many messages an order reached."""

    count: int  #: that it held or took back
    under_way: int = 0  #: that are on a link: they follow if they come back unsent
    asked_back: int = 0  #: that a network has, and is asked to forget


@dataclass(frozen=True, slots=True)
class _Choice:
    """Messages of a workbook, of some rows, or all."""

    book: int | None = None
    row_ids: Sequence[RowId] | None = None

    def _conditions(self) -> Iterator[list[ColumnElement[bool]]]:
        here: list[ColumnElement[bool]] = [true() if self.book is None else message.c.workbook_id == self.book]
        if self.row_ids is None:
            yield here
            return
        for some in chunks(self.row_ids):
            yield [*here, message.c.row_id.in_(some)]

    def update(
        self, connection: Connection, values: Mapping[str, Any], *where: ColumnElement[bool] | TextClause
    ) -> int:
        """Change those that fulfil this too, conditions of indexes (texts) among it; how many."""
        return sum(
            connection.execute(update(message).where(*here, *where).values(values)).rowcount
            for here in self._conditions()
        )


def _becomes(state: State, now: datetime, code: str | None = None) -> dict[str, Any]:
    return {"state": state, "code": code, "facts": None, "state_at": now, "version": message.c.version + 1}


def pause(connection: Connection, now: datetime, *, book: int | None = None) -> Reach:
    """Hold what has not left, also what of these sends is accepted later."""
    chosen, held = _Choice(book), _becomes(State.HELD, now, Wish.PAUSED)
    # What waits for a limit or another try has no moment of its own to keep; what waits for its send time has.
    count = chosen.update(connection, {**held, "due": now}, SHOWN, message.c.state == State.QUEUED)
    count += chosen.update(connection, held, SHOWN, message.c.state == State.SCHEDULED)
    under_way = _wish(connection, chosen, Wish.PAUSED, message.c.wish.is_(None))
    _of_campaigns(connection, book, Wish.PAUSED, campaign.c.wish.is_(None))
    _intervened(connection, now)
    return Reach(count, under_way)


def unpause(connection: Connection, now: datetime, *, book: int | None = None) -> Reach:
    """Let go on what was paused: at once, or at its time."""
    chosen = _Choice(book)
    paused = (SHOWN, message.c.state == State.HELD, message.c.code == Wish.PAUSED)
    count = chosen.update(connection, _becomes(State.SCHEDULED, now), *paused, message.c.due > now)
    count += chosen.update(connection, _becomes(State.QUEUED, now), *paused)
    under_way = chosen.update(connection, {"wish": None}, WISHED, message.c.wish == Wish.PAUSED)
    _of_campaigns(connection, book, None, campaign.c.wish == Wish.PAUSED)
    _intervened(connection, now)
    return Reach(count, under_way)


def recall(
    connection: Connection,
    now: datetime,
    *,
    book: int | None = None,
    row_ids: Sequence[RowId] | None = None,
    networks: Collection[str] = (),
) -> Reach:
    """Take back what has not left, and what is accepted later of whole sends that are recalled.

    `networks` are the connectors that can take back what their network has accepted.
    """
    chosen = _Choice(book, row_ids)
    waits = message.c.state.in_((State.QUEUED, State.SCHEDULED, State.HELD))
    count = chosen.update(connection, _becomes(State.CANCELLED, now, Wish.RECALLED), SHOWN, waits)
    under_way = _wish(connection, chosen, Wish.RECALLED, message.c.wish.is_distinct_from(Wish.RECALLED))
    asked = _ask_back(connection, chosen, networks) if networks else 0
    if row_ids is None:
        _of_campaigns(connection, book, Wish.RECALLED, true())
    _intervened(connection, now)
    return Reach(count, under_way, asked)


def _ask_back(connection: Connection, chosen: _Choice, networks: Collection[str]) -> int:
    """Wish it beside what a network has and calls by an id (how many); for others nobody can ask."""
    sent = (SHOWN, message.c.state == State.SENT, message.c.connector.in_(sorted(networks)))
    count = chosen.update(connection, {"wish": Wish.RECALLED}, *sent, _named().exists())
    told = {"code": RECALL_REFUSED, "facts": None, "version": message.c.version + 1}
    chosen.update(connection, told, *sent, message.c.code.is_distinct_from(RECALL_REFUSED), ~_named().exists())
    return count


def _named() -> Select[Any]:
    """The parts of a message that its network has and calls by an id."""
    mine = (part.c.message_id == message.c.id, part.c.state == State.SENT, part.c.network_id.is_not(None))
    return select(part.c.part).where(*mine).correlate(message)


def _wish(connection: Connection, chosen: _Choice, wish: Wish, condition: ColumnElement[bool]) -> int:
    """Note it beside what is on a link (how many), and beside what is not admitted yet."""
    wished = {"wish": wish}
    chosen.update(connection, wished, PROPOSED, condition)
    return chosen.update(connection, wished, SHOWN, UNSETTLED, message.c.state == State.SENDING, condition)


def _of_campaigns(connection: Connection, book: int | None, wish: Wish | None, condition: ColumnElement[bool]) -> None:
    of_book = true() if book is None else campaign.c.workbook_id == book
    connection.execute(update(campaign).where(of_book, condition).values(wish=wish))


def carry_out(connection: Connection, row_ids: Sequence[RowId], now: datetime) -> None:
    """Messages of these rows that have just been admitted follow what is wished of them, or of their send."""
    if not any(connection.execute(query).first() for query in _ANY_WISH):
        return
    wished = func.coalesce(message.c.wish, campaign.c.wish)
    found: dict[Wish, list[MessageId]] = {}
    for some in chunks(row_ids):
        query = select(message.c.id, wished.label("wish")).join_from(
            message, campaign, campaign.c.id == message.c.campaign, isouter=True
        )
        waits = message.c.state.in_((State.QUEUED, State.SCHEDULED, State.HELD))
        for row in connection.execute(query.where(message.c.row_id.in_(some), SHOWN, waits, wished.is_not(None))):
            found.setdefault(Wish(row.wish), []).append(MessageId(row.id))
    for wish, messages in found.items():
        values = {**_becomes(wish.state, now, wish), "wish": None}
        for some_ids in chunks(messages):
            connection.execute(update(message).where(message.c.id.in_(some_ids)).values(values))


def wishes(connection: Connection, messages: Iterable[MessageId]) -> dict[MessageId, Wish]:
    """What is wished of these, where anything is."""
    found: dict[MessageId, Wish] = {}
    for some in chunks(sorted(set(messages))):
        query = select(message.c.id, message.c.wish).where(message.c.id.in_(some), message.c.wish.is_not(None))
        found.update({MessageId(row.id): Wish(row.wish) for row in connection.execute(query)})
    return found


def asked_back(connection: Connection, connector: str, most: int, but: Collection[MessageId] = ()) -> list[PartRecord]:
    """The parts that this connector's network took of so many recalled messages, without those that are `but`.

    The newest first: the network is the least likely to have delivered them.
    """
    recalled = (WISHED, message.c.wish == Wish.RECALLED, message.c.connector == connector)
    sent = (*recalled, message.c.state == State.SENT, message.c.id.not_in(list(but)), _named().exists())
    chosen = select(message.c.id).where(*sent).order_by(message.c.id.desc()).limit(most)
    query = (
        select(part, message.c.number, message.c.parts, message.c.sender)
        .join(message, message.c.id == part.c.message_id)
        .where(part.c.message_id.in_(chosen), part.c.state == State.SENT, part.c.network_id.is_not(None))
        .order_by(part.c.message_id, part.c.part)
    )
    return [
        PartRecord(
            key=PartKey(MessageId(row.message_id), row.part),
            connector=row.connector,
            state=State(row.state),
            at=row.at,
            network_id=row.network_id,
            recipient=row.number,
            of=row.parts,
            sender=row.sender,
        )
        for row in connection.execute(query)
    ]


def tell_refused(connection: Connection, messages: Sequence[MessageId], code: str) -> None:
    """The network has these and keeps them."""
    told = {"code": code, "facts": None, "version": message.c.version + 1}
    for some in chunks(messages):
        sent = (message.c.id.in_(some), message.c.state == State.SENT)
        connection.execute(update(message).where(*sent).values(told))


def forget(connection: Connection, messages: Iterable[MessageId]) -> None:
    """What was wished of these has been done, or cannot be."""
    for some in chunks(sorted(set(messages))):
        connection.execute(update(message).where(message.c.id.in_(some)).values(wish=None))


def _intervened(connection: Connection, now: datetime) -> None:
    connection.execute(delete(intervention))
    connection.execute(insert(intervention).values(at=now))


def last(connection: Connection) -> datetime | None:
    """When somebody last paused, recalled or let go on: who stands in line behind may ask anew."""
    return connection.execute(select(intervention.c.at)).scalar()
