"""Where the rows and cells of an unusual sheet stand: byte offsets found by expat, whatever the XML looks like."""

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, field

from xlsms.errors import UserError
from xlsms.ooxml.cells import natural, reference
from xlsms.ooxml.encoding import UTF8
from xlsms.ooxml.markup import local, new_parser, parse

__all__ = ["CellPlace", "RowPlace", "SheetPlace", "locate"]

_TAG = re.compile(rb"<([^\s/>]+)(?:\s+[^\s=]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*\s*(/?)>")


@dataclass(slots=True)
class CellPlace:
    """One cell: its offsets, its format, and whether it is calculated."""

    column: int
    start: int
    end: int
    style: int | None
    formula: bool = False


@dataclass(slots=True)
class RowPlace:
    """One row; `opening` is the offset just after its start tag."""

    number: int
    start: int
    opening: int
    end: int = 0
    cells: list[CellPlace] = field(default_factory=list)  #: only of the rows that were asked for


@dataclass(slots=True, kw_only=True)
class SheetPlace:
    """The `<sheetData>` element."""

    prefix: bytes
    start: int  #: just after its start tag
    end: int  #: of its end tag; `start` when it closes itself
    closed: bool  #: closes itself
    rows: Sequence[RowPlace]


class _Locator:
    def __init__(self, xml: bytes, wanted: Container[int]) -> None:
        self._xml, self._wanted = xml, wanted
        self._path: list[str] = []
        self._column = 0
        self.rows: list[RowPlace] = []
        self.sheet: SheetPlace | None = None
        self.parser = new_parser(UTF8)
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end

    def _opening(self) -> re.Match[bytes]:
        match = _TAG.match(self._xml, self.parser.CurrentByteIndex)
        if match is None:
            raise UserError("sheet-not-writable")
        return match

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = local(name)
        path = self._path
        parent = path[-1] if path else ""
        path.append(tag)
        if tag == "sheetData" and path == ["worksheet", "sheetData"]:
            match = self._opening()
            prefix = match[1][: -len(b"sheetData")]
            end = match.end()
            self.sheet = SheetPlace(prefix=prefix, start=end, end=end, closed=bool(match[2]), rows=self.rows)
        elif tag == "row" and parent == "sheetData":
            match = self._opening()
            last = self.rows[-1].number if self.rows else 0
            number = natural(attributes.get("r", ""))
            end = match.end() if match[2] else 0
            self.rows.append(RowPlace(last + 1 if number is None else number, match.start(), match.end(), end))
            self._column = 0
            if self.rows[-1].number <= last:
                raise UserError("file-damaged", reason="rows out of order")
        elif tag == "c" and parent == "row" and self.sheet is not None:
            self._column = reference(attributes["r"])[1] if "r" in attributes else self._column + 1
            if self.rows[-1].number in self._wanted:
                match = self._opening()
                end = match.end() if match[2] else 0
                place = CellPlace(self._column, match.start(), end, natural(attributes.get("s", "")))
                self.rows[-1].cells.append(place)
        elif tag == "f" and parent == "c" and self.rows and self.rows[-1].cells:
            self.rows[-1].cells[-1].formula = True

    def _end(self, _: str) -> None:
        tag = self._path.pop()
        parent = self._path[-1] if self._path else ""
        if tag == "sheetData" and parent == "worksheet" and self.sheet is not None and not self.sheet.closed:
            self.sheet.end = self.parser.CurrentByteIndex
        elif tag == "row" and parent == "sheetData":
            self.rows[-1].end = self.rows[-1].end or self._after()
        elif tag == "c" and parent == "row" and self.rows and self.rows[-1].cells:
            cell = self.rows[-1].cells[-1]
            cell.end = cell.end or self._after()

    def _after(self) -> int:
        """Just after the end tag that expat stands before."""
        return self._xml.index(b">", self.parser.CurrentByteIndex) + 1


def locate(xml: bytes, rows: Container[int]) -> SheetPlace:
    """The place of every row, and of the cells of `rows`, in a sheet in UTF-8, whatever it declares.

    Raises:
        UserError: `file-damaged` for rows out of order.
    """
    locator = _Locator(xml, rows)
    parse(locator.parser, (xml,))
    if locator.sheet is None:
        raise UserError("sheet-not-writable")
    return locator.sheet
