"""A worksheet read in bulk: blocks of whole rows, scanned for what is wanted, cells decoded only when asked for.

Nearly all sheets are *plain*: UTF-8, one prefix, every row and cell with its reference in the usual quotes, no
comments, rows in order. That is checked over the whole part first, and only then is it read by literal search. Any
other legal sheet is put into the plain form by expat on the way, so there is one reader.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

from xlsms.errors import UserError
from xlsms.ooxml.block import SHEET_DATA, NotPlainError, blocks
from xlsms.ooxml.book import SHEET_LIMIT, Book, SheetPart
from xlsms.ooxml.canonical import canonical_sheet
from xlsms.ooxml.cells import Area, column_letters, natural
from xlsms.ooxml.grammar import Grammar, RawCell, RawRow
from xlsms.ooxml.markup import NAMESPACES, each_element, elements
from xlsms.ooxml.shape import Shapes
from xlsms.ooxml.whereabouts import Whereabouts

__all__ = [
    "Survey",
    "Watcher",
    "glimpse",
    "root_tag",
    "row_blocks",
    "rows",
    "rows_at",
    "survey",
    "surveyed",
    "top_rows",
]

_HEAD_LIMIT = 16 << 20
_PIECE = 1 << 13  # enough for the first rows of most sheets
_END = b"</sheetData>"  # of the plain form
_MERGES = rb'<x:mergeCells(?: count="[0-9]+")?>((?:<x:mergeCell ref="[A-Z0-9:]+"/>)++)</x:mergeCells>'
_DECLARED = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml[^>]*?encoding=[\"']([\w.:-]+)[\"']")
_HEAD_TAGS = frozenset({"col", "worksheet"})
_TAIL_TAGS = frozenset({"mergeCell", "autoFilter"})


@dataclass(slots=True, kw_only=True)
class Survey:
    """What has to be known of a whole sheet before any of it is used."""

    plain: bool
    prefix: bytes
    head: bytes = field(repr=False)  #: up to and with `<sheetData>`; empty unless plain
    merges: list[Area]
    arrays: list[Area]  #: array formulas, spills and data tables
    filter: Area | None
    column_styles: list[tuple[int, int, int]]  #: first and last column, style
    shapes: Shapes | None = field(default=None, repr=False, compare=False)  #: of the rows, as far as they are known
    #: of a column, as far as it is known
    whereabouts: Whereabouts | None = field(default=None, repr=False, compare=False)
    cells_seen: bool = True  #: whether every cell was looked at, and not the rows alone
    rows_seen: bool = True  #: whether more was looked at than what stands before the rows

    def column_style(self, column: int) -> int | None:
        """The style of a column, for cells that do not exist yet."""
        return next((style for first, last, style in self.column_styles if first <= column <= last), None)


class Watcher(Protocol):
    """Sees every block of a survey, so that one pass over a sheet does for both."""

    def start(self, grammar: Grammar) -> None:
        """The rows begin; again, from the first one, when the sheet turned out not to be plain."""

    def block(self, data: bytes) -> None:
        """A checked block of whole rows; `NotPlainError` when it is not as plain as it looked."""


def survey(book: Book, sheet: SheetPart, watcher: Watcher | None = None) -> Survey:
    """Read a whole sheet once and tell what it is."""
    try:
        return _survey(book.package.chunks(sheet.member, SHEET_LIMIT), watcher, plain=True)
    except NotPlainError:
        pass
    try:
        return _survey(canonical_sheet(book.package.chunks(sheet.member, SHEET_LIMIT)), watcher, plain=False)
    except NotPlainError as error:
        raise UserError("file-damaged", reason="rows out of order") from error


def glimpse(book: Book, sheet: SheetPart) -> Survey | None:
    """What stands before the rows of a sheet, for one who looks at the rest later; None when it is not plain."""
    try:
        _, head = next(blocks(book.package.chunks(sheet.member, SHEET_LIMIT)))
        match = SHEET_DATA.search(head)
        if match is None or match[2]:
            return None
        _check_head(head, match[1])
    except NotPlainError:
        return None
    tail = b"</%bsheetData></%bworksheet>" % (match[1], match[1])
    return replace(surveyed(head, tail, [], plain=True), cells_seen=False, rows_seen=False)


def _survey(chunks: Iterable[bytes], watcher: Watcher | None, *, plain: bool) -> Survey:
    arrays: list[Area] = []
    last = 0
    prefix, head, tail = b"", b"", b""
    grammar = Grammar(b"")
    for kind, data in blocks(chunks):
        if kind == "head":
            match = SHEET_DATA.search(data)
            prefix = match[1] if match else b""
            head, grammar = data, Grammar(prefix)
            _check_head(data, prefix)
            if watcher is not None:
                watcher.start(grammar)
        elif kind == "tail":
            tail = data
        else:
            last = grammar.check(data, last)
            arrays.extend(grammar.arrays(data))
            if watcher is not None:
                watcher.block(data)
    if b"<!" in tail and plain:
        raise NotPlainError
    return replace(surveyed(head, tail, arrays, plain=plain), shapes=grammar.shapes)


def surveyed(head: bytes, tail: bytes, arrays: list[Area], *, plain: bool) -> Survey:
    """What the XML before and after the rows of a sheet tells."""
    match = SHEET_DATA.search(head)
    prefix = match[1] if match else b""
    closed = head.rstrip().endswith(b"/>")
    name = prefix + b"sheetData"
    opening = head if closed else head + b"</" + name + b">"
    root = root_tag(head)
    columns = elements((opening, b"</" + prefix + b"worksheet>"), _HEAD_TAGS)
    # what follows the rows is read inside the same root, whose namespaces it needs
    start = b"" if closed else b"<" + name + b">"
    merges, rest = _merges(tail, prefix)
    filters: list[Area | None] = []
    for tag in each_element((root, start, rest), _TAIL_TAGS):
        area = Area.of(tag.attributes.get("ref", ""))
        if tag.name == "mergeCell" and area is not None:
            merges.append(area)
        elif tag.name == "autoFilter" and tag.parent == "worksheet" and not filters:
            filters.append(area)
    return Survey(
        plain=plain,
        prefix=prefix,
        head=head,
        merges=merges,
        arrays=arrays,
        filter=filters[0] if filters else None,
        column_styles=[style for tag in columns if (style := _column_style(tag.name, tag.attributes))],
    )


def _merges(tail: bytes, prefix: bytes) -> tuple[list[Area], bytes]:
    """The merges as most programs write them, and what is left of the XML: there may be a hundred thousand of them."""
    found = None if b"<!" in tail else re.search(_MERGES.replace(b"x:", re.escape(prefix)), tail)
    if found is None:
        return [], tail
    areas = (Area.of(ref[1].decode()) for ref in re.finditer(rb'ref="([^"]*)"', found[1]))
    return [area for area in areas if area is not None], tail[: found.start()] + tail[found.end() :]


def _column_style(name: str, attributes: dict[str, str]) -> tuple[int, int, int] | None:
    if name != "col":
        return None
    first, last, style = (natural(attributes.get(key, "")) for key in ("min", "max", "style"))
    return None if first is None or last is None or style is None else (first, last, style)


def root_tag(head: bytes) -> bytes:
    """The start tag of the sheet's root, which binds its namespaces."""
    match = re.search(rb"<(?:[A-Za-z_][\w.-]*:)?worksheet(?:\s[^>]*)?>", head)
    if match is None:
        raise NotPlainError
    return match[0]


def _check_head(head: bytes, prefix: bytes) -> None:
    declared = _DECLARED.match(head)
    if declared is not None and declared[1].lower() not in (b"utf-8", b"utf8"):
        raise NotPlainError
    root = root_tag(head)
    bound = b"xmlns:" + prefix[:-1] if prefix else b"xmlns"
    space = re.search(b"\\s" + re.escape(bound) + rb'="([^"]*)"', root)
    if (
        b"<!" in head
        or space is None
        or space[1] not in NAMESPACES
        or not root.startswith(b"<" + prefix + b"worksheet")
    ):
        raise NotPlainError


def row_blocks(book: Book, sheet: SheetPart, found: Survey) -> Iterator[bytes]:
    """The blocks of whole rows of a surveyed sheet, in plain form."""
    chunks = book.package.chunks(sheet.member, SHEET_LIMIT)
    for kind, data in blocks(chunks if found.plain else canonical_sheet(chunks)):
        if kind == "rows":
            yield data


def rows(
    book: Book,
    sheet: SheetPart,
    found: Survey,
    *,
    column: int | None = None,
    test: Callable[[RawCell], bool] | None = None,
) -> Iterator[RawRow]:
    """The rows of a sheet that have cells; with `column` and `test` only those whose cell there passes."""
    grammar = Grammar(found.prefix)
    if column is None or test is None:
        for block in row_blocks(book, sheet, found):
            yield from grammar.rows(block)
        return
    pattern = grammar.cells_of(column_letters(column).encode())
    for block in row_blocks(book, sheet, found):
        for match in pattern.finditer(block):
            if test(match.groups(b"")):  # type: ignore[arg-type]  # five groups, as RawCell has
                yield grammar.row_around(block, match.start())


def rows_at(book: Book, sheet: SheetPart, found: Survey, numbers: frozenset[int]) -> Iterator[RawRow]:
    """The rows with these numbers, as far as they exist."""
    grammar = Grammar(found.prefix)
    wanted = sorted(numbers, reverse=True)
    for block in row_blocks(book, sheet, found):
        if not wanted:
            return
        last = block.rfind(grammar.row_open)
        end = grammar.row.match(block, last)
        if end is None or int(end[1]) < wanted[-1]:
            continue
        for match in grammar.row.finditer(block):
            number = int(match[1])
            while wanted and wanted[-1] < number:
                wanted.pop()
            if wanted and wanted[-1] == number and not match[2]:
                yield grammar.row_around(block, match.end())


def top_rows(book: Book, sheet: SheetPart, count: int) -> list[RawRow]:
    """The rows with cells among the first `count` of a sheet, without a look at the rest. Cells have no prefix."""
    grammar = Grammar(b"")
    parts: list[bytes] = []
    size = 0
    chunks = book.package.chunks(sheet.member, SHEET_LIMIT, ahead=False)
    pieces = (chunk[at : at + _PIECE] for chunk in chunks for at in range(0, len(chunk), _PIECE))
    for piece in canonical_sheet(pieces):
        parts.append(piece)
        size += len(piece)
        at = piece.rfind(grammar.row_open)
        last = grammar.row.match(piece, at) if at >= 0 else None
        if (last is not None and int(last[1]) > count) or _END in piece or size > _HEAD_LIMIT:
            break
    data = b"".join(parts)
    whole = data.rfind(grammar.row_end) + len(grammar.row_end) if grammar.row_end in data else 0
    return [row for row in grammar.rows(data[:whole]) if row.number <= count]
