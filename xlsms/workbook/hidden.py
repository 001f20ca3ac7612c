"""Which rows of a .xls, .xlsb or .ods nobody sees, hidden or filtered out: calamine does not tell.

Only what says so is looked at, in the limited child process: the rows' own records or elements.
"""

import struct
import zipfile
from collections.abc import Iterator
from typing import BinaryIO
from xml.parsers import expat

__all__ = ["EncryptedError", "Ranges", "hidden_rows"]

Ranges = list[tuple[int, int]]  #: first and last row, from 0

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:"
_RELATION = "http://schemas.openxmlformats.org/package/2006/relationships Relationship"
_CHUNK = 1 << 18

# [MS-XLS] 2.3: kinds of records, and where a row says that it is hidden (2.4.221)
_BOF, _EOF, _BOUNDSHEET, _FILEPASS, _ROW = frozenset({0x009, 0x209, 0x409, 0x809}), 0x0A, 0x85, 0x2F, 0x208
_ROW_FLAGS, _ROW_ZERO = 12, 0x20
# [MS-XLSB] 2.3: the same there (2.4.742)
_BRT_ROW, _BRT_SHEET = 0, 156
_BRT_FLAGS, _BRT_ZERO = 11, 0x10


class EncryptedError(Exception):
    """What stands in the file is encrypted."""


def hidden_rows(file: BinaryIO) -> list[Ranges]:
    """The rows of each sheet that are hidden or filtered out, in the order of the sheets.

    Raises:
        EncryptedError: the records of an .xls are.
        Exception: whatever a broken file leads to.
    """
    if file.read(len(_OLE)) == _OLE:
        return _xls(_stream(file))
    with zipfile.ZipFile(file) as package:
        return _ods(package) if "content.xml" in package.namelist() else list(_xlsb(package))


def _stream(file: BinaryIO) -> bytes:
    from olefile import OleFileIO  # noqa: PLC0415 - comes with the service

    file.seek(0)
    with OleFileIO(file) as container:
        name = "Workbook" if container.exists("Workbook") else "Book"
        content: bytes = container.openstream(name).read()
    return content


def _xls(stream: bytes) -> list[Ranges]:
    sheets = []
    for kind, at, _ in _records(stream, 0):
        if kind == _FILEPASS:
            raise EncryptedError
        if kind == _BOUNDSHEET:
            sheets.append(int.from_bytes(stream[at : at + 4], "little"))
    return [
        _joined(
            int.from_bytes(stream[at : at + 2], "little")
            for kind, at, size in _records(stream, start)
            if kind == _ROW and size > _ROW_FLAGS and stream[at + _ROW_FLAGS] & _ROW_ZERO
        )
        for start in sheets
    ]


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


def _xlsb(package: zipfile.ZipFile) -> Iterator[Ranges]:
    book, parts = package.read("xl/workbook.bin"), _targets(package.read("xl/_rels/workbook.bin.rels"))
    for kind, at, _ in _binary(book):
        if kind == _BRT_SHEET:
            count = int.from_bytes(book[at + 8 : at + 12], "little")
            relation = book[at + 12 : at + 12 + 2 * count].decode("utf-16-le")
            target = parts[relation]
            part = package.read(target[1:] if target.startswith("/") else f"xl/{target}")
            yield _joined(
                int.from_bytes(part[at : at + 4], "little")
                for kind, at, size in _binary(part)
                if kind == _BRT_ROW and size > _BRT_FLAGS and part[at + _BRT_FLAGS] & _BRT_ZERO
            )


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

    _TABLE, _ROW, _GROUP = (f"{_OFFICE}table:1.0 {name}" for name in ("table", "table-row", "table-row-group"))

    def __init__(self) -> None:
        self.sheets: list[Ranges] = []
        self._groups: list[bool] = []
        self._depth = self._row = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """A table, a group of rows or a row begins."""
        space = f"{_OFFICE}table:1.0 "
        if name == self._TABLE:
            self._depth += 1
            if self._depth == 1:  # a table inside a cell has no rows of the sheet
                self.sheets.append([])
                self._row = 0
        elif self._depth != 1:
            return
        elif name == self._GROUP:
            self._groups.append(attributes.get(space + "display") == "false")
        elif name == self._ROW:
            count = int(attributes.get(space + "number-rows-repeated", "1"))
            if attributes.get(space + "visibility", "visible") != "visible" or any(self._groups):
                self.sheets[-1].append((self._row, self._row + count - 1))
            self._row += count

    def end(self, name: str) -> None:
        """A table or a group ends."""
        if name == self._TABLE:
            self._depth -= 1
        elif name == self._GROUP and self._depth == 1:
            self._groups.pop()


def _ods(package: zipfile.ZipFile) -> list[Ranges]:
    tables = _Tables()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = tables.start, tables.end
    with package.open("content.xml") as content:
        while chunk := content.read(_CHUNK):
            parser.Parse(chunk, False)
    parser.Parse(b"", True)
    return tables.sheets


def _joined(rows: Iterator[int]) -> Ranges:
    """Rows as ranges."""
    ranges: Ranges = []
    for row in rows:
        if ranges and ranges[-1][1] == row - 1:
            ranges[-1] = (ranges[-1][0], row)
        else:
            ranges.append((row, row))
    return ranges
