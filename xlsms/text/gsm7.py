"""The GSM 7-bit alphabet: text to septets and back, and septets packed into octets (3GPP TS 23.038 §6.1 and §6.2.1).

Unpacked septets stand one to an octet, as SMPP carries them; packed ones eight to seven octets, as a modem does.
"""

import codecs
import re
from collections.abc import Mapping

__all__ = ["DEFAULT", "Table", "decode", "encode", "fill_bits", "is_gsm7", "pack", "septets", "unpack"]

_ESC = 0x1B
_NONE = 0xFF  # no septet
_UNKNOWN = "\ufffd"


class Table:
    """A base table of 128 characters, the extension table behind ESC, and what naming the pair costs in a header.

    Position 1B of `base` is ESC itself and stands for no character. `header` holds the information elements that
    announce a national table (3GPP TS 23.040 §9.2.3.24.15); the default pair needs none.
    """

    __slots__ = ("_alien", "_all", "_decoding", "_encoding", "_extended", "_extension", "_latin", "_plain", "header")

    def __init__(self, base: str, extension: Mapping[int, str], header: bytes = b"") -> None:
        if len(base) != 128 or base[_ESC] != "\x1b":  # noqa: PLR2004 - seven bits
            raise ValueError("a base table has 128 places and ESC at 1B")
        letters = base.replace("\x1b", "")
        extended = "".join(char for char in extension.values() if char not in letters)
        self.header = header
        self._extension = dict(extension)
        self._encoding = {ord(char): f"\x1b{chr(code)}" for code, char in extension.items()}
        self._encoding |= {ord(char): chr(code) for code, char in enumerate(base) if code != _ESC}
        self._decoding = base + _UNKNOWN * 128
        # Septet of each Latin-1 character: most texts need nothing else, and octets are translated many times as fast.
        self._latin = bytes(_NONE if code == _ESC else base.find(chr(code)) & _NONE for code in range(256))
        self._plain = re.compile(f"[{re.escape(letters)}]*")
        self._all = re.compile(f"[{re.escape(letters + extended)}]*")
        self._alien = re.compile(f"[^{re.escape(letters + extended)}]")
        self._extended = re.compile(f"[{re.escape(extended)}]")

    def is_plain(self, text: str) -> bool:
        """Whether every character is in the base table, so that each costs one septet."""
        try:
            return _NONE not in text.encode("latin-1").translate(self._latin)
        except UnicodeEncodeError:  # Greek, or what the table lacks
            return self._plain.fullmatch(text) is not None

    def covers(self, text: str) -> bool:
        """Whether the table pair has every character of `text`."""
        return self.is_plain(text) or self._all.fullmatch(text) is not None

    def aliens(self, text: str) -> list[tuple[int, str]]:
        """Index and character of all that the table pair lacks."""
        return [(match.start(), match.group()) for match in self._alien.finditer(text)]

    def is_extended(self, char: str) -> bool:
        """Whether `char` needs ESC, and so two septets."""
        return self._extended.fullmatch(char) is not None

    def septets(self, text: str) -> int:
        """How many septets `text` takes; ValueError when the table pair lacks a character of it."""
        if self.is_plain(text):
            return len(text)
        self._check(text)
        return len(text) + len(self._extended.findall(text))

    def encode(self, text: str) -> bytes:
        """`text` as septets, one to an octet; UnicodeEncodeError (a ValueError) at the first character it lacks."""
        try:
            quick = text.encode("latin-1").translate(self._latin)
        except UnicodeEncodeError:
            pass  # Greek, € or what the table pair lacks
        else:
            if _NONE not in quick:
                return quick
        self._check(text)
        return text.translate(self._encoding).encode("latin-1")

    def decode(self, data: bytes) -> str:
        """The text of unpacked septets; never fails.

        What a receiver does not know it shows all the same: an unknown extension as the base character, ESC ESC and a
        last lone ESC as a space (3GPP TS 23.038 §6.2.1.1), an octet above 7F as U+FFFD.
        """
        if _ESC not in data:
            return codecs.charmap_decode(data, "strict", self._decoding)[0]
        found = []
        rest = iter(data)
        for code in rest:
            if code != _ESC:
                found.append(self._decoding[code])
                continue
            shifted = next(rest, _ESC)
            found.append(self._extension.get(shifted) or (" " if shifted == _ESC else self._decoding[shifted]))
        return "".join(found)

    def _check(self, text: str) -> None:
        alien = self._alien.search(text)
        if alien:
            raise UnicodeEncodeError("gsm7", text, alien.start(), alien.end(), "not in the GSM 7-bit alphabet")


#: The default alphabet with its extension table.
DEFAULT = Table(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
    {
        0x0A: "\f",
        0x14: "^",
        0x28: "{",
        0x29: "}",
        0x2F: "\\",
        0x3C: "[",
        0x3D: "~",
        0x3E: "]",
        0x40: "|",
        0x65: "€",
    },
)

is_gsm7 = DEFAULT.covers
septets = DEFAULT.septets
encode = DEFAULT.encode
decode = DEFAULT.decode

_BITS = tuple(f"{code:07b}" for code in range(128))


def fill_bits(header: int) -> int:
    """Zero bits between a header of `header` octets, its length octet included, and the first septet."""
    return -8 * header % 7


def pack(data: bytes, fill: int = 0) -> bytes:
    """Septets into octets, low bits first, after `fill` zero bits; ValueError on an octet above 7F."""
    if not data:
        return b""
    if not data.isascii():
        raise ValueError("a septet is at most 7F")
    bits = "".join([_BITS[code] for code in reversed(data)])
    return (int(bits, 2) << fill).to_bytes((7 * len(data) + fill + 7) // 8, "little")


def unpack(data: bytes, count: int | None = None, fill: int = 0) -> bytes:
    """Up to `count` septets out of octets, after `fill` bits; all that fit when no count is given.

    Without a count, seven spare bits at the end read as one more septet, an @: the length octet of the message decides.
    """
    room = max(0, (8 * len(data) - fill) // 7)
    number = room if count is None else max(0, min(count, room))
    bits = f"{int.from_bytes(data, 'little') >> fill:0{7 * number}b}"
    end = len(bits)
    return bytes([int(bits[end - at - 7 : end - at], 2) for at in range(0, 7 * number, 7)])
