"""What calamine does not tell of a .xls, .xlsb or .ods: rows that nobody sees, and cells that hold an error.

Only the records or elements that say so are looked at, in the limited child process.
"""

import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.parsers import expat

__all__ = ["EncryptedError", "Untold", "untold"]

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_RELATION = "http://schemas.openxmlformats.org/package/2006/relationships Relationship"
_CHUNK = 1 << 18

# [MS-XLS] 2.3: kinds of records, and where a row says that it is hidden (2.4.221)
_BOF, _EOF, _BOUNDSHEET, _FILEPASS, _ROW = frozenset({0x009, 0x209, 0x409, 0x809}), 0x0A, 0x85, 0x2F, 0x208
_ROW_FLAGS, _ROW_ZERO = 12, 0x20
_BOOLERR, _FORMULA, _ERROR_RESULT = 0x205, 0x06, 2  # 2.4.24; 2.4.127 and 2.5.133
# [MS-XLSB] 2.3: the same there (2.4.742)
_BRT_ROW, _BRT_SHEET = 0, 156
_BRT_FLAGS, _BRT_ZERO = 11, 0x10
_BRT_ERRORS = frozenset({3, 11})  # 2.4.309 and 2.4.680


class EncryptedError(Exception):
    """What stands in the file is encrypted."""


@dataclass(slots=True)
class Untold:
    """One sheet; rows and columns count from 0."""

    hidden: list[tuple[int, int]] = field(default_factory=list)  #: first and last rows, hidden or filtered out
    errors: dict[int, list[int]] = field(default_factory=dict)  #: the columns of cells with an error, by row

    def hide(self, first: int, last: int) -> None:
        """Take up rows; they come in order."""
        if self.hidden and self.hidden[-1][1] == first - 1:
            first = self.hidden.pop()[0]
        self.hidden.append((first, last))

    def err(self, row: int, column: int) -> None:
        """Take up a cell with an error."""
        self.errors.setdefault(row, []).append(column)


def untold(file: BinaryIO) -> list[Untold]:
    """The sheets in their order.

    Raises:
        EncryptedError: the records of an .xls are, or the content of a .ods.
        Exception: whatever a broken file leads to.
    """
    if file.read(len(_OLE)) == _OLE:
        return _xls(_stream(file))
    with zipfile.ZipFile(file) as package:
        names = package.namelist()
        if "encrypted-package" in names:  # as LibreOffice encrypts since 24.8
            raise EncryptedError
        return _ods(package) if "content.xml" in names else list(_xlsb(package))


def _stream(file: BinaryIO) -> bytes:
    from olefile import OleFileIO  # noqa: PLC0415 - comes with the service

    file.seek(0)
    with OleFileIO(file) as container:
        name = "Workbook" if container.exists("Workbook") else "Book"
        content: bytes = container.openstream(name).read()
    return content


def _xls(stream: bytes) -> list[Untold]:
    sheets = []
    for kind, at, _ in _records(stream, 0):
        if kind == _FILEPASS:
            raise EncryptedError
        if kind == _BOUNDSHEET:
            sheets.append(int.from_bytes(stream[at : at + 4], "little"))
    return [_xls_sheet(stream, start) for start in sheets]


def _xls_sheet(stream: bytes, start: int) -> Untold:
    found = Untold()
    for kind, at, size in _records(stream, start):
        if kind == _ROW:
            if size > _ROW_FLAGS and stream[at + _ROW_FLAGS] & _ROW_ZERO:
                row = int.from_bytes(stream[at : at + 2], "little")
                found.hide(row, row)
        elif (kind == _BOOLERR and stream[at + 7]) or (
            kind == _FORMULA and stream[at + 6] == _ERROR_RESULT and stream[at + 12 : at + 14] == b"\xff\xff"
        ):
            found.err(*struct.unpack_from("<HH", stream, at))
    return found


def _records(stream: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Kind, place and size of the records of one substream, charts within it included."""
    depth = 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        yield kind, at + 4, size
        depth += (kind in _BOF) - (kind == _EOF)
        if depth <= 0:
            return
        at += 4 + size


def _xlsb(package: zipfile.ZipFile) -> Iterator[Untold]:
    book, parts = package.read("xl/workbook.bin"), _targets(package.read("xl/_rels/workbook.bin.rels"))
    for kind, at, _ in _binary(book):
        if kind == _BRT_SHEET:
            count = int.from_bytes(book[at + 8 : at + 12], "little")
            relation = book[at + 12 : at + 12 + 2 * count].decode("utf-16-le")
            target = parts[relation]
            yield _xlsb_sheet(package.read(target[1:] if target.startswith("/") else f"xl/{target}"))


def _xlsb_sheet(part: bytes) -> Untold:
    found, row = Untold(), 0
    for kind, at, size in _binary(part):
        if kind == _BRT_ROW:
            row = int.from_bytes(part[at : at + 4], "little")
            if size > _BRT_FLAGS and part[at + _BRT_FLAGS] & _BRT_ZERO:
                found.hide(row, row)
        elif kind in _BRT_ERRORS:
            found.err(row, int.from_bytes(part[at : at + 4], "little"))
    return found


def _targets(relations: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    parser = expat.ParserCreate(namespace_separator=" ")

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == _RELATION:
            found[attributes["Id"]] = attributes["Target"]

    parser.StartElementHandler = start
    parser.Parse(relations, True)
    return found


def _binary(part: bytes) -> Iterator[tuple[int, int, int]]:
    """Kind, place and size of the records of a part ([MS-XLSB] 2.1.4)."""
    at, end = 0, len(part)
    while at + 2 <= end:
        kind, at = part[at], at + 1
        if kind & 0x80:
            kind, at = kind & 0x7F | (part[at] & 0x7F) << 7, at + 1
        size = shift = 0
        while True:
            byte, at = part[at], at + 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 or shift > 21:  # noqa: PLR2004 - the last of its bytes, four at most
                break
        yield kind, at, size
        at += size


class _Tables:
    """Reads the rows of an OpenDocument (OASIS ODF 1.3 part 3, 9.1.3 and 19.761)."""

    _SPACE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
    _KIND = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0 value-type"  # LibreOffice's own

    def __init__(self) -> None:
        self.sheets: list[Untold] = []
        self._groups: list[bool] = []
        self._depth = 0
        self._row = self._rows = self._column = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """A table, a group of rows, a row or a cell begins."""
        tag = name.removeprefix(self._SPACE)
        if tag == "table":
            self._depth += 1
            if self._depth == 1:  # a table inside a cell has no rows of the sheet
                self.sheets.append(Untold())
                self._row = self._rows = 0
        elif self._depth != 1:
            return
        elif tag == "table-row-group":
            self._groups.append(attributes.get(self._SPACE + "display") == "false")
        elif tag == "table-row":
            self._row, self._column = self._row + self._rows, 0
            self._rows = int(attributes.get(self._SPACE + "number-rows-repeated", "1"))
            if attributes.get(self._SPACE + "visibility", "visible") != "visible" or any(self._groups):
                self.sheets[-1].hide(self._row, self._row + self._rows - 1)
        elif tag in ("table-cell", "covered-table-cell"):
            self._cells(attributes)

    def _cells(self, attributes: dict[str, str]) -> None:
        first = self._column
        self._column += int(attributes.get(self._SPACE + "number-columns-repeated", "1"))
        if attributes.get(self._KIND) == "error":
            for row in range(self._row, self._row + self._rows):
                for column in range(first, self._column):
                    self.sheets[-1].err(row, column)

    def end(self, name: str) -> None:
        """A table or a group ends."""
        tag = name.removeprefix(self._SPACE)
        if tag == "table":
            self._depth -= 1
        elif tag == "table-row-group" and self._depth == 1:
            self._groups.pop()


def _ods(package: zipfile.ZipFile) -> list[Untold]:
    tables = _Tables()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = tables.start, tables.end
    try:
        with package.open("content.xml") as content:
            while chunk := content.read(_CHUNK):
                parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError:
        if b"encryption-data" in package.read("META-INF/manifest.xml"):
            raise EncryptedError from None
        raise
    return tables.sheets
