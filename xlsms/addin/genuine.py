"""The VBA project as Excel itself makes it of our sources, for a computer whose Excel will not take ours.

Windows only, in an Excel that runs, by the documentation of its object model: a new workbook takes the modules in, is
saved as an add-in and closed again, and its project goes into the package that `build` makes. Never tried on a real
Excel.
"""

import io
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from xlsms.addin.build import CODE_NAMES, PROJECT_NAME, sources
from xlsms.errors import UserError

__all__ = ["genuine_project", "running_excel"]

_ADDIN_FORMAT = 55  #: xlOpenXMLAddIn
_WORKBOOK_SOURCE = "ThisWorkbook.cls"


def running_excel() -> Any:
    """The object of the Excel that runs. None is started.

    Raises `UserError` `addin-open-excel`.
    """
    import xlwings  # noqa: PLC0415 (only this command needs it)

    excel = xlwings.apps.active if len(xlwings.engines) else None
    if excel is None:
        raise UserError("addin-open-excel")
    return excel.api


def genuine_project(excel: Any) -> bytes:
    """`vbaProject.bin` of our sources, made by this Excel.

    Raises `UserError` `addin-no-vba-access` when Excel does not let programs do that.
    """
    with tempfile.TemporaryDirectory(prefix="xlsms-") as name:
        folder = Path(name)
        saved = folder / "made.xlam"
        book = excel.Workbooks.Add()
        try:
            _fill(book, folder)
            book.IsAddin = True
            book.SaveAs(str(saved), _ADDIN_FORMAT)
        finally:
            book.Close(False)
        return zipfile.ZipFile(io.BytesIO(saved.read_bytes())).read("xl/vbaProject.bin")


def _fill(book: Any, folder: Path) -> None:
    """Take the modules in, and name what stands behind the workbook and its sheets as our package names it."""
    try:
        project = book.VBProject
        components = project.VBComponents
    except Exception as error:
        raise UserError("addin-no-vba-access") from error
    while book.Worksheets.Count < len(CODE_NAMES):
        book.Worksheets.Add()
    for number, module in enumerate(CODE_NAMES.values(), 1):
        components.Item(book.Worksheets.Item(number).CodeName).Name = module
    for file, content in sources().items():
        if file == _WORKBOOK_SOURCE:
            continue
        (folder / file).write_bytes(content)
        components.Import(str(folder / file))
    behind = components.Item(book.CodeName)
    if behind.CodeModule.CountOfLines:
        behind.CodeModule.DeleteLines(1, behind.CodeModule.CountOfLines)  # the editor may begin with Option Explicit
    behind.CodeModule.AddFromString(sources()[_WORKBOOK_SOURCE].decode("cp1252"))
    behind.Name = "ThisWorkbook"
    project.Name = PROJECT_NAME
