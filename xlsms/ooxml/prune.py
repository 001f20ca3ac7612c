"""Columns taken out of a sheet as it streams by: their cells, their looks, and what marks them."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from xlsms.errors import UserError
from xlsms.ooxml.block import NotPlainError, blocks
from xlsms.ooxml.book import SHEET_LIMIT, Book, SheetPart
from xlsms.ooxml.cells import MOST_COLUMNS, MOST_ROWS, Area, column_letters
from xlsms.ooxml.frame import area_text, cut_columns, lead, prefix_of
from xlsms.ooxml.locate import locate
from xlsms.ooxml.outline import Edits, Node
from xlsms.ooxml.scan import Survey
from xlsms.ooxml.table import unsorted

__all__ = ["Prune"]

_MEMORY = 256 << 20  # inflated bytes of an unusual sheet, which has to be held at once
_RANGE = re.compile(r'\s(?:min|max)\s*=\s*(?:"[^"]*"|\'[^\']*\')')
_FIRST = re.compile(r'\bmin="[0-9]*"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Prune:
    """What is to go from one sheet."""

    area: Area | None  #: its cells go, and the looks of its columns
    right: int = 0  #: the last column with a cell that stays
    filter: Area | None = None  #: what the sheet's filter is to cover
    choice: Callable[[Node], bool]  #: which validations go
    colour: Callable[[Node], bool]  #: which conditional formats go

    def chunks(self, book: Book, sheet: SheetPart, found: Survey) -> Iterator[bytes]:
        """The sheet's XML without them."""
        source = book.package.chunks(sheet.member, SHEET_LIMIT)
        if found.plain or self.area is None:
            pattern = self._pattern(found.prefix)
            cells: Iterable[tuple[str, bytes]] = (
                (kind, pattern.sub(self._kept, data) if kind == "rows" and pattern else data)
                for kind, data in blocks(source)
            )
        else:
            if sheet.member.size > _MEMORY:
                raise UserError("file-too-large", part=sheet.member.key)
            cells = blocks([_without(b"".join(source), self.area)])
        try:
            for kind, data in cells:
                if kind == "head":
                    head = data
                    yield self._head(data)
                else:
                    yield self._tail(data, head) if kind == "tail" else data
        except NotPlainError as error:
            raise UserError("sheet-not-writable") from error

    def _pattern(self, prefix: bytes) -> re.Pattern[bytes] | None:
        """A cell of the columns; its group is its row."""
        if self.area is None:
            return None
        letters = "|".join(column_letters(at) for at in range(self.area.left, self.area.right + 1)).encode()
        p = re.escape(prefix)
        return re.compile(rb'<%bc r="(?:%b)([0-9]+)"[^>/]*(?:/>|>.*?</%bc>)' % (p, letters, p), re.DOTALL)

    def _kept(self, match: re.Match[bytes]) -> bytes:
        inside = self.area is not None and self.area.top <= int(match[1]) <= self.area.bottom
        return b"" if inside else match[0]

    def _head(self, head: bytes) -> bytes:
        if self.area is None:
            return head
        prefix = prefix_of(head)
        rest = (b"" if head.endswith(b"/>") else b"</" + prefix + b"sheetData>") + b"</" + prefix + b"worksheet>"
        edits = Edits(head + rest)
        gone = range(self.area.left, self.area.right + 1)
        cols = edits.root.child("cols")
        if cols is not None:
            pieces = sorted(piece for col in cols.children for piece in cut_columns(edits, col, gone))
            xml = "".join(_joined(pieces, self.area))
            if xml:
                edits.replace(cols.opening, cols.closing, xml)
            else:
                edits.drop(cols)
        node = edits.root.child("dimension")
        area = Area.of(node.attributes.get("ref", "")) if node else None
        if node and area and self.area.left <= area.right <= self.area.right and self.right:
            right = max(self.right, area.left)
            corner = Area(area.top, area.left, area.bottom, right)
            edits.set(node, "ref", area_text(corner))
        return edits.result()[: -len(rest)]

    def _tail(self, tail: bytes, head: bytes) -> bytes:
        before = lead(head)
        edits = Edits(before + tail)
        root = edits.root
        found = root.child("autoFilter")
        if self.filter and found:
            unsorted(edits, root, self.filter.right - self.filter.left + 1)
            edits.set(found, "ref", area_text(self.filter))
        for node in root.children:
            if node.name == "conditionalFormatting" and self.colour(node):
                edits.drop(node)
            elif node.name == "dataValidations":
                self._validations(edits, node)
        return edits.result()[len(before) :]

    def _validations(self, edits: Edits, there: Node) -> None:
        gone = [node for node in there.children if self.choice(node)]
        if len(gone) == len(there.children):
            edits.drop(there)
            return
        for node in gone:
            edits.drop(node)
        if gone:
            edits.set(there, "count", str(len(there.children) - len(gone)))


def _joined(pieces: list[tuple[int, str]], area: Area) -> Iterator[str]:
    """The definitions of columns, with those as one again that were one before columns in `area` were put in."""
    left = next((text for _, text in pieces if f'max="{area.left - 1}"' in text), "")
    right = next((text for first, text in pieces if first == area.right + 1), "")
    alike = bool(left and right) and _RANGE.sub("", left) == _RANGE.sub("", right)
    for first, text in pieces:
        if text is left and alike:
            yield _FIRST.sub(f'min="{first}"', right)
        elif text is right and not alike and f'max="{MOST_COLUMNS}"' in text:
            yield _FIRST.sub(f'min="{area.left}"', text)  # what goes on to the end began where ours were put in
        elif not (text is right and alike):
            yield text


def _without(xml: bytes, area: Area) -> bytes:
    """A sheet that is not plain, without the cells of an area."""
    out = []
    at = 0
    for row in locate(xml, range(area.top, min(area.bottom, MOST_ROWS) + 1)).rows:
        for cell in row.cells:
            if area.left <= cell.column <= area.right:
                out.append(xml[at : cell.start])
                at = cell.end
    return b"".join([*out, xml[at:]])
