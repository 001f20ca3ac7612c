"""What waits to go: whose turn it is, when the next may go, and what has waited too long."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    String,
    bindparam,
    func,
    literal_column,
    select,
    text,
    type_coerce,
    update,
)

from xlsms.model import Alphabet, MessageId
from xlsms.states import State
from xlsms_service.ledger.chunk import chunks
from xlsms_service.ledger.driver import Question
from xlsms_service.ledger.instant import Instant, moment, stored
from xlsms_service.ledger.schema import PROPOSED, SCHEDULED, WAITING, message, workbook

__all__ = ["Candidate", "Front", "defer", "expire", "first", "fronts", "hurry", "next_due", "reroute", "tend"]

#: Messages that change their state in one go; the next look takes the next ones.
_AT_ONCE = 2_000

_NEVER: Mapping[timedelta, Sequence[str]] = MappingProxyType({})

_WAITED_TOO_LONG = "waited-too-long"


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """The messages of one campaign that wait for one route, by the first of them."""

    route: str
    priority: int
    campaign: int
    workbook: int | None  #: that it is a send of; None: of none
    due: datetime  #: the first may go from then on
    expires_at: datetime | None  #: of the first


#: The first row of each campaign, by steps over the index: its cost grows with the campaigns, not with their messages.
#: (SQLite would walk over all messages of a campaign to pass it if the two columns were compared as one row value.)
_FRONTS = Question(
    text("""
        WITH RECURSIVE step(id) AS (
            SELECT (
                SELECT id FROM message
                WHERE state = 'queued' AND admitted AND route = :route
                ORDER BY priority, campaign, due, id LIMIT 1
            )
            UNION ALL
            SELECT COALESCE((
                SELECT id FROM message
                WHERE state = 'queued' AND admitted AND route = :route
                    AND priority = here.priority AND campaign > here.campaign
                ORDER BY campaign, due, id LIMIT 1
            ), (
                SELECT id FROM message
                WHERE state = 'queued' AND admitted AND route = :route AND priority > here.priority
                ORDER BY priority, campaign, due, id LIMIT 1
            ))
            FROM step JOIN message AS here ON here.id = step.id
        )
        SELECT priority, campaign, workbook_id, due, expires_at FROM step JOIN message ON message.id = step.id
    """)
    .bindparams(bindparam("route", type_=String))
    .columns(
        literal_column("priority", BigInteger).label("priority"),
        literal_column("campaign", BigInteger).label("campaign"),
        literal_column("workbook_id", BigInteger).label("workbook_id"),
        literal_column("due", Instant).label("due"),
        literal_column("expires_at", Instant).label("expires_at"),
    ),
    ("route",),
)


def fronts(connection: Connection, routes: Iterable[str]) -> list[Front]:
    """The campaigns that wait for these routes, the higher priority first, then the older campaign."""
    found = [
        Front(
            route=route,
            priority=priority,
            campaign=campaign,
            workbook=book,
            due=moment(due),
            expires_at=None if expires_at is None else moment(expires_at),
        )
        for route in routes
        for priority, campaign, book, due, expires_at in _FRONTS.rows(connection, route)
    ]
    return sorted(found, key=lambda front: (front.priority, front.campaign))


_NOTHING: frozenset[int] = frozenset()


class Candidate(NamedTuple):
    """A message that may go now, and goes if it is claimed; a tuple, for one is made for every message."""

    id: MessageId
    number: str
    sender: str | None
    text: str
    alphabet: Alphabet
    parts: int
    campaign: int  #: the send it belongs to; 0: none
    workbook: int | None
    tries: int  #: how often it was claimed, this time included
    resent: int  #: how often it has waited anew though it may have left
    expires_at: datetime | None
    send_at: datetime | None
    due: int  #: only to be compared
    taken: frozenset[int] = _NOTHING  #: parts that the network already has, from an earlier try


_FIRST = (
    select(
        message.c.id,
        message.c.number,
        message.c.sender,
        message.c.text,
        message.c.alphabet,
        message.c.parts,
        message.c.campaign,
        message.c.workbook_id,
        message.c.attempts + literal_column("1"),
        message.c.resent,
        message.c.expires_at,
        message.c.send_at,
        type_coerce(message.c.due, BigInteger),
    )
    .where(
        WAITING,
        message.c.route == bindparam("of_route"),
        message.c.priority == bindparam("of_priority"),
        message.c.campaign == bindparam("of_campaign"),
        message.c.due <= bindparam("by", type_=Instant),
    )
    .order_by(message.c.due, message.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)

_FIRST_ONES = Question(_FIRST, ("of_route", "of_priority", "of_campaign", "by", "most"))


def first(connection: Connection, front: Front, most: int, now: datetime) -> list[Candidate]:
    """The messages of one campaign that may go now, those that have waited longest first."""
    rows = _FIRST_ONES.rows(connection, front.route, front.priority, front.campaign, stored(now), most)
    return [
        Candidate(
            key, number, sender, words, alphabet, parts, campaign, book, tries, resent,
            expires_at and _moment(expires_at), send_at and _moment(send_at), due,
        )
        for key, number, sender, words, alphabet, parts, campaign, book, tries, resent, expires_at, send_at, due in rows
    ]  # fmt: skip


#: The rows of a list have their times in common.
_moment = lru_cache(maxsize=256)(moment)


def next_due(connection: Connection, routes: Iterable[str], now: datetime) -> datetime | None:
    """When the next message that must wait for its moment may go; None when none waits."""
    return min((front.due for front in fronts(connection, routes) if front.due > now), default=None)


def defer(connection: Connection, until: Sequence[tuple[MessageId, datetime]]) -> None:
    """These wait until then."""
    if until:
        query = update(message).where(message.c.id == bindparam("key")).values(due=bindparam("then"))
        connection.execute(query, [{"key": key, "then": moment} for key, moment in until])


def expire(connection: Connection, messages: Sequence[MessageId], now: datetime) -> None:
    """These have waited for a link, or for their turn, longer than they were to."""
    if not messages:
        return
    expired = {
        "state": State.EXPIRED,
        "code": func.coalesce(message.c.code, _WAITED_TOO_LONG),
        "state_at": now,
        "version": message.c.version + 1,
    }
    for some in chunks(messages):
        connection.execute(update(message).where(message.c.id.in_(some)).values(expired))


def hurry(connection: Connection, now: datetime) -> None:
    """Whatever waits for another try, or for a limit that the settings may have changed, may go now."""
    connection.execute(update(message).where(WAITING, message.c.due > now).values(due=now))


def tend(
    connection: Connection, routes: Iterable[str], now: datetime, ahead: Mapping[timedelta, Sequence[str]] = _NEVER
) -> bool:
    """Let go what was scheduled for now, and give up what has waited too long. Whether there may be more of it.

    What waits for some routes is let go so long `ahead` of its send time: a network will wait with it.
    """
    queued = {"state": State.QUEUED, "state_at": now, "version": message.c.version + 1}
    due = select(message.c.id).where(SCHEDULED, message.c.due <= now).limit(_AT_ONCE)
    count = connection.execute(update(message).where(message.c.id.in_(due)).values(queued)).rowcount
    for lead, of_routes in ahead.items():
        early = select(message.c.id).where(SCHEDULED, message.c.due <= now + lead, message.c.route.in_(of_routes))
        query = update(message).where(message.c.id.in_(early.limit(_AT_ONCE)))
        count += connection.execute(query.values(queued | {"due": now})).rowcount
    late = []
    for front in fronts(connection, routes):
        if front.due <= now and front.expires_at is not None and front.expires_at <= now:
            rows = first(connection, front, _AT_ONCE, now)
            late += [row.id for row in rows if row.expires_at is not None and row.expires_at <= now]
    expire(connection, late, now)
    return bool(count or late)


def reroute(
    connection: Connection, routes: Sequence[str], choose: Callable[[str, str | None, str | None], str]
) -> None:
    """Messages that wait for a route which the settings no longer have take the one that `choose` gives them.

    It is asked with the number, the sender and the path of the workbook.
    """
    for condition in (WAITING, SCHEDULED, PROPOSED):
        query = (
            select(message.c.id, message.c.number, message.c.sender, workbook.c.path)
            .join_from(message, workbook, isouter=True)
            .where(condition, message.c.route.not_in(routes))
        )
        homeless = connection.execute(query).all()
        for some in chunks(homeless):
            connection.execute(
                update(message).where(message.c.id == bindparam("key")).values(route=bindparam("takes")),
                [{"key": row.id, "takes": choose(row.number, row.sender, row.path)} for row in some],
            )
