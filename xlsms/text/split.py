"""What a text costs and how it is cut into parts (3GPP TS 23.040 §9.2.3.24.1).

Parts are counted by filling them, not by dividing: a pair that may not be cut leaves a gap at the end of a part.
"""

import re
import unicodedata
from dataclasses import dataclass, field

from xlsms.errors import UserError
from xlsms.model import Alphabet
from xlsms.text.gsm7 import DEFAULT, Table

__all__ = ["MAX_PARTS", "Parts", "capacity", "split"]

MAX_PARTS = 255  #: by the format: the part number is one octet
_OCTETS = 140  #: of user data in one SMS
_CONCAT = 5  #: octets of the concatenation element, 8-bit reference
_WIDE = 6  #: the same, 16-bit reference
_ZWJ = "\u200d"
_TIED = re.compile(  # what belongs to the character before it and is not a combining mark
    "[\u200c\u200d\u1160-\u11ff\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A text as it will leave: its alphabet and the text of each part."""

    alphabet: Alphabet
    parts: list[str]
    units: int  #: septets or UTF-16 units of the whole text, headers not counted
    room: int  #: septets or units still free in the last part
    source: str = field(repr=False)  #: as it was given
    repertoire: str | None = field(default=None, repr=False)  #: Python's name of a character set, see `split`

    def __len__(self) -> int:
        """How many SMS it takes."""
        return len(self.parts)

    @property
    def culprits(self) -> list[tuple[int, str]]:
        """Index (in the text as it was given) and character of all that forced UCS-2."""
        if self.alphabet != "ucs2":
            return []
        aliens = DEFAULT.aliens(self.source)
        if self.repertoire is not None:
            lacking = ((at, char) for at, char in enumerate(self.source) if not _has(self.repertoire, char))
            aliens = sorted({*aliens, *lacking})
        return aliens


def _has(repertoire: str, text: str) -> bool:
    try:
        text.encode(repertoire)
    except UnicodeEncodeError:
        return False
    return True


def capacity(alphabet: Alphabet, header: int = 0) -> int:
    """Septets or UTF-16 units that fit beside a user data header of `header` octets, its length octet included."""
    return (_OCTETS - header) * 8 // 7 if alphabet == "gsm7" else (_OCTETS - header) // 2


def split(
    text: str,
    *,
    wide_reference: bool = False,
    limit: int | None = 10,
    repertoire: str | None = None,
    alphabet: Alphabet | None = None,
) -> Parts:
    """The parts that `text` goes out in; line ends become LF, half surrogates become U+FFFD.

    `wide_reference` leaves room for a 16-bit reference, which costs a septet a part. An empty text is one empty part.
    More than `limit` parts (255 when None) is a UserError `text-too-long`.

    What the character set `repertoire` lacks goes as UCS-2 too, for links that write GSM texts in it. With `alphabet`
    that is decided already: "ucs2" where GSM would do.
    """
    plain = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    narrow = repertoire is not None and not _has(repertoire, plain)
    septets = None if alphabet == "ucs2" or narrow else _septets(plain)
    if septets is not None:
        alphabet, units = "gsm7", septets
    else:
        alphabet, plain = "ucs2", _whole(plain)
        units = _units(plain)
    single = capacity(alphabet)
    if units <= single:
        return Parts(
            alphabet=alphabet, parts=[plain], units=units, room=single - units, source=text, repertoire=repertoire
        )

    each = capacity(alphabet, 1 + (_WIDE if wide_reference else _CONCAT))
    most = MAX_PARTS if limit is None else min(limit, MAX_PARTS)
    _check(-(-units // each), most)  # before the work: a hostile text may be huge
    parts = _fill_septets(plain, each, DEFAULT) if alphabet == "gsm7" else _fill_units(plain, each)
    _check(len(parts), most)
    last = DEFAULT.septets(parts[-1]) if alphabet == "gsm7" else _units(parts[-1])
    room = each - last
    return Parts(alphabet=alphabet, parts=parts, units=units, room=room, source=text, repertoire=repertoire)


def _check(parts: int, limit: int) -> None:
    if parts > limit:
        raise UserError("text-too-long", parts=parts, limit=limit)


def _septets(text: str) -> int | None:
    """How many septets `text` takes; None where it cannot be written in them."""
    try:
        return DEFAULT.septets(text)
    except UnicodeEncodeError:
        return None


def _whole(text: str) -> str:
    """Surrogates joined to the character they mean, halves replaced: what is left can be written as UTF-16."""
    try:
        text.encode("utf-16-le")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _fill_septets(text: str, size: int, table: Table) -> list[str]:
    if table.is_plain(text):
        return [text[at : at + size] for at in range(0, len(text), size)]
    parts = []
    start = 0
    while start < len(text):
        end = min(start + size, len(text))
        over = table.septets(text[start:end]) - size
        while over > 0:
            end -= 1
            over -= 2 if table.is_extended(text[end]) else 1
        parts.append(text[start:end])
        start = end
    return parts


def _fill_units(text: str, size: int) -> list[str]:
    parts = []
    start = 0
    while start < len(text):
        end = min(start + size, len(text))
        over = _units(text[start:end]) - size
        while over > 0:
            end -= 1
            over -= _units(text[end])
        end = _seam(text, start, end)
        parts.append(text[start:end])
        start = end
    return parts


def _seam(text: str, start: int, end: int) -> int:
    """`end`, or before it where what is shown as one sign begins; a sign longer than a part is cut."""
    cut = end
    while start < cut < len(text) and _is_tied(text, cut):
        cut -= 1
    return cut if cut > start else end


def _is_tied(text: str, index: int) -> bool:
    """Whether the character at `index` is shown as one sign with the one before it (near UAX #29)."""
    char, before = text[index], text[index - 1]
    if before == _ZWJ or _TIED.match(char) or unicodedata.category(char).startswith("M"):
        return True
    if not (_is_flag(char) and _is_flag(before)):
        return False
    run = index
    while run > 0 and _is_flag(text[run - 1]):
        run -= 1
    return (index - run) % 2 == 1


def _is_flag(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
