"""One process at a time delivers from a ledger: a lock on a file beside it, which the system frees when we die."""

import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

__all__ = ["Lease"]


#: Seconds between two looks at a lease that another process has; no event crosses from one process to another.
_LOOK = 0.02


class Lease:
    """The right to deliver and to write back. `held` says whether we got it; another process may have it."""

    def __init__(self, data: Path, name: str = "service") -> None:
        self._path = data / f"{name}.lock"
        self._file: IO[str] | None = None

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
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            self._file = file
        return True

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
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        self.take()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.give_back()


if sys.platform == "win32":  # written by the documentation of msvcrt; not tried

    def _lock(file: IO[str]) -> None:
        import msvcrt  # noqa: PLC0415  # exists on Windows only

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:

    def _lock(file: IO[str]) -> None:
        import fcntl  # noqa: PLC0415  # does not exist on Windows

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
