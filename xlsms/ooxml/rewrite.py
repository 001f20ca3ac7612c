"""A package written anew with a few members replaced; every other byte of every other member is copied as it lies."""

import struct
from collections.abc import Collection, Iterable, Mapping
from typing import BinaryIO

from xlsms.errors import UserError
from xlsms.ooxml.deflate import crc32, deflater
from xlsms.ooxml.package import Member, Package
from xlsms.ooxml.segment import Segments

__all__ = ["rewrite"]

_LIMIT = 0xFFFFFFFF
_DEFLATED = 8
_FLAG_DESCRIPTOR = 8
_FLAG_UTF8 = 0x800


def rewrite(
    package: Package,
    replaced: Mapping[Member, Iterable[bytes] | Segments],
    out: BinaryIO,
    *,
    added: Mapping[str, bytes] | None = None,
    dropped: Collection[Member] = (),
) -> None:
    """Write `package` to `out` (seekable) with the inflated content of some members replaced.

    New members, by name, come after the others; `dropped` ones are left out.

    Order, names, times and attributes stay; of the central directory only offsets, and the replaced members' sizes and
    CRC-32, change. A replaced member is deflated without a data descriptor.

    Raises:
        UserError: `file-too-large` when the result would need 64-bit offsets that the file did not have.
    """
    central: dict[int, bytes] = {}
    kept = [index for index, member in enumerate(package.members) if member not in dropped]
    for index in sorted(kept, key=lambda index: package.members[index].offset):
        member = package.members[index]
        offset = out.tell()
        if member in replaced:
            central[index] = _moved(_write(package, member, replaced[member], out), None, offset)
            continue
        out.writelines(package.raw(member.offset, member.end))
        central[index] = _moved(member.central, member.zip64_offset, offset)
    for number, (name, content) in enumerate((added or {}).items(), len(package.members)):
        central[number] = _add(name.encode(), content, out)
    start = out.tell()
    for index in sorted(central):
        out.write(central[index])
    size = out.tell() - start
    if start + size >= _LIMIT:
        raise UserError("file-too-large", part="/")
    count = len(central)
    comment = package.comment
    out.write(struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, count, count, size, start, len(comment)) + comment)


def _write(package: Package, member: Member, content: Iterable[bytes] | Segments, out: BinaryIO) -> bytes:
    """Write a replaced member; returns its central entry, still with the old offset."""
    (header,) = package.raw(member.offset, member.offset + 30)
    at = out.tell()
    out.write(bytes(30) + member.name)
    checksum, packed, size = _segments(content, out) if isinstance(content, Segments) else _stream(content, member, out)
    if max(size, packed) >= _LIMIT:
        raise UserError("file-too-large", part=member.key)
    end = out.tell()
    figures = struct.pack("<III", checksum, packed, size)
    head = struct.pack("<HH", member.flags & ~_FLAG_DESCRIPTOR, _DEFLATED)
    out.seek(at)
    out.write(header[:6] + head + header[10:14] + figures + struct.pack("<HH", len(member.name), 0))
    out.seek(end)
    names, extras = struct.unpack_from("<HH", member.central, 28)
    old = member.central
    # the extra field goes: it may hold 64-bit sizes that no longer apply
    entry = old[:8] + head + old[12:16] + figures + struct.pack("<HH", names, 0) + old[32:46]
    return entry + old[46 : 46 + names] + old[46 + names + extras :]


def _add(name: bytes, content: bytes, out: BinaryIO) -> bytes:
    """Write a new member; returns its central entry."""
    offset = out.tell()
    stream = deflater(len(content))
    data = stream.compress(content) + stream.flush()
    # version 2.0, names in UTF-8, and the earliest time there is: a part has no time of its own
    head = struct.pack("<HHHHHIII", 20, _FLAG_UTF8, _DEFLATED, 0, 0x21, crc32(content), len(data), len(content))
    names = struct.pack("<HH", len(name), 0)
    out.write(b"PK\3\4" + head + names + name + data)
    return b"PK\1\2" + struct.pack("<H", 20) + head + names + bytes(10) + struct.pack("<I", offset) + name


def _stream(content: Iterable[bytes], member: Member, out: BinaryIO) -> tuple[int, int, int]:
    """Deflate new content; returns its CRC-32, its size in the file, and inflated."""
    size = packed = checksum = 0
    stream = deflater(member.size)
    for chunk in content:
        size += len(chunk)
        checksum = crc32(chunk, checksum)
        packed += out.write(stream.compress(chunk))
    packed += out.write(stream.flush())
    return checksum, packed, size


def _segments(content: Segments, out: BinaryIO) -> tuple[int, int, int]:
    out.writelines(content.packed())
    index = content.index(())
    return index.crc, index.packed, index.size


def _moved(central: bytes, zip64_offset: int | None, offset: int) -> bytes:
    if zip64_offset is not None:
        return central[:zip64_offset] + struct.pack("<Q", offset) + central[zip64_offset + 8 :]
    if offset >= _LIMIT:
        raise UserError("file-too-large", part="/")
    return central[:42] + struct.pack("<I", offset) + central[46:]
