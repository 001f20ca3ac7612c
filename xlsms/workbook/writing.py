"""Cells put into a closed workbook: built beside it, verified, and swapped in; nobody's save is ever lost."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from xlsms.errors import Place, TransientError, UserError, XlsmsError
from xlsms.files.backup import Backups
from xlsms.files.kind import check_workbook, check_writable
from xlsms.files.lock import check_free
from xlsms.files.swap import Times, create, draft_of, failure, finish, recover, replace
from xlsms.ooxml.book import Book
from xlsms.ooxml.cells import column_letters
from xlsms.ooxml.package import Package, fingerprint
from xlsms.ooxml.patch import Patch
from xlsms.ooxml.rewrite import rewrite
from xlsms.ooxml.segment import StaleIndexError
from xlsms.ooxml.verify import VerificationError, verify
from xlsms.workbook.base import Version
from xlsms.workbook.segments import forget, index_of, remember

__all__ = ["ATTEMPTS", "Step", "check_ready", "exchange", "opened", "put", "ready", "version_of"]

ATTEMPTS = 5  #: how often a save by somebody else may come in between before we give up for now
_TORN = frozenset({"file-damaged", "file-incomplete", "file-suspicious", "not-a-workbook"})  #: as one half saved looks
Step = Callable[[str], None]  #: is told what was just done; tests act between the steps


@contextmanager
def opened(path: Path) -> Iterator[Book]:
    """A workbook for reading; every error names the file.

    Raises:
        TransientError: `file-keeps-changing`; it looks damaged because somebody saves it, in place, while it is read.
    """
    before = _moment(path)
    try:
        check_workbook(path)
        with Package.open(path) as package:
            yield Book(package)
    except XlsmsError as error:
        _name(error, path)
        if error.code in _TORN and _moment(path) != before:
            raise TransientError("file-keeps-changing", place=error.place, path=path.name) from error
        raise
    except OSError as error:
        raise failure(error, path) from error


def _moment(path: Path) -> tuple[int, int, int] | None:
    """What changes with each save, but for one that has not begun to write."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ino


def _name(error: XlsmsError, path: Path) -> None:
    place = error.place or Place()
    if place.file is None:
        error.place = Place(file=path.name, sheet=place.sheet, row=place.row, column=place.column, line=place.line)


def version_of(package: Package) -> Version:
    """The version of an open package."""
    status = package.status
    return Version(
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        inode=status.st_ino,
        directory=package.directory,
    )


def ready(path: Path) -> None:
    """Make sure that a workbook may be written now, and clear away what a crash may have left beside it."""
    try:
        if path.is_dir():
            raise UserError("file-is-folder")
        recover(path, fingerprint)
        if not path.exists():
            raise UserError("file-not-found")
        check_writable(path)
        check_free(path)
    except XlsmsError as error:
        _name(error, path)
        raise
    except OSError as error:
        raise failure(error, path) from error


def check_ready(path: Path, book: Book) -> None:
    """Make sure that a workbook could be written now; changes nothing.

    Raises:
        UserError: it, or its folder, is read-only; it is signed, or asks not to be changed.
        TransientError: somebody has it open.
    """
    check_writable(path)
    check_free(path)
    _check_changeable(book)


def _check_changeable(book: Book) -> None:
    if book.signed:
        raise UserError("file-signed")
    if book.read_only_recommended:
        raise UserError("file-read-only-recommended")


def _refuse_parts(patches: Sequence[Patch]) -> None:
    for patch in patches:
        for (row, column), code in patch.refused.items():
            raise UserError(code, place=Place(sheet=patch.sheet.name, row=row, column=column_letters(column)))


def put(
    path: Path,
    book: Book,
    patches: Sequence[Patch],
    step: Step,
    *,
    whole: bool = False,
    backups: Backups | None = None,
) -> Version | None:
    """Write the patches, with `whole` only if no cell is refused; `backups` keeps what they are written over.

    None, and nothing changed, when the file is no longer the one that `book` was read from.

    Raises:
        UserError: the workbook is signed or asks not to be changed, or the file cannot be written.
        TransientError: somebody has opened it meanwhile.
    """
    _check_changeable(book)
    draft = draft_of(path)
    try:
        with create(draft) as out:
            step("created")
            written = {patch.sheet.member: patch.content(index_of(patch.sheet.member)) for patch in patches}
            rewrite(book.package, written, out)
            step("written")
        if whole:
            _refuse_parts(patches)
        finish(draft, path)
        step("finished")
        try:
            new = verify(book.package, draft, patches)
        except VerificationError as error:  # a defect of ours, seen in time
            raise UserError("sheet-not-writable", reason=str(error)) from error
        step("verified")
        swapped = exchange(path, book.package, draft, new, step=step, backups=backups)
        if swapped:
            remember(patches)
    except StaleIndexError:  # then without what was remembered: the caller starts again
        forget(book.package)
        return None
    finally:
        draft.unlink(missing_ok=True)
    return version_of(new) if swapped else None


def exchange(
    path: Path,
    old: Package,
    draft: Path,
    new: Package,
    *,
    step: Step = lambda _: None,
    backups: Backups | None = None,
) -> bool:
    """Put a draft, verified as `new`, in the place of the file that was read as `old`; whether that was still the one.

    Raises:
        TransientError: somebody has it open.
    """
    check_free(path)

    def keep(original: Path) -> None:
        if backups is not None:
            backups.save(path, original, theirs=old.fingerprint, ours=new.fingerprint)

    times = Times(theirs=old.status.st_mtime_ns, ours=new.status.st_mtime_ns)
    return replace(path, draft, expected=old.fingerprint, identify=fingerprint, times=times, step=step, keep=keep)
