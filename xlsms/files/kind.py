"""What kind of file this is, by its bytes and only then by its name, and whether it may be written."""

import os
import stat
import sys
from pathlib import Path

from xlsms.errors import Place, TransientError, UserError, XlsmsError
from xlsms.files.mount import is_mounted

__all__ = ["check_workbook", "check_writable", "is_zip"]

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\3\4"  # two letters alone may begin a text
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_OLD_SHEETS = ("WORKBOOK".encode("utf-16-le"), "BOOK".encode("utf-16-le"))  # in letters of any case
_PROBE = 4 << 20  # of an OLE container: its directory is in the first sectors of every real file
_TEXTS = (".csv", ".tsv", ".txt", ".tab")
_MOST = 2 << 30


def check_workbook(path: Path) -> None:
    """Make sure that a file may be a workbook that can be read.

    Raises:
        UserError: `file-not-found`, `file-is-folder`, `file-not-readable`, `file-broken`, `file-name-unreadable`,
            `file-encrypted`, `old-excel-format`, `format-not-supported`, `file-too-large`, `not-a-workbook`, and
            `file-incomplete` for one without content: programs that write or copy make room first.
        TransientError: `file-open-elsewhere` when another program lets nobody read it.
    """
    place = Place(file=path.name)
    try:
        str(path).encode()
    except UnicodeEncodeError as error:  # from a system with another encoding: nothing could note or show it
        raise UserError("file-name-unreadable", place=place) from error
    size, head = _probe(path, place)
    if size > _MOST:
        raise UserError("file-too-large", place=place)
    if not head.strip(b"\0"):
        raise UserError("file-incomplete", place=place)
    if head.startswith(_OLE):
        if _ENCRYPTED in head:
            raise UserError("file-encrypted", place=place)
        code = "old-excel-format" if any(name in head.upper() for name in _OLD_SHEETS) else "not-a-workbook"
        raise UserError(code, place=place)
    if not head.startswith(_ZIP):
        if path.suffix.lower() in _TEXTS:
            raise UserError("format-not-supported", place=place, format=path.suffix.lower())
        raise UserError("not-a-workbook", place=place)


def is_zip(path: Path) -> bool:
    """Whether a file that can be read is a package, whatever it is called."""
    try:
        with path.open("rb") as file:
            return file.read(len(_ZIP)) == _ZIP
    except OSError:
        return False


def _probe(path: Path, place: Place) -> tuple[int, bytes]:
    """Size and first bytes."""
    try:
        if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():  # a pipe would never answer
            raise UserError("not-a-workbook", place=place)
        with path.open("rb") as file:
            head = file.read(len(_OLE))
            return os.fstat(file.fileno()).st_size, head + (file.read(_PROBE) if head == _OLE else b"")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UserError("file-not-found", place=place) from error
    except (IsADirectoryError, PermissionError) as error:
        raise _closed_to_us(path, place) from error
    except OSError as error:  # links in a circle, a name too long, a disk that fails
        raise UserError("file-broken", place=place, reason=error.strerror or "") from error


def _closed_to_us(path: Path, place: Place) -> XlsmsError:
    if path.is_dir():
        return UserError("file-is-folder", place=place)
    if sys.platform == "win32":  # also a sharing violation, and more often
        return TransientError("file-open-elsewhere", place=place, owner="?", application="?")
    return UserError("file-not-readable", place=place)


def check_writable(path: Path) -> None:
    """Make sure that a file may be replaced: not marked read-only, with one name only, and not mounted by itself.

    Raises:
        UserError: `file-read-only`, `file-linked`, `file-mounted`.
    """
    place = Place(file=path.name)
    status = path.stat()
    # the mark itself counts, not what our own account may do in spite of it
    if not status.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) or not os.access(path, os.W_OK):
        raise UserError("file-read-only", place=place)
    if not os.access(path.parent, os.W_OK):
        raise UserError("file-read-only", place=place)
    if status.st_nlink > 1:
        raise UserError("file-linked", place=place)
    if is_mounted(path):
        raise UserError("file-mounted", place=place)
