"""What stands in a file that is read but never written: .xls, .xlsb, .ods, and what is behind a password."""

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from xlsms.errors import UserError
from xlsms.files.kind import check_workbook
from xlsms.files.scratch import scratch
from xlsms.model import CellValue, Role, Row
from xlsms.ooxml.cells import column_letters, column_number
from xlsms.workbook.base import Language, SheetSettings
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.grid import ERROR, ErrorValue, Grid, read_grids
from xlsms.workbook.heading import heading, nothing_to_send
from xlsms.workbook.limited import USUAL, Limits, run
from xlsms.workbook.reading import wall_time
from xlsms.workbook.roles import HEADER_ROWS, OWN_SHEETS, folded, language_of
from xlsms.workbook.setting import COLUMNS, SETTINGS
from xlsms.workbook.writing import opened

__all__ = ["Kind", "Source", "SourceRow", "SourceSheet", "kind_of", "read_source"]

Kind = Literal["package", "text", "grid", "locked"]

_DEFAULT = "VelvetSweatshop"  # what Excel protects a workbook with that opens without a question
_GRIDS = (".ods", ".xlsb")


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row: what stands under each header, moments as the wall clock shows them."""

    values: Mapping[str, CellValue]
    hidden: bool = False

    @property
    def waits(self) -> bool:
        """Whether it cannot be taken over now: nobody sees it, or a cell holds an error."""
        return self.hidden or any(isinstance(value, ErrorValue) for value in self.values.values())


@dataclass(frozen=True, slots=True)
class SourceSheet:
    """One taking-part sheet. Headers that stand twice are left out: nobody can say which one is meant."""

    name: str
    headers: tuple[str, ...]
    columns: Mapping[Role, str]  #: the headers of the roles
    rows: tuple[SourceRow, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """The taking-part sheets of a file, and the language of its headers."""

    sheets: tuple[SourceSheet, ...]
    language: Language
    settings: bool = False  #: whether something is set in it, beside what columns are for


_VALUE = tuple(folded(words[1]) for words in COLUMNS.values())  # the header of the values of a sheet of settings


def kind_of(path: Path) -> Kind:
    """How a file is read, by its bytes; only text is known by its name.

    Raises:
        UserError: it is nothing that can be read, see `check_workbook`.
    """
    try:
        check_workbook(path)
    except UserError as error:
        kinds: dict[str, Kind] = {
            "file-encrypted": "locked",
            "old-excel-format": "grid",
            "format-not-supported": "text",
        }
        if error.code not in kinds:
            raise
        return kinds[error.code]
    try:
        with opened(path):
            return "package"
    except UserError as error:
        if error.code == "format-not-supported" and error.facts.get("format") in _GRIDS:
            return "grid"
        raise


def read_source(path: Path, passwords: Sequence[str], zone: tzinfo | None, limits: Limits = USUAL) -> Source:
    """Read a file of the kind `grid` or `locked`.

    Raises:
        UserError: `file-encrypted`, `file-password-wrong`, `file-password-unknown`, `file-too-costly`, `file-damaged`;
            and what is wrong with its columns.
    """
    needed = "msoffcrypto" if kind_of(path) == "locked" else "python_calamine"
    if find_spec(needed) is None:  # they come with the service
        locked = needed == "msoffcrypto"
        raise UserError("file-encrypted" if locked else "format-not-supported", format=path.suffix.lower())
    if needed == "msoffcrypto":
        return _unlocked(path, passwords, zone, limits)
    try:
        return _from_grids(read_grids(path, limits))
    except UserError as error:
        if error.code != "file-encrypted":
            raise
    try:
        return _unlocked(path, passwords, zone, limits)
    except UserError as error:
        if error.code != "file-damaged":
            raise
        # an OpenDocument, which has ways of its own, or a .xls of before Excel 97
        raise UserError("file-password-unknown") from error


def _unlocked(path: Path, passwords: Sequence[str], zone: tzinfo | None, limits: Limits) -> Source:
    """The content without its password, in a folder that only we can enter, as long as it is being read."""
    given = [_DEFAULT, *passwords]
    with scratch() as folder:
        inside = folder / path.name
        try:
            with (
                run("unlock_child", [str(path)], limits, json.dumps(given).encode()) as content,
                inside.open("xb") as out,
            ):
                shutil.copyfileobj(content, out)
        except UserError as error:
            if error.code == "file-password-wrong" and not passwords:
                raise UserError("file-encrypted") from error
            raise
        kind = kind_of(inside)
        if kind == "package":
            return _from_package(inside, zone)
        if kind == "grid":
            return _from_grids(read_grids(inside, limits))
        raise UserError("not-a-workbook")


def _from_package(path: Path, zone: tzinfo | None) -> Source:
    snapshot = ClosedWorkbook(path, zone=zone).read()
    sheets = []
    for sheet in snapshot.sheets:
        headers = _once(sheet.headers.values())
        rows = (row for row in snapshot.rows if row.sheet == sheet.name)
        sheets.append(
            SourceSheet(
                sheet.name,
                headers,
                {role: sheet.headers[letters] for role, letters in sheet.columns.items()},
                tuple(SourceRow({text: _value(row, text, zone) for text in headers}, row.hidden) for row in rows),
            )
        )
    return Source(tuple(sheets), snapshot.language, any(sheet.settings != SheetSettings() for sheet in snapshot.sheets))


def _value(row: Row, text: str, zone: tzinfo | None) -> CellValue:
    """What stands under a header; a formula that was never calculated counts as an error."""
    value = ERROR if text in row.problems else row.values[text]
    return wall_time(value, zone) if isinstance(value, datetime) else value


def _from_grids(grids: Sequence[Grid]) -> Source:
    settings = any(_sets(grid) for grid in grids if grid.name.strip().casefold() == SETTINGS.casefold())
    grids = [grid for grid in grids if grid.name.strip().casefold() not in OWN_SHEETS]
    sheets = [sheet for grid in grids if (sheet := _from_grid(grid)) is not None]
    if not sheets:
        raise nothing_to_send([grid.name for grid in grids], empty=not any(any(grid.rows) for grid in grids))
    return Source(tuple(sheets), language_of(text for sheet in sheets for text in sheet.headers), settings)


def _sets(grid: Grid) -> bool:
    """Whether a sheet of settings holds a value."""
    column = None
    for row in grid.rows:
        if column is not None and column < len(row) and str(row[column] or "").strip():
            return True
        if column is None:
            words = [folded(str(value)) for value in row]
            column = next((words.index(name) for name in _VALUE if name in words), None)
    return False


def _from_grid(grid: Grid) -> SourceSheet | None:
    tops = {number: _texts(row) for number, row in enumerate(grid.rows[:HEADER_ROWS], 1) if any(_texts(row).values())}
    found = heading(tops, grid.name)
    if found is None:
        return None
    once = _once(found.headers.values())
    places = [(text, column_number(letters) - 1) for letters, text in found.headers.items() if text in once]
    rows = []
    for number, row in enumerate(grid.rows[found.row :], found.row):
        values = {text: row[place] if place < len(row) else None for text, place in places}
        if any(value is not None for value in values.values()):
            rows.append(SourceRow(values, grid.is_hidden(number)))
    return SourceSheet(
        grid.name, once, {role: found.headers[letters] for role, letters in found.columns.items()}, tuple(rows)
    )


def _texts(row: Sequence[CellValue]) -> dict[str, str]:
    texts = (value if isinstance(value, str) and value is not ERROR else "" for value in row)
    return {column_letters(nth): text for nth, text in enumerate(texts, 1)}


def _once(headers: Iterable[str]) -> tuple[str, ...]:
    texts = tuple(headers)
    times = Counter(texts)
    return tuple(text for text in texts if times[text] == 1)
