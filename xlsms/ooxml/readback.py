"""A sheet written in segments, read back from the new file before it may take the place of the old one.

What did not change need not be understood again: a copied segment must lie in the new file byte for byte as in the old
one, and a new one must inflate, by itself, to what was deflated; where that was seen before it was written, the file
must hold the bytes that it was seen of. The edited ones are looked at in full: their rows and cells must be plain and
in order, and every cell written must be there once, in its row, with its value. Segments end on byte boundaries without
history, so what holds for each of them holds for the stream.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import zip_longest

from xlsms.ooxml.batch import Cell, New, Slices, Waiting
from xlsms.ooxml.block import NotPlainError
from xlsms.ooxml.book import Book
from xlsms.ooxml.cells import unescape
from xlsms.ooxml.deflate import checked
from xlsms.ooxml.grammar import Grammar, RawCell
from xlsms.ooxml.package import Package
from xlsms.ooxml.patch import Patch
from xlsms.ooxml.plainedit import around
from xlsms.ooxml.scan import surveyed
from xlsms.ooxml.segment import SOON, Placed, Segments, StaleIndexError, unpacked
from xlsms.ooxml.value import Decoder, Raw

__all__ = ["BlockReader", "VerificationError", "equal", "read_segments_back"]

_ENTITY = re.compile("&(?:amp|lt|gt|quot|#[0-9]+|#x[0-9A-Fa-f]+);")
_THREADS = 2
_AHEAD = 4  # segments being inflated by other threads
_BEFORE = 3  # what is told of a row before its cells: number, attributes, and all inside
_FEW = 64  # different texts of a column, up to which each is decoded
_DENSE = 64  # cells written in a segment, from which on they are looked at all at once


class VerificationError(Exception):
    """What was written is not what was meant: a defect of ours, found before it could do harm."""


def read_segments_back(old: Package, book: Book, patch: Patch, segments: Segments) -> None:
    """Check the sheet in the new package `book` against what `patch` wrote.

    Raises:
        VerificationError: it is not what was meant.
    """
    new = book.package
    member = next(sheet.member for sheet in book.sheets if sheet.member.name == patch.sheet.member.name)
    if not segments.index(()).of(member):
        raise VerificationError("the segments are not the part")
    reader = _Reader(book, patch)
    ends: list[bytes] = []
    for number, (placed, data) in enumerate(_contents(old, new, segments.placed, member.data)):
        if number in (0, len(segments.placed) - 1):
            ends.append(data)
        elif placed.edited:
            reader.read(data, placed)
    reader.end()
    _same_facts(patch, *ends)


def _contents(old: Package, new: Package, all_placed: Sequence[Placed], at: int) -> Iterator[tuple[Placed, bytes]]:
    """Each segment with what it holds, checked; of one that nobody changed nothing is told.

    Large ones are inflated by other threads, a few ahead.
    """
    final = all_placed[-1]
    waiting: deque[tuple[Placed, Callable[[], bytes]]] = deque()
    with ThreadPoolExecutor(_THREADS) as pool:
        for placed in all_placed:
            segment = placed.segment
            if placed.at is not None:
                _same(old, new, placed, at)
                waiting.append((placed, bytes))
            elif placed.seen is not None:
                _lies(new, placed, at)
                waiting.append((placed, bytes))
            else:
                packed = b"".join(new.raw(at, at + segment.packed))
                inflated = partial(unpacked, packed, segment, final=placed is final)
                waiting.append((placed, pool.submit(inflated).result if segment.size >= SOON else inflated))
            at += segment.packed
            if len(waiting) > _AHEAD:
                yield _content(*waiting.popleft())
        while waiting:
            yield _content(*waiting.popleft())


def _content(placed: Placed, data: Callable[[], bytes]) -> tuple[Placed, bytes]:
    try:
        return placed, data()
    except StaleIndexError as error:
        raise VerificationError("a segment does not inflate to what was deflated") from error


def _same(old: Package, new: Package, placed: Placed, at: int) -> None:
    """Whether a copied segment is the same in both files."""
    packed = placed.segment.packed
    before = old.raw(placed.at or 0, (placed.at or 0) + packed)
    if any(left != right for left, right in zip_longest(before, new.raw(at, at + packed))):
        raise VerificationError("a copied segment changed")


def _lies(new: Package, placed: Placed, at: int) -> None:
    """Whether the packed bytes that were seen to be right are those in the new file."""
    *_, (_, checksum) = checked(new.raw(at, at + placed.segment.packed))
    if checksum != placed.seen:
        raise VerificationError("a segment is not in the file as it was deflated")


def _same_facts(patch: Patch, head: bytes, tail: bytes) -> None:
    """What stands around the rows may not have changed, but for the dimension."""
    old, new = patch.found, surveyed(head, tail, patch.found.arrays, plain=True)
    facts: Callable[..., object] = lambda found: (found.prefix, found.merges, found.filter, found.column_styles)  # noqa: E731
    if facts(old) != facts(new):
        raise VerificationError("what stands around the rows changed")


class BlockReader:
    """Reads a sheet back that was not written in segments, while it is surveyed; a `Watcher`."""

    def __init__(self, book: Book, patch: Patch) -> None:
        self._reader = _Reader(book, patch)
        self._starts = 0

    def start(self, _: Grammar) -> None:
        """The rows begin; a second time when the sheet is not plain after all, and then nothing more is read."""
        self._starts += 1

    def block(self, data: bytes) -> None:
        """Take up the rows of a block."""
        if self._starts == 1:
            self._reader.read(data)

    def end(self) -> bool:
        """No block follows; whether all was read."""
        if self._starts == 1:
            self._reader.end()
        return self._starts == 1


class _Reader:
    """Compares the cells written with what stands in the edited segments."""

    def __init__(self, book: Book, patch: Patch) -> None:
        self._batch, self._refused = patch.batch, patch.refused
        self._waiting = Waiting(patch.batch)
        self._grammar = Grammar(patch.found.prefix, patch.found.shapes)
        self._letters = tuple(column.letters.encode() for column in patch.batch.columns.values())
        self._decoder = Decoder(book, patch.found.prefix)
        self._columns = {column.letters.encode(): number for number, column in patch.batch.columns.items()}
        self._texts = {column: self._grammar.texts_of(letters) for letters, column in self._columns.items()}
        self._cell = self._grammar.cells_of(b"|".join(self._columns) or b"-")
        self._last = 0

    def read(self, data: bytes, placed: Placed | None = None) -> None:
        """Take up whole rows, as an edited segment is."""
        grammar = self._grammar
        if placed is not None and placed.rest is not None and self._column_alone(data, placed):
            self._last = placed.segment.last
            return
        dense = placed is not None and _count(self._waiting.peek(placed.segment.last)) > _DENSE
        grammar.shapes.tell("apart" if dense else None, self._letters)
        try:
            self._last = grammar.check(data, self._last)
        except NotPlainError as error:
            raise VerificationError("rows or cells are not in order") from error
        slices = self._waiting.take(self._last)
        if _count(slices) > _DENSE:
            slices = self._unsure(data, slices)
        written = {
            (row, number): value
            for row, cells in self._batch.rows(slices).items()
            for number, value in sorted(cells.items())
            if (row, number) not in self._refused
        }
        if grammar.exact:
            self._find_each(data, written)
        else:
            self._look_at_all(data, written)

    def _column_alone(self, data: bytes, placed: Placed) -> bool:
        """Whether a segment is that of the old sheet, which has been checked, with many texts of a column written."""
        slices = self._waiting.peek(placed.segment.last)
        if len(slices) != 1:
            return False
        ((number, (start, end)),) = slices.items()
        column = self._batch.columns[number]
        pieces = self._texts[number].split(data)
        if around(pieces[0::3]) != placed.rest or not _are(pieces[2::3], column.values[start:end]):
            return False
        if list(map(int, pieces[1::3])) != column.rows[start:end].tolist():
            return False
        self._waiting.take(placed.segment.last)
        return True

    def end(self) -> None:
        """No segment follows."""
        if self._waiting:
            raise VerificationError(f"the cell in row {self._waiting.next} is not there")

    def _find_each(self, data: bytes, written: Mapping[Cell, New]) -> None:
        """Where every cell stands once, in its row, and in order, the ones written need only be found."""
        openings = {number: self._grammar.cell_open + letters for letters, number in self._columns.items()}
        match = self._cell.match
        at = 0
        for cell, value in written.items():
            at = data.find(b'%b%d"' % (openings[cell[1]], cell[0]), at)
            found = match(data, at) if at >= 0 else None
            if found is None:
                raise VerificationError(f"the cell {cell} is not there")
            self._compare(cell, found, value)

    def _unsure(self, data: bytes, slices: Slices) -> Slices:
        """Of many cells those that have to be looked at one by one: the others all hold what was written."""
        rows = self._grammar.apart(data, self._letters) if self._grammar.exact else None
        if rows is None:
            return slices
        numbers, *told = zip(*rows, strict=True)
        place = dict(zip(map(int, numbers), range(len(numbers)), strict=True))
        known: dict[bytes, list[int]] = {}  # columns written in the same rows share a list
        unsure: Slices = {}
        for number, ends in zip(self._batch.columns, told[_BEFORE - 1 :], strict=True):
            start, end = slices.get(number, (0, 0))
            column = self._batch.columns[number]
            some = column.rows[start:end]
            where = known.setdefault(some.tobytes(), [])
            if not where:
                where += [place.get(row, -1) for row in some]
            if -1 in where or not self._alike(number, [ends[at] for at in where], column.values[start:end]):
                unsure[number] = start, end
        return {number: at for number, at in unsure.items() if number in slices}

    def _alike(self, number: int, ends: Sequence[bytes], values: Sequence[New]) -> bool:
        """Whether cells of a column, of which what stands behind the reference was told, all hold what was written."""
        letters = self._batch.columns[number].letters.encode()
        kinds = set(map(type, values))
        if kinds == {str} and len(set(values)) > _FEW:
            texts = self._grammar.texts_alike(ends)
            if texts is None:
                texts = [match[1] for match in map(self._grammar.text_end.fullmatch, ends) if match is not None]
            return len(texts) == len(ends) and _are(texts, values)
        plain_value, cell_by = self._decoder.plain_value, self._grammar.cell_by
        return all(
            end != b"" and equal(plain_value(cell_by(letters, end)), value)
            for end, _, value in set(zip(ends, map(type, values), values, strict=True))
        )

    def _look_at_all(self, data: bytes, written: Mapping[Cell, New]) -> None:
        rows = [(match.start(), int(match[1])) for match in self._grammar.row.finditer(data)]
        rows.append((len(data) + 1, 0))
        following = 0
        seen: set[Cell] = set()
        for match in self._cell.finditer(data):
            while rows[following][0] < match.start():
                following += 1
            at = (rows[following - 1][1], self._columns[match[1]])
            if at in written:
                if at in seen:
                    raise VerificationError(f"the cell {at} stands twice")
                seen.add(at)
                self._compare(at, match, written[at])
        for at in written.keys() - seen:
            raise VerificationError(f"the cell {at} is not there")

    def _compare(self, at: Cell, match: re.Match[bytes], value: New) -> None:
        cell: RawCell = match.groups(b"")  # type: ignore[assignment]  # five groups, as RawCell has
        if not equal(self._decoder.plain_value(cell), value):
            raise VerificationError(f"the cell {at} does not read back")


def _are(texts: Sequence[bytes], values: Sequence[New]) -> bool:
    """Whether texts as they lie in a sheet are values, none of which has more than one line."""
    text = b"\n".join(texts).decode("utf-8", "replace")
    read = text.split("\n")
    if len(read) != len(texts) or ("&" in text and text.count("&") != len(_ENTITY.findall(text))):
        return False
    if "&" in text or "_x" in text or "\r" in text:
        read = list(map(unescape, read))
    return read == values


def _count(slices: Slices) -> int:
    return sum(end - start for start, end in slices.values())


def equal(read: Raw, written: New) -> bool:
    """Whether a cell holds what was written."""
    if isinstance(written, str):
        expected = (
            written
            if written.isascii()
            else written.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        )
        return read == expected
    return read == written and isinstance(read, bool) == isinstance(written, bool)
