"""The literals and patterns of a plain sheet: how its rows and cells are told apart, and whether they are plain."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from xlsms.errors import UserError
from xlsms.ooxml.block import NotPlainError
from xlsms.ooxml.cells import Area
from xlsms.ooxml.needle import holds
from xlsms.ooxml.shape import Shapes, end_of

__all__ = ["Grammar", "RawCell", "RawRow"]

_REF = re.compile(rb"f(?<=\sref)\s*+=")
_GROUP = re.compile(rb"\((?!\?)")  # of a pattern, one that captures

RawCell = tuple[bytes, bytes, bytes, bytes, bytes]
"""Letters, attributes, `<v>`, the text of a simple inline string, and anything else inside the cell."""


class RawRow(NamedTuple):
    """One row as it lies in the sheet; its cells are told apart when they are asked for. A tuple: there are many."""

    number: int
    hidden: bool
    body: bytes  #: what stands inside the row element
    pattern: re.Pattern[bytes]  #: of a cell
    ends: tuple[bytes, ...] | None = None  #: of some columns what stands behind the cell's reference, where it was told

    @property
    def cells(self) -> list[RawCell]:
        """All cells, left to right."""
        return self.pattern.findall(self.body)


class Grammar:
    """The literals and patterns of a plain sheet with one prefix."""

    def __init__(self, prefix: bytes, shapes: Shapes | None = None) -> None:
        """`shapes` are those of the sheet's rows, where they have been looked at before."""
        p = re.escape(prefix)
        self.prefix = prefix
        self.row_open, self.row_end = b"<" + prefix + b"row", b"</" + prefix + b"row>"
        self.cell_open, self.cell_end = b"<" + prefix + b'c r="', b"</" + prefix + b"c>"
        self._any_cell, self._any_end = b"<" + prefix + b"c", b"</" + prefix + b"c"
        self.row = re.compile(rb"<" + p + rb'row(?:\s+(?!r=)[\w:.]+="[^"<>]*")*\s+r="([1-9][0-9]{0,6})"[^<>\']*?(/?)>')
        # a rare byte is searched for faster than one that begins many things
        self._row_number = re.compile(rb"w(?<=<" + p + rb"row)(?: r=\"([1-9][0-9]{0,6}+)\")?+")
        whole = rb'[A-Z]{1,3}[1-9][0-9]{0,6}"(?:[^<>/\'"]*"[^<>/\'"]*")*\s*/?>'  # a tag may hold > within quotes
        self._odd_cell = re.compile(rb"<" + p + rb'c r="(?!' + whole + rb")")
        # a row, and in it a cell that names another
        stray = rb'%b(?<!/>)(?:[^<]++|<(?!/%brow>|%bc r="[A-Z]++(?!\1")))*+<%bc ' % (self.row.pattern, p, p, p)
        self._stray = re.compile(stray)
        inside = rb"<%(p)sv>([^<]*)</%(p)sv>|<%(p)sis><%(p)st(?: [^>]*)?>([^<]*)</%(p)st></%(p)sis>|(.*?)" % {b"p": p}
        self._cell_text = rb"<%(p)sc r=\"(%%b)[0-9]+\"([^>/]*)(?:/>|>(?:%(inside)s)</%(p)sc>)" % {
            b"p": p,
            b"inside": inside,
        }
        self.cell = self.cells_of(b"[A-Z]+")
        self._end = re.compile(rb"([^>/]*)(?:/>|>(?:%b)</%bc>)" % (inside, p), re.DOTALL)
        text = rb"<%(p)sis><%(p)st(?: [^>]*)?>([^<]*)</%(p)st></%(p)sis></%(p)sc>" % {b"p": p}
        #: what stands behind the reference of a simple inline text, which is its group
        self.text_end = re.compile(rb'(?: s="[0-9]+")? t="inlineStr">' + text)
        self.formula_open = b"<" + prefix + b"f"
        self.formula = re.compile(rb"<" + p + rb"f[\s/>]")
        self.shapes = shapes or Shapes(prefix)
        self.exact = False  #: whether in the last block checked every cell stands once, in order, and names its row
        self._odd_formula = re.compile(rb"<" + p + rb'f\s(?!(?:\s*[A-Za-z0-9]+="[^"<>&]*")*\s*/?>)')
        self._array = re.compile(rb"<" + p + rb'f(?=[^<>]*\st="(?:array|dataTable)")[^<>]*\sref="([^"<>]*)"')

    def cells_of(self, letters: bytes) -> re.Pattern[bytes]:
        """A pattern for the cells of a column, or of all columns; its groups make a `RawCell`."""
        return re.compile(self._cell_text % letters, re.DOTALL)

    def whole_cells_of(self, letters: bytes) -> re.Pattern[bytes]:
        """The same without groups."""
        return re.compile(_GROUP.sub(b"(?:", self._cell_text) % letters, re.DOTALL)

    def simple_cells_of(self, letters: bytes) -> re.Pattern[bytes]:
        """A pattern for the cells of a column without formula or rich text: cell, row and style are its groups."""
        inside = rb"(?:<%(p)sv>[^<]*</%(p)sv>|<%(p)sis><%(p)st(?: [^>]*)?>[^<]*</%(p)st></%(p)sis>)?" % {
            b"p": re.escape(self.prefix)
        }
        tag = rb'%b%b([1-9][0-9]{0,6})"(?: s="([0-9]+)")?(?: t="[A-Za-z]+")?' % (re.escape(self.cell_open), letters)
        return re.compile(rb"(%b(?:/>|>%b%b))" % (tag, inside, re.escape(self.cell_end)))

    def texts_of(self, letters: bytes) -> re.Pattern[bytes]:
        """A pattern for the simple inline texts of a column: row and text are its groups."""
        inside = rb"<%(p)sis><%(p)st(?: [^>]*)?>([^<]*)</%(p)st></%(p)sis>" % {b"p": re.escape(self.prefix)}
        tag = rb'%b%b([1-9][0-9]{0,6})"(?: s="[0-9]+")? t="inlineStr">' % (re.escape(self.cell_open), letters)
        return re.compile(tag + inside + re.escape(self.cell_end))

    def texts_alike(self, ends: Sequence[bytes]) -> list[bytes] | None:
        """The simple inline texts of cells that lie alike, of which what is behind the reference was told.

        None where one lies otherwise, and for none. The texts are as they lie.
        """
        first = self.text_end.fullmatch(ends[0]) if ends else None
        if first is None:
            return None
        before, after = ends[0][: first.start(1)], ends[0][first.end(1) :]
        lying = b"\n".join(ends)
        # a cell ends but once: what divides two of them stands between two that are such as the first one
        texts = lying[len(before) : -len(after)].split(b"%b\n%b" % (after, before))
        return texts if len(texts) == len(ends) and lying.startswith(before) and lying.endswith(after) else None

    def check(self, block: bytes, last: int) -> int:
        """Whether a block of whole rows is plain and in order; returns its last row number."""
        if holds(block, b"ref") and self._odd_formula.search(block):  # it may fill an area that `arrays` would not see
            raise NotPlainError
        quick = self.shapes.check(block, last)
        self.exact = quick is not None
        if quick is not None:
            return quick
        numbers = [int(number) for number, _ in self.row.findall(block)]
        ordered = all(map(int.__lt__, [last, *numbers], numbers))
        if not (ordered and self.plain(block) and self._stray.search(block) is None):
            raise NotPlainError
        return numbers[-1] if numbers else last

    def is_exact(self, rows: bytes) -> bool:
        """Whether in some whole rows every cell stands once, in order, and names its row, as far as a glance tells."""
        return self.shapes.check(rows, 0) is not None

    def apart(self, block: bytes, letters: tuple[bytes, ...]) -> list[tuple[bytes, ...]] | None:
        """The rows of a checked block and the cells of some columns told apart at once; see `Shapes.apart`."""
        return self.shapes.apart(block, letters)

    def between(self, block: bytes, letters: tuple[bytes, ...]) -> list[tuple[bytes, ...]] | None:
        """The rows of a block in pieces that cells of some columns can be put between; see `Shapes.between`."""
        return self.shapes.between(block, letters)

    def cell_by(self, letters: bytes, end: bytes) -> RawCell:
        """A cell of which only what stands behind its reference is known; an empty one for nothing."""
        found = self._end.fullmatch(end)
        return (letters, *found.groups(b"")) if found else (letters, b"", b"", b"", b"")  # type: ignore[return-value]

    def check_rows(self, block: bytes, last: int) -> int:
        """As `check`, of the rows alone, whatever their cells are; where areas may be filled, of the cells as well."""
        odd = holds(block, b"ref", b"<!", b"<?")
        if odd and _REF.search(block):
            return self.check(block, last)
        found = self._row_number.findall(block)
        if not block.strip():
            return last
        end = end_of(found, last) if found else None
        if end is None or (odd and holds(block, b"<!", b"<?")):
            raise NotPlainError
        return end

    def plain(self, block: bytes) -> bool:
        """Whether every row and cell of a block of whole rows is written in the plain way; says nothing of order."""
        found = self.row.findall(block)
        return (
            len(found) == block.count(self.row_open)
            and sum(not closed for _, closed in found) == block.count(self.row_end)
            and block.count(self._any_end) == block.count(self.cell_end)
            and block.count(self._any_cell) == block.count(self.cell_open)
            and self._odd_cell.search(block) is None
            and b"<!" not in block
            and b"<?" not in block
        )

    def arrays(self, block: bytes) -> Iterator[Area]:
        """The areas that array formulas and data tables fill, in a block that has been checked."""
        if self.shapes.areas and (b't="array"' in block or b't="dataTable"' in block):
            yield from (area for ref in self._array.findall(block) if (area := Area.of(ref.decode("ascii", "replace"))))

    def rows(self, block: bytes) -> Iterator[RawRow]:
        """The rows with cells in a block of whole rows."""
        opening = self.row_open
        for part in block.split(self.row_end):
            start = part.rfind(opening)
            if start < 0:
                continue
            body = part.index(b">", start)
            yield self._raw(part[start : body + 1], part[body + 1 :])

    def row_around(self, block: bytes, at: int) -> RawRow:
        """The row of a cell that starts at `at`."""
        start = block.rfind(self.row_open, 0, at)
        body = block.index(b">", start)
        return self._raw(block[start : body + 1], block[body + 1 : block.index(self.row_end, at)])

    def _raw(self, tag: bytes, body: bytes) -> RawRow:
        number = self.row.match(tag)
        if number is None:
            raise UserError("file-damaged", reason="a row without a number")
        return RawRow(int(number[1]), b'hidden="1"' in tag or b'hidden="true"' in tag, body, self.cell)
