"""The pictures on the buttons: drawn here from shapes, as PNG files that are the same bytes everywhere.

Only whole and simple fractions are computed with + - * /, which every computer does alike, and the PNG is stored
without compression, which every version of zlib does its own way. The colours are chosen to be seen on the white, grey
and black ribbons of Office.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from xlsms.addin.verb import BUTTONS

__all__ = ["COLOURS", "ICONS", "png"]

Point = tuple[float, float]
Colour = tuple[int, int, int]

BLUE: Colour = (0x2F, 0x7F, 0xD1)
GREEN: Colour = (0x2A, 0x8F, 0x4E)
RED: Colour = (0xD9, 0x48, 0x41)
GREY: Colour = (0x7D, 0x82, 0x89)
COLOURS = (BLUE, GREEN, RED, GREY)

_FINE = 4  #: samples of a pixel in each direction


@dataclass(frozen=True, slots=True)
class Disc:
    """A filled circle."""

    at: Point
    radius: float
    colour: Colour

    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        return _box([self.at], self.radius)

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies in it."""
        across, down = x - self.at[0], y - self.at[1]
        return across * across + down * down <= self.radius * self.radius


@dataclass(frozen=True, slots=True)
class Line:
    """A line of some width through points, with round ends."""

    points: Sequence[Point]
    width: float
    colour: Colour

    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        return _box(self.points, self.width / 2)

    def pieces(self) -> Iterator["Line"]:
        """Its straight pieces: each has a much smaller box than the whole."""
        for pair in pairwise(self.points):
            yield Line(pair, self.width, self.colour)

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies on it."""
        reach = self.width * self.width / 4
        return any(_apart(x, y, one, two) <= reach for one, two in pairwise(self.points))


@dataclass(frozen=True, slots=True)
class Area:
    """A filled polygon."""

    points: Sequence[Point]
    colour: Colour

    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        return _box(self.points, 0)

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies in it: an odd number of edges is crossed on the way out."""
        inside = False
        for (x1, y1), (x2, y2) in zip(self.points, [*self.points[1:], self.points[0]], strict=True):
            if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
                inside = not inside
        return inside


Shape = Disc | Line | Area


def _box(points: Sequence[Point], more: float) -> tuple[float, float, float, float]:
    across, down = [x for x, _ in points], [y for _, y in points]
    return min(across) - more, min(down) - more, max(across) + more, max(down) + more


def _apart(x: float, y: float, one: Point, two: Point) -> float:
    """The square of the distance between a point and a segment."""
    along, up = two[0] - one[0], two[1] - one[1]
    length = along * along + up * up
    share = ((x - one[0]) * along + (y - one[1]) * up) / length if length else 0.0
    share = min(1.0, max(0.0, share))
    across, down = x - one[0] - share * along, y - one[1] - share * up
    return across * across + down * down


def _arc(at: Point, radius: float, first: int, last: int) -> list[Point]:
    """Points of a circle by twenty-fourths, clockwise from the top."""
    return [
        (at[0] + radius * _SINE[step % 24], at[1] - radius * _SINE[(step + 6) % 24]) for step in range(first, last + 1)
    ]


_QUARTER = (0.0, 0.25882, 0.5, 0.70711, 0.86603, 0.96593, 1.0)  # sines of 0° to 90°, written so that all agree on them
_SINE = [*_QUARTER, *_QUARTER[-2:0:-1], *(-each for each in _QUARTER), *(-each for each in _QUARTER[-2:0:-1])]


def _bubble(left: float, top: float, right: float, bottom: float, colour: Colour, *, width: float = 2.6) -> list[Shape]:
    """A speech bubble, its tail on the lower left."""
    tail = bottom + 5
    outline = [(left, top), (right, top), (right, bottom), (left + 10, bottom), (left + 5, tail), (left + 5, bottom)]
    return [Line([*outline, (left, bottom), (left, top)], width, colour)]


def _sheet(colour: Colour, left: float = 4, top: float = 4, right: float = 28, bottom: float = 28) -> list[Shape]:
    return [Line([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], 2.4, colour)]


def _plane(x: float, y: float, scale: float, colour: Colour) -> list[Shape]:
    """A paper plane, the sign for sending everywhere."""

    def at(across: float, down: float) -> Point:
        return x + across * scale, y + down * scale

    wings = [at(0, 10.5), at(24, 0), at(14, 24), at(10.5, 14)]
    return [Area(wings, colour), Line([at(10.5, 14), at(22, 2)], 1.3 * scale, (0xFF, 0xFF, 0xFF))]


#: Drawn on a field of 32 by 32, later shapes over earlier ones.
ICONS: Mapping[str, Sequence[Shape]] = {
    "preview": [
        *_bubble(3, 4, 29, 22, BLUE),
        Line([(8.5, 10), (23.5, 10)], 2.2, GREY),
        Line([(8.5, 15.5), (15, 15.5)], 2.2, GREY),
        Line([*_arc((21, 20), 5.2, 0, 24)], 2.4, GREEN),
        Line([(25, 24), (29.5, 28.5)], 3, GREEN),
    ],
    "send": _plane(3.5, 4, 1.02, BLUE),
    "send-selected": [
        *_sheet(GREY, 3, 5, 20, 27),
        Line([(3, 12.3), (20, 12.3)], 2, GREY),
        Line([(3, 19.6), (20, 19.6)], 2, GREY),
        *_plane(13, 11, 0.72, BLUE),
    ],
    "mark": [*_sheet(GREY), Line([(9.5, 16.5), (14.5, 22), (23, 10.5)], 3.6, GREEN)],
    "stop": [
        Area([(10.6, 3), (21.4, 3), (29, 10.6), (29, 21.4), (21.4, 29), (10.6, 29), (3, 21.4), (3, 10.6)], RED),
        Line([(11, 11), (21, 21)], 3.4, (0xFF, 0xFF, 0xFF)),
        Line([(21, 11), (11, 21)], 3.4, (0xFF, 0xFF, 0xFF)),
    ],
    "replies": [*_bubble(10, 3, 30, 14, GREY), *_bubble(2, 16, 21, 26, GREEN), Line([(7, 21), (16, 21)], 2.2, GREEN)],
    "answer": [
        Line([(28, 25), (28, 19), (24, 14), (8, 14)], 3.2, GREEN),
        Area([(2, 14), (12.5, 5), (12.5, 23)], GREEN),
    ],
    "refresh": [
        Line(_arc((16, 16), 10.5, 2, 10), 3.2, BLUE),
        Line(_arc((16, 16), 10.5, 14, 22), 3.2, BLUE),
        Area([(16, 22.5), (26.5, 21.5), (19, 31)], BLUE),
        Area([(16, 9.5), (5.5, 10.5), (13, 1)], BLUE),
    ],
    "columns": [
        *_sheet(GREY, 3, 4, 17, 28),
        Line([(3, 12), (17, 12)], 2, GREY),
        Line([(10, 4), (10, 28)], 2, GREY),
        Line([(25, 11), (25, 23)], 3.4, GREEN),
        Line([(19.6, 17), (30, 17)], 3.4, GREEN),
    ],
    "new": [
        Line([(19, 3), (6, 3), (6, 29), (26, 29), (26, 10), (19, 3), (19, 10), (26, 10)], 2.4, GREY),
        Line([(16, 14), (16, 25)], 3.2, GREEN),
        Line([(10.5, 19.5), (21.5, 19.5)], 3.2, GREEN),
    ],
    "report": [
        Line([(4, 4), (4, 28), (29, 28)], 2.4, GREY),
        Line([(10.5, 23), (10.5, 17)], 4.4, BLUE),
        Line([(17.5, 23), (17.5, 8)], 4.4, GREEN),
        Line([(24.5, 23), (24.5, 13)], 4.4, RED),
    ],
    "start": [
        Line([(10, 6), (26, 16), (10, 26), (10, 6)], 3, GREEN),
        Line([(13, 11.5), (20, 16), (13, 20.5), (13, 11.5)], 5, GREEN),
        Line([(11.5, 9.5), (22, 16), (11.5, 22.5), (11.5, 9.5)], 4, GREEN),
        Disc((15.5, 16), 3.5, GREEN),
    ],
    "settings": [
        Line([(4, 8), (28, 8)], 2.6, GREY),
        Line([(4, 16), (28, 16)], 2.6, GREY),
        Line([(4, 24), (28, 24)], 2.6, GREY),
        Disc((11, 8), 4, BLUE),
        Disc((21, 16), 4, BLUE),
        Disc((13, 24), 4, BLUE),
    ],
    "help": [
        Disc((16, 16), 13.2, BLUE),
        Line([*_arc((16, 12.2), 4.2, -7, 7), (16.2, 17), (16.2, 19)], 2.8, (0xFF, 0xFF, 0xFF)),
        Disc((16.2, 23.4), 1.9, (0xFF, 0xFF, 0xFF)),
    ],
}
if set(ICONS) != set(BUTTONS):
    raise AssertionError("a button without a picture, or a picture without a button")


def png(name: str, size: int) -> bytes:
    """The picture of a button, `size` pixels wide and high, on nothing."""
    pixels = _drawn(ICONS[name], size)
    palette = sorted(set(pixels))  # the empty one, all zeros, comes first
    places = {pixel: place for place, pixel in enumerate(palette)}
    rows = b"".join(
        b"\0" + bytes(places[pixel] for pixel in pixels[row * size : (row + 1) * size]) for row in range(size)
    )
    return (
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            _part(kind, data)
            for kind, data in (
                (b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 3, 0, 0, 0)),  # eight bits into a palette
                (b"PLTE", b"".join(bytes(pixel[:3]) for pixel in palette)),
                (b"tRNS", bytes(pixel[3] for pixel in palette)),
                (b"IDAT", _stored(rows)),
                (b"IEND", b""),
            )
        )
    )


def _drawn(shapes: Sequence[Shape], size: int) -> list[tuple[int, int, int, int]]:
    """Red, green, blue and opacity of each pixel, row by row: the mean of its samples."""
    wide = size * _FINE
    samples: list[Colour | None] = [None] * (wide * wide)
    for shape in chain.from_iterable(each.pieces() if isinstance(each, Line) else (each,) for each in shapes):
        for index, x, y in _within(shape, size):
            if shape.holds(x, y):
                samples[index] = shape.colour
    return [_mean(samples, wide, pixel % size, pixel // size) for pixel in range(size * size)]


def _within(shape: Shape, size: int) -> Iterator[tuple[int, float, float]]:
    """The samples around a shape: number, and place on the field of 32."""
    wide = size * _FINE
    step = 32 / wide
    left, top, right, bottom = (int(edge / step) for edge in shape.box())
    for down in range(max(0, top - 1), min(wide, bottom + 2)):
        for across in range(max(0, left - 1), min(wide, right + 2)):
            yield down * wide + across, (across + 0.5) * step, (down + 0.5) * step


def _mean(samples: Sequence[Colour | None], wide: int, across: int, down: int) -> tuple[int, int, int, int]:
    held = [
        sample
        for row in range(down * _FINE, (down + 1) * _FINE)
        for sample in samples[row * wide + across * _FINE : row * wide + (across + 1) * _FINE]
        if sample is not None
    ]
    if not held:
        return 0, 0, 0, 0
    red, green, blue = (sum(sample[channel] for sample in held) // len(held) for channel in range(3))
    return red, green, blue, 255 * len(held) // (_FINE * _FINE)


def _stored(data: bytes) -> bytes:
    """A zlib stream (RFC 1950) of blocks that are not compressed."""
    out, most = bytearray(b"\x78\x01"), 0xFFFF
    for start in range(0, len(data), most):
        block = data[start : start + most]
        out += struct.pack("<BHH", start + most >= len(data), len(block), len(block) ^ 0xFFFF) + block
    return bytes(out) + struct.pack(">I", zlib.adler32(data))


def _part(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
