"""Inflate, deflate and CRC-32: ISA-L where it is installed (several times faster), zlib everywhere else."""

import zlib
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

_isal: Any
try:
    from isal import isal_zlib as _isal
except ImportError:  # no wheel for this computer
    _isal = None

__all__ = [
    "DAMAGED",
    "SMALL",
    "Deflater",
    "checked",
    "crc32",
    "deflated_segment",
    "deflater",
    "inflate",
    "inflate_ahead",
    "inflated_segment",
    "inflates_to",
]

_FLUSHED = b"\0\0\xff\xff"  # how a full flush ends: an empty stored block
_RAW = -15  # no zlib header, as inside a zip
_STEP = 1 << 18  # inflated bytes at a time: what a bomb can cost before its limit is looked at, and what a cache holds
_STEP_AHEAD = 1 << 20  # for another thread: fewer would be spent on waiting for one another
SMALL = 5 << 20  #: below this, time does not matter and the file should stay as small as Excel's

crc32 = zlib.crc32 if _isal is None else _isal.crc32

#: What `inflate` raises for bytes that are no deflate stream.
DAMAGED: tuple[type[Exception], ...] = (zlib.error, zlib.error if _isal is None else _isal.error)


class Deflater(Protocol):
    """A compressor as zlib has it."""

    def compress(self, data: bytes, /) -> bytes:
        """Take more."""

    def flush(self) -> bytes:
        """The rest."""


def deflater(size: int) -> Deflater:
    """A compressor for about `size` bytes: zlib's usual level for small parts, the fastest one for large parts."""
    if size < SMALL:
        return zlib.compressobj(6, zlib.DEFLATED, _RAW)
    if _isal is None:
        return zlib.compressobj(1, zlib.DEFLATED, _RAW)
    fast: Deflater = _isal.compressobj(1, zlib.DEFLATED, _RAW)
    return fast


def inflate(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The inflated bytes of a raw deflate stream, at most 256 KiB at a time."""
    stream: Any = (_isal or zlib).decompressobj(_RAW)
    for chunk in chunks:
        data = chunk
        while data and not stream.eof:
            inflated = stream.decompress(data, _STEP)
            if inflated:  # nothing is how a source ends
                yield inflated
            data = stream.unconsumed_tail
    while not stream.eof:
        rest = stream.decompress(b"", _STEP)
        if not rest:
            raise zlib.error("the stream ends early")
        yield rest


def checked(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """Chunks, each with the CRC-32 of all up to its end."""
    checksum = 0
    for chunk in chunks:
        checksum = crc32(chunk, checksum)
        yield chunk, checksum


def inflate_ahead(chunks: Iterable[bytes]) -> Generator[tuple[bytes, int]]:
    """As `checked` of `inflate`, with the next bytes, at most 1 MiB, made ready by another thread meanwhile.

    The chunks are asked for, and what goes wrong is raised, in the caller's thread.
    """
    source = iter(chunks)
    stream: Any = (_isal or zlib).decompressobj(_RAW)

    def step(data: bytes, checksum: int) -> tuple[bytes, int]:
        inflated = stream.decompress(data, _STEP_AHEAD)
        return inflated, crc32(inflated, checksum)

    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(step, next(source, b""), 0)
        while True:
            inflated, checksum = job.result()
            if stream.eof:
                break
            data = stream.unconsumed_tail or next(source, b"")
            if not (data or inflated):
                raise zlib.error("the stream ends early")
            job = pool.submit(step, data, checksum)
            if inflated:
                yield inflated, checksum
    if inflated:
        yield inflated, checksum


def deflated_segment(data: bytes, *, final: bool) -> bytes:
    """`data` as deflate blocks that need no other bytes: ended by a full flush, or, the last, as a stream ends."""
    stream: Any = (_isal or zlib).compressobj(1, zlib.DEFLATED, _RAW)
    head: bytes = stream.compress(data)
    tail: bytes = stream.flush() if final else stream.flush(zlib.Z_FULL_FLUSH if _isal is None else _isal.Z_FULL_FLUSH)
    return head + tail


def inflates_to(packed: bytes, data: bytes) -> bool:
    """Whether a segment that is not the last one, inflated by itself, is `data`."""
    try:
        return inflated_segment(packed, len(data), final=False) == data
    except DAMAGED:
        return False


def inflated_segment(packed: bytes, size: int, *, final: bool) -> bytes:
    """A segment inflated by itself.

    Raises:
        zlib.error: it is not one: then it could not be put between others.
    """
    stream: Any = (_isal or zlib).decompressobj(_RAW)
    data: bytes = stream.decompress(packed, size + 1)
    if len(data) == size and not final and not stream.eof and stream.unconsumed_tail:
        data += stream.decompress(stream.unconsumed_tail, 1)  # the flush itself
    whole = stream.eof and not stream.unused_data if final else not stream.eof and packed.endswith(_FLUSHED)
    if len(data) != size or not whole or stream.unconsumed_tail:
        raise zlib.error("not a segment")
    return data
