"""Several parts of a closed workbook changed at once: first set-up, its undoing, and sheets of our own that grow."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from xlsms.errors import Place, UserError
from xlsms.files.backup import Backups
from xlsms.files.swap import create, draft_of, finish
from xlsms.ooxml.book import Book
from xlsms.ooxml.cells import Area, column_letters
from xlsms.ooxml.formula import Targets
from xlsms.ooxml.graft import Graft
from xlsms.ooxml.mention import mentions
from xlsms.ooxml.package import Member
from xlsms.ooxml.patch import Patch
from xlsms.ooxml.rewrite import rewrite
from xlsms.ooxml.segment import Segments, StaleIndexError
from xlsms.ooxml.transplant import recalculated
from xlsms.ooxml.verify import VerificationError, verify
from xlsms.workbook.base import Version
from xlsms.workbook.own_sheets import REPORT
from xlsms.workbook.record import Added, is_note, put_notes
from xlsms.workbook.segments import forget, index_of, remember
from xlsms.workbook.writing import Step, check_ready, exchange, put, version_of

__all__ = ["Change", "put_change", "put_patches", "reports"]

_SEARCHED = 1 << 20  #: inflated bytes of a part that is searched for formulas at every write


@dataclass(kw_only=True)
class Change:
    """What a new version of a package is made of; every part not named stays byte for byte."""

    patches: Sequence[Patch] = ()  #: cells that are read back afterwards
    #: the patched sheets are among them
    replaced: Mapping[Member, Iterable[bytes] | Segments] = field(default_factory=dict)
    added: Mapping[str, bytes] = field(default_factory=dict)
    dropped: frozenset[Member] = frozenset()

    @property
    def empty(self) -> bool:
        """Whether nothing changes."""
        return not (self.replaced or self.added or self.dropped)


def put_change(
    path: Path, book: Book, change: Change, step: Step, *, whole: bool = True, backups: Backups | None = None
) -> Version | None:
    """Write a change, with `whole` only if no cell is refused; all of it or nothing. `backups` keeps the original.

    None, and nothing changed, when the file is no longer the one that `book` was read from.

    Raises:
        UserError: the workbook is signed or asks not to be changed, or it cannot be written.
        TransientError: somebody has it open.
    """
    check_ready(path, book)
    draft = draft_of(path)
    try:
        with create(draft) as out:
            rewrite(book.package, change.replaced, out, added=change.added, dropped=change.dropped)
            step("written")
        for patch in change.patches if whole else ():
            for (row, column), code in patch.refused.items():
                raise UserError(code, place=Place(sheet=patch.sheet.name, row=row, column=column_letters(column)))
        finish(draft, path)
        try:
            new = verify(
                book.package,
                draft,
                change.patches,
                changed=[member.name for member in change.replaced],
                added=[name.encode() for name in change.added],
                dropped=[member.name for member in change.dropped],
            )
        except VerificationError as error:  # a defect of ours, seen in time
            raise UserError("sheet-not-writable", reason=str(error)) from error
        step("verified")
        swapped = exchange(path, book.package, draft, new, step=step, backups=backups)
        if swapped:
            remember(change.patches)
    except StaleIndexError:  # then without what was remembered: the caller starts again
        forget(book.package)
        return None
    finally:
        draft.unlink(missing_ok=True)
    return version_of(new) if swapped else None


def reports(book: Book) -> bool:
    """Whether a report of ours counts over the columns: its formulas show what they last counted."""
    return any(part.name.strip().casefold() == REPORT.casefold() for part in book.sheets)


def _depends(book: Book, patches: Sequence[Patch]) -> bool:
    """Whether formulas in cells, or names, refer to cells that are written. Large parts are not searched."""
    areas: dict[str, list[Area]] = {}
    columns: dict[str, set[str]] = {}
    for patch in patches:
        for number, column in patch.batch.columns.items():
            area = Area(column.rows[0], number, column.rows[-1], number)
            areas.setdefault(patch.sheet.name.lower(), []).append(area)
            for table in book.tables(patch.sheet):
                if table.area.meets(area) and number - table.area.left < len(table.columns):
                    columns.setdefault(table.name.lower(), set()).add(table.columns[number - table.area.left].lower())
    targets = Targets(areas=areas, columns={name: frozenset(headers) for name, headers in columns.items()})
    large = {member for member in book.package.members if member.size > _SEARCHED}
    # colours and charts are drawn anew anyway; a name may stand in any formula, but for those that note what we added
    try:
        return any(
            found.row is not None or not ("/" in found.where or is_note(found.where))
            for found in mentions(book, targets, without=large)
        )
    except UserError:  # a part that nobody can read is copied as it lies, and keeps no state from its row
        return False


def put_patches(
    path: Path,
    book: Book,
    patches: Sequence[Patch],
    step: Step,
    *,
    added: Sequence[Added] = (),
    backups: Backups | None = None,
) -> Version | None:
    """Write cells; see `put`.

    Where a report of ours or formulas of the user's depend on them, the workbook is calculated when it is opened.
    Columns that were `added` are noted.
    """
    graft = Graft(book)
    if reports(book) or (book.calculated and _depends(book, patches)):
        with suppress(UserError):  # in an encoding that nothing can be added in: then it is up to the user
            recalculated(graft.edits(book.main))
    if added:
        with suppress(UserError):  # in an encoding that names cannot be written in: then they stay when it is undone
            put_notes(graft.edits(book.main), added)
    replaced = graft.replaced()
    if not replaced:
        return put(path, book, patches, step, backups=backups)
    sheets = {patch.sheet.member: patch.content(index_of(patch.sheet.member)) for patch in patches}
    change = Change(patches=patches, replaced={**sheets, **replaced})
    return put_change(path, book, change, step, whole=False, backups=backups)
