"""New cells as XML: a value finds the form that its cell can show."""

from collections.abc import Sequence
from datetime import datetime

from xlsms.ooxml.batch import TEXT_DATE, Batch, Calculated, New, Styled, Timed
from xlsms.ooxml.book import Book
from xlsms.ooxml.cells import Content, cell_xml, column_letters, escape, numbers_xml, serial_of, texts_xml
from xlsms.ooxml.style import is_date, is_duration

__all__ = ["CellWriter"]

_DIGITS = 15


class CellWriter:
    """Makes the cells of one sheet, and notes in the batch what each value became."""

    def __init__(self, book: Book, prefix: str, batch: Batch) -> None:
        self._book, self._batch = book, batch
        self.prefix = prefix  #: of the elements, with its colon

    def cell(self, row: int, column: int, style: int | None, value: New) -> bytes:
        """One cell with a new value; `style` is the cell format it has, or gets when it is new."""
        ref = f"{column_letters(column)}{row}"
        if isinstance(value, str):
            return cell_xml(self.prefix, ref, style, value)
        if isinstance(value, Calculated):
            self._batch.settled_as(row, column, None)
            p = self.prefix
            empty = cell_xml(p, ref, value.style, None)
            return empty[:-2] + f"><{p}f>{escape(value.formula)}</{p}f></{p}c>".encode()
        content, style = self._content(value, style)
        if isinstance(content, int) and not isinstance(content, bool) and abs(content) >= 10**_DIGITS:
            content = str(content)
        if content is not value:
            self._batch.settled_as(row, column, content)
        return cell_xml(self.prefix, ref, style, content)

    def _content(self, value: New, style: int | None) -> tuple[Content, int | None]:
        if isinstance(value, Styled):
            return value.value, value.style
        if isinstance(value, datetime):
            dated = self._book.styles.date_like(style or 0)
            if dated is None:
                return value.strftime(TEXT_DATE), style
            return serial_of(value, date1904=self._book.date1904), dated
        if isinstance(value, Timed):
            return self._timed(value, style)
        if isinstance(value, Calculated):
            raise TypeError("a formula is no content")
        return value, style

    def _timed(self, value: Timed, style: int | None) -> tuple[Content, int | None]:
        code = self._book.styles.code(style or 0)
        if value.serial is None:
            return value.text, style
        if is_date(code) or (value.duration and is_duration(code)):
            return value.serial, style
        dated = self._book.styles.date_like(style or 0) if value.moment else None
        return (value.text, style) if dated is None else (value.serial, dated)

    def cells(
        self, column: int, rows: Sequence[int], styles: Sequence[int | None], values: Sequence[New]
    ) -> list[bytes]:
        """Many cells of one column. Texts, emptied cells, numbers and times, also styled ones, are made all at once."""
        kinds = set(map(type, values))
        if kinds in ({datetime}, {Styled}):
            # times and looks repeat: many rows are written at one moment, and new columns look alike
            pairs = list(zip(values, styles, strict=True))
            known = {pair: self._content(*pair) for pair in set(pairs)}
            values, styles = zip(*map(known.__getitem__, pairs), strict=True)
            self._batch.settled_at(column, rows, values)
            kinds = set(map(type, values))
        letters, made = column_letters(column), None
        if kinds <= {str, type(None)}:
            made = texts_xml(self.prefix, letters, rows, styles, values)  # type: ignore[arg-type]  # as their types say
        elif kinds <= {int, float}:
            made = numbers_xml(self.prefix, letters, rows, styles, values)  # type: ignore[arg-type]
        if made is not None:
            return made
        return [self.cell(row, column, style, value) for row, style, value in zip(rows, styles, values, strict=True)]
