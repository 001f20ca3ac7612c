"""A sheet cut into what stands before its rows, blocks of whole rows, and what follows them, as it streams by."""

import re
from collections.abc import Iterable, Iterator

from xlsms.errors import UserError

__all__ = ["SHEET_DATA", "NotPlainError", "blocks", "cut"]

#: Its start tag: the prefix, and whether it closes itself.
SHEET_DATA = re.compile(rb"<((?:[A-Za-z_][\w.-]*:)?)sheetData(?:\s[^>]*?)?(/?)>")
_HEAD_LIMIT = 16 << 20
_ROW_LIMIT = 32 << 20  # of one row, and of what follows the rows
_BLOCK = 1 << 18  # what the cache of a processor holds


class NotPlainError(Exception):
    """The sheet has something that only expat should read."""


def blocks(chunks: Iterable[bytes], size: int = _BLOCK) -> Iterator[tuple[str, bytes]]:
    """A sheet as one `head` up to `<sheetData>`, blocks of whole `rows`, and one `tail` from `</sheetData>` on.

    A block has about `size` bytes.
    """
    source = iter(chunks)
    data, match = _head(source)
    yield "head", data[: match.end()]
    data = data[match.end() :]
    prefix = match[1]
    if match[2]:
        yield "tail", _rest(data, source)
        return
    end, row_end = b"</" + prefix + b"sheetData>", b"</" + prefix + b"row>"
    while True:
        # what follows the rows may not hold rows: if it does, no end is found, and expat reads the sheet
        whole = data.rfind(row_end) + len(row_end) if row_end in data else 0
        at = data.find(end, whole)
        if at >= 0:
            if at:
                yield "rows", data[:at]
            yield "tail", _rest(data[at:], source)
            return
        parts = _some(source, size)
        last = parts[-1] if parts else b""
        after = last.rfind(row_end)
        if after >= 0:  # each byte is copied once: into the block that it is part of
            yield "rows", b"".join((data, *parts[:-1], memoryview(last)[: after + len(row_end)]))
            data = last[after + len(row_end) :]
            continue
        if whole:
            yield "rows", data[:whole]
        if len(data) - whole > _ROW_LIMIT:
            raise UserError("file-suspicious")
        if not parts:
            raise NotPlainError
        data = b"".join((data[whole:], *parts))


def cut(rows: bytes, prefix: bytes, size: int) -> Iterator[bytes]:
    """A block of whole rows in several of about `size` bytes."""
    row_end = b"</" + prefix + b"row>"
    at = 0
    while len(rows) - at >= 2 * size and (end := rows.find(row_end, at + size)) >= 0:
        yield rows[at : end + len(row_end)]
        at = end + len(row_end)
    if at < len(rows):
        yield rows[at:] if at else rows


def _head(source: Iterator[bytes]) -> tuple[bytes, re.Match[bytes]]:
    data = b""
    while True:
        more = next(source, b"")
        data += more
        match = SHEET_DATA.search(data)
        if match is not None:
            return data, match
        if not more or len(data) > _HEAD_LIMIT:
            raise NotPlainError


def _some(source: Iterator[bytes], size: int) -> list[bytes]:
    """Chunks of at least `size` bytes together, as far as there are any."""
    parts: list[bytes] = []
    for chunk in source:
        parts.append(chunk)
        size -= len(chunk)
        if size <= 0:
            break
    return parts


def _rest(data: bytes, source: Iterator[bytes]) -> bytes:
    parts = [data]
    size = len(data)
    for chunk in source:
        parts.append(chunk)
        size += len(chunk)
        if size > _ROW_LIMIT * 2:
            raise UserError("file-too-large", part="/")
    return b"".join(parts)
