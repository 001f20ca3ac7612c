"""Optional parameters: tag, length, value (§3.2.4.1). The length is always believed, never the tag's usual size."""

from collections.abc import Mapping
from struct import Struct

from xlsms_service.protocols.smpp.constants import Status
from xlsms_service.protocols.smpp.fault import FieldError, ProtocolError

__all__ = ["Tlvs", "integer", "read_tlvs", "text", "write_tlvs"]

Tlvs = Mapping[int, bytes]  #: tag -> value; unknown tags are kept

_HEAD = Struct(">HH")
_LONGEST = 0xFFFF
_LONGEST_INTEGER = 4  # octets (§3.1)


def read_tlvs(body: bytes, at: int, *, strict: bool = True) -> dict[int, bytes]:
    """The optional parameters from `at` to the end of `body`; of a tag that comes twice, the first.

    A truncated one is a `ProtocolError`, or with `strict=False` ends the reading.
    """
    found: dict[int, bytes] = {}
    end = len(body)
    while at < end:
        if end - at < _HEAD.size:
            break
        tag, length = _HEAD.unpack_from(body, at)
        at += _HEAD.size
        if end - at < length:
            break
        found.setdefault(tag, body[at : at + length])
        at += length
    else:
        return found
    if strict:
        raise ProtocolError("an optional parameter is cut short", status=Status.BROKEN_TLVS)
    return found


def write_tlvs(tlvs: Tlvs) -> bytes:
    """The optional parameters as octets, in the mapping's order."""
    if not tlvs:
        return b""
    for tag, value in tlvs.items():
        if len(value) > _LONGEST:
            raise FieldError(f"optional parameter 0x{tag:04X}", f"{len(value)} octets, at most {_LONGEST}")
    return b"".join(_HEAD.pack(tag, len(value)) + value for tag, value in tlvs.items())


def integer(tlvs: Tlvs, tag: int) -> int | None:
    """The number in an optional parameter; None where it is missing, empty, or longer than an integer may be (§3.1)."""
    value = tlvs.get(tag, b"")
    return int.from_bytes(value, "big") if 0 < len(value) <= _LONGEST_INTEGER else None


def text(tlvs: Tlvs, tag: int) -> str | None:
    """The string in an optional parameter, with or without its NUL; None where it is missing."""
    value = tlvs.get(tag)
    return None if value is None else value.partition(b"\0")[0].decode("latin-1")
