"""Two files change names in one step, by the means of each system.

Linux: `renameat2(RENAME_EXCHANGE)`. macOS: `renamex_np(RENAME_SWAP)`. Windows: `ReplaceFileW` with a backup name. The
last two are written by their documentation and have not been tried.
"""

import errno
import os
import sys
from pathlib import Path

__all__ = ["UNSUPPORTED", "exchange"]

UNSUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)  #: what a file system says that cannot

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2  # linux/fs.h
_RENAME_SWAP = 2  # sys/stdio.h


def exchange(draft: Path, path: Path) -> bool:
    """Let `draft` and `path` change names; False where the system or the file system cannot.

    Raises:
        OSError: it can, but not now (a sharing violation, a mount point, no permission).
    """
    if sys.platform == "win32":
        return _windows(draft, path)
    try:
        import ctypes  # noqa: PLC0415 - not every Python has it

        libc = ctypes.CDLL(None, use_errno=True)
    except (ImportError, OSError):
        return False
    old, new = os.fsencode(draft), os.fsencode(path)
    if sys.platform == "darwin":
        call = getattr(libc, "renamex_np", None)
        failed = call is None or call(old, new, ctypes.c_uint(_RENAME_SWAP))
    else:
        call = getattr(libc, "renameat2", None)
        failed = call is None or call(_AT_FDCWD, old, _AT_FDCWD, new, ctypes.c_uint(_RENAME_EXCHANGE))
    if not failed:
        return True
    code = ctypes.get_errno()
    if call is None or code in UNSUPPORTED:
        return False
    raise OSError(code, os.strerror(code), str(path))


def _windows(draft: Path, path: Path) -> bool:
    """`ReplaceFileW` keeps the access rights of the file replaced, and moves it to the backup name."""
    import ctypes  # noqa: PLC0415 - only there

    backup = draft.with_name(draft.name.removesuffix(".tmp") + "-old.tmp")
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]  # Windows only
    if not kernel.ReplaceFileW(str(path), str(draft), str(backup), 0, None, None):
        error = ctypes.get_last_error()  # type: ignore[attr-defined,unused-ignore]  # Windows only
        if not path.exists() and backup.exists():  # ERROR_UNABLE_TO_MOVE_REPLACEMENT_2: the old file was moved already
            backup.rename(path)
        raise OSError(errno.EACCES, f"ReplaceFileW failed with {error}", str(path))
    backup.replace(draft)
    return True
