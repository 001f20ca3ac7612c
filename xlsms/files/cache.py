"""A small store of our own for what can be worked out again: losing any of it costs time, never correctness."""

import contextlib
import os
import sys
from pathlib import Path

__all__ = ["Cache", "cache_folder"]

_MOST = 64  # entries; a workbook written needs one a sheet
_LARGEST = 4 << 20  # bytes of one entry


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
    """Entries by name, the newest ones. No operation fails: what cannot be kept is not there."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def _entry(self, name: str) -> Path:
        return (self._folder or cache_folder()) / f"{name}.segments"

    def get(self, name: str) -> bytes | None:
        """The entry, or None."""
        try:
            with self._entry(name).open("rb") as file:
                return file.read(_LARGEST)
        except (OSError, RuntimeError):  # RuntimeError: a user without a home
            return None

    def put(self, name: str, content: bytes) -> None:
        """Keep an entry, and let go of the oldest ones."""
        if len(content) > _LARGEST:
            return
        with contextlib.suppress(OSError, RuntimeError):
            entry = self._entry(name)
            entry.parent.mkdir(parents=True, exist_ok=True)
            draft = entry.with_name(f".{entry.name}.{os.getpid()}")
            draft.write_bytes(content)
            draft.replace(entry)
            entries = sorted(entry.parent.glob("*.segments"), key=lambda path: path.stat().st_mtime_ns)
            for old in entries[:-_MOST]:
                old.unlink(missing_ok=True)

    def drop(self, name: str) -> None:
        """Forget an entry."""
        with contextlib.suppress(OSError, RuntimeError):
            self._entry(name).unlink(missing_ok=True)
