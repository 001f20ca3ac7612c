"""Whose turn it is to write, where several processes write one ledger.

SQLite has those that wait look again every now and then, a tenth of a second apart in the end. A process that commits
without a pause is always back before they look: the others never get in, and give up. So writers take turns: who waits
holds the place of the next one, and whoever has just written must come behind.
"""

import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

__all__ = ["Turn"]

#: Seconds between two looks, from the first to the longest, and in between as a share of the time that it has waited:
#: most turns take a few milliseconds, and what is looked for too late is lost by both, turn after turn.
_FIRST, _LONGEST, _SHARE = 0.0002, 0.002, 1 / 15


class Turn:
    """A context for a transaction that writes. After `patience` seconds without a turn SQLite decides who writes.

    Locks on two files beside the ledger, which the system frees when we die. Not on Windows: there it always decides.
    """

    def __init__(self, ledger: Path, patience: float) -> None:
        self._paths = ledger.with_suffix(".next"), ledger.with_suffix(".turn")
        self._patience = patience
        self._files: tuple[IO[str], IO[str]] | None = None

    def __enter__(self) -> Self:
        with suppress(OSError):  # a folder that cannot be used: of that SQLite speaks better
            if self._files is None:
                self._files = self._paths[0].open("a"), self._paths[1].open("a")
            following, now = self._files
            deadline = time.monotonic() + self._patience
            if _locked(following, deadline):
                _locked(now, deadline)
                _unlock(following)
        return self

    def __exit__(self, *_: object) -> None:
        if self._files is not None:  # lets go of nothing that never became ours
            with suppress(OSError):  # a file system without locks has none to let go of either
                _unlock(self._files[1])

    def close(self) -> None:
        """Let go of the files. Idempotent."""
        for file in self._files or ():
            file.close()
        self._files = None


def _locked(file: IO[str], deadline: float) -> bool:
    began = time.monotonic()
    while not _lock(file):
        now = time.monotonic()
        if now > deadline:
            return False
        time.sleep(min(max((now - began) * _SHARE, _FIRST), _LONGEST))
    return True


if sys.platform == "win32":

    def _lock(_file: IO[str]) -> bool:
        return True

    def _unlock(_file: IO[str]) -> None:
        pass

else:
    import fcntl

    def _lock(file: IO[str]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(file: IO[str]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
