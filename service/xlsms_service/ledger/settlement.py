"""What became of messages: parts and their network ids, moves from state to state, receipts that wait."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, bindparam, delete, func, insert, literal_column, select, update

from xlsms.model import MessageId, PartKey, Receipt
from xlsms.states import State, may_move
from xlsms_service.ledger.chunk import chunks
from xlsms_service.ledger.many import Many
from xlsms_service.ledger.schema import UNSETTLED, message, part, stored, waiting_receipt

__all__ = [
    "Move",
    "PartRecord",
    "any_waiting",
    "forget_waiting",
    "keep_parts",
    "move",
    "name_parts",
    "parts_of",
    "parts_with_network_id",
    "set_part_states",
    "sizes",
    "take_waiting",
    "uncertain_to",
    "wait_for_answer",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRecord:
    """A part that the network took, refused, or may have taken."""

    key: PartKey
    connector: str
    state: State
    at: datetime
    network_id: str | None = None
    recipient: str = ""  #: number of its message, when read
    of: int = 1  #: parts of its message, when read


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A message goes over to another state, with the reason."""

    message: MessageId
    state: State
    at: datetime
    code: str | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    not_before: datetime | None = None  #: it waits until then; None: as long as it was to before


_KEEP_PART = Many(insert(part), ("message_id", "part", "connector", "network_id", "state", "at"))


def keep_parts(connection: Connection, parts: Sequence[PartRecord]) -> None:
    """Write down parts that were answered, or never will be; each is answered once."""
    rows = [(it.key.message, it.key.part, it.connector, it.network_id, it.state.value, stored(it.at)) for it in parts]
    _KEEP_PART.run(connection, rows)


def parts_with_network_id(connection: Connection, connector: str, network_ids: Iterable[str]) -> list[PartRecord]:
    """The parts that the network calls by one of these ids, newest message first."""
    found: list[PartRecord] = []
    for some in chunks(sorted(set(network_ids))):
        query = (
            select(part, message.c.number, message.c.parts)
            .join(message, message.c.id == part.c.message_id)
            .where(part.c.network_id.in_(some), part.c.connector == connector)
            .order_by(part.c.message_id.desc())
        )
        found += [_part(row, recipient=row.number, of=row.parts) for row in connection.execute(query)]
    return found


def parts_of(connection: Connection, messages: Iterable[MessageId]) -> dict[MessageId, list[PartRecord]]:
    """Every part of these messages that was written down."""
    found: dict[MessageId, list[PartRecord]] = {}
    for some in chunks(sorted(set(messages))):
        for row in connection.execute(select(part).where(part.c.message_id.in_(some))):
            found.setdefault(MessageId(row.message_id), []).append(_part(row))
    return found


def _part(row: Row[Any], recipient: str = "", of: int = 1) -> PartRecord:
    return PartRecord(
        key=PartKey(MessageId(row.message_id), row.part),
        connector=row.connector,
        network_id=row.network_id,
        state=State(row.state),
        at=row.at,
        recipient=recipient,
        of=of,
    )


_SET_PART_STATE = Many(
    update(part)
    .where(part.c.message_id == bindparam("of"), part.c.part == bindparam("nth"))
    .values(state=bindparam("becomes"), at=bindparam("now")),
    ("becomes", "now", "of", "nth"),
)


def set_part_states(connection: Connection, parts: Sequence[tuple[PartKey, State]], now: datetime) -> None:
    """Parts that a receipt has settled."""
    at = stored(now)
    _SET_PART_STATE.run(connection, [(state.value, at, key.message, key.part) for key, state in parts])


def _move_to(state: State) -> Many:
    legal = message.c.state.in_([literal_column(f"'{old}'") for old in State if may_move(old, state)])
    query = (
        update(message)
        .where(message.c.id == bindparam("key"), legal)
        .values(
            state=literal_column(f"'{state}'"),
            code=bindparam("why"),
            facts=bindparam("known"),
            state_at=bindparam("since"),
            due=func.coalesce(bindparam("later", type_=BigInteger), message.c.due),
            version=message.c.version + literal_column("1"),
        )
    )
    return Many(query, ("why", "known", "since", "later", "key"))


_MOVES = {state: _move_to(state) for state in State if any(may_move(old, state) for old in State)}


def move(connection: Connection, moves: Sequence[Move]) -> None:
    """Carry out moves; one that is not legal from where the message stands now changes nothing."""
    by_state: dict[State, list[Move]] = {}
    for each in moves:
        by_state.setdefault(each.state, []).append(each)
    for state, group in by_state.items():
        _MOVES[state].run(connection, [_moved(each) for each in group])


def _moved(each: Move) -> tuple[object, ...]:
    facts = json.dumps({key: str(value) for key, value in each.facts.items()}) if each.facts else None
    later = stored(each.not_before) if each.not_before else None
    return each.code, facts, stored(each.at), later, each.message


def uncertain_to(connection: Connection, connector: str, recipient: str, by: datetime) -> list[MessageId]:
    """The *uncertain* messages of one part that this connector may have taken to this number before `by`."""
    query = select(message.c.id).where(
        UNSETTLED,
        message.c.state == State.UNCERTAIN,
        message.c.connector == connector,
        message.c.number == recipient,
        message.c.claimed_at <= by,
        message.c.parts == 1,
    )
    return [MessageId(key) for key in connection.execute(query).scalars()]


def name_parts(connection: Connection, parts: Sequence[tuple[PartKey, str]]) -> None:
    """What the network calls parts whose answer came late."""
    if parts:
        of, nth = part.c.message_id == bindparam("of"), part.c.part == bindparam("nth")
        query = update(part).where(of, nth).values(network_id=bindparam("name"))
        connection.execute(query, [{"of": key.message, "nth": key.part, "name": name} for key, name in parts])


def sizes(connection: Connection, messages: Iterable[MessageId]) -> dict[MessageId, int]:
    """How many parts each of these has."""
    found: dict[MessageId, int] = {}
    for some in chunks(sorted(set(messages))):
        query = select(message.c.id, message.c.parts).where(message.c.id.in_(some))
        found.update({MessageId(row.id): row.parts for row in connection.execute(query)})
    return found


def any_waiting(connection: Connection, connector: str) -> bool:
    """Whether receipts of this connector wait for an answer."""
    query = select(waiting_receipt.c.id).where(waiting_receipt.c.connector == connector).limit(1)
    return connection.execute(query).first() is not None


def wait_for_answer(connection: Connection, receipts: Sequence[Receipt]) -> None:
    """Keep receipts whose submit has not been answered yet."""
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
                }
                for receipt in receipts
            ],
        )


def take_waiting(connection: Connection, connector: str, network_ids: Iterable[str]) -> list[Receipt]:
    """The receipts of this connector that waited for these ids; they are not kept any longer."""
    found: list[Receipt] = []
    for some in chunks(sorted(set(network_ids))):
        query = (
            delete(waiting_receipt)
            .where(waiting_receipt.c.connector == connector, waiting_receipt.c.network_id.in_(some))
            .returning(waiting_receipt)
        )
        found += [
            Receipt(
                connector=row.connector,
                network_id=row.network_id,
                state=row.state,
                at=row.at,
                done_at=row.done_at,
                recipient=row.recipient,
                error=row.error,
            )
            for row in connection.execute(query)
        ]
    return found


def forget_waiting(connection: Connection, before: datetime) -> None:
    """Receipts older than this belong to nothing that will still be answered."""
    connection.execute(delete(waiting_receipt).where(waiting_receipt.c.at < before))
