"""Handing messages to a link: claimed durably before the first byte can leave."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, or_, select, update

from xlsms.model import Alphabet, MessageId
from xlsms.states import State
from xlsms_service.ledger import settlement
from xlsms_service.ledger.chunk import chunks
from xlsms_service.ledger.schema import SCHEDULED, UNSETTLED, WAITING, message, part

__all__ = ["Claimed", "claim", "recover", "reroute"]

_ABANDONED = timedelta(days=1)

#: Scheduled messages that begin to wait in one go; the next claim takes the next ones.
_RELEASED = 2_000

#: A receipt whose answer has not come by then belongs to somebody else's message.
_FOREIGN = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A message that a connector may submit now."""

    id: MessageId
    number: str
    sender: str | None
    text: str
    alphabet: Alphabet
    parts: int
    taken: frozenset[int] = frozenset()  #: parts that the network already has, from an earlier try


def claim(
    connection: Connection,
    *,
    connector: str,
    routes: Sequence[str],
    room: int,
    idle: bool,
    now: datetime,
) -> list[Claimed]:
    """Claim the oldest waiting messages of these routes, no more parts than `room`; those whose time has come too.

    A message longer than the room is claimed only alone, when the link is `idle`. From here on a crash makes the
    claimed messages *uncertain*, so no more are claimed than can leave at once.
    """
    _release(connection, now)
    chosen: list[Claimed] = []
    retried: set[MessageId] = set()
    # Route by route, the index gives the oldest at once; over several it would have to sort all that wait.
    oldest = [row for route in routes for row in _waiting(connection, route, room, now)]
    for row in sorted(oldest, key=lambda row: row.id)[:room]:
        room -= row.parts
        if room < 0 and (chosen or not idle):
            break
        if row.attempts and row.parts > 1:
            retried.add(MessageId(row.id))
        chosen.append(
            Claimed(
                id=MessageId(row.id),
                number=row.number,
                sender=row.sender,
                text=row.text,
                alphabet=row.alphabet,
                parts=row.parts,
            ),
        )
    for some in chunks(chosen):
        claimed = {
            "state": State.SENDING,
            "code": None,
            "facts": None,
            "state_at": now,
            "claimed_at": now,
            "connector": connector,
            "attempts": message.c.attempts + 1,
            "version": message.c.version + 1,
        }
        connection.execute(update(message).where(message.c.id.in_([each.id for each in some])).values(claimed))
    taken = _taken(connection, retried)
    return [replace(each, taken=frozenset(taken[each.id])) if each.id in taken else each for each in chosen]


def _release(connection: Connection, now: datetime) -> None:
    """Scheduled messages whose time has come wait like the others."""
    due = select(message.c.id).where(SCHEDULED, message.c.not_before <= now, message.c.admitted).limit(_RELEASED)
    queued = {"state": State.QUEUED, "state_at": now, "version": message.c.version + 1}
    connection.execute(update(message).where(message.c.id.in_(due)).values(queued))


def _waiting(connection: Connection, route: str, most: int, now: datetime) -> Sequence[Row[Any]]:
    query: Select[Any] = (
        select(
            message.c.id,
            message.c.number,
            message.c.sender,
            message.c.text,
            message.c.alphabet,
            message.c.parts,
            message.c.attempts,
        )
        .where(
            WAITING,
            message.c.admitted,
            message.c.route == route,
            or_(message.c.not_before.is_(None), message.c.not_before <= now),
        )
        .order_by(message.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return connection.execute(query).all()


def _taken(connection: Connection, ids: AbstractSet[MessageId]) -> dict[MessageId, set[int]]:
    found: dict[MessageId, set[int]] = {}
    if ids:
        for row in connection.execute(select(part.c.message_id, part.c.part).where(part.c.message_id.in_(ids))):
            found.setdefault(MessageId(row.message_id), set()).add(row.part)
    return found


def recover(connection: Connection, now: datetime) -> int:
    """After a stop without leave: what was claimed may have left. How many are *uncertain* for it.

    Proposals that came to nothing are forgotten a day later; another process may be about to admit younger ones.
    """
    abandoned = delete(message).where(message.c.admitted.is_(False), message.c.accepted_at < now - _ABANDONED)
    connection.execute(abandoned)
    settlement.forget_waiting(connection, now - _FOREIGN)
    uncertain = {
        "state": State.UNCERTAIN,
        "code": "stopped-while-sending",
        "state_at": now,
        "version": message.c.version + 1,
    }
    return connection.execute(
        update(message).where(UNSETTLED, message.c.state == State.SENDING).values(uncertain)
    ).rowcount


def reroute(connection: Connection, routes: Sequence[str], default: str) -> None:
    """Messages that wait for a route which the settings no longer have take the default one."""
    for waiting in (WAITING, SCHEDULED):
        connection.execute(update(message).where(waiting, message.c.route.not_in(routes)).values(route=default))
