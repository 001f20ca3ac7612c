"""Workbooks that are open in a spreadsheet with the add-in, and the messages whose ids only stand there."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, and_, func, insert, or_, select, update

from xlsms.errors import Place, TransientError, UserError
from xlsms.model import MessageId, RowId
from xlsms.states import State
from xlsms_service.ledger import book as books
from xlsms_service.ledger.book import NEVER_SAVED, Book
from xlsms_service.ledger.chunk import among, chunks, listed
from xlsms_service.ledger.schema import PROPOSED, change, live, message

__all__ = [
    "BEAT",
    "Earlier",
    "Opened",
    "check_closed",
    "close",
    "earlier",
    "file_left",
    "first_lacking",
    "is_open",
    "name_of",
    "opened_at",
    "register",
    "saved",
    "shown_again",
    "unconfirmed",
]

#: An open workbook says so at least this often.
BEAT = timedelta(seconds=30)

#: One that has said nothing for so long counts as closed: its program has ended without a word.
_SILENCE = 3 * BEAT

#: A proposal that nobody has confirmed for so long is asked about.
_UNCONFIRMED = timedelta(seconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A message whose row may be one that shows nothing of it."""

    message: MessageId
    row_id: RowId
    sheet: str
    fingerprint: str
    replaces: MessageId | None
    admitted: bool
    state: State
    state_at: datetime
    code: str | None
    facts: Mapping[str, object]
    parts: int
    reply: str | None
    reply_at: datetime | None
    sender: str | None
    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What an open workbook says of itself."""

    guid: str  #: it may not be in the file yet
    path: Path | None  #: None: never saved
    name: str
    host: str
    language: str
    file: str | None = None  #: size and time of its file


def register(connection: Connection, opened: Opened, *, now: datetime, exists: Callable[[Path], bool]) -> Book:
    """An open workbook says that it is open. It is known by its GUID, else by the path of a file without one.

    Raises:
        UserError: `workbook-copied`; the file of another workbook with this GUID stands elsewhere.
    """
    path, language = opened.path, opened.language
    place = path or Path(NEVER_SAVED + opened.guid)
    known = books.by_guid(connection, opened.guid)
    if known is None and path is not None:
        here = books.find(connection, path)
        known = here if here and here.guid is None else None
    if known is None:
        book = books.make(connection, path=place, guid=None, language=language)
    elif path is not None and known.path != path and books.stands(known, exists):
        raise UserError("workbook-copied", place=Place(file=opened.name), original=known.path)
    else:
        book = replace(known, path=path or known.path, language=language, standing=True)
        if book != known:
            books.move(connection, book)
    _note(connection, book, opened, now)
    return book


def _note(connection: Connection, book: Book, opened: Opened, now: datetime) -> None:
    mine = live.c.workbook_id == book.id
    row = connection.execute(select(live).where(mine)).first()
    values: dict[str, object] = {"guid": opened.guid, "name": opened.name, "host": opened.host}
    values |= {"seen_at": now, "closed_at": None}
    if row is None:
        connection.execute(insert(live).values(workbook_id=book.id, opened_at=now, file=opened.file, **values))
        return
    values["file"] = opened.file
    if row.closed_at is not None or row.seen_at < now - _SILENCE:
        values["opened_at"] = now
    connection.execute(update(live).where(mine).values(values))


def close(connection: Connection, book: int, file: str | None, now: datetime) -> None:
    """The workbook is being closed; `file` is the state of its file."""
    connection.execute(update(live).where(live.c.workbook_id == book).values(closed_at=now, file=file))


def file_left(connection: Connection, book: int) -> str | None:
    """The state of its file when the workbook was last open; None when it never was, or had no file."""
    return connection.execute(select(live.c.file).where(live.c.workbook_id == book)).scalar()


def opened_at(connection: Connection, book: int) -> datetime | None:
    """Since when a workbook is open; None when it never was."""
    return connection.execute(select(live.c.opened_at).where(live.c.workbook_id == book)).scalar()


def is_open(connection: Connection, book: int, now: datetime) -> bool:
    """Whether a workbook is open now, as far as it has said."""
    mine = live.c.workbook_id == book
    seen = connection.execute(select(live.c.seen_at).where(mine, live.c.closed_at.is_(None))).scalar()
    return seen is not None and bool(seen >= now - _SILENCE)


def name_of(connection: Connection, book: int) -> str | None:
    """What an open workbook is called."""
    name: str | None = connection.execute(select(live.c.name).where(live.c.workbook_id == book)).scalar()
    return name


def check_closed(connection: Connection, path: Path, now: datetime) -> None:
    """Make sure that the workbook at `path` is not open where the add-in is.

    Raises:
        TransientError: `workbook-live`; what it lacks is shown there, and written when it is closed.
    """
    book = books.find(connection, path)
    if book is None:
        return
    row = connection.execute(select(live).where(live.c.workbook_id == book.id)).first()
    if row is not None and row.closed_at is None and row.seen_at >= now - _SILENCE:
        raise TransientError("workbook-live", place=Place(file=path.name), application=row.host)


_COLUMNS = (message.c.id, message.c.row_id, message.c.sheet, message.c.fingerprint, message.c.replaces,
            message.c.admitted, message.c.state, message.c.state_at, message.c.code, message.c.facts,
            message.c.parts, message.c.reply, message.c.reply_at, message.c.sender, message.c.due)  # fmt: skip


def earlier(
    connection: Connection, book: int, fingerprints: Iterable[str], *, since: datetime | None = None
) -> list[Earlier]:
    """The messages of a workbook with these fingerprints whose row may not show them, oldest first.

    They are those whose id was never seen in a file, and with `since` those accepted since then as well: a workbook
    that was opened before its file was written does not know of them.
    """
    found: list[Earlier] = []
    unseen = message.c.unsaved if since is None else or_(message.c.unsaved, message.c.accepted_at >= since)
    query = (
        select(*_COLUMNS)
        .where(
            among(message.c.fingerprint, "prints"),
            message.c.workbook_id == book,
            message.c.superseded.is_(False),
            message.c.row_id.is_not(None),
            unseen,
        )
        .order_by(message.c.id)
    )
    for some in chunks(sorted(set(fingerprints))):
        found += [
            Earlier(
                message=MessageId(row.id),
                row_id=RowId(row.row_id),
                sheet=row.sheet or "",
                fingerprint=row.fingerprint,
                replaces=None if row.replaces is None else MessageId(row.replaces),
                admitted=row.admitted,
                state=State(row.state),
                state_at=row.state_at,
                code=row.code,
                facts=row.facts or {},
                parts=row.parts,
                reply=row.reply,
                reply_at=row.reply_at,
                sender=row.sender,
                due=row.due,
            )
            for row in connection.execute(query, {"prints": listed(some)})
        ]
    return found


def saved(connection: Connection, row_ids: Sequence[RowId]) -> None:
    """These ids stand in a file."""
    for some in chunks(row_ids):
        connection.execute(update(message).where(message.c.row_id.in_(some), message.c.unsaved).values(unsaved=False))


def shown_again(connection: Connection, row_ids: Sequence[RowId], *, in_file: bool) -> None:
    """Rows that showed nothing of these messages do now; what has changed meanwhile is written anew."""
    values = {"written": 0, "unsaved": False} if in_file else {"unsaved": True}
    for some in chunks(row_ids):
        connection.execute(update(message).where(message.c.row_id.in_(some), message.c.admitted).values(values))


def unconfirmed(connection: Connection, book: int, now: datetime) -> list[RowId]:
    """Ids that were given to an open workbook a while ago, and of which nobody has said whether they stand there."""
    query = select(message.c.row_id).where(
        PROPOSED,
        message.c.workbook_id == book,
        message.c.unsaved,
        message.c.accepted_at <= now - _UNCONFIRMED,
    )
    return [RowId(row_id) for row_id in connection.execute(query).scalars()]


def first_lacking(connection: Connection, book: int) -> int | None:
    """The oldest change that the workbook's file does not show; None when it shows all."""
    lacks = and_(message.c.workbook_id == book, message.c.version > message.c.written, message.c.superseded.is_(False))
    query = select(func.min(change.c.id)).where(change.c.message_id.in_(select(message.c.id).where(lacks)))
    return connection.execute(query).scalar()
