"""Cell references, and cell values as XML: what is read from and written into a cell (ECMA-376 §18.3.1.4)."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache

__all__ = [
    "MOST_COLUMNS",
    "MOST_ROWS",
    "TEXT_LIMIT",
    "Area",
    "Content",
    "cell_xml",
    "column_letters",
    "column_number",
    "date_of",
    "escape",
    "natural",
    "numbers_xml",
    "reference",
    "serial_of",
    "texts_xml",
    "unescape",
]

MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384
TEXT_LIMIT = 32_767  #: UTF-16 units in a cell, as Excel counts

_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?([1-9][0-9]{0,6})")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")  # tab and newline may stay
_PLAIN = re.compile("[!-%'-;=?-~](?:[ -%'-;=?-~]*[!-%'-;=?-~])?")  # a text that XML holds as it is
# many texts, one a line, that hold nothing but what XML has an entity for, and no blanks that have to be kept
_PLAIN_LINES = re.compile(r"(?!\s)[^\x00-\x09\x0b-\x1f\ud800-\udfff\ufffe\uffff]*+(?<!\s)")
_EDGE = re.compile(r"\s\n|\n\s")
_ESCAPED = re.compile("(?:_x[0-9A-Fa-f]{4}_)+")
_ENTITY = re.compile(r"&(#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6}|amp|lt|gt|quot|apos);")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_MOST_UNICODE = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)
_DIGITS = 15  # of a number that Excel keeps
_LONGEST_NATURAL = 10  # digits of an unsigned 32-bit number, the largest of a workbook's XML


Content = str | int | float | bool | None  #: what an element can hold; dates are serials by then


@cache
def column_letters(number: int) -> str:
    """`27` is `AA`."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


@cache
@lru_cache(maxsize=4096)
def column_number(letters: str) -> int:
    """`AA` is `27`."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def natural(text: str | bytes) -> int | None:
    """The number that at most ten ASCII digits stand for; None for anything else."""
    return int(text) if text.isdigit() and text.isascii() and len(text) <= _LONGEST_NATURAL else None


def reference(text: str) -> tuple[int, int]:
    """Row and column of `B2` or `$B$2`; ValueError for anything else and for cells outside a sheet."""
    match = _REFERENCE.fullmatch(text) or _REFERENCE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not a cell: {text}")
    row, column = int(match[2]), column_number(match[1])
    if row > MOST_ROWS or column > MOST_COLUMNS:
        raise ValueError(f"not in a sheet: {text}")
    return row, column


@dataclass(frozen=True, slots=True)
class Area:
    """A block of cells, both corners included."""

    top: int
    left: int
    bottom: int
    right: int

    @classmethod
    def of(cls, text: str) -> "Area | None":
        """`A1:B9`, `A1`, whole columns `A:B` or rows `1:9`; None when it is none of them."""
        first, _, last = text.replace("$", "").partition(":")
        last = last or first
        if first.isdigit():
            first, last = f"A{first}", f"{column_letters(MOST_COLUMNS)}{last}"
        elif first.isalpha():
            first, last = f"{first}1", f"{last}{MOST_ROWS}"
        try:
            top, left = reference(first)
            bottom, right = reference(last)
        except ValueError:
            return None
        return cls(min(top, bottom), min(left, right), max(top, bottom), max(left, right))

    def __contains__(self, cell: tuple[int, int]) -> bool:
        return self.top <= cell[0] <= self.bottom and self.left <= cell[1] <= self.right

    def meets(self, other: "Area") -> bool:
        """Whether they have a cell in common."""
        return (
            self.left <= other.right
            and other.left <= self.right
            and self.top <= other.bottom
            and other.top <= self.bottom
        )

    def bridges(self, other: "Area") -> bool:
        """Whether it begins left of the columns of another and ends right of them."""
        return self.left < other.left and other.right < self.right


def unescape(text: str) -> str:
    """The text of XML character data, `_xHHHH_` escapes included (ECMA-376 §22.9.2.19, ST_Xstring)."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "&" in text:
        text = _ENTITY.sub(_entity, text)
    if "_x" in text:
        text = _ESCAPED.sub(_units, text)
    return text


def _entity(match: re.Match[str]) -> str:
    name = match[1]
    if name[0] != "#":
        return _NAMED[name]
    code = int(f"0{name[1:]}", 0) if name[1] == "x" else int(name[1:])
    return chr(code) if 0 < code <= _MOST_UNICODE and code not in _SURROGATES else "\ufffd"


def _units(match: re.Match[str]) -> str:
    """Escapes side by side may be the two halves of one character, so they are decoded together."""
    units = match[0][2:-1].split("__x") if "__x" in match[0] else [match[0][2:-1]]
    return b"".join(int(unit, 16).to_bytes(2, "little") for unit in units).decode("utf-16-le", "replace")


def escape(text: str) -> str:
    """`text` as XML character data that any reader gives back as it was; half characters become U+FFFD."""
    if _CONTROL.search(text):
        text = _CONTROL.sub(lambda match: f"_x{ord(match[0]):04X}_", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cell_xml(prefix: str, ref: str, style: int | None, value: Content) -> bytes:
    """One `<c>` element. Text is an inline string, never a formula; None is an empty cell that keeps its style.

    A whole number of more than 15 digits is written as text, because a workbook would round it.
    """
    if isinstance(value, str):
        before, after = _around(prefix, style)
        return f'<{prefix}c r="{ref}{before}{_text_xml(value)}{after}'.encode()
    head = f'<{prefix}c r="{ref}"' + (f' s="{style}"' if style is not None else "")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**_DIGITS:
        return cell_xml(prefix, ref, style, str(value))
    if value is None:
        return f"{head}/>".encode()
    if isinstance(value, bool):
        return f'{head} t="b"><{prefix}v>{value:d}</{prefix}v></{prefix}c>'.encode()
    if not math.isfinite(value):
        raise ValueError("not a number that a cell can hold")
    return f"{head}><{prefix}v>{value!r}</{prefix}v></{prefix}c>".encode()


@lru_cache(maxsize=4096)
def _around(prefix: str, style: int | None) -> tuple[str, str]:
    """What stands between the reference of an inline string and its text, and behind it."""
    styled = "" if style is None else f' s="{style}"'
    return f'"{styled} t="inlineStr"><{prefix}is><{prefix}t', f"</{prefix}t></{prefix}is></{prefix}c>"


def _text_xml(value: str) -> str:
    """What follows `<t`: its attribute where blanks have to be kept, and the text."""
    if _PLAIN.fullmatch(value) and "_x" not in value:
        return f">{value}"
    text = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    space = ' xml:space="preserve"' if text != text.strip() or "\n" in text or "\t" in text else ""
    return f"{space}>{escape(text)}"


def texts_xml(
    prefix: str, letters: str, rows: Sequence[int], styles: Sequence[int | None], values: Sequence[str | None]
) -> list[bytes] | None:
    """As `cell_xml` for many texts or empty cells of one column; None where one of them needs a closer look."""
    lines = [value for value in values if value is not None]
    text = "\n".join(lines)
    if text.count("\n") != max(len(lines) - 1, 0) or "_x" in text or _PLAIN_LINES.fullmatch(text) is None:
        return None
    if _EDGE.search(text):
        return None
    if "&" in text or "<" in text or ">" in text:
        lines = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").split("\n")
    opening, empty = f'<{prefix}c r="{letters}', "/>"
    kinds = {style: _around(prefix, style) for style in set(styles)}
    starts = {style: f"{before}>" for style, (before, _) in kinds.items()}
    _, end = _around(prefix, None)
    if len(lines) == len(values):
        cells = [
            f"{opening}{row}{starts[style]}{line}{end}" for row, style, line in zip(rows, styles, lines, strict=True)
        ]
    else:
        bare = {style: ('"' if style is None else f'" s="{style}"') + empty for style in kinds}
        following = iter(lines)
        cells = [
            f"{opening}{row}{bare[style]}" if value is None else f"{opening}{row}{starts[style]}{next(following)}{end}"
            for row, style, value in zip(rows, styles, values, strict=True)
        ]
    return "\n".join(cells).encode().split(b"\n") if cells else []


def numbers_xml(
    prefix: str, letters: str, rows: Sequence[int], styles: Sequence[int | None], values: Sequence[float]
) -> list[bytes] | None:
    """As `cell_xml` for many numbers of one column; None where one of them needs a closer look."""
    if not all(map(math.isfinite, values)) or max(map(abs, values)) >= 10**_DIGITS:
        return None
    opening, end = f'<{prefix}c r="{letters}', f"</{prefix}v></{prefix}c>"
    starts = {style: ('"' if style is None else f'" s="{style}"') + f"><{prefix}v>" for style in set(styles)}
    cells = [
        f"{opening}{row}{starts[style]}{value!r}{end}" for row, style, value in zip(rows, styles, values, strict=True)
    ]
    return "\n".join(cells).encode().split(b"\n")


_EPOCH, _EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001 - wall-clock time, as a cell holds it
_LAST_SERIAL = 2_958_466  # the first day that Excel does not know, 10000-01-01
_DAY = timedelta(days=1)
_LEAP_1900 = 60  # 29 February 1900, which Excel believes in


def date_of(serial: float, *, date1904: bool) -> datetime | None:
    """The wall-clock time of a date serial, to the millisecond; None outside what Excel shows."""
    if not 0 <= serial < _LAST_SERIAL:
        return None
    if not date1904 and 1 <= serial < _LEAP_1900:
        serial += 1
    epoch = _EPOCH_1904 if date1904 else _EPOCH
    try:
        return epoch + timedelta(milliseconds=round(serial * 86_400_000))
    except OverflowError:
        return None


def serial_of(moment: datetime, *, date1904: bool) -> float:
    """The date serial of a wall-clock time; a whole day is a whole number."""
    # all digits: programs cut the display at the minute, so a little less than 20:20 would show as 20:19
    serial = (moment.replace(tzinfo=None) - (_EPOCH_1904 if date1904 else _EPOCH)) / _DAY
    return serial - 1 if not date1904 and 2 <= serial < _LEAP_1900 + 1 else serial  # noqa: PLR2004 - see `date_of`
