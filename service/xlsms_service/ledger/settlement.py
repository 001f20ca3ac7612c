"""What became of messages: parts and their network ids, moves from state to state."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Row,
    Text,
    Update,
    bindparam,
    cast,
    func,
    insert,
    literal_column,
    select,
    update,
)

from xlsms.model import MessageId, PartKey
from xlsms.states import State, may_move
from xlsms_service.ledger.chunk import among, chunks, listed, pairs
from xlsms_service.ledger.driver import Question
from xlsms_service.ledger.instant import stored
from xlsms_service.ledger.many import Many
from xlsms_service.ledger.schema import message, part

__all__ = [
    "Move",
    "PartRecord",
    "count_resent",
    "keep_alike",
    "keep_parts",
    "known",
    "move",
    "move_alike",
    "name_parts",
    "note",
    "noted",
    "parts_of",
    "parts_to",
    "parts_with_network_id",
    "routes",
    "set_part_states",
    "silent",
    "sizes",
]


_NO_FACTS: Mapping[str, object] = MappingProxyType({})

#: By how they are stored; quicker than to ask the enumeration.
_STATES = {state.value: state for state in State}


class PartRecord(NamedTuple):
    """A part that the network took, refused, or may have taken."""

    key: PartKey
    connector: str
    state: State
    at: datetime
    network_id: str | None = None
    recipient: str = ""  #: number of its message, when read
    of: int = 1  #: parts of its message, when read
    sender: str | None = None  #: of its message, when read; None: the connector's own


class Move(NamedTuple):
    """A message goes over to another state, with the reason."""

    message: MessageId
    state: State
    at: datetime
    code: str | None = None
    facts: Mapping[str, object] = _NO_FACTS
    not_before: datetime | None = None  #: it waits until then; None: as long as it was to before


_KEEP_PART = Many(insert(part), ("message_id", "part", "connector", "network_id", "state", "at"))


def keep_parts(connection: Connection, parts: Sequence[PartRecord]) -> None:
    """Write down parts that were answered, or never will be; each is answered once."""
    rows = [(it.key.message, it.key.part, it.connector, it.network_id, it.state.value, stored(it.at)) for it in parts]
    _KEEP_PART.run(connection, rows)


_NAMES_BY_MESSAGE = pairs("names")
_KEEP_ALIKE = Many(
    insert(part).from_select(
        ["message_id", "part", "connector", "network_id", "state", "at"],
        select(
            cast(_NAMES_BY_MESSAGE.c.key, BigInteger),
            bindparam("nth", type_=BigInteger),
            bindparam("of", type_=Text),
            _NAMES_BY_MESSAGE.c.value,
            bindparam("is_now", type_=Text),
            bindparam("since", type_=BigInteger),
        ),
    ),
    ("names", "nth", "of", "is_now", "since"),
)


def keep_alike(
    connection: Connection, connector: str, state: State, named: Iterable[tuple[PartKey, str]], at: datetime
) -> None:
    """The same for parts that differ in nothing but what the network calls them: it takes half of the time."""
    by_part: dict[int, dict[int, str]] = {}
    for key, name in named:
        by_part.setdefault(key.part, {})[key.message] = name
    rows = [(json.dumps(names), nth, connector, state.value, stored(at)) for nth, names in by_part.items()]
    _KEEP_ALIKE.run(connection, rows)


_NAMED = (
    select(
        part.c.message_id,
        part.c.part,
        part.c.network_id,
        part.c.state,
        part.c.at,
        message.c.number,
        message.c.parts,
    )
    .join(message, message.c.id == part.c.message_id)
    .where(among(part.c.network_id, "names"), part.c.connector == bindparam("of"))
    .order_by(part.c.message_id.desc())
)


def parts_with_network_id(connection: Connection, connector: str, network_ids: Iterable[str]) -> list[PartRecord]:
    """The parts that the network calls by one of these ids, newest message first."""
    rows = connection.execute(_NAMED, {"names": listed(sorted(set(network_ids))), "of": connector})
    return [
        PartRecord(
            key=PartKey(MessageId(key), nth),
            connector=connector,
            network_id=name,
            state=_STATES[state],
            at=at,
            recipient=number,
            of=parts,
        )
        for key, nth, name, state, at, number, parts in rows
    ]


def parts_to(connection: Connection, connector: str, numbers: Iterable[str]) -> list[PartRecord]:
    """The parts that the network took for these numbers and gave an id, newest message first."""
    found: list[PartRecord] = []
    for some in chunks(sorted(set(numbers))):
        query = (
            select(part, message.c.number, message.c.parts)
            .join(message, message.c.id == part.c.message_id)
            .where(message.c.number.in_(some), part.c.connector == connector, part.c.network_id.is_not(None))
            .order_by(part.c.message_id.desc())
        )
        found += [_part(row, recipient=row.number)._replace(of=row.parts) for row in connection.execute(query)]
    return found


_KNOWN = Question(
    select(part.c.network_id).where(among(part.c.network_id, "names"), part.c.connector == bindparam("of")),
    ("names", "of"),
)


def known(connection: Connection, connector: str, network_ids: Iterable[str]) -> set[str]:
    """Those of these ids under which the network has taken a part before."""
    return {name for (name,) in _KNOWN.rows(connection, listed(list(network_ids)), connector)}


def silent(
    connection: Connection, connector: str, after: MessageId, most: int, since: datetime, by: datetime
) -> tuple[list[PartRecord], MessageId | None]:
    """Parts that the network took between these moments and did not report on, of so many messages after this one.

    With the last message that was looked at: None at the end.
    """
    looked = select(message.c.id).where(message.c.id > after).order_by(message.c.id).limit(most)
    ids = connection.execute(looked).scalars().all()
    if not ids:
        return [], None
    query = (
        select(part, message.c.number, message.c.sender)
        .join(message, message.c.id == part.c.message_id)
        .where(
            part.c.message_id.between(ids[0], ids[-1]),
            part.c.connector == connector,
            part.c.state.in_((State.SENT, State.UNCERTAIN)),
            part.c.network_id.is_not(None),
            part.c.at.between(since, by),
        )
        .order_by(part.c.message_id, part.c.part)
    )
    rows = connection.execute(query)
    return [_part(row, recipient=row.number, sender=row.sender) for row in rows], MessageId(ids[-1])


def parts_of(connection: Connection, messages: Iterable[MessageId]) -> dict[MessageId, list[PartRecord]]:
    """Every part of these messages that was written down."""
    found: dict[MessageId, list[PartRecord]] = {}
    for some in chunks(sorted(set(messages))):
        for row in connection.execute(select(part).where(part.c.message_id.in_(some))):
            found.setdefault(MessageId(row.message_id), []).append(_part(row))
    return found


def _part(row: Row[Any], recipient: str = "", sender: str | None = None) -> PartRecord:
    return PartRecord(
        key=PartKey(MessageId(row.message_id), row.part),
        connector=row.connector,
        network_id=row.network_id,
        state=State(row.state),
        at=row.at,
        recipient=recipient,
        sender=sender,
    )


#: So many rows that take the same values are changed by one statement, which costs the ledger less than one for each.
_ALIKE = 8

_SET_PART = update(part).values(state=bindparam("becomes", type_=Text), at=bindparam("now", type_=BigInteger))
_SET_PART_STATE = Many(
    _SET_PART.where(part.c.message_id == bindparam("of"), part.c.part == bindparam("nth")),
    ("becomes", "now", "of", "nth"),
)
_SET_PARTS_ALIKE = Many(
    _SET_PART.where(among(part.c.message_id, "keys"), part.c.part == bindparam("nth")),
    ("becomes", "now", "keys", "nth"),
)


def set_part_states(connection: Connection, parts: Sequence[tuple[PartKey, State]], now: datetime) -> None:
    """Parts that a receipt has settled."""
    at = stored(now)
    alike: dict[tuple[str, int], list[MessageId]] = {}
    for key, state in parts:
        alike.setdefault((state.value, key.part), []).append(key.message)
    single: list[tuple[object, ...]] = []
    for (state_value, nth), messages in alike.items():
        if len(messages) < _ALIKE:
            single += [(state_value, at, each, nth) for each in messages]
        else:
            _SET_PARTS_ALIKE.run(connection, [(state_value, at, listed(messages), nth)])
    _SET_PART_STATE.run(connection, single)


def _move_to(state: State) -> Update:
    legal = message.c.state.in_([literal_column(f"'{old}'") for old in State if may_move(old, state)])
    return (
        update(message)
        .where(legal)
        .values(
            state=literal_column(f"'{state}'"),
            code=bindparam("why"),
            facts=bindparam("known"),
            state_at=bindparam("since"),
            due=func.coalesce(bindparam("later", type_=BigInteger), message.c.due),
            version=message.c.version + literal_column("1"),
        )
    )


_NAMES = ("why", "known", "since", "later")
_TO = {state: _move_to(state) for state in State if any(may_move(old, state) for old in State)}
_MOVES = {state: Many(to.where(message.c.id == bindparam("key")), (*_NAMES, "key")) for state, to in _TO.items()}
_MOVES_ALIKE = {state: Many(to.where(among(message.c.id, "keys")), (*_NAMES, "keys")) for state, to in _TO.items()}


def move(connection: Connection, moves: Sequence[Move]) -> None:
    """Carry out moves; one that is not legal from where the message stands now changes nothing."""
    by_state: dict[State, dict[tuple[object, ...], list[MessageId]]] = {}
    for each in moves:
        by_state.setdefault(each.state, {}).setdefault(_moved(each), []).append(each.message)
    for state, alike in by_state.items():
        single: list[tuple[object, ...]] = []
        for values, messages in alike.items():
            if len(messages) < _ALIKE:
                single += [(*values, each) for each in messages]
            else:
                _MOVES_ALIKE[state].run(connection, [(*values, listed(messages))])
        _MOVES[state].run(connection, single)


def move_alike(connection: Connection, state: State, messages: Sequence[MessageId], at: datetime) -> None:
    """The same for messages that go over to one state at one time, for no reason that is told."""
    _MOVES_ALIKE[state].run(connection, [(None, None, stored(at), None, listed(messages))])


def count_resent(connection: Connection, messages: Iterable[MessageId]) -> None:
    """These wait anew though they may have left."""
    for some in chunks(sorted(messages)):
        query = update(message).where(message.c.id.in_(some)).values(resent=message.c.resent + 1)
        connection.execute(query)


def _moved(each: Move) -> tuple[object, ...]:
    facts = json.dumps({key: str(value) for key, value in each.facts.items()}) if each.facts else None
    later = stored(each.not_before) if each.not_before else None
    return each.code, facts, stored(each.at), later


def name_parts(connection: Connection, connector: str, parts: Sequence[tuple[PartKey, str]], now: datetime) -> None:
    """What the network calls parts whose answer did not come in time; those never written down are *uncertain*."""
    for key, name in parts:
        of_it = (part.c.message_id == key.message, part.c.part == key.part)
        if not connection.execute(update(part).where(*of_it).values(network_id=name)).rowcount:
            known = PartRecord(key=key, connector=connector, state=State.UNCERTAIN, at=now, network_id=name)
            keep_parts(connection, [known])


def note(connection: Connection, reasons: Mapping[MessageId, tuple[str, Mapping[str, object]]]) -> None:
    """Why a part has failed while others of its *sent* message are under way; it is told when all are done."""
    for key, (code, facts) in reasons.items():
        known = {name: str(value) for name, value in facts.items()}
        sent = (message.c.id == key, message.c.state == State.SENT)
        connection.execute(update(message).where(*sent).values(code=code, facts=known))


def noted(
    connection: Connection, messages: Iterable[MessageId], codes: Iterable[str]
) -> dict[MessageId, tuple[str, Mapping[str, object]]]:
    """Which of these codes stands at these messages."""
    found: dict[MessageId, tuple[str, Mapping[str, object]]] = {}
    for some in chunks(sorted(set(messages))):
        query = select(message.c.id, message.c.code, message.c.facts).where(
            message.c.id.in_(some), message.c.code.in_(list(codes))
        )
        found.update({MessageId(row.id): (row.code, row.facts or {}) for row in connection.execute(query)})
    return found


def routes(connection: Connection, messages: Iterable[MessageId]) -> dict[MessageId, str]:
    """The key of the route of each of these."""
    return _each(connection, messages, message.c.route)


def sizes(connection: Connection, messages: Iterable[MessageId]) -> dict[MessageId, int]:
    """How many parts each of these has."""
    return _each(connection, messages, message.c.parts)


def _each(connection: Connection, messages: Iterable[MessageId], column: Column[Any]) -> dict[MessageId, Any]:
    """What stands in a column of each of these."""
    found: dict[MessageId, Any] = {}
    for some in chunks(sorted(set(messages))):
        query = select(message.c.id, column).where(message.c.id.in_(some))
        found.update({MessageId(key): value for key, value in connection.execute(query)})
    return found
