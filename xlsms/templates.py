"""The workbooks that users start from, and new workbooks made of them."""

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time
from math import ceil
from pathlib import Path

import openpyxl
from openpyxl import Workbook
from openpyxl.packaging.custom import StringProperty
from openpyxl.utils import range_boundaries
from openpyxl.utils.cell import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from xlsms.errors import UserError
from xlsms.model import CellValue
from xlsms.ooxml.cells import MOST_ROWS
from xlsms.ooxml.stylesheet import fonts_in_order
from xlsms.wording import LANGUAGES
from xlsms.workbook.identity import GUID_PROPERTY, new_guid

__all__ = ["TEMPLATES", "Value", "folder", "new", "packed"]

TEMPLATES = ("reminders",)
Value = CellValue | date | time

_LINE = 13.0  #: points of a line of ten-point text
_EPOCH = (1980, 1, 1, 0, 0, 0)  # of a zip file
_FIXED = re.compile(rb'(<row r="(\d+)" ht="[\d.]+") customHeight="1"')  # openpyxl fixes each height that it writes
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*")


def folder() -> Path:
    """Where the templates are: in the installed package, or beside the sources."""
    installed = Path(__file__).with_name("_templates")
    return installed if installed.is_dir() else Path(__file__).parents[1] / "workbook_templates"


def new(name: str, language: str, rows: Sequence[Sequence[Value]] | None = None) -> bytes:
    """A fresh workbook with a GUID of its own.

    `rows` replace the samples; each gives the values of the first columns in their order. Our own template is the only
    workbook that openpyxl may save: a user's would lose by it.

    Raises `template-unknown`, `template-language`.
    """
    if language not in LANGUAGES:
        raise UserError("template-language", language=language, known=", ".join(LANGUAGES))
    if name not in TEMPLATES:
        raise UserError("template-unknown", name=name, known=", ".join(TEMPLATES))
    book = openpyxl.load_workbook(folder() / f"{name}.{language}.xlsx")
    sheet = book.worksheets[0]
    if rows is not None:
        _fill(sheet, rows)
    guid = StringProperty(name=GUID_PROPERTY, value=new_guid())
    book.custom_doc_props.append(guid)  # type: ignore[attr-defined]  # openpyxl 3.1 has it, its stubs do not
    return packed(book, growing=_filtered(sheet)[1] + 1)


def packed(book: Workbook, modified: datetime | None = None, *, growing: int = MOST_ROWS + 1) -> bytes:
    """The file of a workbook that is ours.

    It says that xlsms made it: LibreOffice leaves rows as low as they are in files that claim to be Excel's. With
    `modified` nothing in it depends on when or where it was made. Rows of the first sheet from `growing` on may grow.
    """
    written, repacked = io.BytesIO(), io.BytesIO()
    book.save(written)
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(repacked, "w", zipfile.ZIP_DEFLATED) as target:
        for part in source.namelist():
            content = source.read(part)
            if part == "docProps/app.xml":
                content = content.replace(b"Microsoft Excel", b"xlsms")
            elif part == "docProps/core.xml" and modified is not None:
                content = _MODIFIED.sub(rb"\g<1>" + f"{modified:%Y-%m-%dT%H:%M:%SZ}".encode(), content)
            elif part == "xl/styles.xml":
                content = fonts_in_order(content)
            elif part == "xl/worksheets/sheet1.xml":
                content = _FIXED.sub(lambda row: row[1] if int(row[2]) >= growing else row[0], content)
            target.writestr(zipfile.ZipInfo(part, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return repacked.getvalue()


def _fill(sheet: Worksheet, rows: Sequence[Sequence[Value]]) -> None:
    """Put `rows` under the header in place of the samples, in the samples' look."""
    left, head, right, bottom = _filtered(sheet)
    looks = [sheet.cell(head + 1, column).style for column in range(left, right + 1)]
    for row in range(head + 1, max(bottom, head + len(rows)) + 1):
        values = rows[row - head - 1] if row <= head + len(rows) else ()
        for offset, look in enumerate(looks):
            cell = sheet.cell(row, left + offset)
            cell.style = look  # before the value: a date without a date format would be given one
            cell.value = values[offset] if offset < len(values) else None
        height = max((_height(sheet, left + offset, value) for offset, value in enumerate(values)), default=0.0)
        if height > sheet.sheet_format.defaultRowHeight:
            sheet.row_dimensions[row].height = height
    last = head + max(len(rows), 1)
    sheet.auto_filter.ref = f"{get_column_letter(left)}{head}:{get_column_letter(right)}{last}"


def _height(sheet: Worksheet, column: int, value: Value) -> float:
    """Points that a text takes in its column, rather too many; LibreOffice does not do the sum when it opens a file."""
    if not isinstance(value, str):
        return 0.0
    wide = 1.1 * sheet.column_dimensions[get_column_letter(column)].width
    return _LINE * sum(max(1, ceil(len(line) / wide)) for line in value.split("\n")) + 4


def _filtered(sheet: Worksheet) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the filter: the header row and the samples."""
    left, top, right, bottom = range_boundaries(sheet.auto_filter.ref)
    if left is None or top is None or right is None or bottom is None:
        raise ValueError(f"a filter without corners: {sheet.auto_filter.ref}")
    return left, top, right, bottom
