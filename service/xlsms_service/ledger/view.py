"""What the ledger holds, counted: for progress bars, reports and those who look from outside."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, TextClause, func, select

from xlsms.model import MessageId
from xlsms.states import State
from xlsms_service.ledger.schema import SHOWN, message, workbook

__all__ = ["BookCount", "Tally", "book_counts", "newest", "tally"]


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
    by_state: dict[State, int]
    problem: str | None
    facts: dict[str, object]


def tally(
    connection: Connection,
    book: int | None = None,
    after: MessageId | None = None,
    only: MessageId | None = None,
) -> Tally:
    """Count messages: all, those of one workbook, those accepted after `after`, or `only` one."""
    here: list[ColumnElement[bool] | TextClause] = [SHOWN]
    if book is not None:
        here.append(message.c.workbook_id == book)
    if after is not None:
        here.append(message.c.id > after)
    if only is not None:
        here.append(message.c.id == only)
    query = (
        select(
            message.c.state,
            func.count(),
            func.sum(message.c.parts),
            func.count(message.c.reply),
            func.count().filter(message.c.version > message.c.written, message.c.workbook_id.is_not(None)),
        )
        .where(*here)
        .group_by(message.c.state)
    )
    rows = connection.execute(query).all()
    return Tally(
        by_state={State(row[0]): row[1] for row in rows},
        parts=sum(row[2] for row in rows),
        replies=sum(row[3] for row in rows),
        lacking=sum(row[4] for row in rows),
    )


def newest(connection: Connection) -> MessageId:
    """The newest message's number; 0 when there is none."""
    return MessageId(connection.execute(select(func.max(message.c.id))).scalar() or 0)


def book_counts(connection: Connection, limit: int = 50) -> list[BookCount]:
    """The workbooks seen last, newest first."""
    counts: dict[int, dict[State, int]] = {}
    query = (
        select(message.c.workbook_id, message.c.state, func.count())
        .where(SHOWN)
        .group_by(message.c.workbook_id, message.c.state)
    )
    for book, state, count in connection.execute(query):
        counts.setdefault(book, {})[State(state)] = count
    rows = connection.execute(select(workbook).order_by(workbook.c.id.desc()).limit(limit))
    return [
        BookCount(path=row.path, by_state=counts.get(row.id, {}), problem=row.problem, facts=row.facts or {})
        for row in rows
    ]
