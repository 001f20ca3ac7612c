"""Literals looked for in XML by the C library of Linux: it compares many bytes at once, and other threads run."""

import re
import sys
from collections.abc import Callable
from functools import cache

__all__ = ["holds"]

_Search = Callable[[bytes, bytes], int | None]


def _strstr() -> _Search | None:
    """`strstr` of a library that is known to be quick; None where it cannot be had, or has not been tried."""
    if sys.platform != "linux":
        return None
    try:
        import ctypes  # noqa: PLC0415 - not every Python has it

        found = ctypes.CDLL(None).strstr
    except (ImportError, OSError):
        return None
    found.argtypes, found.restype = (ctypes.c_char_p, ctypes.c_char_p), ctypes.c_void_p
    search: _Search = found
    return search


_search = _strstr()


def holds(xml: bytes, *literals: bytes) -> bool:
    """Whether any of some literals, none of which has a zero byte, stands in `xml`."""
    if _search is None or b"\0" in xml:  # which ends a text in C, and is no XML
        return any(_pattern(literal).search(xml) for literal in literals)
    return any(_search(xml, literal) is not None for literal in literals)


@cache
def _pattern(literal: bytes) -> re.Pattern[bytes]:
    """Searches for the last byte, which as a rule is rarer than the first."""
    return re.compile(re.escape(literal[-1:]) + b"(?<=" + re.escape(literal) + b")")
