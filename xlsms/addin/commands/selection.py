"""The rows that a user has selected."""

from collections.abc import Iterator
from dataclasses import replace

from xlsms.addin.invocation import Invocation, merged
from xlsms.errors import Place, UserError
from xlsms.model import Row
from xlsms.workbook.base import Snapshot
from xlsms.workbook.live import LiveWorkbook

__all__ = ["first_selected", "is_selected", "selected"]


def is_selected(request: Invocation, row: Row) -> bool:
    """Whether a row is among the selected ones."""
    return row.sheet == request.sheet and any(first <= row.number <= last for first, last in request.rows)


def selected(request: Invocation, snapshot: Snapshot, workbook: LiveWorkbook) -> Iterator[Row]:
    """The selected rows that the user sees. Where they are too many blocks to be handed over, `workbook` is asked.

    Raises:
        UserError: `selection-no-cells` for a chart or a picture; `selection-elsewhere` on a sheet without numbers.
    """
    if not request.rows and request.selected == "Range":
        request = replace(request, rows=merged(workbook.selected_rows()))
    if not request.rows:
        raise UserError("selection-no-cells")
    if request.sheet not in {sheet.name for sheet in snapshot.sheets}:
        names = ", ".join(sheet.name for sheet in snapshot.sheets)
        raise UserError("selection-elsewhere", place=Place(sheet=request.sheet), sheets=names)
    return (row for row in snapshot.rows if is_selected(request, row) and not row.hidden)


def first_selected(request: Invocation, snapshot: Snapshot, workbook: LiveWorkbook) -> Row:
    """The first of them.

    Raises:
        UserError: as `selected`; `selection-no-row` when nothing stands there.
    """
    for row in selected(request, snapshot, workbook):
        return row
    raise UserError("selection-no-row", place=Place(sheet=request.sheet))
