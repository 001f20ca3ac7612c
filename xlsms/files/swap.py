"""A file replaced at once, and never over somebody's save.

The new file is finished beside the old one, then the two change names in one step, and only then what came out is
looked at. If it is what was read, the work is done. If it is not, somebody saved in between: their file goes back, and
the caller starts again from it. A crash at any point leaves the old file or the new one under the name; `recover` then
clears away what was left beside it, or puts back a save that the crash left beside it.

A program that takes its lock and reads the file between our last look for locks and the exchange would later save the
old rows over ours. So the lock is looked for again right after the exchange, and the original goes back, the same file
as before, when there is one now.

Files are told apart by an `identify` function, whose answer depends on the content alone. One that does not look at
all of it sees nothing of a save in place that has only begun: then the time of the last change is compared too.
"""

import contextlib
import errno
import hashlib
import itertools
import logging
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from xlsms.errors import Place, TransientError, UserError, XlsmsError
from xlsms.files.boot import is_alive
from xlsms.files.exchange import UNSUPPORTED, exchange
from xlsms.files.lock import find_lock
from xlsms.journal import note

__all__ = [
    "Identify",
    "Keep",
    "Times",
    "all_drafts",
    "create",
    "draft_of",
    "drafts_of",
    "failure",
    "finish",
    "is_dead",
    "key_of",
    "recover",
    "replace",
    "tell_left",
]

_log = logging.getLogger(__name__)

#: Letters and digits that tell one content from another; the first letter tells in which way. Never raises.
Identify = Callable[[Path], str]
_IN_USE = frozenset({errno.EACCES, errno.EBUSY, errno.ETXTBSY, errno.EAGAIN, errno.EDEADLK})  # EACCES of Windows

Keep = Callable[[Path], None]  #: is given the original under a name that is about to go; never raises

_NAME = re.compile(
    r"\.~xlsms-(?P<file>[0-9a-f]{8})-(?P<pid>[0-9]+)\.(?P<number>[0-9]+)(?:-(?P<ours>[0-9a-z]+)-(?P<theirs>[0-9a-z]+)(?P<old>-old)?)?\.tmp",
)
_PRIVATE = 0o600
_ACCESS = "system.posix_acl_access"  # the attribute that holds an access list
#: Of the first draft of this process. Those of a former one that had our number, as in a container, are below it.
_FIRST = time.time_ns() // 1_000_000
_count = itertools.count(_FIRST)
_busy: set[Path] = set()  # drafts of this process that are being exchanged
_MOST_SAVES = 100  # saves between two steps of ours: more is not a person


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When two files that are to change names were last written, in nanoseconds since 1970."""

    theirs: int  #: the original, as it was read
    ours: int  #: the draft, as it was verified

    def changed(self, theirs: Path, ours: Path) -> bool:
        """Whether the original was written since. Where ours was too, which nobody writes, times tell nothing."""
        return theirs.stat().st_mtime_ns != self.theirs and ours.stat().st_mtime_ns == self.ours


def draft_of(path: Path) -> Path:
    """The name under which a new version of `path` is built: in its folder, hidden, and known as ours."""
    return path.with_name(f".~xlsms-{key_of(path)}-{os.getpid()}.{next(_count)}.tmp")


def create(draft: Path) -> BinaryIO:
    """The file of a draft, to be written. It holds what the workbook does: nobody else may read it before `finish`."""
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), _PRIVATE)
    return os.fdopen(handle, "wb")


def drafts_of(path: Path) -> Iterator[tuple[Path, re.Match[str]]]:
    """What stands beside `path` under our names."""
    return ((draft, match) for draft, match in all_drafts(path.parent) if match["file"] == key_of(path))


def all_drafts(folder: Path) -> Iterator[tuple[Path, re.Match[str]]]:
    """What stands in a folder under our names."""
    for beside in sorted(folder.iterdir()):
        match = _NAME.fullmatch(beside.name)
        if match is not None:
            yield beside, match


def is_dead(match: re.Match[str]) -> bool:
    """Whether the process that named a draft has ended."""
    return int(match["number"]) < _FIRST if _is_ours(match) else not is_alive(int(match["pid"]))


def _is_ours(match: re.Match[str]) -> bool:
    return int(match["pid"]) == os.getpid()


def key_of(path: Path) -> str:
    """Which workbook a draft belongs to, as its name tells."""
    return hashlib.blake2b(os.fsencode(path.name), digest_size=4).hexdigest()


def finish(draft: Path, like: Path) -> None:
    """Give a draft the mode, owner, access list and attributes of the file it is to replace, and force it to disk."""
    status = like.stat()
    if sys.platform != "win32":
        with contextlib.suppress(PermissionError):  # another's file: it becomes ours, in the same group if we may
            os.chown(draft, -1, status.st_gid)
            os.chown(draft, status.st_uid, status.st_gid)
    if sys.platform == "linux":
        attributes = os.listxattr(like)
        if _ACCESS not in attributes:
            with contextlib.suppress(OSError):  # it has one only where the folder gives one to new files
                os.removexattr(draft, _ACCESS)
        for name in attributes:
            with contextlib.suppress(OSError):  # some belong to the system
                os.setxattr(draft, name, os.getxattr(like, name))
    if sys.platform != "win32":
        draft.chmod(status.st_mode & 0o7777)
    with draft.open("r+b") as file:
        os.fsync(file.fileno())


def replace(
    path: Path,
    draft: Path,
    *,
    expected: str,
    identify: Identify,
    times: Times | None = None,
    step: Callable[[str], None] = lambda _: None,
    keep: Keep = lambda _: None,
) -> bool:
    """Put a finished draft in the place of `path`.

    False, and nothing changed, when `path` is not `expected` any more, or was written since by its `times`, or somebody
    has opened it in the last moment. The draft is gone afterwards either way. `keep` may take a copy of the original,
    or another name for it. `step` is told what was just done, for tests.
    """
    ours = identify(draft)
    named = draft.with_name(f"{draft.name.removesuffix('.tmp')}-{ours}-{expected}.tmp")
    draft.rename(named)
    _busy.add(named)
    try:
        step("named")
        if identify(path) != expected or (times is not None and times.changed(path, named)):
            return False
        step("compared")
        done = _exchanged(
            path, named, ours=ours, expected=expected, identify=identify, times=times, step=step, keep=keep
        )
    except OSError as error:
        raise failure(error, path) from error
    finally:
        _busy.discard(named)
        recover(path, identify)
    step("cleared")
    return done


def _exchanged(
    path: Path,
    draft: Path,
    *,
    ours: str,
    expected: str,
    identify: Identify,
    times: Times | None,
    step: Callable[[str], None],
    keep: Keep,
) -> bool:
    put = ours
    for _ in range(_MOST_SAVES):
        if not exchange(draft, path):
            keep(path)
            draft.replace(path)  # the gap since the comparison stays open where names cannot be exchanged
            _sync_folder(path.parent)
            return True
        # at once: a lock seen now was most likely taken before the exchange, by one who has read what lay here then
        opened = put == ours and find_lock(path) is not None
        _sync_folder(path.parent)
        step("exchanged")
        got = identify(draft)
        written = put == ours and times is not None and times.changed(draft, path)
        if got == expected and not opened and not written:
            # a save right after ours replaced it: then the work is to be done again, on that one
            done = identify(path) == ours
            if done:
                keep(draft)
            return done
        # somebody saved in between, or began to, or opened the file. Theirs goes back; what that takes out should be
        # what was put there just now, else there is a still newer save, and the same again.
        put, expected = got, put
    raise TransientError("file-keeps-changing", path=path.name)


def recover(path: Path, identify: Identify) -> None:
    """Clear away what a crash left beside `path`; a save that it left there is put back first.

    What another version of xlsms named, which told contents apart in another way, is left and told.
    """
    for draft, match in list(drafts_of(path)):
        if draft in _busy or not (is_dead(match) or (_is_ours(match) and match["ours"])):  # still being built
            continue
        content = identify(draft)
        if match["ours"] and content[0] != match["ours"][0] and (path.exists() or not match["old"]):
            tell_left(draft)
            continue
        if (
            match["ours"]
            and content != match["ours"]
            and not path.exists()
            and (match["old"] or content != match["theirs"])
        ):
            draft.rename(path)  # the only copy of the original, or of a save
            continue
        swapped_out_save = match["ours"] and content not in (match["ours"], match["theirs"])
        if swapped_out_save and identify(path) == match["ours"] and not exchange(draft, path):
            draft.replace(path)
            continue
        draft.unlink(missing_ok=True)
        _sync_folder(path.parent)


def tell_left(draft: Path) -> None:
    """Tell of a file of ours that may hold what no other file does."""
    note(_log, logging.WARNING, "log-left-behind", file=draft)


def _sync_folder(folder: Path) -> None:
    """Force the names in a folder to disk, where a folder can be opened and its file system knows how to."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
    finally:
        os.close(handle)


def failure(error: OSError, path: Path) -> XlsmsError:
    """What an error of the system means for the one who waits for the file."""
    place = Place(file=path.name)
    if error.errno in (errno.EROFS, errno.EPERM) or (error.errno == errno.EACCES and sys.platform != "win32"):
        return UserError("file-read-only", place=place)
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return TransientError("disk-full", place=place)
    if error.errno == errno.ENOENT:
        return UserError("file-not-found", place=place)
    if error.errno in (errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR):
        return UserError("file-broken", place=place, reason=error.strerror or "")
    if error.errno in _IN_USE:
        return TransientError("file-open-elsewhere", place=place, owner="?", application="?")
    return TransientError("disk-fails", place=place, reason=error.strerror or str(error.errno))
