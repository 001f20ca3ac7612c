"""The segments of large sheets that we have written, remembered between writes and between programs."""

from collections.abc import Iterable
from dataclasses import replace

from xlsms.files.cache import Cache
from xlsms.ooxml.block import NotPlainError, blocks
from xlsms.ooxml.book import Book, SheetPart
from xlsms.ooxml.deflate import SMALL
from xlsms.ooxml.grammar import Grammar
from xlsms.ooxml.package import Member, Package
from xlsms.ooxml.patch import Patch
from xlsms.ooxml.scan import Survey, glimpse, survey, surveyed
from xlsms.ooxml.search import Search
from xlsms.ooxml.segment import Index, StaleIndexError, load, stretches
from xlsms.ooxml.shape import Shapes
from xlsms.ooxml.whereabouts import Whereabouts

__all__ = ["forget", "index_of", "known_survey", "look_through", "remember"]

_cache = Cache()

_MOST_SEEN = 8
# of sheets that this process has written last, by the names of their parts: what rows look like, where texts stand
_seen: dict[str, tuple[Shapes | None, Whereabouts | None]] = {}


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
    shapes, places = _seen.pop(_name(index), (None, None))
    return replace(found, cells_seen=False, shapes=shapes or Shapes(found.prefix), whereabouts=places)


def look_through(book: Book, sheet: SheetPart, found: Survey, search: Search) -> None:
    """Show `search` the segments, checked, of a sheet that we have written, as far as they may hold what it looks for.

    Raises:
        StaleIndexError: what was remembered does not fit.
    """
    index = index_of(sheet.member)
    if index is None:
        raise StaleIndexError
    grammar = Grammar(found.prefix, found.shapes)
    search.start(grammar)
    found.whereabouts = search.know(found.whereabouts)
    before = 0
    for stretch in stretches(book.package, sheet.member, index):
        segment = stretch.segment
        if segment is None or stretch.kind != "rows":
            continue
        if search.may_find(before, segment.last):
            data = stretch.content
            try:
                last = grammar.check(data, before)
            except NotPlainError as error:
                raise StaleIndexError from error
            if last != segment.last:
                raise StaleIndexError
            search.block(data)
            search.note(before, last)
        before = segment.last


def remember(patches: Iterable[Patch]) -> None:
    """Keep the segments of what was just written."""
    for patch in patches:
        if patch.segments is not None:
            index = patch.segments.index(patch.found.arrays)
            _cache.put(_name(index), index.dump())
            shapes, places = patch.found.shapes, patch.found.whereabouts
            lasts = (placed.segment.last for placed in patch.segments.placed if placed.segment.last)
            _seen[_name(index)] = (
                None if shapes is None or shapes.worn else shapes,
                None if places is None else places.after(patch.batch, lasts),
            )
            while len(_seen) > _MOST_SEEN:
                del _seen[next(iter(_seen))]


def forget(package: Package) -> None:
    """Let go of what was remembered of a package: it was wrong."""
    for member in package.members:
        _cache.drop(_name(member))
