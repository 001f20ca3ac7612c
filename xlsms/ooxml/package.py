"""A zip package as it lies on disk: members in their order, raw bytes for copying, checked inflating for reading.

Strict where a lenient reader could be led to the wrong part (APPNOTE.TXT 6.3.10): duplicate names, overlaps, bytes
between members, encryption and unknown methods are refused.
"""

import hashlib
import io
import os
import shutil
import struct
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Self

from xlsms.errors import UserError
from xlsms.ooxml.deflate import DAMAGED, SMALL, checked, crc32, inflate, inflate_ahead

__all__ = ["Member", "Package", "fingerprint"]

_MOST_MEMBERS = 10_000
_PART_LIMIT = 64 << 20  # inflated bytes of a part that is held in memory
_RATIO_LIMIT = 300  # inflated to deflated; real sheets reach 16, bombs start at 400
_RATIO_FROM = 4 << 20  # small parts may be anything
_IN_MEMORY, _COPIED = 4 << 20, 32 << 20  # files up to these are read into memory, or into another file, at once
_CHUNK = 1 << 18
_TAIL = 1 << 20  # more than the central directory of any real workbook
_END, _END64, _LOCATOR64, _CENTRAL, _LOCAL = b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\1\2", b"PK\3\4"
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_END_SIZE = 22
_DESCRIPTOR_MOST = 24  # a data descriptor with signature and 64-bit sizes
_STORED, _DEFLATED = 0, 8
_VERSION = 63  # of the format, times ten: the latest there is, beyond which other readers refuse a file
_WAY = "p"  # of taking fingerprints: another way needs another letter
_FLAG_ENCRYPTED, _FLAG_DESCRIPTOR = 1, 8
_FLAGS_KNOWN = 0x080E  # how hard it was deflated, a descriptor, names in UTF-8


def damaged(reason: str) -> UserError:
    """The error for a package that breaks the rules; the reason is for the log."""
    return UserError("file-damaged", reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One entry of the central directory, with the extent of its bytes in the file."""

    name: bytes
    key: str  #: the part name: leading slash, forward slashes, lower case
    flags: int
    method: int
    crc: int
    packed: int  #: bytes of data in the file
    size: int  #: bytes inflated
    offset: int  #: of the local header
    data: int  #: offset of the data
    end: int  #: offset just after its data and descriptor
    central: bytes = field(repr=False)  #: its entry in the central directory
    zip64_offset: int | None = None  #: where in `central` a 64-bit offset stands, if it does


def fingerprint(path: Path) -> str:
    """What tells one content of a file from another: length and last bytes, which hold a CRC-32 of every part.

    Never raises; a file that cannot be read is like no other.
    """
    try:
        with path.open("rb") as file:
            return _fingerprint(file, file.seek(0, os.SEEK_END))
    except OSError:
        return "none"


def _fingerprint(file: BinaryIO, length: int) -> str:
    file.seek(max(0, length - _TAIL))
    tail = file.read(_TAIL)
    at = 0
    if tail[-_END_SIZE:].startswith(_END):
        size, start = struct.unpack_from("<II", tail, len(tail) - _END_SIZE + 12)
        if start + size == length - _END_SIZE:
            at = max(0, len(tail) - _END_SIZE - size)
    # a program that writes in place writes the directory last: before that, what lies in front of it tells
    figures = length.to_bytes(8, "little") + crc32(tail[:at]).to_bytes(4, "little")
    return _WAY + hashlib.blake2b(tail[at:] + figures, digest_size=16).hexdigest()


def _let_go(file: BinaryIO, size: int) -> BinaryIO:
    """A copy of a file as it is now, so that our handle stands in the way of no save; a very large file itself.

    What is larger than most workbooks goes into a file without a name: memory is not for what a disk can hold.
    """
    if size > _COPIED:
        return file
    if size <= _IN_MEMORY:
        with file:
            return io.BytesIO(file.read())
    try:
        with ExitStack() as unfinished:
            copy = unfinished.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(file, copy, _CHUNK)
            unfinished.pop_all()
    except OSError:  # there is no room for it; if it cannot be read, whoever reads on is told
        return file
    file.close()
    return copy


class Package:
    """An open package. Nothing is inflated until it is asked for."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.length = file.seek(0, os.SEEK_END)
        self.fingerprint = _fingerprint(file, self.length)
        count, at, size, self.comment = self._end()
        self.directory_offset = at
        file.seek(at)
        directory = self._take(size)
        self.directory = hashlib.blake2b(directory, digest_size=16).hexdigest()  #: changes with any part's CRC-32
        self.members = self._members(directory, count)
        self._by_key = {member.key: member for member in self.members}
        if len(self._by_key) != len(self.members):
            raise damaged("two members with one name")

    @classmethod
    def open(cls, path: Path, *, steady: bool = False) -> Self:
        """Open a file; the caller closes it. One that is not `steady` may be saved by others at any time."""
        file: BinaryIO = path.open("rb")
        try:
            status = os.fstat(file.fileno())
            if not steady:
                file = _let_go(file, status.st_size)
            package = cls(file)
        except BaseException:
            file.close()
            raise
        package.status = status
        return package

    status: os.stat_result  #: of the file at the moment it was opened

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def part(self, name: str) -> Member | None:
        """The member that holds a part; part names are compared without case (ECMA-376 part 2 §6.2.2)."""
        return self._by_key.get(name.lower())

    def read(self, member: Member, limit: int = _PART_LIMIT) -> bytes:
        """All of a part, inflated and checked."""
        return b"".join(self.chunks(member, limit))

    def chunks(self, member: Member, limit: int = _PART_LIMIT, *, ahead: bool = True) -> Iterator[bytes]:
        """A part inflated piece by piece, a large one `ahead` in another thread; its length and CRC-32 are checked.

        Raises:
            UserError: `file-too-large` above `limit`, `file-suspicious` when it grows like a bomb, `file-damaged`.
        """
        if member.size > limit:
            raise UserError("file-too-large", part=member.key)
        if member.size > _RATIO_FROM and member.size > member.packed * _RATIO_LIMIT:
            raise UserError("file-suspicious")
        raw = self.raw(member.data, member.data + member.packed)
        if member.method == _STORED or member.size < SMALL or not ahead:
            content = checked(raw if member.method == _STORED else inflate(raw))
        else:
            content = inflate_ahead(raw)
        length = checksum = 0
        try:
            for chunk, checksum in content:  # noqa: B007  # that of all
                length += len(chunk)
                if length > member.size:
                    raise UserError("file-suspicious")
                yield chunk
        except DAMAGED as error:
            raise damaged("a part cannot be inflated") from error
        if length != member.size or checksum != member.crc:
            raise damaged("a part fails its checksum")

    def raw(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes of the file from `start` to `end`, in pieces."""
        at = start
        while at < end:
            self._file.seek(at)
            chunk = self._take(min(_CHUNK, end - at))
            at += len(chunk)
            yield chunk

    def _take(self, count: int) -> bytes:
        data = self._file.read(count)
        if len(data) != count:
            raise damaged("the file ends early")
        return data

    def _end(self) -> tuple[int, int, int, bytes]:
        """Members, offset, size of the central directory, and the archive comment (APPNOTE §4.3.14 to §4.3.16)."""
        start = max(0, self.length - 22 - _FULL16)
        self._file.seek(start)
        tail = self._file.read()
        at = tail.rfind(_END)
        while at >= 0 and (
            len(tail) - at < _END_SIZE
            or int.from_bytes(tail[at + 20 : at + 22], "little") != len(tail) - at - _END_SIZE
        ):
            at = tail.rfind(_END, 0, at)
        if at < 0:
            # the directory is written last: without a trace of one the file is being written, or was cut off
            raise UserError("not-a-workbook" if _END in tail else "file-incomplete")
        disk, first, here, count, size, offset = struct.unpack_from("<HHHHII", tail, at + 4)
        comment = tail[at + 22 :]
        end = start + at
        if _FULL16 in (disk, first, here, count) or _FULL32 in (size, offset):
            count, size, offset, end = self._end64(end)
        elif disk or first or here != count:
            raise damaged("an archive in several volumes")
        if count > _MOST_MEMBERS:
            raise UserError("file-suspicious")
        if offset + size != end:
            raise damaged("bytes outside the members")
        return count, offset, size, comment

    def _end64(self, end: int) -> tuple[int, int, int, int]:
        if end < 20 + 56:
            raise damaged("no room for a 64-bit directory")
        self._file.seek(end - 20)
        signature, _, at, _ = struct.unpack("<4sIQI", self._take(20))
        if signature != _LOCATOR64 or at > end - 20 - 56:
            raise damaged("a broken 64-bit directory")
        self._file.seek(at)
        record = struct.unpack("<4sQHHIIQQQQ", self._take(56))
        if record[0] != _END64 or record[6] != record[7] or at + 12 + record[1] != end - 20:
            raise damaged("a broken 64-bit directory")
        return record[7], record[8], record[9], at

    def _members(self, directory: bytes, count: int) -> tuple[Member, ...]:
        entries = []
        at = 0
        for _ in range(count):
            entry, at = _central(directory, at)
            entries.append(entry)
        if at != len(directory):
            raise damaged("a broken central directory")
        by_offset = sorted(range(count), key=lambda index: entries[index].offset)
        members: list[Member | None] = [None] * count
        expected = 0
        for rank, index in enumerate(by_offset):
            entry = entries[index]
            limit = entries[by_offset[rank + 1]].offset if rank + 1 < count else self.directory_offset
            if entry.offset != expected:
                raise damaged("bytes outside the members")
            members[index] = self._located(entry, limit)
            expected = limit
        if count and expected != self.directory_offset:
            raise damaged("bytes outside the members")
        return tuple(member for member in members if member is not None)

    def _located(self, entry: "_Entry", limit: int) -> Member:
        """The member with its extent, its local header compared with the directory."""
        self._file.seek(entry.offset)
        if entry.offset + 30 > limit:
            raise damaged("overlapping members")
        header = self._take(30)
        flags, method, names, extra = *struct.unpack_from("<HH", header, 6), *struct.unpack_from("<HH", header, 26)
        name = self._take(names)
        if header[:4] != _LOCAL or name != entry.name or method != entry.method:
            raise damaged("a member that is not what the directory says")
        if (flags | entry.flags) & _FLAG_ENCRYPTED:
            raise UserError("file-encrypted")
        if (flags | entry.flags) & ~_FLAGS_KNOWN:
            raise damaged("a member stored in an unknown way")
        if method not in (_STORED, _DEFLATED):
            raise damaged("an unknown compression method")
        if entry.central[6] > _VERSION:
            raise damaged("a member for a later version of the format")
        data = entry.offset + 30 + names + extra
        spare = limit - data - entry.packed
        if spare < 0 or spare > (_DESCRIPTOR_MOST if flags & _FLAG_DESCRIPTOR else 0):
            raise damaged("bytes outside the members")
        if method == _STORED and entry.packed != entry.size:
            raise damaged("a stored member with two sizes")
        return Member(
            name=name,
            key="/" + _decoded(name, entry.flags).replace("\\", "/").lstrip("/").lower(),
            flags=flags,
            method=method,
            crc=entry.crc,
            packed=entry.packed,
            size=entry.size,
            offset=entry.offset,
            data=data,
            end=limit,
            central=entry.central,
            zip64_offset=entry.zip64_offset,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    central: bytes
    zip64_offset: int | None


def _decoded(name: bytes, flags: int) -> str:
    return name.decode("utf-8" if flags & 0x800 else "cp437", "replace")


def _central(directory: bytes, at: int) -> tuple[_Entry, int]:
    """One entry of the central directory and where the next starts (APPNOTE §4.3.12, §4.5.3)."""
    if directory[at : at + 4] != _CENTRAL or at + 46 > len(directory):
        raise damaged("a broken central directory")
    flags, method = struct.unpack_from("<HH", directory, at + 8)
    crc, packed, size, names, extras, comments = struct.unpack_from("<IIIHHH", directory, at + 16)
    (offset,) = struct.unpack_from("<I", directory, at + 42)
    end = at + 46 + names + extras + comments
    if end > len(directory):
        raise damaged("a broken central directory")
    name = directory[at + 46 : at + 46 + names]
    zip64_offset = None
    if _FULL32 in (packed, size, offset):
        field_at = _extra(directory, at + 46 + names, extras, 1)
        wide = [size, packed, offset]
        for index, value in enumerate(wide):
            if value == _FULL32:
                if field_at is None or field_at + 8 > end:
                    raise damaged("a broken 64-bit entry")
                (wide[index],) = struct.unpack_from("<Q", directory, field_at)
                zip64_offset = field_at - at if index == len(wide) - 1 else None
                field_at += 8
        size, packed, offset = wide
    entry = _Entry(
        name=name,
        flags=flags,
        method=method,
        crc=crc,
        packed=packed,
        size=size,
        offset=offset,
        central=directory[at:end],
        zip64_offset=zip64_offset,
    )
    return entry, end


def _extra(data: bytes, at: int, length: int, kind: int) -> int | None:
    """Where the content of an extra field of this kind starts."""
    end = at + length
    while at + 4 <= end:
        this, size = struct.unpack_from("<HH", data, at)
        if this == kind:
            return at + 4
        at += 4 + size
    return None
