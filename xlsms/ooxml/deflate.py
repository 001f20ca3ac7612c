"""Inflate, deflate and CRC-32: ISA-L where it is installed (several times faster), zlib everywhere else."""

import zlib
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, Protocol

_igzip: Any
_isal: Any
try:
    from isal import igzip_lib as _igzip
    from isal import isal_zlib as _isal
except ImportError:  # no wheel for this computer
    _igzip = _isal = None

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
_SPARE = 1024  # bytes more than what cannot be deflated takes
_RAW = -15  # no zlib header, as inside a zip
_STEP = 1 << 18  # inflated bytes at a time: what a bomb can cost before its limit is looked at, and what a cache holds
_STEP_AHEAD = 1 << 19  # for another thread: fewer would be spent on waiting for one another
_STEPS = 3  # that it is asked for at a time
SMALL = 5 << 20  #: below this, time does not matter and the file should stay as small as Excel's

crc32 = zlib.crc32 if _isal is None else _isal.crc32

#: What `inflate` raises for bytes that are no deflate stream.
DAMAGED: tuple[type[Exception], ...] = (zlib.error, *(() if _isal is None else (_isal.error, _igzip.error)))


class Deflater(Protocol):
    """A compressor as zlib has it."""

    def compress(self, data: bytes, /) -> bytes:
        """Take more."""

    def flush(self) -> bytes:
        """The rest."""


class _Inflater(Protocol):
    """A decompressor of one raw deflate stream that keeps what it has been given and not used yet."""

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""

    @property
    def needs_input(self) -> bool:
        """Whether it has used all that it was given."""

    @property
    def unused_data(self) -> bytes:
        """What it was given beyond the end of the stream."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Take more, and give at most so many bytes."""


class _Zlib:
    """The same by zlib."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_RAW)

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        return not self._stream.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return self._stream.decompress(self._stream.unconsumed_tail + data, max_length)


def _inflater() -> _Inflater:
    """Gives many bytes in one step: not, as zlib's own object does, in steps that wait for their turn each time."""
    if _igzip is None:
        return _Zlib()
    fast: _Inflater = _igzip.IgzipDecompressor(_igzip.DECOMP_DEFLATE)
    return fast


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
    """As `checked` of `inflate`, with the next bytes, at most 512 KiB a step, made ready by another thread meanwhile.

    A few steps are asked for at a time, so that the thread goes on while the caller lets nobody have a turn. The chunks
    are asked for, and what goes wrong is raised, in the caller's thread.
    """
    source = iter(chunks)
    stream = _inflater()
    packed: deque[bytes] = deque()  # one for each step that is asked for, as far as there are any
    checksum = 0

    def step() -> tuple[bytes, int, bool]:
        nonlocal checksum
        if stream.eof:
            return b"", checksum, True
        data = packed.popleft() if stream.needs_input and packed else b""
        starved = stream.needs_input and not data
        inflated = stream.decompress(data, _STEP_AHEAD)
        if starved and not inflated and not stream.eof:
            raise zlib.error("the stream ends early")
        checksum = crc32(inflated, checksum)
        return inflated, checksum, stream.eof

    with ThreadPoolExecutor(1) as pool:
        jobs: deque[Future[tuple[bytes, int, bool]]] = deque()
        done = False
        while not done:
            while len(jobs) < _STEPS:
                packed.extend(islice(source, _STEPS - len(packed)))
                jobs.append(pool.submit(step))
            inflated, upto, done = jobs.popleft().result()
            if inflated:
                yield inflated, upto


def deflated_segment(data: bytes, *, final: bool) -> bytes:
    """`data` as deflate blocks that need no other bytes: ended by a full flush, or, the last, as a stream ends."""
    packed = b"" if final else _in_one_call(data)
    if packed:
        return packed
    stream: Any = (_isal or zlib).compressobj(1, zlib.DEFLATED, _RAW)
    head: bytes = stream.compress(data)
    tail: bytes = stream.flush() if final else stream.flush(zlib.Z_FULL_FLUSH if _isal is None else _isal.Z_FULL_FLUSH)
    return head + tail


def _in_one_call(data: bytes) -> bytes:
    """A segment by what isal's own threads deflate with: one call instead of about six that wait for their turn.

    Nothing where a version of isal does not have it, or has another one.
    """
    made_for_threads: Any = getattr(_isal, "_ParallelCompress", None)
    if made_for_threads is None:
        return b""
    try:
        room = len(data) + (len(data) >> 8) + _SPARE
        packed: bytes = made_for_threads(buffersize=room, level=1).compress_and_crc(data, b"")[0]
    except (TypeError, AttributeError, OverflowError):
        return b""
    return packed if packed.endswith(_FLUSHED) else b""


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
    stream = _inflater()
    data = stream.decompress(packed, size + 1)
    if len(data) == size and not final and not stream.eof and not stream.needs_input:
        data += stream.decompress(b"", 1)  # the flush itself
    whole = stream.eof and not stream.unused_data if final else not stream.eof and packed.endswith(_FLUSHED)
    if len(data) != size or not whole or not (stream.eof or stream.needs_input):
        raise zlib.error("not a segment")
    return data
