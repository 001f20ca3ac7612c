"""Who has a file open: the owner files of Excel and LibreOffice, which stand beside it."""

from dataclasses import dataclass
from pathlib import Path

from xlsms.errors import Place, TransientError

__all__ = ["Lock", "check_free", "find_lock", "is_side_file"]

_EXCEL_NAME = slice(1, 55)  # a length byte, then the name in the ANSI code page, padded with blanks
_EXCEL_WIDE = 55  # a 16-bit length, then the name in UTF-16
_MOST = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """An owner file; who and where are empty when it does not say."""

    path: Path
    owner: str
    application: str


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
        return Lock(path=beside, owner=read(content), application=application)
    return None


def check_free(path: Path) -> None:
    """Make sure that nobody has a workbook open.

    Raises:
        TransientError: `file-open-elsewhere` with the owner and the application.
    """
    lock = find_lock(path)
    if lock is not None:
        place = Place(file=path.name)
        raise TransientError("file-open-elsewhere", place=place, owner=lock.owner or "?", application=lock.application)


def is_side_file(name: str) -> bool:
    """Whether a file name is one of an owner file, a half-saved file or our own work in progress: no workbook."""
    return name.startswith(("~$", ".~", ".~lock.")) or name.endswith((".tmp", "~"))


def _excel_owner(content: bytes) -> str:
    """The user name: UTF-16 where there is one, else the ANSI one (its code page is taken for Western)."""
    wide = content[_EXCEL_WIDE:]
    length = int.from_bytes(wide[:2], "little")
    if 0 < length <= (len(wide) - 2) // 2:
        return wide[2 : 2 + 2 * length].decode("utf-16-le", "replace").strip()
    narrow = content[_EXCEL_NAME][: content[0]] if content else b""
    return narrow.decode("cp1252", "replace").strip(" \0")


def _libreoffice_owner(content: bytes) -> str:
    """`Full name,user,host,time,profile;`, commas escaped: the full name, else user and host."""
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
    return name or "@".join(part for part in (user, host) if part)
