"""One door to every file that rows can be sent from. Bytes decide, not names; only text is known by its name."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import tzinfo
from pathlib import Path

from xlsms.files.backup import Backups
from xlsms.workbook.base import Applied, Reading, RowEdit, Snapshot, Version
from xlsms.workbook.closed import ClosedWorkbook, check_columns
from xlsms.workbook.csvbook import CsvWorkbook
from xlsms.workbook.foreign import ForeignWorkbook
from xlsms.workbook.source import kind_of

__all__ = ["SUFFIXES", "AnyWorkbook", "FileWorkbook", "Passwords", "open_workbook"]

#: The names of files that may be workbooks, for those who look through a folder.
SUFFIXES = frozenset({".xlsx", ".xlsm", ".csv", ".tsv", ".tab", ".xls", ".xlsb", ".ods"})

AnyWorkbook = ClosedWorkbook | CsvWorkbook | ForeignWorkbook
Passwords = Callable[[], Sequence[str]]


def open_workbook(
    path: Path, *, zone: tzinfo | None = None, passwords: Sequence[str] = (), backups: Backups | None = None
) -> AnyWorkbook:
    """The workbook that a file is: written in place, or with its results beside it.

    Raises:
        UserError: the file is none that can be sent from.
        TransientError: another program lets nobody read it.
    """
    kind = kind_of(path)
    if kind == "package":
        return ClosedWorkbook(path, zone=zone, backups=backups)
    if kind == "text":
        return CsvWorkbook(path, zone=zone, backups=backups)
    return ForeignWorkbook(path, zone=zone, passwords=passwords)


class FileWorkbook:
    """The `Workbook` seam over whatever a file is when it is used; nothing is read before, no password asked for."""

    def __init__(
        self,
        path: Path,
        *,
        zone: tzinfo | None = None,
        passwords: Passwords = tuple,
        backups: Backups | None = None,
    ) -> None:
        self.path = path
        self._zone, self._passwords, self._backups = zone, passwords, backups

    def _workbook(self) -> AnyWorkbook:
        workbook = open_workbook(self.path, zone=self._zone, backups=self._backups)
        if isinstance(workbook, ForeignWorkbook):
            return ForeignWorkbook(self.path, zone=self._zone, passwords=self._passwords())
        return workbook

    def read(self, *, marked_only: bool = False) -> Snapshot:
        """The workbook as it is now; see `Workbook.read`."""
        return self._workbook().read(marked_only=marked_only)

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """The workbook as it is now, row by row; see `Workbook.reading`. Packages and texts are not held."""
        workbook = self._workbook()
        if isinstance(workbook, ClosedWorkbook | CsvWorkbook):
            with workbook.reading() as reading:
                yield reading
        else:
            yield Reading.of(workbook.read())

    def apply(self, edits: Sequence[RowEdit]) -> Applied:
        """Write all edits at once; see `Workbook.apply`."""
        return self._workbook().apply(edits)

    def version(self) -> Version:
        """Which bytes the file holds now."""
        return self._workbook().version()

    def check(self) -> None:
        """Make sure that rows can be read; raises what `read` would for the file and its headers."""
        self._workbook().check()

    def check_ready(self) -> None:
        """Make sure that `apply` could write now, as far as the files themselves decide; changes nothing."""
        self._workbook().check_ready()

    def check_columns(self, sheets: Collection[str]) -> None:
        """Make sure that states could stand in some sheets: they have the columns, or a send could add them."""
        workbook = self._workbook()
        if isinstance(workbook, ClosedWorkbook):
            check_columns(workbook.path, sheets)
        elif isinstance(workbook, CsvWorkbook) and sheets:
            workbook.check_columns()

    def prepare(self) -> Path:
        """The file that the states stand in: this one, or the results file beside it, made or brought up to date.

        Raises:
            UserError: the file is none that can be sent from.
            TransientError: it, or its results, are open elsewhere.
        """
        workbook = self._workbook()
        return workbook.prepare() if isinstance(workbook, ForeignWorkbook) else self.path
