"""A large sheet deflated in segments that can be inflated alone, so that a later small change re-deflates a few only.

A segment ends at a row with a full flush (RFC 1951 §3.2.4: an empty stored block, on a byte boundary, and no history
carried over), so the part stays an ordinary deflate stream, and any segment can be copied as it lies or replaced.
Which segments there are is kept outside the file, in an `Index` that names the CRC-32, size and packed size of the
part: whoever saves the file makes the index void, and the next write is a whole one.
"""

import json
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass, replace
from functools import cache, partial

from xlsms.ooxml.cells import Area
from xlsms.ooxml.deflate import DAMAGED, crc32, deflated_segment, inflated_segment, inflates_to
from xlsms.ooxml.package import Member, Package

__all__ = [
    "SIZE",
    "SOON",
    "Index",
    "Piece",
    "Placed",
    "Segment",
    "Segments",
    "StaleIndexError",
    "Stretch",
    "joined",
    "load",
    "size_of",
    "stretches",
    "unpacked",
]

SIZE = 1 << 18  #: about how many bytes of a sheet make a segment, as long as there are not too many of them
_MANY, _LARGE = 256, 1 << 19  # segments from which on they are larger, up to this
_THREADS = 2  # that deflate: each waits for the reader's turn now and then
SOON = 1 << 19  #: bytes below which one is deflated, or inflated, sooner than another thread has its turn
_PENDING = 4  # segments that they have
_POLYNOMIAL = 0xEDB88320


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of a sheet: rows, or what stands before or after them (then `last` is 0)."""

    last: int  #: number of its last row
    packed: int
    size: int
    crc: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """The segments of a plain sheet, the first being all before its rows, the last all after them."""

    crc: int
    size: int
    packed: int
    arrays: tuple[Area, ...]  #: that array formulas fill: what only a look at all rows could tell
    segments: tuple[Segment, ...]

    def of(self, member: Member) -> bool:
        """Whether a part is the one that was written."""
        return (self.crc, self.size, self.packed) == (member.crc, member.size, member.packed)

    def dump(self) -> bytes:
        """As it is stored, with a checksum of its own."""
        content = json.dumps(
            [
                self.crc,
                self.size,
                self.packed,
                [astuple(area) for area in self.arrays],
                [(s.last, s.packed, s.size, s.crc) for s in self.segments],
            ]
        ).encode()
        return b"%08x" % zlib.crc32(content) + content

    @classmethod
    def load(cls, stored: bytes) -> "Index | None":
        """As it was stored; None for anything else."""
        content = stored[8:]
        if stored[:8] != b"%08x" % zlib.crc32(content):
            return None
        try:
            crc, size, packed, arrays, segments = json.loads(content)
            index = cls(
                crc=crc,
                size=size,
                packed=packed,
                arrays=tuple(Area(*area) for area in arrays),
                segments=tuple(Segment(*segment) for segment in segments),
            )
        except (ValueError, TypeError):
            return None
        whole = (sum(s.size for s in index.segments), sum(s.packed for s in index.segments), joined(index.segments))
        return index if whole == (size, packed, crc) and len(index.segments) > 1 else None


def size_of(member: Member) -> int:
    """About how many bytes of a part make a segment: few rows are written soonest into small ones."""
    return min(max(member.size // _MANY, SIZE), _LARGE)


class StaleIndexError(Exception):
    """An index does not fit its part after all: do without it."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a sheet that is to be written: `head`, `rows` or `tail`; of a segment it is inflated if need be."""

    kind: str
    data: bytes = b""
    segment: Segment | None = None
    at: int = 0  #: offset of the segment in the file
    load: Callable[[], bytes] = bytes

    @property
    def content(self) -> bytes:
        """Its XML."""
        return self.data if self.segment is None else self.load()


def stretches(package: Package, member: Member, index: Index) -> Iterator[Stretch]:
    """A part by its index.

    Raises:
        StaleIndexError: when one is loaded that is not what the index says.
    """
    at = member.data
    last = len(index.segments) - 1
    for number, segment in enumerate(index.segments):
        kind = "head" if number == 0 else "tail" if number == last else "rows"
        yield Stretch(kind, b"", segment, at, partial(load, package, segment, at, final=number == last))
        at += segment.packed


def load(package: Package, segment: Segment, at: int, *, final: bool) -> bytes:
    """A segment of the file, inflated by itself and checked."""
    return unpacked(b"".join(package.raw(at, at + segment.packed)), segment, final=final)


def unpacked(packed: bytes, segment: Segment, *, final: bool) -> bytes:
    """A segment inflated by itself and checked.

    Raises:
        StaleIndexError: it is not what its figures say.
    """
    try:
        data = inflated_segment(packed, segment.size, final=final)
    except DAMAGED as error:
        raise StaleIndexError from error
    if crc32(data) != segment.crc:
        raise StaleIndexError
    return data


@dataclass(frozen=True, slots=True)
class Piece:
    """What goes into the new part: new content, or a segment of the old part as it lies."""

    data: bytes
    last: int = 0  #: number of the last row in it
    edited: bool = False
    kept: Segment | None = None
    at: int = 0  #: offset of a kept segment in the old file
    final: bool = False
    rest: int | None = None  #: checksum of what was not written anew of an edited one, see `around`


@dataclass(frozen=True, slots=True)
class Placed:
    """A segment of the new part, and where it came from."""

    segment: Segment
    edited: bool
    at: int | None  #: offset in the old file when it was copied
    rest: int | None = None  #: as of its `Piece`
    seen: int | None = None  #: checksum of its packed bytes where they were inflated again and are what was deflated


class Segments:
    """The content of a part that is written in segments: `packed` gives its bytes, then the figures are known."""

    def __init__(self, pieces: Iterable[Piece], raw: Callable[[int, int], Iterator[bytes]]) -> None:
        self._pieces, self._raw = pieces, raw
        self.placed: list[Placed] = []
        self._index: Index | None = None

    def packed(self) -> Iterator[bytes]:
        """The deflate stream. Large new segments are deflated by other threads; kept ones are copied."""
        waiting: deque[tuple[Piece, Callable[[], _Deflated]]] = deque()
        with ThreadPoolExecutor(_THREADS) as pool:
            for piece in self._pieces:
                job = partial(_deflated, piece)
                waiting.append((piece, pool.submit(job).result if len(piece.data) >= SOON else job))
                if len(waiting) > _PENDING:
                    yield from self._out(*waiting.popleft())
            while waiting:
                yield from self._out(*waiting.popleft())

    def _out(self, piece: Piece, deflated: "Callable[[], _Deflated]") -> Iterator[bytes]:
        if piece.kept is not None:
            self.placed.append(Placed(piece.kept, edited=False, at=piece.at))
            yield from self._raw(piece.at, piece.at + piece.kept.packed)
            return
        packed, crc, alike = deflated()
        segment = Segment(piece.last, len(packed), len(piece.data), crc)
        seen = crc32(packed) if alike else None
        self.placed.append(Placed(segment, piece.edited, None, piece.rest, seen))
        yield packed

    def index(self, arrays: Sequence[Area]) -> Index:
        """What was written, once `packed` has run to its end."""
        if self._index is None:
            segments = tuple(placed.segment for placed in self.placed)
            self._index = Index(
                crc=joined(segments),
                size=sum(segment.size for segment in segments),
                packed=sum(segment.packed for segment in segments),
                arrays=(),
                segments=segments,
            )
        return replace(self._index, arrays=tuple(arrays))


_Deflated = tuple[bytes, int, bool]  # packed bytes, checksum of the content, and whether they were inflated to it


def _deflated(piece: Piece) -> _Deflated:
    """A new segment. Rows that are only passed on are inflated again at once: nobody has to do it later.

    What is edited is looked at in the new file.
    """
    data = piece.data
    packed = deflated_segment(data, final=piece.final)
    alike = piece.last > 0 and not piece.edited and inflates_to(packed, data)
    return packed, crc32(data), alike


def joined(segments: Iterable[Segment]) -> int:
    """The CRC-32 of segments one after the other, from their own: no byte is looked at (zlib's crc32_combine)."""
    checksum = 0
    shifts: dict[int, int] = {}
    for segment in segments:
        shift = shifts.get(segment.size)
        if shift is None:
            shift = shifts[segment.size] = _shift(segment.size)
        checksum = _times(shift, checksum) ^ segment.crc
    return checksum


def _times(left: int, right: int) -> int:
    """The product of two polynomials over GF(2), bits reversed, modulo the polynomial of CRC-32."""
    product = 0
    bit = 1 << 31
    while left:
        if left & bit:
            product ^= right
            left ^= bit
        bit >>= 1
        right = right >> 1 ^ _POLYNOMIAL if right & 1 else right >> 1
    return product


def _powers() -> list[int]:
    powers = [1 << 30]
    for _ in range(66):
        powers.append(_times(powers[-1], powers[-1]))
    return powers


_POWERS = _powers()  # x to the power of 2 to the power of its place


def _shift(count: int) -> int:
    """What `count` zero bytes multiply a CRC-32 by."""
    shift = 1 << 31
    for place, octet in enumerate(count.to_bytes((count.bit_length() + 7) // 8, "little")):
        if octet:
            shift = _times(_octet_shift(octet, place), shift)
    return shift


@cache
def _octet_shift(octet: int, place: int) -> int:
    """The same for one octet of a count: segments of like size share the upper ones."""
    shift = 1 << 31
    for bit in range(8):
        if octet >> bit & 1:
            shift = _times(_POWERS[3 + 8 * place + bit], shift)
    return shift
