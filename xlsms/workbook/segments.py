"""The segments of large sheets that we have written, remembered between writes and between programs."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace

from xlsms.files.cache import Cache
from xlsms.ooxml.book import Book, SheetPart
from xlsms.ooxml.deflate import SMALL
from xlsms.ooxml.package import Member, Package
from xlsms.ooxml.patch import Patch
from xlsms.ooxml.scan import Grammar, NotPlainError, Survey, blocks, glimpse, survey, surveyed
from xlsms.ooxml.segment import Index, StaleIndexError, Stretch, load, stretches
from xlsms.ooxml.shape import Shapes

__all__ = ["forget", "holding", "index_of", "known_survey", "remember"]

_cache = Cache()

_MOST_SHAPES = 8
_shapes: dict[str, Shapes] = {}  # of the rows of sheets that this process has written last, by the names of their parts


def _name(member: Member | Index) -> str:
    return f"{member.crc:08x}-{member.size:x}-{member.packed:x}"


def index_of(member: Member) -> Index | None:
    """The segments of a part that we wrote; None when it is small, or anybody else wrote it."""
    stored = _cache.get(_name(member)) if member.size >= SMALL else None
    index = Index.load(stored) if stored is not None else None
    return index if index is not None and index.of(member) else None


def known_survey(book: Book, sheet: SheetPart) -> Survey:
    """A survey of a sheet, without a look at its rows: those of a large one are seen when they are written.

    Raises:
        StaleIndexError: what was remembered does not fit.
    """
    index = index_of(sheet.member)
    if index is None:
        large = sheet.member.size >= SMALL
        return (glimpse(book, sheet) if large else None) or survey(book, sheet)
    package, member = book.package, sheet.member
    first, last = index.segments[0], index.segments[-1]
    head = load(package, first, member.data, final=False)
    tail = load(package, last, member.data + member.packed - last.packed, final=True)
    found = surveyed(head, tail, list(index.arrays), plain=True)
    if next(blocks((head,))) != ("head", head) or not tail.startswith(b"</" + found.prefix + b"sheetData>"):
        raise StaleIndexError  # rows among what it takes for the head or the tail
    return replace(found, cells_seen=False, shapes=_shapes.pop(_name(index), None) or Shapes(found.prefix))


def holding(book: Book, sheet: SheetPart, grammar: Grammar, rows: Iterable[int]) -> Iterator[bytes] | None:
    """Of a sheet that we have written, the segments that may hold some rows, checked; None for any other sheet.

    Raises:
        StaleIndexError: while they are read; what was remembered does not fit.
    """
    index = index_of(sheet.member)
    return None if index is None else _holding(stretches(book.package, sheet.member, index), grammar, sorted(rows))


def _holding(source: Iterator[Stretch], grammar: Grammar, wanted: list[int]) -> Iterator[bytes]:
    before = 0
    for stretch in source:
        segment = stretch.segment
        if segment is None or stretch.kind != "rows":
            continue
        if bisect_right(wanted, before) < bisect_right(wanted, segment.last):
            data = stretch.content
            try:
                last = grammar.check(data, before)
            except NotPlainError as error:
                raise StaleIndexError from error
            if last != segment.last:
                raise StaleIndexError
            yield data
        before = segment.last


def remember(patches: Iterable[Patch]) -> None:
    """Keep the segments of what was just written."""
    for patch in patches:
        if patch.segments is not None:
            index = patch.segments.index(patch.found.arrays)
            _cache.put(_name(index), index.dump())
            if patch.found.shapes is not None and not patch.found.shapes.worn:
                _shapes[_name(index)] = patch.found.shapes
                while len(_shapes) > _MOST_SHAPES:
                    del _shapes[next(iter(_shapes))]


def forget(package: Package) -> None:
    """Let go of what was remembered of a package: it was wrong."""
    for member in package.members:
        _cache.drop(_name(member))
