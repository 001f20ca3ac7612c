"""The shared strings of a large workbook, kept in a file without a name while they are needed.

In memory a million strings take a hundred megabytes and more. Here they lie in pages, of which a few are held: rows ask
for their strings mostly in the order of the table.
"""

import errno
import os
import tempfile
import threading
import weakref
from array import array
from collections.abc import Iterable

from xlsms.ooxml.cells import unescape
from xlsms.ooxml.text import RICH, OddTableError, strings_of, text_of

__all__ = ["FiledStrings"]

_PAGE = 128  # strings
_HELD = 1024  # pages
_BETWEEN = b"\0"  # is no character of XML


class FiledStrings:
    """The shared strings by number. The file goes with the last reference to this."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        """`OddTableError` for a table that only expat should read."""
        self._starts = array("Q", [0])  # where each page lies in the file
        self._pages: dict[int, list[str]] = {}
        self._count = 0
        self._lock = threading.Lock()
        self._file = tempfile.TemporaryFile(prefix="xlsms-", buffering=0)  # noqa: SIM115 - closed with the last reference
        weakref.finalize(self, self._file.close)
        self._load(chunks)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> str:
        """The text of a string; empty when the workbook does not have it."""
        if not 0 <= number < self._count:
            return ""
        page, at = divmod(number, _PAGE)
        texts = self._pages.get(page)
        return (self._page(page) if texts is None else texts)[at]

    def _load(self, chunks: Iterable[bytes]) -> None:
        waiting: list[bytes] = []
        for block in strings_of(chunks):
            waiting += block
            whole = len(waiting) // _PAGE * _PAGE
            self._write(waiting[:whole])
            del waiting[:whole]
        self._write(waiting)

    def _write(self, strings: list[bytes]) -> None:
        for start in range(0, len(strings), _PAGE):
            some = strings[start : start + _PAGE]
            page = _BETWEEN.join(some)
            if page.count(_BETWEEN) != len(some) - 1:
                raise OddTableError
            if self._file.write(page) != len(page):  # there was no room for all of it
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._starts.append(self._starts[-1] + len(page))
            self._count += len(some)

    def _page(self, number: int) -> list[str]:
        start, end = self._starts[number : number + 2]
        raw = self._read(start, end - start)
        if RICH in raw:
            texts = list(map(text_of, raw.split(_BETWEEN)))
        else:
            texts = raw.decode("utf-8", "replace").split(_BETWEEN.decode())
            if b"&" in raw or b"_x" in raw or b"\r" in raw:
                texts = list(map(unescape, texts))
        with self._lock:
            if len(self._pages) >= _HELD:
                for oldest in list(self._pages)[: _HELD // 2]:
                    del self._pages[oldest]
            self._pages[number] = texts
        return texts

    def _read(self, start: int, count: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self._file.fileno(), count, start)
        with self._lock:
            self._file.seek(start)
            return self._file.read(count)
