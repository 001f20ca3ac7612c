"""The seam between sync and a workbook: take a snapshot, put states back.

Rows move under our feet: people sort, insert, delete, rename and save between our reading and our writing. So an edit
never names a bare row number. It names a row by its id, which is looked up in the file as it is at the moment of
writing, or by its place together with what stood there, which must still stand there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, Self

from xlsms.errors import XlsmsError
from xlsms.model import CellValue, Role, Row, RowId

__all__ = [
    "RESULTS",
    "Applied",
    "Language",
    "Placed",
    "Reading",
    "Refusal",
    "RowEdit",
    "Sheet",
    "SheetSettings",
    "Snapshot",
    "Version",
    "Workbook",
]

Language = Literal["en", "es"]

#: The columns that xlsms fills in, in the order in which it adds them.
RESULTS: tuple[Role, ...] = (
    Role.STATUS,
    Role.DETAIL,
    Role.STATUS_TIME,
    Role.REPLY,
    Role.REPLY_TIME,
    Role.ID,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Which bytes a file held: equal versions are the same content in the same file."""

    size: int
    mtime_ns: int
    inode: int
    directory: str  #: hash of the package's central directory, which holds a CRC-32 of every part

    @property
    def text(self) -> str:
        """All of it in one line, for a store to keep and compare."""
        return f"{self.size}:{self.mtime_ns}:{self.inode}:{self.directory}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetSettings:
    """What the workbook itself sets for one of its sheets; None where it says nothing."""

    message: str | None = None  #: the text of rows whose own message is empty
    country: str | None = None  #: two letters: of numbers without +
    sender: str | None = None  #: of rows that name none


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One taking-part sheet: where its columns stand. Columns are named by their letters."""

    name: str
    header_row: int  #: 1-based
    columns: Mapping[Role, str]
    headers: Mapping[str, str]  #: letters -> header text, in the order of the sheet
    missing: tuple[Role, ...] = ()  #: the roles of `RESULTS` without a column
    bounded: bool = False  #: a table or a filter holds the rows: columns beside it would be left behind by a sort
    settings: SheetSettings = SheetSettings()
    formats: bool = True  #: False for results: what was read of another file came without its number formats


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A workbook at one moment."""

    path: Path
    version: Version
    guid: str | None  #: the workbook's own id, kept by copies; None before first set-up
    language: Language  #: of its headers
    sheets: tuple[Sheet, ...]
    rows: tuple[Row, ...]  #: in the order of the sheets, then of the rows


class Placed(NamedTuple):
    """A row by its place, and what must still stand there for an edit to be written. A tuple, as a `Row` is one."""

    sheet: str
    number: int
    phone: CellValue
    message: str | None
    marked: bool
    id: RowId | None = None
    lay: object = None  #: as of its `Row`: equal, and all else is

    @classmethod
    def of(cls, row: Row) -> Self:
        """The place of a row as it was read."""
        return cls(row.sheet, row.number, row.phone, row.message, row.marked, row.id, row.lay)

    def fits(self, row: Row) -> bool:
        """Whether a row says all that must still stand there, however it lies."""
        return Placed.of(row)._replace(lay=self.lay) == self


class RowEdit(NamedTuple):
    """What to write into one row. None empties a cell and keeps its style.

    With an `id` the row is found by it, wherever it stands now. Where several rows carry the id, the one whose phone
    and message are those of `placed` is meant (the nearest of them). Without an `id`, `placed` alone decides, and all
    it holds must still be so.
    A value for a role without a column is left out, unless the role is one of `RESULTS`: then the columns are added.
    Times are aware; the sheet shows them in local time.
    """

    values: Mapping[Role, CellValue]
    id: RowId | None = None
    placed: Placed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One cell that was not written, and why: a formula, part of a merge, part of an array."""

    edit: RowEdit
    role: Role
    error: XlsmsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of the edits; each edit given is in exactly one of the five groups from `done` to `waiting`."""

    before: Version  #: of the file that the edits were put onto: another than was read, when someone saved meanwhile
    version: Version  #: of the file afterwards: what our own write looks like to a watcher
    done: tuple[RowEdit, ...] = ()  #: in the file now, but for the cells in `refused`
    missing: tuple[RowEdit, ...] = ()  #: no row carries this id any more
    stale: tuple[RowEdit, ...] = ()  #: another row stands at this place now: read again
    ambiguous: tuple[RowEdit, ...] = ()  #: several rows carry this id and none can be told from the others
    waiting: tuple[RowEdit, ...] = ()  #: only of an open workbook: in rows that are hidden, more than were written now
    refused: tuple[Refusal, ...] = field(default=())
    changed: int = 0  #: only of an open workbook: how many of `done` were not in it already


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A workbook that is read row by row, so that a long list is never held whole.

    It shows the workbook as it was when the reading began, whatever is written meanwhile.
    """

    snapshot: Snapshot  #: without its rows
    ids: Callable[[], Iterator[str]]  #: what stands in the id cells, in a quick pass of its own
    rows: Callable[[], Iterator[Row]]  #: in the order of the sheets, then of the rows

    @classmethod
    def of(cls, snapshot: Snapshot) -> Self:
        """The reading of a workbook that has been read whole."""
        return cls(
            snapshot=replace(snapshot, rows=()),
            ids=lambda: (row.id for row in snapshot.rows if row.id is not None),
            rows=lambda: iter(snapshot.rows),
        )


class Workbook(Protocol):
    """One workbook, closed or live."""

    path: Path

    def read(self, *, marked_only: bool = False) -> Snapshot:
        """The workbook as it is now; with `marked_only`, `rows` holds only the marked rows.

        Raises:
            UserError: the file or its columns cannot be used as they are.
            TransientError: the file is being saved or held by another program.
        """

    def reading(self) -> AbstractContextManager[Reading]:
        """The workbook as it is now, row by row, as long as the context lasts; raises as `read` does, rows as well."""

    def version(self) -> Version:
        """Which bytes it holds now; quick, as no row is read."""

    def check_ready(self) -> None:
        """Make sure that it could be written now; raises as `apply` does, and changes nothing."""

    def apply(self, edits: Sequence[RowEdit]) -> Applied:
        """Write all edits at once, or, with an error, none. Idempotent: the same edits again change nothing.

        Raises:
            UserError: the file cannot be written as it is (`columns-missing`, `file-read-only`, damaged, signed …).
            TransientError: the file is open elsewhere or keeps changing: try again later.
        """
