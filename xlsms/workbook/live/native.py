"""What xlwings has no word for: asked of the program itself, or of an engine of ours that has one."""

import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import xlwings as xw

from xlsms.ooxml.cells import Area, column_letters

__all__ = [
    "colour_texts",
    "custom_property",
    "filter_area",
    "is_locked",
    "is_protected",
    "is_read_only",
    "note",
    "offer",
    "selected_rows",
    "set_custom_property",
]

_LIST, _IN_PEACE, _VALUE, _EQUAL = 3, 3, 1, 3  # xlValidateList, xlValidAlertInformation, xlCellValue, xlEqual


def is_protected(sheet: xw.Sheet) -> bool:
    """Whether locked cells of a sheet refuse to be written."""
    own = getattr(sheet.impl, "protected", None)
    if own is not None:
        return bool(own)
    if sys.platform == "darwin":
        return bool(sheet.api.protect_contents.get())
    return bool(sheet.api.ProtectContents)


def is_read_only(book: xw.Book) -> bool:
    """Whether no cell of a workbook can be written; Excel lets one that is open for reading only be changed."""
    return bool(getattr(book.impl, "read_only", False))


def is_locked(cells: xw.Range) -> bool:
    """Whether any of some cells is locked, which keeps it from being written once its sheet is protected."""
    if hasattr(cells.impl, "locked"):
        state: Any = cells.impl.locked
    elif sys.platform == "darwin":
        state = cells.api.locked.get()
    else:
        state = cells.api.Locked
    return state is not False


def filter_area(sheet: xw.Sheet) -> Area | None:
    """The area that a sheet's own filter covers; filters of tables go with their tables."""
    if hasattr(sheet.impl, "filtered"):
        found = sheet.impl.filtered
        if found is None:
            return None
        (_, row, column, height, width) = found.coords
        return Area(row, column, row + height - 1, column + width - 1)
    if sys.platform == "darwin":
        return None  # Excel for Mac tells nothing of it to scripts
    found = sheet.api.AutoFilter
    return Area.of(str(found.Range.Address).replace("$", "")) if found is not None else None


def custom_property(book: xw.Book, name: str) -> str | None:
    """A custom property of a workbook."""
    if hasattr(book.impl, "property_text"):
        text: str | None = book.impl.property_text(name)
        return text
    if sys.platform == "darwin":
        return None
    for item in book.api.CustomDocumentProperties:
        if item.Name == name:
            return str(item.Value)
    return None


def set_custom_property(book: xw.Book, name: str, text: str) -> None:
    """Give a workbook a custom property; where scripts cannot, nothing happens."""
    if hasattr(book.impl, "set_property_text"):
        book.impl.set_property_text(name, text)
    elif sys.platform != "darwin":
        there = next((item for item in book.api.CustomDocumentProperties if item.Name == name), None)
        if there is not None:
            there.Value = text
        else:
            book.api.CustomDocumentProperties.Add(name, False, 4, text)


def offer(cells: xw.Range, value: str, title: str, hint: str) -> None:
    """Give cells a drop-down with one value, and a hint; anything else may be written too. Not where they have one."""
    if hasattr(cells.impl, "offer"):
        cells.impl.offer(value, title, hint)
    elif sys.platform != "darwin":  # Excel for Mac tells scripts too little of what is there
        there = cells.api.Validation
        with suppress(Exception):  # where there is none, asking for its kind is an error
            if there.Type is not None:
                return
        there.Add(_LIST, _IN_PEACE, _EQUAL, value)
        there.IgnoreBlank, there.ShowError = True, False
        there.InputTitle, there.InputMessage = title, hint


def colour_texts(cells: xw.Range, colours: Mapping[str, tuple[str, str]]) -> None:
    """Colour cells by what stands in them: fill and ink, as RRGGBB. Not where they have conditions of their own.

    Each text is a condition of its own: a formula would have to be in the language of the user's Excel.
    """
    if hasattr(cells.impl, "colour_texts"):
        cells.impl.colour_texts(colours)
    elif sys.platform != "darwin" and not cells.api.FormatConditions.Count:
        for text, (fill, ink) in colours.items():
            found = cells.api.FormatConditions.Add(_VALUE, _EQUAL, f'="{text}"')
            found.Interior.Color, found.Font.Color, found.Font.Bold = _bgr(fill), _bgr(ink), True


def selected_rows(app: xw.App) -> tuple[tuple[int, int], ...]:
    """First and last row of each block of the selected cells."""
    if hasattr(app.impl, "link") or sys.platform == "darwin":
        return ()  # Calc's own extension hands over all of them; Excel for Mac shows scripts the first
    return tuple((int(area.Row), int(area.Row) + int(area.Rows.Count) - 1) for area in app.api.Selection.Areas)


def note(sheet: xw.Sheet, name: str, row: int, column: int) -> None:
    """Give a cell a hidden name of its sheet's own, which follows it; where scripts cannot, nothing happens."""
    if hasattr(sheet.impl, "note"):
        sheet.impl.note(name, row, column)
    elif sys.platform != "darwin":
        quoted = sheet.name.replace("'", "''")
        sheet.api.Names.Add(name, f"='{quoted}'!${column_letters(column)}${row}", False)


def _bgr(colour: str) -> int:
    """RRGGBB as Excel counts it."""
    return int.from_bytes(bytes.fromhex(colour), "little")
