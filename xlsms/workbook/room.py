"""Whether a sheet is wide enough for the columns that it lacks."""

from collections.abc import Sequence

from xlsms.errors import Place, UserError
from xlsms.ooxml.cells import MOST_COLUMNS, column_letters

__all__ = ["check_room"]


def check_room(sheet: str, row: int, right: int, texts: Sequence[str]) -> None:
    """Make sure that headers fit into a sheet behind the column `right`, which is the last in use.

    Raises:
        UserError: `columns-past-edge`; cells beyond the last column would damage the workbook.
    """
    if right + len(texts) > MOST_COLUMNS:
        place = Place(sheet=sheet, row=row)
        raise UserError("columns-past-edge", place=place, columns=", ".join(texts), last=column_letters(right))
