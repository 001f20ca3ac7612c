"""The header of one part of a long message (3GPP TS 23.040 §9.2.3.24)."""

from xlsms.model import Concat

__all__ = ["read_udh", "udh"]

_CONCAT = 0x00  # 8-bit reference, §9.2.3.24.1
_CONCAT_WIDE = 0x08  # 16-bit reference, §9.2.3.24.8
_LENGTHS = {_CONCAT: 3, _CONCAT_WIDE: 4}
_OCTET = 0xFF


def udh(concat: Concat) -> bytes:
    """The user data header that names the part, its length octet first; ValueError when a figure does not fit."""
    if not 1 <= concat.part <= concat.total <= _OCTET:
        raise ValueError(f"part {concat.part} of {concat.total}")
    kind = _CONCAT_WIDE if concat.wide else _CONCAT
    length = _LENGTHS[kind]
    if not 0 <= concat.reference < 1 << 8 * (length - 2):
        raise ValueError(f"reference {concat.reference}")
    reference = concat.reference.to_bytes(length - 2, "big")
    return bytes((length + 2, kind, length)) + reference + bytes((concat.total, concat.part))


def read_udh(data: bytes) -> tuple[Concat | None, bytes]:
    """The place of a part, if its header tells one, and what follows the header; never fails.

    `data` begins with the header's length octet. Other elements are skipped, impossible places are ignored, of several
    the last counts. A length that runs past the end is no header: then all of `data` is handed back.
    """
    if not data or data[0] >= len(data):
        return None, data
    end = 1 + data[0]
    found = None
    at = 1
    while at + 2 <= end:
        kind, length = data[at], data[at + 1]
        value = data[at + 2 : min(at + 2 + length, end)]
        at += 2 + length
        if len(value) == length == _LENGTHS.get(kind):
            found = _place(value) or found
    return found, data[end:]


def _place(value: bytes) -> Concat | None:
    *reference, total, part = value
    if not 1 <= part <= total:
        return None
    return Concat(int.from_bytes(bytes(reference), "big"), total, part, wide=len(reference) == 2)  # noqa: PLR2004 - octets
