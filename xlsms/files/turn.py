"""One process at a time: a lock on a file of ours, which the system frees when its process ends."""

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from xlsms.errors import TransientError

__all__ = ["Turn"]

_LOOK = 0.05  # seconds between two tries


class Turn:
    """A context manager: inside it, no other process is. It may be entered again by whoever has it.

    Entering tells whether it had to be waited for. Where no file can be locked, nobody waits.
    """

    def __init__(
        self,
        path: Path,
        *,
        seconds: float = 20.0,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path, self._seconds = path, seconds
        self._sleep, self._clock = sleep, clock
        self._depth = 0
        self._file: IO[str] | None = None

    def __enter__(self) -> bool:
        """Wait for it, `seconds` at the most.

        Raises:
            TransientError: `excel-busy`, when another process has it for so long.
        """
        waited = False
        if not self._depth:
            with suppress(OSError):
                self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._file = self._path.open("a")
            if self._file is not None:
                waited = self._wait(self._file)
        self._depth += 1
        return waited

    def _wait(self, file: IO[str]) -> bool:
        until, waited = self._clock() + self._seconds, False
        while not _locked(file):
            waited = True
            if self._clock() >= until:
                self._file = None
                file.close()
                raise TransientError("excel-busy")
            self._sleep(_LOOK)
        return waited

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if not self._depth and self._file is not None:
            self._file.close()
            self._file = None


if sys.platform == "win32":  # written by the documentation of msvcrt; not tried

    def _locked(file: IO[str]) -> bool:
        """Lock the file; whether it is ours now."""
        import msvcrt  # noqa: PLC0415  # exists on Windows only

        with suppress(OSError):
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            return True
        return False

else:
    import fcntl

    def _locked(file: IO[str]) -> bool:
        """Lock the file; whether it is ours now."""
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False
