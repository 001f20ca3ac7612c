"""A copy made a workbook of its own: what tied it to the original is taken out, and it gets a new GUID."""

from dataclasses import replace
from pathlib import Path

from xlsms.errors import TransientError, UserError
from xlsms.files.backup import Backups
from xlsms.files.link import resolved
from xlsms.files.swap import create, draft_of, finish
from xlsms.ooxml.book import Book
from xlsms.ooxml.package import Member, Package
from xlsms.ooxml.rewrite import rewrite
from xlsms.workbook.base import RESULTS, Placed, RowEdit
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.identity import GUID_PROPERTY, new_guid
from xlsms.workbook.writing import ATTEMPTS, check_ready, exchange, opened, ready

__all__ = ["renew"]


def renew(path: Path, *, backups: Backups | None = None) -> int:
    """Empty the result columns of every row that has an id, then give the workbook a new GUID; returns those rows.

    In this order a crash in between leaves what is still known as a copy. `backups` keeps the file as it was.

    Raises:
        UserError: the file cannot be read or written.
        TransientError: somebody has it open or keeps saving it.
    """
    real = resolved(path)
    workbook = ClosedWorkbook(real, backups=backups)
    rows = [row for row in workbook.read().rows if row.id is not None]
    applied = workbook.apply([RowEdit(values=dict.fromkeys(RESULTS), placed=Placed.of(row)) for row in rows])
    once = backups and replace(backups, always=False)  # what the rows were emptied in is kept already
    if applied.stale or not any(_renamed(real, once) for _ in range(ATTEMPTS)):
        raise TransientError("file-keeps-changing", path=real.name)
    return len(rows)


def _renamed(path: Path, backups: Backups | None) -> bool:
    """Give the file a new GUID if it has one; False when it was saved meanwhile."""
    ready(path)
    with opened(path) as book:
        check_ready(path, book)
        old = book.custom_properties.get(GUID_PROPERTY)
        if old is None:
            return True
        new = new_guid()
        member = _holder(book, old)
        content = book.package.read(member).replace(old.encode(), new.encode())
        draft = draft_of(path)
        try:
            with create(draft) as out:
                rewrite(book.package, {member: [content]}, out)
            finish(draft, path)
            made = _checked(book.package, draft, member, new)
            return exchange(path, book.package, draft, made, backups=backups)
        finally:
            draft.unlink(missing_ok=True)


def _holder(book: Book, guid: str) -> Member:
    """The part that holds the custom properties."""
    for member in book.package.members:
        if member.key.startswith("/docprops/") and guid.encode() in book.package.read(member):
            return member
    raise UserError("file-damaged", reason="a property without a part")


def _checked(old: Package, draft: Path, changed: Member, guid: str) -> Package:
    """The new package, closed: only the one part may differ, and the new GUID must read back."""
    with Package.open(draft, steady=True) as new:
        alike = [before.crc == after.crc for before, after in zip(old.members, new.members, strict=True)]
        expected = [member.name != changed.name for member in old.members]
        if alike != expected or Book(new).custom_properties.get(GUID_PROPERTY) != guid:
            raise UserError("sheet-not-writable", reason="the new file does not read back")
    return new
