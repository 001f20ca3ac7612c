"""Workbooks taken in and written back by this process, be it the service or its desk."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from xlsms.errors import XlsmsError
from xlsms.files.backup import Backups
from xlsms.workbook.opening import FileWorkbook
from xlsms.workbook.replies import Appended, Incoming, append_replies
from xlsms.workbook.source import kind_of
from xlsms_service.config import Settings
from xlsms_service.delivery.routing import Router
from xlsms_service.ledger.book import Book
from xlsms_service.ledger.lease import Lease
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.measuring import NOTHING, Measures
from xlsms_service.planning import Terms
from xlsms_service.sync.intake import Intake, Taken
from xlsms_service.sync.pen import Pen, PennedWorkbook
from xlsms_service.sync.thread import WorkbookThread
from xlsms_service.sync.writeback import Writeback

__all__ = ["Handling"]

#: Seconds between two tries to take a workbook in while another process does.
_TURN = 0.05


class Handling:
    """Takes workbooks in and writes them back. `thread` is where their files are worked on, one after the other."""

    def __init__(  # noqa: PLR0913 (half of them have a default that most callers want)
        self,
        settings: Settings,
        ledger: Ledger,
        router: Router,
        *,
        password: str | None,
        clock: tuple[Callable[[], datetime], Random],
        admitted: Callable[[], None],
        told: Callable[[Path | None, XlsmsError], None],
        measures: Measures = NOTHING,
        elsewhere: Callable[[Book], Awaitable[bool] | None] = lambda _book: None,
        pen: Pen | None = None,
    ) -> None:
        """`password` opens workbooks that ask for one, where the settings do not say.

        Where there is a `pen` nothing else waits for this process: a long list is taken in by small pieces at first,
        and looked at while the pen writes. For `elsewhere` see `Writeback`.
        """
        self._settings = settings
        self._password = password
        self._zone = ZoneInfo(settings.service.zone) if settings.service.zone else None
        self._backups = Backups(folder=settings.service.data / "backups", keep=settings.service.backups)
        self._pen = pen
        self.thread = WorkbookThread()
        self._writing = None if pen is None else WorkbookThread()
        now, rng = clock
        files = ledger, self.thread, self.open
        self.writeback = Writeback(
            *files, append=self._append, now=now, told=told, measures=measures, elsewhere=elsewhere
        )
        self._intake = Intake(*files, route=router.key, now=now, rng=rng, admitted=admitted, writing=self._writing)

    def close(self) -> None:
        """Let the threads come to an end, and the pen. Idempotent."""
        self.thread.close()
        if self._writing is not None:
            self._writing.close()
        if self._pen is not None:
            self._pen.close()

    def open(self, path: Path) -> FileWorkbook:
        """The workbook at `path`, whatever kind of file it is."""
        passwords = partial(self._passwords, path)
        if self._pen is None:
            return FileWorkbook(path, zone=self._zone, backups=self._backups, passwords=passwords)
        return PennedWorkbook(path, zone=self._zone, backups=self._backups, passwords=passwords, pen=self._pen)

    async def check(self, path: Path) -> None:
        """Whether a workbook can be taken in now; raises as `FileWorkbook.check` does."""
        await self.thread.run(self.open(path).check)

    async def prepare(self, path: Path) -> Path:
        """The workbook to be taken in instead of `path`, made if need be; raises as `FileWorkbook.prepare` does."""
        return await self.thread.run(self.open(path).prepare)

    def _append(self, path: Path, incoming: Sequence[Incoming]) -> Appended | None:
        if kind_of(path) != "package":
            return None
        return append_replies(path, incoming, zone=self._zone, backups=self._backups)

    def _passwords(self, path: Path) -> list[str]:
        given = [self._password] if self._password is not None else []
        watches = self._settings.watches
        return given + [watch.password.reveal() for watch in watches if watch.password and watch.holds(path)]

    async def take_in(self, path: Path, asked: Terms, most: int | None = None) -> Taken:
        """One look at a workbook; raises as `Intake.take` does."""
        async with self.alone():
            return await self._intake.take(path, asked, most)

    async def write_back(self, book: Book) -> bool:
        """Write what a workbook lacks; raises as `Writeback.write` does."""
        return await self.writeback.write(book)

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """One process at a time takes workbooks in: what one has read, the other must not change under its hands."""
        turn = Lease(self._settings.service.data, "intake")
        while not turn.take():  # noqa: ASYNC110  # no event crosses from one process to another
            await asyncio.sleep(_TURN)
        try:
            yield
        finally:
            turn.give_back()
