"""Who has a file open: the owner files of Excel and LibreOffice, which stand beside it.

A program that crashed leaves its owner file behind. Such a one still counts, and is never deleted: it is not ours, and
on a share another computer may know better. But it is told as what it seems to be, so that somebody can delete it.
"""

import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from xlsms.errors import Place, TransientError
from xlsms.files.boot import booted_at, is_running
from xlsms.files.mount import is_remote

__all__ = ["Lock", "check_free", "find_lock"]

_EXCEL_NAME = slice(1, 55)  # a length byte, then the name in the ANSI code page, padded with blanks
_EXCEL_WIDE = 55  # a 16-bit length, then the name in UTF-16
_MOST = 4096
_LIBREOFFICE = frozenset({"soffice.bin", "soffice", "oosplash"})
_CLOCK_SLACK = 60.0  # seconds by which a clock may have been set since the start


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """An owner file; who and where are empty when it does not say."""

    path: Path
    owner: str
    application: str
    stale: bool = False  #: seems to be left over from a crash of the program or of this computer


def find_lock(path: Path) -> Lock | None:
    """The owner file beside a workbook, if any. It is never deleted, however old: it is not ours."""
    for name, application, read in (
        (f"~${path.name}", "Excel", _excel_owner),
        (f".~lock.{path.name}#", "LibreOffice", _libreoffice_owner),
    ):
        beside = path.with_name(name)
        try:
            with beside.open("rb") as file:
                content = file.read(_MOST)
        except FileNotFoundError:
            continue
        except OSError:  # Excel on Windows keeps it open: it is there, and that is enough
            content = b""
        stale = _is_stale(beside, application, content)
        return Lock(path=beside, owner=read(content), application=application, stale=stale)
    return None


def check_free(path: Path) -> None:
    """Make sure that nobody has a workbook open.

    Raises:
        TransientError: `file-open-elsewhere` with the owner and the application; `lock-left-behind` with the name of
            the owner file too when it seems to be a left-over.
    """
    lock = find_lock(path)
    if lock is None:
        return
    facts = {"owner": lock.owner or "?", "application": lock.application}
    if lock.stale:
        raise TransientError("lock-left-behind", place=Place(file=path.name), lock=lock.path.name, **facts)
    raise TransientError("file-open-elsewhere", place=Place(file=path.name), **facts)


def _excel_owner(content: bytes) -> str:
    """The user name: UTF-16 where there is one, else the ANSI one (its code page is taken for Western)."""
    wide = content[_EXCEL_WIDE:]
    length = int.from_bytes(wide[:2], "little")
    if 0 < length <= (len(wide) - 2) // 2:
        return wide[2 : 2 + 2 * length].decode("utf-16-le", "replace").strip()
    narrow = content[_EXCEL_NAME][: content[0]] if content else b""
    return narrow.decode("cp1252", "replace").strip(" \0")


def _is_stale(beside: Path, application: str, content: bytes) -> bool:
    """Whether this computer took the lock, and has been started since or runs no such program.

    An owner file of Excel names no computer, so on a share it is never judged. What cannot be known is taken as in use.
    """
    if is_remote(beside.parent):
        return False
    if application == "LibreOffice":
        if _libreoffice_fields(content)[2].casefold() != socket.gethostname().casefold():
            return False
        if sys.platform == "linux" and is_running(_LIBREOFFICE) is False:
            return True
    try:
        taken = beside.stat().st_mtime
    except OSError:  # gone again, or held fast: somebody is there
        return False
    booted = booted_at()
    return booted is not None and taken < booted - _CLOCK_SLACK


def _libreoffice_owner(content: bytes) -> str:
    """The full name, else user and host."""
    name, user, host = _libreoffice_fields(content)
    return name or "@".join(part for part in (user, host) if part)


def _libreoffice_fields(content: bytes) -> tuple[str, str, str]:
    """Full name, user and host of `Full name,user,host,time,profile;`, commas escaped."""
    fields = [""]
    text = iter(content.decode("utf-8", "replace"))
    for letter in text:
        if letter == "\\":
            fields[-1] += next(text, "")
        elif letter in ",;":
            fields.append("")
        else:
            fields[-1] += letter
    name, user, host = [*fields, "", "", ""][:3]
    return name, user, host
