"""A workbook that nobody has open: read from the file, and written into the file."""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import tzinfo
from itertools import chain
from pathlib import Path

from xlsms.errors import TransientError
from xlsms.files.backup import Backups
from xlsms.files.link import resolved
from xlsms.model import Role, Row
from xlsms.ooxml.block import NotPlainError
from xlsms.ooxml.book import Book
from xlsms.ooxml.segment import StaleIndexError
from xlsms.workbook.base import RESULTS, Applied, Language, Reading, RowEdit, Snapshot, Version
from xlsms.workbook.change import put_patches
from xlsms.workbook.identity import GUID_PROPERTY
from xlsms.workbook.layout import Layout, layouts, spoken
from xlsms.workbook.placing import Placing
from xlsms.workbook.reading import RowReader
from xlsms.workbook.segments import forget
from xlsms.workbook.writing import ATTEMPTS, Step, check_ready, opened, ready, version_of

__all__ = ["ClosedWorkbook", "add_columns", "check_columns"]

_HELD_OPEN = 32 << 20  #: a longer file is open while it is read, and Windows replaces none that somebody has open


class ClosedWorkbook:
    """The `Workbook` seam over a file. Times in the sheet are those of `zone`, or of this computer.

    `backups` keeps what its user saved before it is written over.
    """

    def __init__(
        self,
        path: Path,
        *,
        zone: tzinfo | None = None,
        backups: Backups | None = None,
        step: Step = lambda _: None,
    ) -> None:
        # the real file is replaced, not a link to it
        self.path = resolved(path)
        self._zone = zone
        self._backups = backups
        self._step = step

    def read(self, *, marked_only: bool = False) -> Snapshot:
        """The workbook as it is now; see `Workbook.read`."""
        with opened(self.path) as book:
            found = layouts(book)
            readers = self._readers(found)
            # rows first: whoever looks at the sheet for them surveys it on the way
            read = tuple(row for reader in readers for row in reader.rows(marked_only=marked_only))
            return self._snapshot(book, found, read)

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """The workbook as it is now, row by row; see `Workbook.reading`."""
        with opened(self.path) as book:
            if os.name == "nt" and book.package.length > _HELD_OPEN:
                yield Reading.of(self.read())
                return
            found = layouts(book)
            readers = self._readers(found)
            yield Reading(
                snapshot=self._snapshot(book, found, ()),
                ids=lambda: chain.from_iterable(reader.ids() for reader in readers),
                rows=lambda: chain.from_iterable(reader.rows() for reader in readers),
            )

    def _readers(self, found: tuple[Layout, ...]) -> list[RowReader]:
        language = spoken(found)
        return [RowReader(layout, language, self._zone) for layout in found]

    def _snapshot(self, book: Book, found: tuple[Layout, ...], rows: tuple[Row, ...]) -> Snapshot:
        return Snapshot(
            path=self.path,
            version=version_of(book.package),
            guid=book.custom_properties.get(GUID_PROPERTY),
            language=spoken(found),
            sheets=tuple(layout.sheet for layout in found),
            rows=rows,
        )

    def version(self) -> Version:
        """Which bytes the file holds now; quick, as no row is read."""
        with opened(self.path) as book:
            return version_of(book.package)

    def check(self) -> None:
        """Make sure that rows can be read; quick, as none is. Raises what `read` would for the file and its headers."""
        with opened(self.path) as book:
            layouts(book)

    def check_ready(self) -> None:
        """Make sure that `apply` could write now, as far as the file itself decides; changes nothing.

        Raises:
            UserError: the file or its folder is read-only, or the workbook is signed or asks not to be changed.
            TransientError: the file is open elsewhere.
        """
        with opened(self.path) as book:
            check_ready(self.path, book)

    def readers(self) -> Iterator[RowReader]:
        """A reader of rows for each taking-part sheet. The file is open until the last one is done."""
        with opened(self.path) as book:
            yield from self._readers(layouts(book))

    def apply(self, edits: Sequence[RowEdit]) -> Applied:
        """Write all edits at once; see `Workbook.apply`."""
        for _ in range(ATTEMPTS):
            ready(self.path)
            with opened(self.path) as book:
                self._step("opened")
                try:
                    applied = self._apply(book, edits)
                except (StaleIndexError, NotPlainError):  # then without what was remembered of its sheets
                    forget(book.package)
                    continue
                if applied is not None:
                    return applied
        raise TransientError("file-keeps-changing", path=self.path.name)

    def _apply(self, book: Book, edits: Sequence[RowEdit]) -> Applied | None:
        """None, and nothing changed, when the file is no longer the one that `book` was read from."""
        found = layouts(book)
        work = Placing(found, spoken(found), self._zone)
        work.find(edits)
        self._step("read")
        patches = work.patches()
        before = version_of(book.package)
        version: Version | None = before
        if patches:
            noted = work.noted()
            version = put_patches(self.path, book, patches, self._step, added=noted, backups=self._backups)
        if version is None:
            return None
        return Applied(
            before=before,
            version=version,
            done=tuple(work.done),
            missing=tuple(work.missing),
            stale=tuple(work.stale),
            ambiguous=tuple(work.ambiguous),
            refused=tuple(work.refusals(patches)),
        )


def add_columns(
    path: Path,
    roles: Iterable[Role] = RESULTS,
    language: Language | None = None,
    *,
    step: Step = lambda _: None,
) -> dict[str, tuple[str, ...]]:
    """Add the headers of `roles` to every taking-part sheet that lacks them; returns what was added, by sheet.

    Raises:
        UserError: `columns-missing` where a table or a filter holds the rows.
    """
    real = resolved(path)
    wanted = tuple(roles)
    for _ in range(ATTEMPTS):
        ready(real)
        with opened(real) as book:
            found = layouts(book)
            work = Placing(found, language or spoken(found), None)
            for layout in found:
                work.need(layout, tuple(role for role in wanted if role not in layout.columns))
            patches = work.patches()
            if not patches or put_patches(real, book, patches, step, added=work.noted()) is not None:
                return {name: texts for name, texts in work.added.items() if texts}
    raise TransientError("file-keeps-changing", path=real.name)


def check_columns(path: Path, sheets: Collection[str]) -> None:
    """Make sure that states could stand in some sheets: that they have the columns, or that a send could add them.

    Raises:
        UserError: as `add_columns`, and `columns-past-edge`.
    """
    with opened(path) as book:
        found = layouts(book)
        work = Placing(found, spoken(found), None)
        for layout in found:
            if layout.part.name in sheets:
                work.need(layout, layout.missing)
