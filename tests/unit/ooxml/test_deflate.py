"""Large parts are inflated a step ahead by another thread; the caller sees what it would see without."""

import random
import threading
import zlib
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms.ooxml import deflate
from xlsms.ooxml.deflate import (
    DAMAGED,
    checked,
    deflated_segment,
    deflater,
    inflate,
    inflate_ahead,
    inflated_segment,
    inflates_to,
)

_LARGE = b"".join(b'<c r="A%d"><v>%d</v></c>' % (number, number * 7919) for number in range(200_000))


@pytest.fixture(params=["as installed", "zlib"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ISA-L where it is installed, and as on a computer without it."""
    if request.param == "zlib":
        monkeypatch.setattr(deflate, "_isal", None)
        monkeypatch.setattr(deflate, "_igzip", None)


def _packed(data: bytes) -> bytes:
    stream = zlib.compressobj(6, zlib.DEFLATED, -15)
    return stream.compress(data) + stream.flush()


def _cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("size", [100, 4_096, 1 << 18, 1 << 30])
def test_a_part_is_inflated_ahead_whole_and_in_steps(size: int) -> None:
    steps, checksums = zip(*inflate_ahead(_cut(_packed(_LARGE), size)), strict=True)

    assert b"".join(steps) == _LARGE
    assert checksums[-1] == zlib.crc32(_LARGE)
    assert 0 < min(map(len, steps)) <= max(map(len, steps)) <= 1 << 20


@given(st.binary(max_size=300), st.integers(1, 40), st.integers(0, 400), st.integers(0, 255))
def test_broken_streams_are_told_as_without_another_thread(data: bytes, size: int, place: int, octet: int) -> None:
    packed = bytearray(_packed(data * 3))
    packed[place % len(packed)] = octet
    packed = packed[: len(packed) - place % 7]

    def whole(steps: Iterator[tuple[bytes, int]]) -> tuple[bytes, int] | None:
        told = [(b"", 0)]
        try:
            told += steps
        except DAMAGED:
            return None
        return b"".join(step for step, _ in told), told[-1][1]

    chunks = list(_cut(bytes(packed), size))
    assert whole(inflate_ahead(chunks)) == whole(checked(inflate(chunks)))


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("end", [0, 1, 1000, -1])
def test_a_stream_that_ends_early_is_raised_in_the_caller(end: int) -> None:
    with pytest.raises(DAMAGED):
        list(inflate_ahead(_cut(_packed(_LARGE)[:end], 1 << 18)))


def test_what_the_source_raises_comes_through_and_no_thread_is_left() -> None:
    def broken() -> Iterator[bytes]:
        yield _packed(_LARGE)[:100_000]
        raise OSError("gone")

    before = threading.active_count()
    with pytest.raises(OSError, match="gone"):
        list(inflate_ahead(broken()))
    with closing(inflate_ahead(_cut(_packed(_LARGE), 1000))) as steps:
        assert _LARGE.startswith(next(steps))
    assert threading.active_count() == before


def test_a_bomb_costs_a_few_steps_until_its_limit_is_looked_at() -> None:
    stream = deflater(64)
    bomb = stream.compress(bytes(64 << 20)) + stream.flush()
    with closing(inflate_ahead(iter((bomb,)))) as steps:
        assert len(next(steps)) <= 1 << 20


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("size", [0, 1, 1 << 14, (1 << 14) + 1, 300_000, len(_LARGE)])
def test_a_segment_is_inflated_by_itself_and_nothing_else_is_taken_for_one(size: int) -> None:
    data = _LARGE[:size]
    middle, last = deflated_segment(data, final=False), deflated_segment(data, final=True)

    assert inflated_segment(middle, size, final=False) == data == inflated_segment(last, size, final=True)
    assert inflates_to(middle, data)
    assert not inflates_to(last, data)
    assert not inflates_to(middle, data[:-1] + b"?")
    for packed, told, final in (
        (last, size, False),  # it ends the stream
        (middle, size, True),
        (middle, size + 1, False),
        (last, size + 1, True),
        (middle[:-1], size, False),
        (last + b"x", size, True),
        (middle + b"x", size, False),
        (b"", size + 1, False),
    ):
        with pytest.raises(DAMAGED):
            inflated_segment(packed, told, final=final)
    if size:
        with pytest.raises(DAMAGED):
            inflated_segment(middle, size - 1, final=False)


@pytest.mark.skipif(deflate._isal is None, reason="ISA-L is not installed")
@pytest.mark.parametrize("made", [None, lambda **_: None, lambda buffersize: None])
@given(data=st.binary(max_size=2000) | st.integers(0, 300_000).map(lambda size: _LARGE[:size]))
def test_a_segment_is_one_by_one_call_and_by_several(made, data: bytes) -> None:
    assert inflates_to(deflated_segment(data, final=False), data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deflate._isal, "_ParallelCompress", made)  # as in a version that has none, or another one
        assert deflate._in_one_call(data) == b""
        assert inflates_to(deflated_segment(data, final=False), data)


@pytest.mark.skipif(not hasattr(deflate._isal, "_ParallelCompress"), reason="a version of isal without it")
def test_what_cannot_be_deflated_is_a_segment_in_one_call() -> None:
    data = random.Random(7).randbytes(3 << 20)
    assert inflates_to(deflate._in_one_call(data), data)
