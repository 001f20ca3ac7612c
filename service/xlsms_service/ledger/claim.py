"""Handing messages to a link: claimed durably before the first byte can leave."""

import heapq
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from math import ceil
from typing import NamedTuple

from sqlalchemy import Connection, delete, select, update

from xlsms.model import Alphabet, MessageId
from xlsms.states import State
from xlsms_service.ledger import stop, waiting
from xlsms_service.ledger.chunk import chunks
from xlsms_service.ledger.schema import PROPOSED, UNSETTLED, message, part
from xlsms_service.ledger.waiting import Candidate, Front

__all__ = ["Claimed", "Gate", "claim", "recover"]

_ABANDONED = timedelta(days=1)


class Claimed(NamedTuple):
    """A message that a connector may submit now; a tuple, for one is made for every message."""

    id: MessageId
    number: str
    sender: str | None
    text: str
    alphabet: Alphabet
    parts: int
    campaign: int = 0  #: the send it belongs to; 0: none
    tries: int = 1  #: how often it was claimed, this time included
    expires_at: datetime | None = None
    taken: frozenset[int] = frozenset()  #: parts that the network already has, from an earlier try


#: Asked with number, sender, parts and campaign of a message that is about to be claimed, and the time: None lets it go,
#: and counts it; a moment makes it wait until then.
Gate = Callable[[str, str | None, int, int, datetime], datetime | None]


def _open_gate(_number: str, _sender: str | None, _parts: int, _campaign: int, _now: datetime) -> datetime | None:
    return None


@dataclass(slots=True)
class _Choice:
    """What is to be done with the messages that were looked at."""

    room: int
    idle: bool
    claimed: list[Candidate] = field(default_factory=list)
    deferred: list[tuple[MessageId, datetime]] = field(default_factory=list)
    expired: list[MessageId] = field(default_factory=list)
    full: bool = False

    def look_at(self, row: Candidate, gate: Gate, now: datetime) -> bool:
        """Decide about one message; whether it takes room."""
        if row.expires_at is not None and row.expires_at <= now:
            self.expired.append(row.id)
            return False
        if row.parts > self.room and (self.claimed or not self.idle):
            self.full = True
            return False
        later = gate(row.number, row.sender, row.parts, row.campaign, now)
        if later is not None:
            self.deferred.append((row.id, later))
            return False
        self.claimed.append(row)
        self.room -= row.parts
        self.full = self.room <= 0
        return True


def claim(
    connection: Connection,
    *,
    connector: str,
    routes: Sequence[str],
    room: int,
    idle: bool,
    now: datetime,
    turn: int = 0,
    gate: Gate = _open_gate,
) -> list[Claimed]:
    """Claim waiting messages of these routes, no more parts than `room`: the highest priority first.

    The campaigns of one priority take turns, beginning with the one after `turn`; of one campaign, the messages that
    wait longest go first. A message longer than the room is claimed only alone, when the link is `idle`, and until then
    nothing passes it. From here on a crash makes the claimed messages *uncertain*, so no more are claimed than can
    leave at once.
    """
    if stop.pressed(connection):
        return []
    choice = _Choice(room, idle)
    ready = [front for front in waiting.fronts(connection, routes) if front.due <= now]
    for _, group in groupby(ready, key=lambda front: front.priority):
        if not choice.full:
            _take_turns(connection, list(group), choice, turn, gate, now)
    waiting.expire(connection, choice.expired, now)
    waiting.defer(connection, choice.deferred)
    return _mark(connection, choice.claimed, connector, now)


def _take_turns(
    connection: Connection, group: Sequence[Front], choice: _Choice, turn: int, gate: Gate, now: datetime
) -> None:
    """Fill the room from campaigns of one priority: the one that has had the fewest parts comes next."""
    offers = _offers(connection, group, choice.room, turn, now)
    heap = [(0, order, iter(rows)) for order, rows in enumerate(offers)]
    while heap and not choice.full:
        had, order, rows = heap[0]
        row = next(rows, None)
        if row is None:
            heapq.heappop(heap)
        elif choice.look_at(row, gate, now):
            heapq.heapreplace(heap, (had + row.parts, order, rows))


def _offers(
    connection: Connection, group: Sequence[Front], room: int, turn: int, now: datetime
) -> list[list[Candidate]]:
    """Each campaign's first messages: its share of the room, and more where others leave theirs."""
    campaigns: dict[int, list[Front]] = {}
    for front in group:
        campaigns.setdefault(front.campaign, []).append(front)
    order = sorted(campaigns, key=lambda campaign: (campaign <= turn, campaign))[:room]
    rows: dict[int, list[Candidate]] = {}
    asked, left = order, room
    while asked:
        share = ceil(left / len(asked))
        for campaign in asked:
            found = (row for front in campaigns[campaign] for row in waiting.first(connection, front, share, now))
            rows[campaign] = sorted(found, key=lambda row: (row.due, row.id))
        more = [campaign for campaign in asked if len(rows[campaign]) >= share]
        left -= sum(len(rows[campaign]) for campaign in asked if campaign not in more)
        asked = more if len(more) < len(asked) else []
    return [rows[campaign] for campaign in order]


def _mark(connection: Connection, rows: Sequence[Candidate], connector: str, now: datetime) -> list[Claimed]:
    """Write down that these are with the connector from now on."""
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
    for some in chunks(rows):
        connection.execute(update(message).where(message.c.id.in_([row.id for row in some])).values(claimed))
    taken = _taken(connection, {row.id for row in rows if row.attempts and row.parts > 1})
    return [
        Claimed(
            id=row.id,
            number=row.number,
            sender=row.sender,
            text=row.text,
            alphabet=row.alphabet,
            parts=row.parts,
            campaign=row.campaign,
            tries=row.attempts + 1,
            expires_at=row.expires_at,
            taken=frozenset(taken.get(row.id, ())),
        )
        for row in rows
    ]


def _taken(connection: Connection, ids: AbstractSet[MessageId]) -> dict[MessageId, set[int]]:
    found: dict[MessageId, set[int]] = {}
    if ids:
        for row in connection.execute(select(part.c.message_id, part.c.part).where(part.c.message_id.in_(ids))):
            found.setdefault(MessageId(row.message_id), set()).add(row.part)
    return found


def recover(connection: Connection, now: datetime, *, resends: int = 0) -> int:
    """After a stop without leave: what was claimed may have left. How many may have.

    They are *uncertain*; but those that were tried no more than `resends` times wait anew. Proposals that came to
    nothing are forgotten a day later; another process may be about to admit younger ones.
    """
    connection.execute(delete(message).where(PROPOSED, message.c.accepted_at < now - _ABANDONED))
    lost = update(message).where(UNSETTLED, message.c.state == State.SENDING)
    told = {"code": "stopped-while-sending", "state_at": now, "version": message.c.version + 1}
    again = lost.where(message.c.attempts <= resends).values(told | {"state": State.QUEUED})
    uncertain = lost.values(told | {"state": State.UNCERTAIN})
    return connection.execute(again).rowcount + connection.execute(uncertain).rowcount
