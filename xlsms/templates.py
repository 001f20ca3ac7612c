"""The workbooks that users start from, and new workbooks made of them."""

import io
from collections.abc import Sequence
from datetime import date, time
from pathlib import Path

import openpyxl
from openpyxl.packaging.custom import StringProperty
from openpyxl.utils import range_boundaries
from openpyxl.utils.cell import get_column_letter
from openpyxl.worksheet.table import Table
from openpyxl.worksheet.worksheet import Worksheet

from xlsms.errors import UserError
from xlsms.model import CellValue
from xlsms.wording import LANGUAGES
from xlsms.workbook.identity import GUID_PROPERTY, new_guid

__all__ = ["TEMPLATES", "Value", "folder", "new"]

TEMPLATES = ("reminders",)
Value = CellValue | date | time


def folder() -> Path:
    """Where the templates are: in the installed package, or beside the sources."""
    installed = Path(__file__).with_name("_templates")
    return installed if installed.is_dir() else Path(__file__).parents[1] / "workbook_templates"


def new(name: str, language: str, rows: Sequence[Sequence[Value]] | None = None) -> bytes:
    """A fresh workbook with a GUID of its own.

    `rows` replace the samples; each gives the values of the first columns in their order. Our own template is the only
    workbook that openpyxl may save: a user's would lose by it.

    Raises `template-unknown`.
    """
    if name not in TEMPLATES or language not in LANGUAGES:
        raise UserError("template-unknown", name=name, known=", ".join(TEMPLATES))
    book = openpyxl.load_workbook(folder() / f"{name}.{language}.xlsx")
    sheet = book.worksheets[0]
    if rows is not None:
        _fill(sheet, rows)
    guid = StringProperty(name=GUID_PROPERTY, value=new_guid())
    book.custom_doc_props.append(guid)  # type: ignore[attr-defined]  # openpyxl 3.1 has it, its stubs do not
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _fill(sheet: Worksheet, rows: Sequence[Sequence[Value]]) -> None:
    """Put `rows` into the sheet's table in place of the samples, in the samples' look."""
    (table,) = sheet.tables.values()
    left, head, right, bottom = _bounds(table)
    height = sheet.row_dimensions[head + 1].height
    looks = [sheet.cell(head + 1, column).style for column in range(left, right + 1)]
    for row in range(head + 1, max(bottom, head + len(rows)) + 1):
        values = rows[row - head - 1] if row <= head + len(rows) else ()
        sheet.row_dimensions[row].height = height
        for offset, look in enumerate(looks):
            cell = sheet.cell(row, left + offset)
            cell.style = look  # before the value: a date without a date format would be given one
            cell.value = values[offset] if offset < len(values) else None
    table.ref = f"{get_column_letter(left)}{head}:{get_column_letter(right)}{head + max(len(rows), 1)}"
    if table.autoFilter is not None:
        table.autoFilter.ref = table.ref


def _bounds(table: Table) -> tuple[int, int, int, int]:
    left, top, right, bottom = range_boundaries(table.ref)
    if None in (left, top, right, bottom):
        raise ValueError(f"a table without corners: {table.ref}")
    return int(left or 0), int(top or 0), int(right or 0), int(bottom or 0)
