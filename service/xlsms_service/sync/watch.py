"""Watched folders: what the file system tells is a hint, a slow look at everything finds what it missed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from xlsms.errors import TransientError, XlsmsError

__all__ = ["Watcher", "candidates"]

_log = logging.getLogger(__name__)

#: Seconds of quiet before a file that has changed is read: programs save in several steps.
_QUIET = 0.4

#: Seconds before a file that is open elsewhere is tried again.
_RETRY = 2.0

#: Seconds between two looks at everything.
_SCAN = 30.0

_SUFFIXES = frozenset({".xlsx", ".xlsm"})


def candidates(place: Path) -> Iterator[Path]:
    """The workbooks in a folder, or the one file; not the programs' own lock and temporary files."""
    for path in sorted(place.iterdir()) if place.is_dir() else [place]:
        if path.suffix.lower() in _SUFFIXES and not path.name.startswith(("~$", ".")) and path.is_file():
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
                self._post(Path(path.decode() if isinstance(path, bytes) else path))


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

    async def run(self) -> None:
        """Watch until cancelled."""
        loop = asyncio.get_running_loop()
        observer = Observer()
        hints = _Hints(lambda path: _post(loop, self._hint, path))
        unwatched = self._schedule(observer, hints, self._places)
        observer.start()
        try:
            scan_at = loop.time()
            while True:
                now = loop.time()
                if now >= scan_at:
                    unwatched = self._schedule(observer, hints, unwatched)
                    self._scan(now)
                    scan_at = now + self._scan_every
                for path in [path for path, due in self._due.items() if due <= now]:
                    del self._due[path]
                    await self._try(path)
                wait = min([scan_at, *self._due.values()]) - loop.time()
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
                _log.warning("%s cannot be watched (%s); looking again in %.0f s", folder, error, self._scan_every)
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

    def _later(self, path: Path, seconds: float) -> None:
        self._due[path] = asyncio.get_running_loop().time() + seconds
        self._wake.set()

    async def _try(self, path: Path) -> None:
        try:
            if path not in candidates(path):
                return
            await self._look(path)
        except XlsmsError as error:
            await self._told(path, error)
            if isinstance(error, TransientError):
                self._later(path, _RETRY)
        except FileNotFoundError:
            return  # renamed or deleted meanwhile; its new name has its own event
        except Exception:  # noqa: BLE001  # one file's trouble never stops the watch
            _log.exception("%s could not be looked at", path)


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
