"""One process at a time delivers from a ledger: a lock on a file beside it, which the system frees when we die.

Who only wants to know whether somebody delivers must not take that lock, not for a moment: a service that starts at
that moment would find it taken. So the holder locks a second file too, its *witness*, and `holder` tries only that one.
"""

import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Self

__all__ = ["Holder", "Lease", "holder"]


#: Seconds between two looks at a lease that another process has; no event crosses from one process to another.
_LOOK = 0.02

#: Seconds that a new holder waits for those who try its witness; each has it for some microseconds.
_LOOKERS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The process that has a lease."""

    pid: int  #: 0: unknown
    since: datetime


def holder(data: Path, name: str = "service") -> Holder | None:
    """Who has the lease now; None when nobody has. Never in the way of one who takes it."""
    path = _witness(data, name)
    try:
        file = path.open("r+")
    except FileNotFoundError:
        return None
    with file:
        try:
            _lock(file, shared=True)
        except OSError:
            text = file.read().strip()
            since = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            return Holder(pid=int(text) if text.isdecimal() else 0, since=since)
    return None


def _witness(data: Path, name: str) -> Path:
    return data / f"{name}.holder"


class Lease:
    """The right to deliver and to write back. `held` says whether we got it; another process may have it."""

    def __init__(self, data: Path, name: str = "service") -> None:
        self._path = data / f"{name}.lock"
        self._shown = _witness(data, name)
        self._file: IO[str] | None = None
        self._witness: IO[str] | None = None

    @property
    def held(self) -> bool:
        """Whether it is ours."""
        return self._file is not None

    def take(self) -> bool:
        """Take it if it is free; whether it is ours now."""
        if self._file is None:
            file = self._path.open("a+")
            try:
                _lock(file)
            except OSError:
                file.close()
                return False
            self._file = file
            with suppress(OSError):
                self._show()
        return True

    def _show(self) -> None:
        """Lock the witness too. Without it all is well, but those who ask are told that nobody delivers."""
        file = self._shown.open("a+")
        deadline = time.monotonic() + _LOOKERS
        while True:
            try:
                _lock(file)
                break
            except OSError:
                if time.monotonic() > deadline:
                    file.close()
                    return
                time.sleep(_LOOK)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._witness = file

    def await_turn(self, seconds: float) -> bool:
        """Take it as soon as it is free, within so many seconds; whether it is ours now."""
        deadline = time.monotonic() + seconds
        while not self.take():
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK)
        return True

    def give_back(self) -> None:
        """Let another process have it. Idempotent."""
        if self._witness is not None:
            self._witness.close()
            self._witness = None
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        self.take()
        return self

    def __exit__(self, *_: object) -> None:
        self.give_back()


if sys.platform == "win32":  # written by the documentation of msvcrt; not tried
    #: A place that no byte stands at: what is locked there cannot be read by others.
    _FAR = 1 << 30

    def _lock(file: IO[str], *, shared: bool = False) -> None:
        import msvcrt  # noqa: PLC0415  # exists on Windows only

        for tries_left in (2, 1, 0) if shared else (0,):  # there is no shared lock: another may be trying it
            file.seek(_FAR)
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            except OSError:
                if not tries_left:
                    raise
                time.sleep(_LOOK)
            else:
                return
            finally:
                file.seek(0)

else:

    def _lock(file: IO[str], *, shared: bool = False) -> None:
        import fcntl  # noqa: PLC0415  # does not exist on Windows

        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
