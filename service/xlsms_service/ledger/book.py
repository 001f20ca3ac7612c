"""Workbooks as the ledger knows them: which file is which, what we last saw of it, and what it still lacks."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    Row,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    text,
    update,
)

from xlsms.errors import Place, UserError, XlsmsError
from xlsms.model import MessageId, RowId
from xlsms.states import State
from xlsms_service.ledger.chunk import among, chunks, listed
from xlsms_service.ledger.driver import Question
from xlsms_service.ledger.instant import moment
from xlsms_service.ledger.schema import live, message, workbook

__all__ = [
    "NEVER_SAVED",
    "Book",
    "Lacking",
    "by_guid",
    "copy_of",
    "find",
    "get",
    "lacking",
    "lacking_books",
    "look_up",
    "make",
    "move",
    "note_problem",
    "note_version",
    "outdated",
    "recognise",
    "stands",
    "was_open",
    "written",
]

#: Before the GUID of a workbook that is open and was never saved, where others have the path of their file.
NEVER_SAVED = "never-saved:"


#: The row does not show the newest of its message; one that was marked again shows another message.
_LACKS = and_(text("version > written"), message.c.superseded.is_(False))

_STATES = {state.value: state for state in State}

#: Rows asked for at once: the ledger has others to serve.
_MOST = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """One workbook; `id` is the ledger's number for it."""

    id: int
    path: Path
    language: str
    version: str | None  #: the file as we last read or wrote it
    guid: str | None = None
    problem: str | None = None
    facts: Mapping[str, object] | None = None
    standing: bool = True  #: no other workbook has taken its place at the path


class Lacking(NamedTuple):
    """What the workbook does not show yet of one row. A tuple: there is one for each."""

    message: MessageId
    row_id: RowId
    version: int
    state: State
    code: str | None
    facts: Mapping[str, object]
    state_at: datetime
    reply: str | None
    reply_at: datetime | None


def _book(row: Row[Any]) -> Book:
    return Book(
        id=row.id,
        path=Path(row.path),
        language=row.language,
        version=row.version,
        guid=row.guid,
        problem=row.problem,
        facts=row.facts,
        standing=row.standing,
    )


def get(connection: Connection, book: int) -> Book:
    """The workbook with this number."""
    return _book(connection.execute(select(workbook).where(workbook.c.id == book)).one())


def find(connection: Connection, path: Path) -> Book | None:
    """The workbook that stands at `path`, as far as we have seen."""
    row = connection.execute(select(workbook).where(workbook.c.path == str(path), workbook.c.standing)).first()
    return None if row is None else _book(row)


def recognise(
    connection: Connection,
    *,
    path: Path,
    guid: str | None,
    language: str,
    row_ids: Sequence[RowId],
    exists: Callable[[Path], bool],
) -> Book:
    """Which workbook the file at `path` is; one never seen before becomes known.

    A file with a GUID is known by it. One without is known by the ids of its rows: it is the workbook that stood at
    its path if most of them are that one's, however few (an older copy was saved over it), or the one of whose rows it
    holds most; else it is known by its path. When the known workbook stood elsewhere and `exists` says that it still
    does, this one is a copy of it; unless another workbook has taken its place there.

    Raises:
        UserError: `workbook-copied`; nothing is sent from a copy until the user says what it is.
    """
    known = look_up(connection, path=path, guid=guid, row_ids=row_ids, exists=exists)
    if known is None:
        return make(connection, path=path, guid=guid, language=language)
    copied = copy_of(known, path, exists)
    if copied:
        raise copied
    now = replace(known, path=path, language=language, standing=True, guid=known.guid or guid)
    if now != known:
        move(connection, now)
    return now


def move(connection: Connection, book: Book) -> None:
    """The workbook stands at its path now, and no other."""
    _clear_place(connection, book.path, but=book.id)
    now = {"path": str(book.path), "language": book.language, "standing": True, "guid": book.guid}
    connection.execute(update(workbook).where(workbook.c.id == book.id).values(now))


def _clear_place(connection: Connection, path: Path, *, but: int | None = None) -> None:
    """Another workbook stands at `path` now; what was noted down there about a mere problem is forgotten."""
    others = and_(workbook.c.path == str(path), workbook.c.id != but) if but else workbook.c.path == str(path)
    used = select(message.c.id).where(message.c.workbook_id == workbook.c.id)
    opened = select(live.c.workbook_id).where(live.c.workbook_id == workbook.c.id)
    mere = and_(workbook.c.version.is_(None), ~used.exists(), ~opened.exists())
    connection.execute(delete(workbook).where(others, mere))
    connection.execute(update(workbook).where(others).values(standing=False))


def look_up(
    connection: Connection,
    *,
    path: Path,
    guid: str | None,
    row_ids: Sequence[RowId],
    exists: Callable[[Path], bool],
) -> Book | None:
    """The workbook that the file at `path` is, or is a copy of; None when it was never taken in."""
    if guid:
        return by_guid(connection, guid)
    here = find(connection, path)
    if here is not None and not here.version and not was_open(connection, here.id):
        here = None  # noted down for a problem, never taken in
    owner = _by_rows(connection, row_ids, here)
    if owner is None:
        # A workbook none of whose rows is here any more has given its place to another.
        return here if here and not _ids_of(connection, here.id) else None
    # Rows of a workbook that still stands at its own place were pasted into this one.
    pasted = here is not None and here.id != owner.id and stands(owner, exists)
    return here if pasted else owner


def stands(book: Book, exists: Callable[[Path], bool]) -> bool:
    """Whether the workbook is still where it was seen, no other having taken its place."""
    return book.standing and exists(book.path)


def copy_of(known: Book, path: Path, exists: Callable[[Path], bool]) -> UserError | None:
    """What is told of the file at `path`, which holds a known workbook, where that still stands elsewhere."""
    if known.path == path or not stands(known, exists):
        return None
    return UserError("workbook-copied", place=Place(file=path.name), original=known.path)


def make(connection: Connection, *, path: Path, guid: str | None, language: str) -> Book:
    """A workbook never taken in before; on the note about a problem at its path, or one that now has a GUID."""
    here = find(connection, path)
    values = {"guid": guid, "path": str(path), "language": language}
    if here is not None and here.guid is None and (guid or not here.version):
        connection.execute(update(workbook).where(workbook.c.id == here.id).values(values))
        return replace(here, language=language, guid=guid)
    _clear_place(connection, path)
    key = connection.execute(insert(workbook).values(values)).inserted_primary_key
    if key is None:
        raise RuntimeError("the database gave no key")
    return Book(id=key[0], path=path, language=language, version=None, guid=guid)


def by_guid(connection: Connection, guid: str) -> Book | None:
    """The workbook with this GUID, in its file or, so far, only where it is open."""
    row = connection.execute(select(workbook).where(workbook.c.guid == guid).limit(1)).first()
    if row is None:
        opened = select(live.c.workbook_id).where(live.c.guid == guid)
        query = select(workbook).where(workbook.c.id.in_(opened), workbook.c.guid.is_(None)).limit(1)
        row = connection.execute(query).first()
    return None if row is None else _book(row)


def was_open(connection: Connection, book: int) -> bool:
    """Whether a workbook is, or ever was, open where the add-in is."""
    return connection.execute(select(live.c.workbook_id).where(live.c.workbook_id == book)).first() is not None


def _by_rows(connection: Connection, row_ids: Sequence[RowId], here: Book | None) -> Book | None:
    """The workbook without GUID that has most of these ids: the one `here`, or one most of whose ids they are."""
    owners: Counter[int] = Counter()
    for some in chunks(row_ids):
        query = select(message.c.workbook_id).where(message.c.row_id.in_(some), message.c.superseded.is_(False))
        owners.update(owner for owner in connection.execute(query).scalars() if owner is not None)
    for owner, count in owners.most_common(1):
        row = connection.execute(select(workbook).where(workbook.c.id == owner)).one()
        at_its_place = here is not None and here.id == owner
        if row.guid is None and (at_its_place or 2 * count >= _ids_of(connection, owner)):
            return _book(row)
    return None


def _ids_of(connection: Connection, book: int) -> int:
    """How many rows of a workbook's file show a message."""
    mine = (
        message.c.workbook_id == book,
        message.c.admitted,
        message.c.superseded.is_(False),
        message.c.unsaved.is_(False),
    )
    return connection.execute(select(func.count()).select_from(message).where(*mine)).scalar_one()


def note_version(connection: Connection, book: int, version: str) -> None:
    """The file is now as we have read or written it; what kept us from it is over."""
    query = update(workbook).where(workbook.c.id == book).values(version=version, problem=None, facts=None)
    connection.execute(query)


def note_problem(connection: Connection, path: Path, error: XlsmsError) -> None:
    """What keeps the file at `path` from being read or written, for those who look."""
    facts = {key: str(value) for key, value in error.facts.items()}
    book = find(connection, path)
    if book is None:
        values = {"path": str(path), "language": "en", "problem": error.code, "facts": facts}
        connection.execute(insert(workbook).values(**values))
    else:
        query = update(workbook).where(workbook.c.id == book.id).values(problem=error.code, facts=facts)
        connection.execute(query)


#: The workbooks that lack something, by steps over the index: a list that is under way has all its rows there.
_LACKING_BOOKS = Question(
    text("""
        WITH RECURSIVE lacking(book) AS (
            SELECT (
                SELECT workbook_id FROM message
                WHERE version > written AND NOT superseded AND workbook_id IS NOT NULL
                ORDER BY workbook_id LIMIT 1
            )
            UNION ALL
            SELECT (
                SELECT workbook_id FROM message
                WHERE version > written AND NOT superseded AND workbook_id > lacking.book
                ORDER BY workbook_id LIMIT 1
            )
            FROM lacking WHERE lacking.book IS NOT NULL
        )
        SELECT book FROM lacking WHERE book IS NOT NULL
    """).columns(literal_column("book", BigInteger).label("book"))
)


def lacking_books(connection: Connection) -> list[Book]:
    """The workbooks that lack something."""
    ids = [book for (book,) in _LACKING_BOOKS.rows(connection)]
    there = workbook.c.path.not_like(f"{NEVER_SAVED}%")
    return [
        _book(row)
        for some in chunks(ids)
        for row in connection.execute(select(workbook).where(workbook.c.id.in_(some), there))
    ]


_LACKING = Question(
    select(
        message.c.id, message.c.row_id, message.c.version, message.c.state, message.c.code, message.c.facts,
        message.c.state_at, message.c.reply, message.c.reply_at,
    )
    .where(message.c.workbook_id == bindparam("of"), _LACKS, message.c.admitted, message.c.id > bindparam("after"))
    .order_by(message.c.id)
    .limit(_MOST),
    ("of", "after"),
)  # fmt: skip


def lacking(connection: Connection, book: int, after: int = 0) -> list[Lacking]:
    """What the workbook lacks, one entry a row, in the order of acceptance: some thousands after that message."""
    times = _Times()  # many have changed at once
    return [
        Lacking(
            MessageId(key),
            RowId(row_id),
            version,
            _STATES[state],
            code,
            json.loads(facts) or {} if facts else {},
            times[state_at],
            reply,
            None if reply_at is None else times[reply_at],
        )
        for key, row_id, version, state, code, facts, state_at, reply, reply_at in _LACKING.rows(
            connection, book, after
        )
    ]


class _Times(dict[int, datetime]):
    """Times by what the table holds."""

    def __missing__(self, value: int) -> datetime:
        found = self[value] = moment(value)
        return found


_WRITTEN = (
    update(message)
    .where(among(message.c.id, "shown"), message.c.written < bindparam("now"))
    .values(written=bindparam("now"))
)


def written(connection: Connection, rows: Sequence[Lacking]) -> None:
    """The workbook shows these now; what has changed since they were asked for stays lacking."""
    alike: dict[int, list[MessageId]] = {}  # most have been changed as often
    for row in rows:
        alike.setdefault(row.version, []).append(row.message)
    for version, messages in alike.items():
        for some in chunks(messages):
            connection.execute(_WRITTEN, {"shown": listed(some), "now": version})


def outdated(connection: Connection, book: int, messages: Sequence[MessageId]) -> None:
    """The workbook shows other states of these than ours: an older version of the file was put back."""
    for some in chunks(messages):
        theirs = (message.c.workbook_id == book, message.c.id.in_(some))
        connection.execute(update(message).where(*theirs).values(written=0))
