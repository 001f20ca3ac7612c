"""A type library of LibreOffice (`.rdb`, format UNOIDL 0) for one interface, in memory and the same bytes each time.

LibreOffice's own `unoidl-write` is part of its SDK, which users do not have. Layout: unoidl/source/unoidlprovider.cxx,
"New binary format": little-endian, names ending in NUL, maps sorted by name, strings with their length in front.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Method", "library"]

_MAGIC = b"UNOIDL\xff\x00"
_ROOT = len(_MAGIC)  # where the offset and the size of the root map stand
_MODULE, _INTERFACE = 0, 5
_PUBLISHED = 0x80
_IN = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method of the interface; types are named as in IDL."""

    name: str
    returns: str
    takes: Mapping[str, str]  #: names of arguments and their types


def library(interface: str, base: str, methods: Sequence[Method]) -> bytes:
    """The library that has `interface`, named with dots, which extends `base`."""
    out = bytearray(_MAGIC + bytes(8))
    *modules, name = interface.split(".")
    payload = len(out)
    out += _interface(base, methods)
    entry = _entry(out, name, payload)
    for module in reversed(modules):
        payload = len(out)
        out += struct.pack("<BI", _MODULE, 1) + entry
        entry = _entry(out, module, payload)
    struct.pack_into("<II", out, _ROOT, len(out), 1)
    out += entry
    return bytes(out)


def _entry(out: bytearray, name: str, payload: int) -> bytes:
    """Put a name down; what a map says of it."""
    at = len(out)
    out += name.encode("ascii") + b"\0"
    return struct.pack("<II", at, payload)


def _interface(base: str, methods: Sequence[Method]) -> bytes:
    parts = [struct.pack("<BI", _INTERFACE | _PUBLISHED, 1), _string(base)]
    parts.append(struct.pack("<III", 0, 0, len(methods)))  # no optional bases, no attributes
    for method in methods:
        parts += [_string(method.name), _string(method.returns), struct.pack("<I", len(method.takes))]
        for name, kind in method.takes.items():
            parts += [struct.pack("<B", _IN), _string(name), _string(kind)]
        parts.append(struct.pack("<I", 0))  # no exceptions
    return b"".join(parts)


def _string(text: str) -> bytes:
    """A string that stands where it is used."""
    return struct.pack("<I", len(text)) + text.encode("ascii")
