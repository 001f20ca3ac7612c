"""The value of a cell as it lies in a sheet (ECMA-376 §18.18.11, ST_CellType)."""

import re
from datetime import datetime

from xlsms.ooxml.book import Book
from xlsms.ooxml.cells import date_of, natural, unescape
from xlsms.ooxml.grammar import RawCell
from xlsms.ooxml.style import is_date
from xlsms.ooxml.text import inner_text

__all__ = ["Decoder", "Raw", "style_of", "type_of"]

_VALUE = re.compile(rb"<v(?:\s[^>]*)?>([^<]*)</v\s*>")
_STYLE = re.compile(rb' s="[0-9]*"')
_NO_STYLE = b' s="999999"'  # of no cell format, and so no date: a workbook has 65,490 at most
_HAS_VALUE = re.compile(rb"<v[\s/>]")
_FORMULA = re.compile(rb"<f[\s/>]")
_EXACT = 10**15  # below, a workbook knows every digit of a whole number

Raw = str | int | float | bool | datetime | None
"""A value; a date is naive wall-clock time here."""


def style_of(attributes: bytes) -> int:
    """The cell format of a cell; 0 without one."""
    at = attributes.find(b' s="')
    if at < 0:
        return 0
    return natural(attributes[at + 4 : attributes.find(b'"', at + 4)]) or 0


def type_of(attributes: bytes) -> bytes:
    """The type of a cell: `s`, `str`, `inlineStr`, `b`, `e`, `d`, and `n` for numbers."""
    at = attributes.find(b' t="')
    return b"n" if at < 0 else attributes[at + 4 : attributes.find(b'"', at + 4)]


class Decoder:
    """Reads the cells of one sheet."""

    def __init__(self, book: Book, prefix: bytes) -> None:
        self._book = book  # its strings are loaded when one is asked for
        self._styles = book.styles
        self._date1904 = book.date1904
        self._open, self._close = b"<" + prefix, b"</" + prefix
        self._kinds: dict[bytes, tuple[bytes, bool]] = {}
        self._codes: dict[bytes, str] = {}

    def value(self, cell: RawCell) -> tuple[Raw, str | None]:
        """The value and, where it cannot be used, the code of the reason."""
        _, attributes, value, simple, other = cell
        known = self._kinds.get(attributes)  # few cells differ in their attributes
        if known is None:
            dated = is_date(self._styles.code(style_of(attributes)))
            known = self._kinds[attributes] = (type_of(attributes), dated)
        kind, dated = known
        if kind == b"s":
            return self._shared(value or self._inside(other)[0]), None
        formula = False
        if other:
            value, formula = self._inside(other)
        if kind == b"inlineStr":
            return (unescape(simple.decode("utf-8", "replace")) if simple else self._rich(other)), None
        if kind == b"str":
            return unescape(value.decode("utf-8", "replace")), self._uncalculated(other, formula=formula)
        if not value:
            return None, "formula-not-calculated" if formula else None
        return self._number(value, dated=dated) if kind == b"n" else self._scalar(kind, value)

    def plain_value(self, cell: RawCell) -> Raw:
        """The value with dates left as serials: what was written."""
        return self.value((cell[0], _STYLE.sub(b"", cell[1]) + _NO_STYLE, *cell[2:]))[0]

    def has_formula(self, cell: RawCell) -> bool:
        """Whether the cell is calculated."""
        return bool(cell[4]) and self._inside(cell[4])[1]

    def code(self, cell: RawCell) -> str:
        """The number format of a cell."""
        known = self._codes.get(cell[1])
        if known is None:
            known = self._codes[cell[1]] = self._styles.code(style_of(cell[1]))
        return known

    def _bare(self, xml: bytes) -> bytes:
        """`xml` without the prefix of the sheet."""
        return xml if self._open == b"<" else xml.replace(self._open, b"<").replace(self._close, b"</")

    def _inside(self, other: bytes) -> tuple[bytes, bool]:
        xml = self._bare(other)
        found = _VALUE.search(xml)
        return (found[1] if found else b""), _FORMULA.search(xml) is not None

    def _rich(self, other: bytes) -> str:
        return inner_text(self._bare(other))

    def _uncalculated(self, other: bytes, *, formula: bool) -> str | None:
        return "formula-not-calculated" if formula and _HAS_VALUE.search(self._bare(other)) is None else None

    def _shared(self, value: bytes) -> str:
        try:
            number = int(value)
        except ValueError:
            return ""
        return self._book.text(number)

    def _scalar(self, kind: bytes, value: bytes) -> tuple[Raw, str | None]:
        if kind == b"b":
            return value in (b"1", b"true"), None
        return self._iso(value) if kind == b"d" else (None, "cell-error")

    def _number(self, value: bytes, *, dated: bool) -> tuple[Raw, str | None]:
        try:
            number = float(value)
        except ValueError:
            return None, "cell-error"
        if dated:
            moment = date_of(number, date1904=self._date1904)
            if moment is not None:
                return moment, None
        if number.is_integer() and abs(number) < _EXACT:
            return int(number), None
        return (number, None) if number - number == 0 else (None, "cell-error")

    def _iso(self, value: bytes) -> tuple[Raw, str | None]:
        try:
            return datetime.fromisoformat(value.decode("ascii", "replace").strip()).replace(tzinfo=None), None
        except ValueError:
            return None, "cell-error"
