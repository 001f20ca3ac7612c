"""What xlwings has no word for: asked of the program itself, or of an engine of ours that has one."""

import sys
from typing import Any

import xlwings as xw

from xlsms.ooxml.cells import Area

__all__ = ["custom_property", "filter_area", "is_locked", "is_protected", "set_custom_property"]


def is_protected(sheet: xw.Sheet) -> bool:
    """Whether locked cells of a sheet refuse to be written."""
    own = getattr(sheet.impl, "protected", None)
    if own is not None:
        return bool(own)
    if sys.platform == "darwin":
        return bool(sheet.api.protect_contents.get())
    return bool(sheet.api.ProtectContents)


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
        book.api.CustomDocumentProperties.Add(name, False, 4, text)
