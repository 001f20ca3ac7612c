"""Cell formats: which number format a cell has, and which existing format shows a date in the same looks."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from xlsms.errors import UserError
from xlsms.ooxml.cells import natural
from xlsms.ooxml.markup import each_element

__all__ = ["BUILT_IN", "LOCAL_DATE", "Look", "Styles", "is_date", "is_duration", "shows_time"]

_LOCAL = "[$-x-system]"  # begins a format that the system decides, which the file does not tell
LOCAL_DATE = f"{_LOCAL}dd/mm/yyyy"  #: stands for the date format of the system

_MOST = 100_000  # formats; Excel's own limit is 65,490
_LONGEST = 1000  # characters of one; Excel's own limit is 255

#: The number formats that a workbook does not spell out (ECMA-376 §18.8.30). The others below 82 are the money of the
#: system, and dates of the far East: what they show, the file does not tell.
BUILT_IN: dict[int, str] = {number: f"[$-x-{number}]" for number in range(5, 82)} | {
    0: "General",
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    9: "0%",
    10: "0.00%",
    11: "0.00E+00",
    12: "# ?/?",
    13: "# ??/??",
    14: LOCAL_DATE,
    15: f"{_LOCAL}d-mmm-yy",
    16: f"{_LOCAL}d-mmm",
    17: "mmm-yy",
    18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM",
    20: "h:mm",
    21: "h:mm:ss",
    22: f"{LOCAL_DATE} h:mm",
    **dict.fromkeys(range(23, 27), "General"),
    37: f"{_LOCAL}#,##0_);(#,##0)",
    38: f"{_LOCAL}#,##0_);[Red](#,##0)",
    39: f"{_LOCAL}#,##0.00_);(#,##0.00)",
    40: f"{_LOCAL}#,##0.00_);[Red](#,##0.00)",
    41: f'{_LOCAL}_(* #,##0_);_(* (#,##0);_(* "-"_);_(@_)',
    43: f'{_LOCAL}_(* #,##0.00_);_(* (#,##0.00);_(* "-"??_);_(@_)',
    45: "mm:ss",
    46: "[h]:mm:ss",
    47: "mm:ss.0",
    48: "##0.0E+0",
    49: "@",
}
_QUIET = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?![hms]+\])[^\]]*\]', re.IGNORECASE)  # literals, colours, conditions
_DATE = re.compile(r"[dmyhs]", re.IGNORECASE)


def bare(code: str) -> str:
    """The first section of a number format that shows a value, without literals, colours and conditions."""
    return _QUIET.sub("", code).lstrip("; ").split(";")[0]


def is_date(code: str) -> bool:
    """Whether a number format shows a date or a time of day; elapsed time (`[h]:mm`) is a number."""
    text = bare(code)
    if "[" in text:
        return False
    return "general" not in text.lower() and "@" not in text and _DATE.search(text) is not None


def is_duration(code: str) -> bool:
    """Whether a number format shows elapsed time, such as `[h]:mm`."""
    return "[" in bare(code)


def shows_time(code: str) -> bool:
    """Whether a number format shows day and hour."""
    text = bare(code).lower()
    return is_date(code) and "d" in text and "h" in text


@dataclass(frozen=True, slots=True)
class Look:
    """What a cell format shows besides its number format; equal looks can stand for one another."""

    font: str
    fill: str
    border: str


class Styles:
    """The cell formats (`cellXfs`) of a workbook."""

    def __init__(self, formats: Iterable[tuple[str, Look]] = ()) -> None:
        self._formats = tuple(formats)
        self._dates: dict[Look, int] = {}
        for index, (code, look) in enumerate(self._formats):
            if shows_time(code):
                self._dates.setdefault(look, index)

    @classmethod
    def read(cls, chunks: Iterable[bytes]) -> "Styles":
        """From the styles part.

        Raises:
            UserError: `file-suspicious` for more formats than any workbook has.
        """
        codes = dict(BUILT_IN)
        formats = []
        for tag in each_element(chunks, frozenset({"numFmt", "xf"})):
            number = natural(tag.attributes.get("numFmtId", "")) or 0
            if tag.name == "numFmt" and tag.parent == "numFmts":
                codes[number] = tag.attributes.get("formatCode", "General")[:_LONGEST]
            elif tag.name == "xf" and tag.parent == "cellXfs":
                look = Look(*(tag.attributes.get(name, "0") for name in ("fontId", "fillId", "borderId")))
                formats.append((codes.get(number, "General"), look))
            if max(len(codes), len(formats)) > _MOST:
                raise UserError("file-suspicious")
        return cls(formats)

    def code(self, style: int) -> str:
        """The number format of a cell format; `General` for one that does not exist."""
        return self._formats[style][0] if 0 <= style < len(self._formats) else "General"

    def date_like(self, style: int) -> int | None:
        """A format that shows day and hour and looks like `style`; `style` itself if it is a date; None without one."""
        if is_date(self.code(style)):
            return style
        return self._dates.get(self._formats[style][1]) if 0 <= style < len(self._formats) else None
