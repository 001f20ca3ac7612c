"""A package just written, compared with the one that it was made from, before it may take its place."""

from collections.abc import Collection, Sequence
from itertools import zip_longest
from pathlib import Path

from xlsms.errors import XlsmsError
from xlsms.ooxml.book import SHEET_LIMIT, Book
from xlsms.ooxml.grammar import Grammar
from xlsms.ooxml.markup import new_parser, parse
from xlsms.ooxml.package import Member, Package
from xlsms.ooxml.patch import Patch
from xlsms.ooxml.readback import BlockReader, VerificationError, equal, read_segments_back
from xlsms.ooxml.scan import rows_at, survey
from xlsms.ooxml.value import Decoder

__all__ = ["VerificationError", "verify"]


def verify(
    old: Package,
    path: Path,
    patches: Sequence[Patch],
    *,
    changed: Collection[bytes] = (),
    added: Collection[bytes] = (),
    dropped: Collection[bytes] = (),
) -> Package:
    """Open the new package and make sure that only the patched members differ and that the cells read back.

    Other members that were to change, to come and to go are told by their names; those that changed or came are
    parsed as a whole.

    Returns the new package, closed, for its version.
    """
    targets = {patch.sheet.member.name for patch in patches} | set(changed)
    try:
        with Package.open(path, steady=True) as new:
            _compare(old, new, targets, added, dropped)
            for member in new.members:
                if member.name in changed or member.name in added:
                    parse(new_parser(), new.chunks(member, SHEET_LIMIT))
            book = Book(new)
            for patch in patches:
                if patch.segments is None:
                    _read_back(book, patch)
                else:
                    read_segments_back(old, book, patch, patch.segments)
    except XlsmsError as error:
        raise VerificationError(f"the new file cannot be read: {error.code}") from error
    return new


def _compare(
    old: Package, new: Package, targets: set[bytes], added: Collection[bytes], dropped: Collection[bytes]
) -> None:
    kept = [member for member in old.members if member.name not in dropped]
    more = [member.name for member in new.members[len(kept) :]]
    if len(kept) + len(added) != len(new.members) or set(more) != set(added) or old.comment != new.comment:
        raise VerificationError("a member was lost")
    for before, after in zip(kept, new.members, strict=False):
        if before.name != after.name:
            raise VerificationError("members changed their order")
        if before.name not in targets and not _same(old, new, before, after):
            raise VerificationError(f"the member {before.key} changed")


def _same(old: Package, new: Package, before: Member, after: Member) -> bool:
    """Whether a member's bytes, with header and descriptor, are the same."""
    if before.end - before.offset != after.end - after.offset:
        return False
    pairs = zip_longest(old.raw(before.offset, before.end), new.raw(after.offset, after.end))
    return all(left == right for left, right in pairs)


def _read_back(book: Book, patch: Patch) -> None:
    """Every cell written is read from the new sheet, which is checked as a whole on the way."""
    sheet = next(sheet for sheet in book.sheets if sheet.member.name == patch.sheet.member.name)
    reader = BlockReader(book, patch) if patch.found.plain else None
    found = survey(book, sheet, reader)
    if reader is not None and reader.end():
        return
    decoder = Decoder(book, found.prefix)
    written = patch.written
    columns = {column.letters.encode(): number for number, column in patch.batch.columns.items()}
    pattern = Grammar(found.prefix).cells_of(b"|".join(columns))
    for row in rows_at(book, sheet, found, frozenset(row for row, _ in written)):
        for cell in pattern.findall(row.body):
            at = (row.number, columns[cell[0]])
            if at in patch.refused:
                continue
            if at not in written:
                if patch.batch.holds(at):
                    raise VerificationError(f"the cell {at} stands twice")
                continue
            if not equal(decoder.plain_value(cell), written.pop(at)):
                raise VerificationError(f"the cell {at} does not read back")
    for at in written:
        raise VerificationError(f"the cell {at} is not there")
