"""Rows with new cells: an old one taken apart and put together again, or a new one."""

import re
from collections.abc import Collection, Mapping

from xlsms.ooxml.batch import Cell, New, Styled
from xlsms.ooxml.compose import CellWriter
from xlsms.ooxml.locate import RowPlace
from xlsms.ooxml.scan import Survey

__all__ = ["RowWriter"]

# a row may be one of a sheet that is not plain: either quotes, blanks around the equals sign
_SPANS = re.compile(rb"\sspans\s*=\s*[\"']([0-9]+):([0-9]+)[\"']")
_CUSTOM = re.compile(rb"\scustomFormat\s*=\s*[\"'](?:1|true)[\"']")
_STYLE = re.compile(rb"\ss\s*=\s*[\"']([0-9]{1,10})[\"']")


class RowWriter:
    """Writes the rows of one sheet; `refused` takes up the cells that hold a formula."""

    def __init__(self, cells: CellWriter, found: Survey, refused: dict[Cell, str]) -> None:
        self.cells = cells
        self.refused = refused
        self._found = found
        self._prefix = found.prefix.decode()

    def use(self, prefix: str) -> None:
        """Write elements with another prefix than the survey told: that of the sheet as it lies."""
        self._prefix = self.cells.prefix = prefix

    def new(self, number: int, cells: Mapping[int, New]) -> bytes:
        """A row that was not there; its cells take the format of their columns."""
        inside = b"".join(
            self.cells.cell(number, column, self._found.column_style(column), cells[column]) for column in sorted(cells)
        )
        return f'<{self._prefix}row r="{number}">'.encode() + inside + f"</{self._prefix}row>".encode()

    def edited(self, xml: bytes, row: RowPlace, new: Mapping[int, New]) -> bytes:
        """A row with its cells written; offsets are within `xml`."""
        cells = sorted(row.cells, key=lambda cell: cell.start)
        known = {cell.column: cell for cell in cells}
        places: list[tuple[int, int, int, int | None]] = []
        for column in new:
            cell = known.get(column)
            if cell is None:
                after = [other for other in cells if other.column > column]
                start = after[0].start if after else cells[-1].end if cells else row.opening
                places.append((start, column, start, None))
            elif cell.formula:
                self.refused[row.number, column] = "cell-formula"
            else:
                places.append((cell.start, column, cell.end, cell.style))
        at = row.opening
        out = [self.opening(xml[:at], new)]
        for start, column, end, style in sorted(places, key=lambda place: place[:2]):
            given = column in known or isinstance(new[column], Styled)
            look = style if given else self.default_style(xml, column)
            out += (xml[at:start], self.cells.cell(row.number, column, look, new[column]))
            at = end
        out.append(xml[at:])
        if xml[row.opening - 2 : row.opening] == b"/>":
            out.append(f"</{self._prefix}row>".encode())
        return b"".join(out)

    @staticmethod
    def opening(tag: bytes, new: Collection[int]) -> bytes:
        """The start tag of a row with cells in `new` columns, not self-closing, without `spans` that no longer hold."""
        if tag.endswith(b"/>"):
            tag = tag[:-2].rstrip() + b">"
        spans = _SPANS.search(tag)
        if spans and not int(spans[1]) <= min(new) <= max(new) <= int(spans[2]):
            tag = tag[: spans.start()] + tag[spans.end() :]
        return tag

    def default_style(self, xml: bytes, column: int) -> int | None:
        """The format of a cell that was not there: the row's, else the column's."""
        tag = xml[: xml.index(b">") + 1]
        if _CUSTOM.search(tag):
            style = _STYLE.search(tag)
            return int(style[1]) if style else 0
        return self._found.column_style(column)
