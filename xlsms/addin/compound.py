"""A compound file, the file system in a file that holds a VBA project: [MS-CFB] version 3, sectors of 512 bytes.

Nothing in it depends on when or where it is written: no times, no class ids, and the tree of names is balanced by order
alone.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Storage", "compound"]

Storage = Mapping[str, "bytes | Storage"]

SECTOR, MINI_SECTOR, MINI_LIMIT = 512, 64, 4096
_FREE, _END, _FAT, _NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
_HEADER_FATS = 109  #: FAT sectors that the header itself can list
_ENTRY = "<64sHBBIII16sIQQIQ"
_ENTRIES = SECTOR // 128  #: directory entries in a sector
_IDS = SECTOR // 4  #: sector numbers in a sector of the FAT
_LONGEST_NAME = 31
_ROOT, _STORAGE, _STREAM = 5, 1, 2


@dataclass(eq=False, slots=True)
class _Entry:
    """One line of the directory."""

    name: str
    kind: int
    data: bytes = b""
    children: list["_Entry"] = field(default_factory=list)
    left: int = _NONE
    right: int = _NONE
    child: int = _NONE
    black: bool = True
    start: int = 0
    size: int = 0

    def packed(self) -> bytes:
        raw = self.name.encode("utf-16-le") + b"\0\0"
        links = (self.left, self.right, self.child)
        return struct.pack(_ENTRY, raw, len(raw), self.kind, self.black, *links, b"", 0, 0, 0, self.start, self.size)


_UNUSED = struct.pack(_ENTRY, b"", 0, 0, 0, _NONE, _NONE, _NONE, b"", 0, 0, 0, 0, 0)


class _Sectors:
    """The sectors behind the header, and the table of which follows which."""

    def __init__(self) -> None:
        self.body = bytearray()
        self.table: list[int] = []

    def add(self, data: bytes) -> int:
        """Lay `data` down; the number of its first sector."""
        if not data:
            return _END
        count = -(-len(data) // SECTOR)
        self.body += data.ljust(count * SECTOR, b"\0")
        return _chain(self.table, count)


def compound(root: Storage) -> bytes:
    """The file with these streams and storages.

    Raises ValueError for a name that cannot be one, and for more than the header can list (about 7 MB).
    """
    entries = _listed(root)
    sectors, mini, mini_table = _Sectors(), bytearray(), list[int]()
    for entry in entries:
        if entry.kind != _STREAM:
            continue
        entry.size = len(entry.data)
        if not entry.size:
            entry.start = _END
        elif entry.size < MINI_LIMIT:
            count = -(-entry.size // MINI_SECTOR)
            entry.start = _chain(mini_table, count)
            mini += entry.data.ljust(count * MINI_SECTOR, b"\0")
        else:
            entry.start = sectors.add(entry.data)
    entries[0].start, entries[0].size = sectors.add(bytes(mini)), len(mini)
    mini_bytes = _numbers(mini_table)
    mini_start = sectors.add(mini_bytes)
    directory = b"".join(entry.packed() for entry in entries) + _UNUSED * (-len(entries) % _ENTRIES)
    directory_start = sectors.add(directory)
    return _assembled(sectors, directory_start, mini_start, len(mini_bytes) // SECTOR)


def _assembled(sectors: _Sectors, directory: int, mini_start: int, mini_count: int) -> bytes:
    """Header, sectors and FAT, which lists itself."""
    used, count = len(sectors.table), 1
    while count * _IDS < used + count:
        count += 1
    if count > _HEADER_FATS:
        raise ValueError("larger than a compound file whose header lists the whole FAT")
    fat = _numbers([*sectors.table, *[_FAT] * count])
    listed = [used + number for number in range(count)] + [_FREE] * (_HEADER_FATS - count)
    signature, version, sizes = bytes.fromhex("D0CF11E0A1B11AE1"), (0x3E, 3, 0xFFFE), (9, 6)
    header = struct.pack("<8s16s5H6x", signature, b"", *version, *sizes)
    header += struct.pack("<9I", 0, count, directory, 0, MINI_LIMIT, mini_start, mini_count, _END, 0)
    return header + struct.pack(f"<{_HEADER_FATS}I", *listed) + bytes(sectors.body) + fat


def _numbers(table: list[int]) -> bytes:
    """A table of sector numbers, filled up to whole sectors with free ones."""
    data = struct.pack(f"<{len(table)}I", *table)
    return data + b"\xff" * (-len(data) % SECTOR)


def _chain(table: list[int], count: int) -> int:
    """`count` sectors in a row at the end of `table`; the first one's number."""
    first = len(table)
    table.extend(range(first + 1, first + count))
    table.append(_END)
    return first


def _listed(root: Storage) -> list[_Entry]:
    """The root and all below it, linked."""
    entries: list[_Entry] = []

    def walk(name: str, kind: int, content: "bytes | Storage") -> _Entry:
        entry = _Entry(name, kind)
        entries.append(entry)
        if isinstance(content, bytes):
            entry.data = content
        else:
            for inner, held in content.items():
                _check(inner)
                entry.children.append(walk(inner, _STREAM if isinstance(held, bytes) else _STORAGE, held))
        return entry

    walk("Root Entry", _ROOT, root)
    numbers = {entry: number for number, entry in enumerate(entries)}
    for entry in entries:
        entry.child = _tree(entry.children, numbers)
    return entries


def _check(name: str) -> None:
    if not 0 < len(name.encode("utf-16-le")) // 2 <= _LONGEST_NAME or any(char in "/\\:!" for char in name):
        raise ValueError(f"not a name of a stream: {name!r}")


def _tree(children: list[_Entry], numbers: Mapping[_Entry, int]) -> int:
    """Link siblings as a red-black tree, [MS-CFB] 2.6.4: shorter names first, then by their upper case. Its root.

    All levels but the last are full and black; the last is red, so every way down passes as many black ones.
    """
    ordered = sorted(children, key=lambda entry: (len(entry.name.encode("utf-16-le")), entry.name.upper()))
    names = [entry.name.upper() for entry in ordered]
    if len(set(names)) != len(names):
        raise ValueError("two streams have the same name")
    full = (len(ordered) + 1).bit_length() - 1

    def link(low: int, high: int, depth: int) -> int:
        if low >= high:
            return _NONE
        middle = (low + high) // 2
        entry = ordered[middle]
        entry.black = depth < full
        entry.left, entry.right = link(low, middle, depth + 1), link(middle + 1, high, depth + 1)
        return numbers[entry]

    return link(0, len(ordered), 0)
