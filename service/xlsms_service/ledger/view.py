"""What the ledger holds, counted: for progress bars, reports and those who look from outside."""

from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, TextClause, func, select

from xlsms.model import MessageId
from xlsms.states import State
from xlsms_service.ledger.schema import SHOWN, message, workbook

__all__ = ["BookCount", "Census", "Some", "Tally", "any_open", "census", "newest", "sum_up", "tally"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many messages are in each state, and what came back."""

    by_state: dict[State, int]
    parts: int
    replies: int  #: messages that were answered
    lacking: int  #: rows whose workbook does not show their newest state yet

    @property
    def total(self) -> int:
        """All messages."""
        return sum(self.by_state.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class BookCount:
    """One workbook and its messages by state."""

    path: str
    tally: Tally
    problem: str | None
    facts: dict[str, object]

    @property
    def by_state(self) -> dict[State, int]:
        """How many messages are in each state."""
        return self.tally.by_state


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """Everything counted at one moment."""

    tally: Tally
    books: tuple[BookCount, ...]  #: those seen last, newest first


class Some(NamedTuple):
    """Which messages are counted: all, those of one workbook, those accepted after `after`, or `only` one."""

    book: int | None = None
    after: MessageId | None = None
    only: MessageId | None = None


def tally(
    connection: Connection,
    book: int | None = None,
    after: MessageId | None = None,
    only: MessageId | None = None,
) -> Tally:
    """Count messages: all, those of one workbook, those accepted after `after`, or `only` one."""
    here = _of(Some(book, after, only))
    return sum_up(_by_state(row) for row in connection.execute(_COUNTED.where(*here).group_by(message.c.state)))


def any_open(connection: Connection, some: Some, settled: AbstractSet[State]) -> bool:
    """Whether any of them is in another state than these: the newest, which come last, are looked at first."""
    query = select(message.c.id).where(*_of(some), message.c.state.not_in(sorted(settled)))
    return connection.execute(query.order_by(message.c.id.desc()).limit(1)).first() is not None


def _of(some: Some) -> list[ColumnElement[bool] | TextClause]:
    here: list[ColumnElement[bool] | TextClause] = [SHOWN]
    if some.book is not None:
        here.append(message.c.workbook_id == some.book)
    if some.after is not None:
        here.append(message.c.id > some.after)
    if some.only is not None:
        here.append(message.c.id == some.only)
    return here


_COUNTED = select(
    message.c.state,
    func.count(),
    func.sum(message.c.parts),
    func.count(message.c.reply),
    func.count().filter(message.c.version > message.c.written, message.c.workbook_id.is_not(None)),
)


def _by_state(row: Sequence[Any]) -> Tally:
    return Tally(by_state={State(row[0]): row[1]}, parts=row[2], replies=row[3], lacking=row[4])


def sum_up(tallies: Iterable[Tally]) -> Tally:
    """Several as one."""
    by_state: Counter[State] = Counter()
    parts = replies = lacking = 0
    for each in tallies:
        by_state.update(each.by_state)
        parts, replies, lacking = parts + each.parts, replies + each.replies, lacking + each.lacking
    return Tally(by_state=dict(by_state), parts=parts, replies=replies, lacking=lacking)


def newest(connection: Connection) -> MessageId:
    """The newest message's number; 0 when there is none."""
    return MessageId(connection.execute(select(func.max(message.c.id))).scalar() or 0)


def census(connection: Connection, limit: int = 50) -> Census:
    """All messages, and those of the workbooks seen last, in one look at each message."""
    query = _COUNTED.add_columns(message.c.workbook_id).where(SHOWN).group_by(message.c.workbook_id, message.c.state)
    found: dict[int | None, list[Tally]] = {}
    for row in connection.execute(query):
        found.setdefault(row.workbook_id, []).append(_by_state(row))
    tallies = {book: sum_up(some) for book, some in found.items()}
    rows = connection.execute(select(workbook).order_by(workbook.c.id.desc()).limit(limit))
    books = tuple(
        BookCount(path=row.path, tally=tallies.get(row.id, sum_up(())), problem=row.problem, facts=row.facts or {})
        for row in rows
    )
    return Census(tally=sum_up(tallies.values()), books=books)
