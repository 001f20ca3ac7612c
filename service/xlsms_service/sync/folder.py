"""One watched folder or file: which workbooks in it are news, and where the states of each stand."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from xlsms.errors import TransientError, UserError, XlsmsError
from xlsms.workbook.opening import FileWorkbook
from xlsms_service.ledger import book as books
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.sync.thread import WorkbookThread
from xlsms_service.sync.watch import Watcher

__all__ = ["Folder"]

#: What someone can mend without saving the file: it is looked at again.
_MENDED_OUTSIDE = frozenset({"workbook-copied", "file-read-only", "file-not-readable", "file-not-found"})

#: Seconds since its last change after which a file that is not complete is no longer taken to be being written.
_PATIENCE = 120.0

#: Size, time and inode of a file as last seen.
_Stat = tuple[int, int, int]


class Folder:
    """Hands each workbook at `place` that is news to `take`, and what is wrong with one to `problem`, once."""

    def __init__(
        self,
        place: Path,
        *,
        ledger: Ledger,
        thread: WorkbookThread,
        open_workbook: Callable[[Path], FileWorkbook],
        take: Callable[[Path], Awaitable[object]],
        problem: Callable[[Path, XlsmsError], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._place = place
        self._ledger = ledger
        self._thread = thread
        self._open = open_workbook
        self._take = take
        self._problem = problem
        self._clock = clock  # that of the file system
        self._seen: dict[Path, _Stat] = {}
        self._homes: dict[Path, Path] = {}  # where the states of a file stand that is not written itself
        self._said: dict[Path, str] = {}

    async def watch(self) -> None:
        """Until cancelled."""
        await Watcher([self._place], self.look, told=self._tell).run()

    async def look(self, path: Path) -> None:
        """Take the workbook in if it has changed; cheap when it has not.

        Raises:
            XlsmsError: what is wrong with it; looked at again when it is transient or can be mended outside the file.
        """
        stat = await asyncio.to_thread(path.stat)
        now = (stat.st_size, stat.st_mtime_ns, stat.st_ino)
        if self._seen.get(path) == now and path not in self._homes:
            return
        try:
            home = await self._home(path, self._homes.get(path) if self._seen.get(path) == now else None)
            if home != path:
                self._homes[path], self._seen[path] = home, now
                await self.look(home)
            elif await self._is_news(path):
                await self._take(path)
                return
            else:
                self._seen[path] = now
        except XlsmsError as error:
            if error.code == "file-incomplete":
                # a copy has the time of its original: what the system notes of it counts as well
                still = self._clock() - max(stat.st_mtime, stat.st_ctime) < _PATIENCE
                if still:
                    raise TransientError("file-incomplete", place=error.place) from error
                self._seen[path] = now
                raise UserError("file-damaged", place=error.place, reason="it ends early") from error
            if isinstance(error, TransientError) or error.code in _MENDED_OUTSIDE:
                raise
            self._seen[path] = now  # it stays as wrong until it is saved again
            raise
        self._said.pop(path, None)

    async def _tell(self, path: Path, error: XlsmsError) -> None:
        await self._ledger.do(books.note_problem, path, error)
        if self._said.get(path) == error.code and isinstance(error, TransientError):
            return  # a file may be open for hours
        self._said[path] = error.code
        self._problem(path, error)

    async def _home(self, path: Path, known: Path | None) -> Path:
        """The file that the states of this one stand in: where it is known to be, unless that has gone."""
        if known is not None and await asyncio.to_thread(known.exists):
            return known
        return await self._thread.run(self._open(path).prepare)

    async def _is_news(self, path: Path) -> bool:
        """Whether a file holds other bytes than the ledger knows."""
        book = await self._ledger.do(books.find, path)
        version = await self._thread.run(self._open(path).version)
        return book is None or book.version != version.text
