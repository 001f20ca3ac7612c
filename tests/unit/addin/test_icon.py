"""The pictures: whole PNG files, of the size asked for, seen on every ribbon, and the same bytes everywhere."""

import hashlib
import struct
import zlib

import pytest

from xlsms.addin.icon import COLOURS, ICONS, png
from xlsms.addin.verb import BUTTONS


def parts(data):
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, found = 8, {}
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert struct.unpack_from(">I", data, at + 8 + size) == (zlib.crc32(kind + body),)
        found[kind] = body
        at += size + 12
    return found


def pixels(data):
    """Red, green, blue and opacity, row by row."""
    read = parts(data)
    width, height, depth, colours = struct.unpack_from(">IIBB", read[b"IHDR"])
    assert (depth, colours) == (8, 3)
    raw = zlib.decompress(read[b"IDAT"])
    palette = [(*read[b"PLTE"][3 * n : 3 * n + 3], read[b"tRNS"][n]) for n in range(len(read[b"tRNS"]))]
    rows = [raw[row * (width + 1) : (row + 1) * (width + 1)] for row in range(height)]
    assert all(row[0] == 0 for row in rows)
    return [[palette[place] for place in row[1:]] for row in rows]


@pytest.mark.parametrize("size", [16, 32])
@pytest.mark.parametrize("name", ICONS)
def test_it_is_a_picture_on_nothing(name, size):
    drawn = pixels(png(name, size))
    assert len(drawn) == size
    assert all(len(row) == size for row in drawn)
    seen = sum(pixel[3] > 127 for row in drawn for pixel in row) / size**2
    assert 0.08 < seen < 0.75
    assert drawn[0][0][3] == 0


def test_every_button_has_its_own():
    assert set(ICONS) == set(BUTTONS)
    assert len({png(name, 16) for name in ICONS}) == len(ICONS)


def light(colour):
    """Relative luminance, WCAG 2.1."""
    linear = [
        value / 255 / 12.92 if value / 255 <= 0.03928 else ((value / 255 + 0.055) / 1.055) ** 2.4 for value in colour
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    "ribbon",
    [(255, 255, 255), (0xF3, 0xF2, 0xF1), (0x29, 0x29, 0x29), (10, 10, 10)],
    ids=["white", "light", "dark", "black"],
)
def test_every_colour_is_seen_on_every_ribbon(ribbon):
    """WCAG 2.1 asks 3:1 of what is not text."""
    for colour in COLOURS:
        high, low = sorted((light(colour), light(ribbon)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 3, colour


def test_the_bytes_are_the_same_everywhere():
    """When a picture is meant to change, so does this; when none is, a computer reckons otherwise than the others."""
    drawn = hashlib.sha256(b"".join(png(name, 16) for name in sorted(ICONS))).hexdigest()
    assert drawn == "a8c0918c77d209b5cea8bfe4182b740a226a924562ae450e239129cf566bebd8"
