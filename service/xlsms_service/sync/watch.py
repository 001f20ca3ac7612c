"""Watched folders: what the file system tells is a hint, a slow look at everything finds what it missed.

On a share of another computer the file system tells nothing of what others do. There the files are compared by size,
time and inode every few seconds, which asks the server for no more than their names and dates.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from xlsms.errors import TransientError, XlsmsError
from xlsms.files.mount import is_remote
from xlsms.journal import note
from xlsms.workbook.opening import SUFFIXES

__all__ = ["Watcher", "candidates"]

_log = logging.getLogger(__name__)

#: Seconds of quiet before a file that has changed is read: programs save in several steps.
_QUIET = 0.4

#: Seconds before a file that is open elsewhere is tried again.
_RETRY = 2.0

#: Seconds between two looks at everything.
_SCAN = 30.0

#: Seconds between two looks at the names and dates on a share.
_POLL = 3.0


def _worth_saying(record: logging.LogRecord) -> bool:
    """Not what watchdog complains of when it is stopped between two looks of its own."""
    return "when the thread is inactive" not in record.msg


logging.getLogger("watchdog.observers.inotify").addFilter(_worth_saying)


def candidates(place: Path) -> Iterator[Path]:
    """The workbooks in a folder, or the one file; not the programs' own lock and temporary files."""
    for path in sorted(place.iterdir()) if place.is_dir() else [place]:
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(("~$", ".")) and path.is_file():
            yield path


class _Hints(FileSystemEventHandler):
    """Posts the paths of events to the event loop."""

    def __init__(self, post: Callable[[Path], None]) -> None:
        self._post = post

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Runs in watchdog's thread."""
        if event.event_type in ("opened", "closed_no_write"):
            return
        for path in (event.src_path, event.dest_path):
            if path:
                self._post(Path(os.fsdecode(path)))


class Watcher:
    """Calls `look(path)` for each workbook that may have changed in the watched places.

    `look` is called for one file at a time and again while it raises `TransientError`. It must be cheap for a file
    that has not changed: the slow scan asks for every one.
    """

    def __init__(
        self,
        places: list[Path],
        look: Callable[[Path], Awaitable[None]],
        *,
        told: Callable[[Path, XlsmsError], Awaitable[None]],
        scan_every: float = _SCAN,
    ) -> None:
        self._places = [place.resolve() for place in places]  # as `send` names them: one file, one path
        self._look = look
        self._told = told
        self._scan_every = scan_every
        self._due: dict[Path, float] = {}
        self._wake = asyncio.Event()
        self._polled: list[Path] = []
        self._stamps: dict[Path, tuple[int, int, int]] = {}
        self._unnamed: set[Path] = set()  # files whose names nothing can note, logged already

    async def run(self) -> None:
        """Watch until cancelled."""
        loop = asyncio.get_running_loop()
        observer = Observer()
        hints = _Hints(lambda path: _post(loop, self._hint, path))
        self._polled = await asyncio.to_thread(lambda: [place for place in self._places if _is_share(place)])
        unwatched = self._schedule(observer, hints, [place for place in self._places if place not in self._polled])
        observer.start()
        try:
            scan_at = poll_at = loop.time()
            while True:
                now = loop.time()
                if self._polled and now >= poll_at:
                    await self._poll()
                    poll_at = loop.time() + _POLL
                if now >= scan_at:
                    unwatched = self._schedule(observer, hints, unwatched)
                    self._scan(now)
                    scan_at = now + self._scan_every
                for path in [path for path, due in self._due.items() if due <= now]:
                    del self._due[path]
                    await self._try(path)
                ahead = [scan_at, *self._due.values(), *([poll_at] if self._polled else [])]
                wait = min(ahead) - loop.time()
                with suppress(TimeoutError):
                    async with asyncio.timeout(max(wait, 0)):
                        await self._wake.wait()
                self._wake.clear()
        finally:
            observer.stop()
            await asyncio.to_thread(observer.join)

    def _schedule(self, observer: BaseObserver, hints: _Hints, places: list[Path]) -> list[Path]:
        """Watch the places that are there; those that are not yet."""
        absent = []
        for place in places:
            folder = place if place.is_dir() else place.parent
            try:
                observer.schedule(hints, str(folder))
            except OSError as error:
                reason, seconds = error.strerror or "", round(self._scan_every)
                note(_log, logging.WARNING, "log-folder-unwatched", folder=folder, reason=reason, seconds=seconds)
                absent.append(place)
        return absent

    def _hint(self, path: Path) -> None:
        for place in self._places:
            if place in (path, path.parent):
                self._later(_workbook_of(path), _QUIET)

    def _scan(self, now: float) -> None:
        for place in self._places:
            with suppress(OSError):  # the folder is away: the next scan looks again
                for path in candidates(place):
                    self._due.setdefault(path, now)

    async def _poll(self) -> None:
        """Look at each file on a share that has changed since the last time, once it has come to rest."""
        for place in self._polled:
            with suppress(OSError):  # the share is away: the next time
                stamps = await asyncio.to_thread(_stamps, place)  # a share that hangs must not stop the links
                for path, stamp in stamps.items():
                    if self._stamps.get(path, stamp) != stamp:
                        self._later(path, _QUIET)
                    elif path not in self._stamps:
                        self._due.setdefault(path, 0.0)
                self._stamps |= stamps

    def _later(self, path: Path, seconds: float) -> None:
        self._due[path] = asyncio.get_running_loop().time() + seconds
        self._wake.set()

    async def _try(self, path: Path) -> None:
        try:
            if path in candidates(path) and self._is_named(path):
                await self._look_or_tell(path)
        except FileNotFoundError:
            return  # renamed or deleted meanwhile; its new name has its own event
        except Exception as error:  # noqa: BLE001  # one file's trouble never stops the watch
            note(_log, logging.ERROR, "log-not-looked-at", error, file=path)

    async def _look_or_tell(self, path: Path) -> None:
        try:
            await self._look(path)
        except XlsmsError as error:
            await self._told(path, error)
            if isinstance(error, TransientError):
                self._later(path, _RETRY)

    def _is_named(self, path: Path) -> bool:
        """Whether a path can be noted; one that cannot, from a system with another encoding, is logged once."""
        try:
            str(path).encode()
        except UnicodeEncodeError:
            if path not in self._unnamed:
                self._unnamed.add(path)
                note(_log, logging.WARNING, "log-name-unreadable", file=ascii(str(path)))
            return False
        return True


def _is_share(place: Path) -> bool:
    return is_remote(place if place.is_dir() else place.parent)


def _stamps(place: Path) -> dict[Path, tuple[int, int, int]]:
    """Size, time and inode of each workbook in a place."""
    found = {}
    for path in candidates(place):
        with suppress(OSError):  # gone in this moment
            status = path.stat()
            found[path] = (status.st_size, status.st_mtime_ns, status.st_ino)
    return found


def _workbook_of(path: Path) -> Path:
    """The workbook that a lock file belongs to (its going away is a hint too), or the path itself."""
    name = path.name
    if name.startswith("~$"):
        return path.with_name(name[2:])
    if name.startswith(".~lock.") and name.endswith("#"):
        return path.with_name(name[7:-1])
    return path


def _post(loop: asyncio.AbstractEventLoop, function: Callable[[Path], None], path: Path) -> None:
    with suppress(RuntimeError):  # the loop has just closed
        loop.call_soon_threadsafe(function, path)
