"""The two byte formats inside a VBA project: its compression and its way of hiding three short values.

[MS-OVBA] 2.4.1 (compression) and 2.4.3 (data encryption, which is no protection and is not meant as one here).
"""

import struct

__all__ = ["CHUNK", "compress", "encrypt"]

CHUNK = 4096  #: bytes of plain text in each compressed chunk
_LOOK_BACK = 64  #: how many earlier places with the same three bytes are tried


def compress(data: bytes) -> bytes:
    """A CompressedContainer of `data`, [MS-OVBA] 2.4.1.1.1.

    Raises ValueError when the last, short chunk cannot be made smaller: that is never the text of a program.
    """
    out = bytearray(b"\x01")
    for start in range(0, len(data), CHUNK):
        plain = data[start : start + CHUNK]
        packed = _chunk(plain)
        if len(packed) >= CHUNK and len(plain) == CHUNK:  # only a whole chunk may be stored as it is
            out += struct.pack("<H", 0x3000 | (CHUNK - 1)) + plain
        elif len(packed) > CHUNK:
            raise ValueError("the last chunk is not text: it does not get smaller")
        else:
            out += struct.pack("<H", 0xB000 | (len(packed) - 1)) + packed
    return bytes(out)


def _chunk(plain: bytes) -> bytes:
    out, at = bytearray(), 0
    places: dict[bytes, list[int]] = {}
    while at < len(plain):
        flags, group = 0, bytearray()
        for bit in range(8):
            if at >= len(plain):
                break
            bits = _offset_bits(at)
            length, distance = _longest(plain, at, (0xFFFF >> bits) + 3, places)
            if length:
                flags |= 1 << bit
                group += struct.pack("<H", ((distance - 1) << (16 - bits)) | (length - 3))
            else:
                group.append(plain[at])
                length = 1
            for passed in range(at, at + length):
                places.setdefault(plain[passed : passed + 3], []).append(passed)
            at += length
        out.append(flags)
        out += group
    return bytes(out)


def _offset_bits(at: int) -> int:
    """How many bits of a copy token hold the distance, [MS-OVBA] 2.4.1.3.19.1: those of `at - 1`, and 4 to 12."""
    return max(4, (at - 1).bit_length()) if at else 4


def _longest(plain: bytes, at: int, most: int, places: dict[bytes, list[int]]) -> tuple[int, int]:
    """Length and distance of the longest earlier run that begins as the text at `at`; 0, 0 when there is none."""
    limit = min(most, len(plain) - at)
    best, found = 0, 0
    if limit < 3:  # noqa: PLR2004 (the shortest copy)
        return 0, 0
    for earlier in reversed(places.get(plain[at : at + 3], ())[-_LOOK_BACK:]):
        length = 3
        while length < limit and plain[earlier + length] == plain[at + length]:
            length += 1
        if length > best:
            best, found = length, at - earlier
            if length == limit:
                break
    return best, found


def encrypt(project_id: str, value: bytes, seed: int) -> str:
    """`value` as the PROJECT stream writes it, in hexadecimal, [MS-OVBA] 2.4.3.2; the same seed gives the same text."""
    key = sum(project_id.encode("ascii")) & 0xFF
    out = [seed, seed ^ 2, seed ^ key]  # the version is 2
    before, last, plain = out[1], out[2], key
    padding = (seed & 6) // 2
    for byte in bytes(padding) + struct.pack("<I", len(value)) + value:
        coded = byte ^ ((before + plain) & 0xFF)
        out.append(coded)
        before, last, plain = last, coded, byte
    return bytes(out).hex().upper()
