"""What every PDU has, and how its fields are written and read.

Strings are Latin-1, so that every octet survives.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

from xlsms_service.protocols.smpp.fault import FieldError

__all__ = ["Pdu", "read_cstring", "write_cstring", "write_octets"]

_OCTET = 0xFF


def write_cstring(name: str, value: str, size: int) -> bytes:
    """The string and its NUL, `size` octets at most."""
    try:
        octets = value.encode("latin-1")
    except UnicodeEncodeError:
        raise FieldError(name, "a character that SMPP cannot carry") from None
    if len(octets) >= size:
        raise FieldError(name, f"{len(octets)} octets, at most {size - 1}")
    if b"\0" in octets:
        raise FieldError(name, "a NUL inside")
    return octets + b"\0"


def write_octets(**values: int) -> bytes:
    """The one-octet numbers, in the order given."""
    for name, value in values.items():
        if not 0 <= value <= _OCTET:
            raise FieldError(name, f"{value} is no octet")
    return bytes(values.values())


def read_cstring(body: bytes, at: int) -> tuple[str, int]:
    """The string at `at` and where the next field begins; without a NUL it is all the rest."""
    end = body.find(b"\0", at)
    if end < 0:
        return body[at:].decode("latin-1"), len(body)
    return body[at:end].decode("latin-1"), end + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pdu:
    """One PDU: `sequence` pairs a response with its request, `status` is 0 in every request."""

    command: ClassVar[int]
    sequence: int
    status: int = 0

    def _body(self) -> bytes:
        return b""

    @classmethod
    def _read(cls, sequence: int, status: int, _body: bytes) -> Self:
        return cls(sequence=sequence, status=status)
