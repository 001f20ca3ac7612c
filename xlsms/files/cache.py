"""A small store of our own for what can be worked out again: losing any of it costs time, never correctness."""

import contextlib
import os
import stat
import sys
from pathlib import Path

__all__ = ["Cache", "cache_folder"]

_MOST = 64  # entries; a workbook written needs one a sheet
_LARGEST = 1 << 20  # bytes of one entry; the largest sheet needs a third of it


def cache_folder() -> Path:
    """Where this user's programs keep such things: `$XLSMS_CACHE`, or where the system says."""
    named = os.environ.get("XLSMS_CACHE")
    if named:
        return Path(named)
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "xlsms" / "Cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "xlsms"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "xlsms"


class Cache:
    """Entries by name, the newest ones. No operation fails: what cannot be kept is not there.

    The folder is for one user. What somebody else has put there, or could have changed, is not there either.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def _entry(self, name: str) -> Path:
        return (self._folder or cache_folder()) / f"{name}.segments"

    def get(self, name: str) -> bytes | None:
        """The entry, or None."""
        try:
            with self._entry(name).open("rb") as file:
                return file.read(_LARGEST) if _only_ours(os.fstat(file.fileno())) else None
        except (OSError, RuntimeError):  # RuntimeError: a user without a home
            return None

    def put(self, name: str, content: bytes) -> None:
        """Keep an entry, and let go of the oldest ones."""
        if len(content) > _LARGEST:
            return
        with contextlib.suppress(OSError, RuntimeError):
            entry = self._entry(name)
            entry.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # an entry by its name too: one that a crash leaves is let go like any other
            draft = entry.with_name(f"{name}.{os.getpid()}{entry.suffix}")
            draft.unlink(missing_ok=True)
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 - with a mode
                file.write(content)
            draft.replace(entry)
            entries = sorted(entry.parent.glob("*.segments"), key=lambda path: path.stat().st_mtime_ns)
            for old in entries[:-_MOST]:
                old.unlink(missing_ok=True)

    def drop(self, name: str) -> None:
        """Forget an entry."""
        with contextlib.suppress(OSError, RuntimeError):
            self._entry(name).unlink(missing_ok=True)


def _only_ours(status: os.stat_result) -> bool:
    """Whether a file belongs to this user and nobody else may write into it."""
    if sys.platform == "win32":  # its folders for such things are the user's own
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
