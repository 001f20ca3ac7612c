"""Which row an edit means, among the rows that carry its id or stand at its place now."""

from collections.abc import Sequence
from typing import Literal

from xlsms.model import Row
from xlsms.workbook.base import RowEdit

__all__ = ["carrier", "still_there"]


def carrier(edit: RowEdit, rows: Sequence[Row]) -> Row | Literal["missing", "ambiguous"]:
    """Of `rows`, which all carry the edit's id, the one that is meant.

    One carrier is the row. Of several, those with the phone and message that were sent; of these the nearest.
    """
    if not rows:
        return "missing"
    if len(rows) == 1:
        return rows[0]
    hint = edit.placed
    alike = [row for row in rows if hint and (row.phone, row.message) == (hint.phone, hint.message)]
    if hint is None or not alike:
        return "ambiguous"
    return min(alike, key=lambda row: (row.sheet != hint.sheet, abs(row.number - hint.number)))


def still_there(edit: RowEdit, row: Row | None) -> bool:
    """Whether `row`, which stands at the edit's place now, is the one that the edit was made for."""
    if edit.placed is None:
        raise ValueError("an edit without a row")
    return row is not None and edit.placed.fits(row)
