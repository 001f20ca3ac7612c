"""Handing messages to a link: claimed durably before the first byte can leave."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from math import ceil

from sqlalchemy import BigInteger, Connection, bindparam, delete, literal_column, null, select, update

from xlsms.model import MessageId
from xlsms.states import State
from xlsms_service.ledger import stop, waiting
from xlsms_service.ledger.chunk import among, listed
from xlsms_service.ledger.instant import stored
from xlsms_service.ledger.many import Many
from xlsms_service.ledger.schema import PROPOSED, UNSETTLED, message, part
from xlsms_service.ledger.waiting import Candidate, Front

__all__ = ["Claimed", "Gate", "Served", "claim", "open_gate", "recover"]

_ABANDONED = timedelta(days=1)

#: What stands for the workbook of messages that are of none.
_NO_BOOK = 0

#: Workbooks of which it is known who was served last; beyond that they begin anew.
_REMEMBERED = 10_000

#: So many times the share of a campaign is read when it turns out that others leave theirs.
_MORE = 4


#: What was claimed is told as it was read.
Claimed = Candidate


@dataclass(slots=True)
class Served:
    """Whom a link served last: the next claim begins with the workbook, and the campaign of a workbook, after that."""

    workbook: int = _NO_BOOK
    campaigns: dict[int, int] = field(default_factory=dict)  #: by workbook

    def note(self, claimed: Iterable[Claimed]) -> None:
        """These were claimed; single texts are nobody's turn."""
        for each in claimed:
            if each.campaign:
                self.workbook = each.workbook or _NO_BOOK
                self.campaigns[self.workbook] = each.campaign
        if len(self.campaigns) > _REMEMBERED:
            self.campaigns.clear()


_NOBODY = Served()

#: Asked with number, sender, parts and campaign of a message that is about to be claimed, and the time: None lets it
#: go, and counts it; a moment makes it wait until then.
Gate = Callable[[str, str | None, int, int, datetime], datetime | None]


def open_gate(_number: str, _sender: str | None, _parts: int, _campaign: int, _now: datetime) -> datetime | None:
    """Lets all go; by itself it is known to, and nobody is asked about each message."""
    return None


@dataclass(slots=True)
class _Choice:
    """What is to be done with the messages that were looked at."""

    room: int
    idle: bool
    ahead: timedelta = timedelta(0)
    claimed: list[Candidate] = field(default_factory=list)
    deferred: list[tuple[MessageId, datetime]] = field(default_factory=list)
    expired: list[MessageId] = field(default_factory=list)
    full: bool = False
    most_deferred: int = field(init=False)  #: bounds one claim where a limit lets nobody go

    def __post_init__(self) -> None:
        self.most_deferred = max(self.room, 1)

    def take_all(self, rows: Sequence[Candidate], now: datetime) -> bool:
        """Take the first messages of the one campaign that waits, if there is nothing to decide; whether that is so."""
        latest = now + self.ahead
        plain = all(
            row.parts == 1
            and (row.expires_at is None or row.expires_at > now)
            and (row.send_at is None or row.send_at <= latest)
            for row in rows
        )
        if plain:
            self.claimed += rows
            self.room -= len(rows)
            self.full = self.room <= 0
        return plain

    def look_at(self, row: Candidate, gate: Gate, now: datetime) -> bool:
        """Decide about one message; whether it takes room."""
        if row.expires_at is not None and row.expires_at <= now:
            self.expired.append(row.id)
            return False
        if row.parts > self.room and (self.claimed or not self.idle):
            self.full = True
            return False
        if row.send_at is not None and row.send_at - self.ahead > now:  # another link would have waited with it
            self.deferred.append((row.id, row.send_at - self.ahead))
            return False
        later = gate(row.number, row.sender, row.parts, row.campaign, now)
        if later is not None:
            # One whose validity ends before its turn comes is to be seen to have expired then.
            self.deferred.append((row.id, later if row.expires_at is None else min(later, row.expires_at)))
            self.full = len(self.deferred) >= self.most_deferred
            return False
        self.claimed.append(row)
        self.room -= row.parts
        self.full = self.room <= 0
        return True


def claim(  # noqa: PLR0913  # half of them have a default that most callers want
    connection: Connection,
    *,
    connector: str,
    routes: Sequence[str],
    room: int,
    idle: bool,
    now: datetime,
    served: Served = _NOBODY,
    gate: Gate = open_gate,
    ahead: timedelta = timedelta(0),
) -> list[Claimed]:
    """Claim waiting messages of these routes, no more parts than `room`: the highest priority first.

    The workbooks of one priority take turns, and so do the campaigns of one workbook, each beginning with the one after
    that which was `served` last; of one campaign, the messages that wait longest go first. A message longer than the
    room is claimed only alone, when the link is `idle`, and until then nothing passes it. From here on a crash makes
    the claimed messages *uncertain*, so no more are claimed than can leave at once. The connector's network waits with
    those whose send time is no further than `ahead`.
    """
    if stop.pressed(connection):
        return []
    choice = _Choice(room, idle, ahead)
    ready = [front for front in waiting.fronts(connection, routes) if front.due <= now]
    for _, group in groupby(ready, key=lambda front: front.priority):
        if not choice.full:
            _take_turns(connection, list(group), choice, served, gate, now)
    waiting.expire(connection, choice.expired, now)
    waiting.defer(connection, choice.deferred)
    return _mark(connection, choice.claimed, connector, now)


def _take_turns(
    connection: Connection, group: Sequence[Front], choice: _Choice, served: Served, gate: Gate, now: datetime
) -> None:
    """Fill the room from one priority: the workbook that has had the fewest parts comes next, of its campaigns too."""
    if (
        len(group) == 1
        and gate is open_gate
        and choice.take_all(waiting.first(connection, group[0], choice.room, now), now)
    ):
        return
    order = _in_turn(group, served)
    heap = []
    for place, campaigns in enumerate(order):
        share = ceil(choice.room / len(order) / len(campaigns))
        rows = [_rows(connection, fronts, share, choice.room, now) for fronts in campaigns]
        heap.append((0, place, [(0, nth, some) for nth, some in enumerate(rows)]))
    while heap and not choice.full:
        had, place, book = heap[0]
        spent, nth, some = book[0]
        row = next(some, None)
        if row is None:
            heapq.heappop(book)
            if not book:
                heapq.heappop(heap)
        elif choice.look_at(row, gate, now):
            heapq.heapreplace(book, (spent + row.parts, nth, some))
            heapq.heapreplace(heap, (had + row.parts, place, book))


def _in_turn(group: Sequence[Front], served: Served) -> list[list[list[Front]]]:
    """The campaigns by workbook, as they come after each other; each over all its routes."""
    books: dict[int, dict[int, list[Front]]] = {}
    for front in group:
        books.setdefault(front.workbook or _NO_BOOK, {}).setdefault(front.campaign, []).append(front)
    found = []
    for book in sorted(books, key=lambda book: (book <= served.workbook, book)):
        last = served.campaigns.get(book, 0)
        campaigns = sorted(books[book].items(), key=lambda it: (it[0] <= last, it[0]))
        found.append([fronts for _, fronts in campaigns])
    return found


def _rows(connection: Connection, fronts: Sequence[Front], share: int, most: int, now: datetime) -> Iterator[Candidate]:
    """A campaign's first messages, read when they are asked for: its share, and more where others leave theirs."""
    seen = 0
    while seen < most:
        found = [row for front in fronts for row in waiting.first(connection, front, share, now)]
        found.sort(key=lambda row: (row.due, row.id))
        yield from found[seen:share]
        if len(found) < share:
            return
        seen, share = share, min(share * _MORE, max(most, share + 1))


_CLAIM = Many(
    update(message)
    .where(among(message.c.id, "keys"))
    .values(
        state=literal_column(f"'{State.SENDING}'"),
        code=null(),
        facts=null(),
        state_at=bindparam("at", type_=BigInteger),
        claimed_at=bindparam("at", type_=BigInteger),
        connector=bindparam("by"),
        attempts=message.c.attempts + literal_column("1"),
        version=message.c.version + literal_column("1"),
    ),
    ("keys", "by", "at"),
)


def _mark(connection: Connection, rows: list[Candidate], connector: str, now: datetime) -> list[Claimed]:
    """Write down that these are with the connector from now on."""
    if rows:
        _CLAIM.run(connection, [(listed([row.id for row in rows]), connector, stored(now))])
    if again := [row.id for row in rows if row.resent]:
        # Until now an answer or a report could tell that they had gone.
        connection.execute(delete(part).where(part.c.message_id.in_(again), part.c.state == State.UNCERTAIN))
    taken = _taken(connection, {row.id for row in rows if row.tries > 1 and row.parts > 1})
    return [row._replace(taken=frozenset(taken[row.id])) if row.id in taken else row for row in rows] if taken else rows


def _taken(connection: Connection, ids: AbstractSet[MessageId]) -> dict[MessageId, set[int]]:
    found: dict[MessageId, set[int]] = {}
    if ids:
        for row in connection.execute(select(part.c.message_id, part.c.part).where(part.c.message_id.in_(ids))):
            found.setdefault(MessageId(row.message_id), set()).add(row.part)
    return found


def recover(connection: Connection, now: datetime, *, resends: int = 0) -> int:
    """After a stop without leave: what was claimed may have left. How many may have.

    They are *uncertain*; but those that have been sent again less than `resends` times, and that nobody has recalled or
    paused meanwhile, wait anew. Proposals that came to nothing are forgotten a day later; another process may be about
    to admit younger ones.
    """
    connection.execute(delete(message).where(PROPOSED, message.c.accepted_at < now - _ABANDONED))
    lost = update(message).where(UNSETTLED, message.c.state == State.SENDING)
    told = {"code": "stopped-while-sending", "state_at": now, "version": message.c.version + 1}
    anew = {"state": State.QUEUED, "resent": message.c.resent + 1}
    again = lost.where(message.c.resent < resends, message.c.wish.is_(None)).values(told | anew)
    uncertain = lost.values(told | {"state": State.UNCERTAIN})
    return connection.execute(again).rowcount + connection.execute(uncertain).rowcount
