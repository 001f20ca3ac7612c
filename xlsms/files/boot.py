"""Since when this computer runs, and what runs on it. Where that cannot be known it says None."""

import os
import sys
import time
from collections.abc import Set as AbstractSet
from pathlib import Path

__all__ = ["booted_at", "is_alive", "is_running"]

_PROC = Path("/proc")


def booted_at(proc: Path = _PROC) -> float | None:
    """When this computer was started, in seconds since 1970; None on macOS, whose uptime leaves sleep out."""
    if sys.platform == "win32":
        return time.time() - time.monotonic()  # its monotonic clock counts from the start, sleep included. Untried
    try:
        lines = (proc / "stat").read_text("ascii", "replace").splitlines()
    except OSError:
        return None
    return next((float(line.split()[1]) for line in lines if line.startswith("btime ")), None)


def is_running(names: AbstractSet[str], proc: Path = _PROC) -> bool | None:
    """Whether a process of one of these names runs here; None where processes cannot be listed."""
    seen = False
    try:
        processes = [entry for entry in proc.iterdir() if entry.name.isdecimal()]
    except OSError:
        return None
    for process in processes:
        try:
            name = (process / "comm").read_text("utf-8", "replace").strip()
        except OSError:  # it has ended meanwhile
            continue
        seen = True
        if name in names:
            return True
    return False if seen else None


def is_alive(pid: int) -> bool:
    """Whether a process of this number runs, of whatever user."""
    if sys.platform == "win32":
        return _alive_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _alive_windows(pid: int) -> bool:
    """`os.kill(pid, 0)` would end the process on Windows, so it is asked for by its handle. Untried."""
    import ctypes  # noqa: PLC0415 - only there

    kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]  # Windows only
    synchronize = 0x0010_0000
    handle = kernel.OpenProcess(synchronize, 0, pid)
    if not handle:
        return False
    kernel.CloseHandle(handle)
    return True
