"""From the ledger to the workbooks: states and replies, many rows in one write."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from xlsms.errors import Place, TransientError, UserError, XlsmsError
from xlsms.journal import note
from xlsms.model import CellValue, Role
from xlsms.states import LABELS
from xlsms.wording import detail
from xlsms.workbook.base import Applied, RowEdit, Workbook
from xlsms.workbook.replies import Appended, Incoming
from xlsms_service.ledger import book as books
from xlsms_service.ledger import live
from xlsms_service.ledger import reply as replies
from xlsms_service.ledger.book import Book, Lacking
from xlsms_service.ledger.changes import MessageState
from xlsms_service.ledger.chunk import chunks
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.measuring import NOTHING, Measures, metric
from xlsms_service.sync.thread import WorkbookThread

__all__ = ["Writeback", "values"]

_log = logging.getLogger(__name__)

#: Seconds without another change after which the changes so far are written, and seconds after the first of them when
#: they are written all the same.
_QUIET = 0.05
_GATHER = 0.4

#: Seconds before a workbook that is open elsewhere, or cannot be written, is tried again.
_RETRY_OPEN = 2.0
_RETRY_PROBLEM = 30.0

#: A workbook is written again no sooner than this many times the duration of its last write: big files more rarely.
_REST = 4.0

#: Seconds after which it looks for work unasked: another process may have put some into the ledger.
_LOOK_AGAIN = 2.0


#: Rows that are held and written at once, and of those, the ones whose writing is noted down in one commit.
_MOST = 30_000
_AT_ONCE = 2_000

#: Cells that are named when they could not be written.
_NAMED = 8

#: Characters of a cell (ECMA-376 Part 1 §18.3.1.4 leaves it open; Excel's limit), with some to spare for escapes.
_CELL = 32_000


@dataclass(slots=True)
class _Pace:
    """When a workbook may be written next, on the monotonic clock."""

    not_before: float = 0.0
    behind_since: float | None = None  #: when the oldest change became known that it does not show yet


def _told_together(errors: Sequence[XlsmsError]) -> XlsmsError:
    """One error for all cells of a workbook that could not be written."""
    first = errors[0]
    if len(errors) == 1 or first.place is None:
        return first
    cells = [f"{error.place.column}{error.place.row}" for error in errors[:_NAMED] if error.place]
    more = ["…"] if len(errors) > _NAMED else []
    return UserError("cells-not-written", place=first.place, count=len(errors), cells=", ".join(cells + more))


class Writeback:
    """Brings workbooks up to date with the ledger. `told` hears of each problem, once until it changes."""

    def __init__(  # noqa: PLR0913 (half of them have a default that most callers want)
        self,
        ledger: Ledger,
        thread: WorkbookThread,
        open_workbook: Callable[[Path], Workbook],
        *,
        append: Callable[[Path, Sequence[Incoming]], Appended | None] = lambda _path, _replies: None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        told: Callable[[Path, XlsmsError], None] = lambda _path, _error: None,
        measures: Measures = NOTHING,
        elsewhere: Callable[[Book], Awaitable[bool] | None] = lambda _book: None,
    ) -> None:
        """`elsewhere` writes what a workbook lacks as `write` does, but in another process; None: not this one."""
        self._elsewhere = elsewhere
        self._ledger = ledger
        self._thread = thread
        self._open = open_workbook
        self._append = append
        self._now = now
        self._clock = clock
        self._told = told
        self._measures = measures
        self._wake = asyncio.Event()
        self._woken_at: float | None = None
        self._woken_last = 0.0
        self._paces: dict[int, _Pace] = {}

    def wake(self) -> None:
        """Something became durable that a workbook may have to show."""
        if self._woken_at is None:
            self._woken_at = self._clock()
        self._woken_last = time.monotonic()
        self._wake.set()

    def hurry(self, book: int) -> None:
        """This workbook has just been read: what kept it from being written may be over."""
        self._paces.setdefault(book, _Pace()).not_before = 0.0
        self._wake.set()

    async def run(self) -> None:
        """Write what is lacking, for ever."""
        waiting, self._wake = self._wake, asyncio.Event()  # one of this loop: it may not be the first to run this
        if waiting.is_set():
            self._wake.set()
        again = _LOOK_AGAIN
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(again):
                    await self._wake.wait()
            await self._gather()
            again = _LOOK_AGAIN
            woken_at, self._woken_at = self._woken_at, None
            try:
                for book in await self._ledger.do(books.lacking_books):
                    pace = self._paces.setdefault(book.id, _Pace())
                    if pace.behind_since is None:
                        pace.behind_since = woken_at
                    rest = pace.not_before - self._clock()
                    if rest <= 0:
                        await self._try(book, pace)
                    else:
                        again = min(again, rest)
            except SQLAlchemyError as error:
                self._measures.count(metric.LEDGER_FAILURES)
                note(_log, logging.ERROR, "log-ledger-again", error)

    async def _gather(self) -> None:
        """Wait until nothing more comes, so that a burst becomes one write; not for ever, as a campaign never stops.

        It sleeps in between: a campaign's commits come by the hundred a second.
        """
        until = time.monotonic() + _GATHER
        while (left := min(self._woken_last + _QUIET, until) - time.monotonic()) > 0:  # noqa: ASYNC110 (see above)
            await asyncio.sleep(left)
        self._wake.clear()

    async def flush(self) -> None:
        """Write all that is lacking, once; what cannot be written now is written the next time."""
        for book in await self._ledger.do(books.lacking_books):
            await self._try(book, self._paces.setdefault(book.id, _Pace()))

    async def _try(self, book: Book, pace: _Pace) -> None:
        began = self._clock()
        try:
            settled = await (self._elsewhere(book) or self.write(book))
        except SQLAlchemyError:
            raise
        except Exception as raised:  # noqa: BLE001  # one workbook's trouble never stops the others
            error = _problem(book, raised)
            self._measures.count(metric.WRITEBACKS, 1, error.code)
            pace.not_before = self._clock() + (_RETRY_OPEN if isinstance(error, TransientError) else _RETRY_PROBLEM)
            if error.code != book.problem:
                self._told(book.path, error)
            await self._ledger.do(books.note_problem, book.path, error)
        else:
            ended = self._clock()
            self._measures.count(metric.WRITEBACKS, 1, "done")
            self._measures.took(metric.WRITEBACK_SECONDS, ended - began)
            if pace.behind_since is not None:
                self._measures.took(metric.CELL_SECONDS, ended - pace.behind_since)
                pace.behind_since = None
            pace.not_before = ended + (_REST * (ended - began) if settled else _RETRY_OPEN)

    async def write(self, book: Book) -> bool:
        """Write what this workbook lacks, now; whether every row could be told apart.

        Raises:
            XlsmsError: the workbook cannot be written now; it lacks as much as before.
        """
        there = await self._ledger.do(books.find, book.path)
        if there is None or there.id != book.id:
            return False  # another workbook stands there now; this one is found when it is seen again
        await self._ledger.do(live.check_closed, book.path, self._now())
        rows = await self._some(book, 0)
        if rows:
            await self._list_replies(book)
        whole = True
        while rows:
            whole = await self._write_rows(book, rows) and whole
            if len(rows) < _MOST:
                break
            rows = await self._some(book, rows[-1].message)
            await self._ledger.do(live.check_closed, book.path, self._now())  # that took a while
        return whole

    async def _some(self, book: Book, after: int) -> list[Lacking]:
        """What the workbook lacks, behind that message: no more than is held and written at once."""
        rows: list[Lacking] = []
        while len(rows) < _MOST and (some := await self._ledger.do(books.lacking, book.id, after)):
            rows += some
            after = some[-1].message
        return rows

    async def _write_rows(self, book: Book, rows: Sequence[Lacking]) -> bool:
        edits = [RowEdit(id=row.row_id, values=values(row, book.language)) for row in rows]
        applied = await self._thread.run(self._open(book.path).apply, edits)
        # A row that was deleted shows nothing any more; its state stays in the ledger.
        ended = {edit.id for edit in (*applied.done, *applied.missing)}
        shown = [row for row in rows if row.row_id in ended]
        for some in chunks(shown, _AT_ONCE):
            await self._ledger.do(books.written, some)
        self._measures.count(metric.WRITEBACK_ROWS, len(shown))
        await self._note(book, applied)
        if applied.refused:
            self._told(book.path, _told_together([refusal.error for refusal in applied.refused]))
        return len(shown) == len(rows)

    async def _list_replies(self, book: Book) -> None:
        """Put the replies into the workbook's sheet of replies, if it has one; else they wait for it.

        This comes before the rows: what fails here is tried again with them, as each reply changes its row as well.
        """
        lacking = await self._ledger.do(replies.lacking, book.id)
        if not lacking:
            return
        incoming = [
            Incoming(at=each.at, number=each.number, text=each.text, sheet=each.sheet, row_id=each.row_id)
            for each in lacking
        ]
        appended = await self._thread.run(self._append, book.path, incoming)
        if appended is not None:
            await self._ledger.do(replies.written, lacking, self._now())
            await self._note(book, appended)

    async def _note(self, book: Book, applied: Applied | Appended) -> None:
        """Our own write is no news to the watcher; a save by the user that it was merged onto still is."""
        current = await self._ledger.do(books.get, book.id)
        if current.version == applied.before.text:
            await self._ledger.do(books.note_version, book.id, applied.version.text)


def _problem(book: Book, error: Exception) -> XlsmsError:
    """What keeps a workbook from being written, for people; what nobody foresaw stands in the log too."""
    place = Place(file=book.path.name)
    if isinstance(error, XlsmsError):
        return UserError("workbook-gone", place=place) if error.code == "file-not-found" else error
    if isinstance(error, OSError):
        return TransientError("file-not-written", place=place, reason=error.strerror or str(error))
    note(_log, logging.ERROR, "log-not-written", error, file=book.path)
    return UserError("file-not-written", place=place, reason=type(error).__name__)


def values(row: Lacking | MessageState, language: str) -> Mapping[Role, CellValue]:
    """The cells that show a row's state."""
    cells: dict[Role, CellValue] = {
        Role.STATUS: LABELS[language][row.state],
        Role.DETAIL: detail(row.code, language, row.facts) if row.code else None,
        Role.STATUS_TIME: row.state_at,
    }
    if row.reply is not None:
        cells |= {Role.REPLY: _newest(row.reply), Role.REPLY_TIME: row.reply_at}
    return cells


def _newest(replies: str) -> str:
    """As many of the replies as a cell holds, the newest last."""
    return replies if len(replies) <= _CELL else "…" + replies[1 - _CELL :]
