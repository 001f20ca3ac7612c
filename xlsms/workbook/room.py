"""Whether a sheet has room for the columns that it lacks."""

from collections.abc import Iterator, Sequence

from xlsms.errors import Place, UserError
from xlsms.ooxml.cells import MOST_COLUMNS, column_letters, column_number, natural
from xlsms.ooxml.outline import Node, outline
from xlsms.ooxml.scan import rows
from xlsms.ooxml.value import style_of
from xlsms.workbook.layout import Layout

__all__ = ["check_room", "drawn_columns", "right_edge"]


def check_room(sheet: str, row: int, right: int, texts: Sequence[str]) -> None:
    """Make sure that headers fit into a sheet behind the column `right`, which is the last in use.

    Raises:
        UserError: `columns-past-edge`; cells beyond the last column would damage the workbook.
    """
    if right + len(texts) > MOST_COLUMNS:
        place = Place(sheet=sheet, row=row)
        raise UserError("columns-past-edge", place=place, columns=", ".join(texts), last=column_letters(right))


def right_edge(layout: Layout) -> tuple[int, int]:
    """The last column in use at or below the header row, and the style of the last header."""
    last = max(column_number(letters) for letters in layout.headers)
    right, style = last, 0
    for raw in rows(layout.book, layout.part, layout.found):
        if raw.number < layout.header_row:
            continue
        right = max((right, *(column_number(cell[0].decode()) for cell in raw.cells if any(cell[2:]))))
        if raw.number == layout.header_row:
            style = next((style_of(cell[1]) for cell in raw.cells if cell[0] == column_letters(last).encode()), 0)
    areas = [*layout.found.merges, *layout.found.arrays, *(table.area for table in layout.tables)]
    return max([right, *(area.right for area in areas if area.bottom >= layout.header_row)]), style


def drawn_columns(layout: Layout) -> Iterator[tuple[int, int]]:
    """First and last column of each chart, picture and shape below the header row of a sheet."""
    drawing = layout.book.target(layout.part.member.key, ("drawing",))
    if drawing is None:
        return
    try:
        root = outline(layout.book.package.read(drawing))
    except UserError:  # it stays as it lies, and nobody can say where
        return
    for anchor in (*root.all("twoCellAnchor"), *root.all("oneCellAnchor")):
        first, last = anchor.child("from"), anchor.child("to")
        if first is not None and (last is None or _number(last, "row") + 1 >= layout.header_row):
            left = _number(first, "col") + 1
            yield left, max(left, _number(last, "col") + 1 if last else left)


def _number(corner: Node, name: str) -> int:
    """A row or column of a corner, from 0."""
    node = corner.child(name)
    return natural(node.text.strip() if node else "") or 0
