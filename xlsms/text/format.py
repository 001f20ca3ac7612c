"""How a cell's value is written into a text: a small part of Excel's number formats, in the user's language.

Dates: d dd ddd dddd m mm mmm mmmm yy yyyy (or aa aaaa) h hh mm ss AM/PM, letters in either case; *mm* beside hours or
seconds means minutes. Numbers: 0, 0.00, #,##0.00, also with decimal comma, with % and with signs around. Words stand in
quotes.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal

from xlsms.errors import UserError
from xlsms.model import CellValue

__all__ = ["Format"]

_DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
}
_MONTHS = {
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    "es": (
        *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
        *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
    ),
}
#: Where Spanish is written with a decimal point.
_POINT = frozenset({"es-MX", "es-US", "es-PE", "es-GT", "es-HN", "es-NI", "es-PA", "es-DO", "es-SV", "es-PR", "es-CU"})

_TOKEN = re.compile(
    r"""AM/PM|d{1,4}|m{1,4}|y{4}|yy|a{4}|aa|h{1,2}|s{1,2}|"[^"]*"|'[^']*'|“[^”]*”|[^\w"'“”]""",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"""(?P<before>[^0#%]*?)(?:(?P<group>\#([.,])\#\#)(?=0)|\#(?=[.,]))?(?P<whole>0*)(?:(?P<point>[.,])(?P<places>[0#]+))?
        (?P<percent>\s?%)?(?P<after>[^0#%]*)""",
    re.VERBOSE,
)
_QUOTED = re.compile(r"""\"[^"]*"|'[^']*'|“[^”]*”""")
_PLAIN_NUMBER = re.compile(r"[+-]?(?:\d+|\d+[.,](?:\d{1,2}|\d{4,})|\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:\.\d{3})+,\d+)")
_PLAIN_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?")
_WIDE = Context(prec=400)  # a float has up to 309 digits before the point


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format as parsed: write(value, language) gives the text, UserError when the value is not of its kind."""

    source: str
    _write: Callable[[CellValue, str], str | None]
    _problem: str

    @classmethod
    def parse(cls, source: str) -> "Format":
        """The format that `source` writes down; UserError `format-unknown` when there is none."""
        shown = source.strip()
        if re.search("[0#]", shown):
            match = _NUMBER.fullmatch(shown)
            if match and _is_number(match):
                return cls(source=shown, _write=_NumberWriter(match).write, _problem="field-not-number")
        else:
            tokens = _TOKEN.findall(shown)
            if shown and "".join(tokens) == shown and any(token[0].isalpha() for token in tokens):
                return cls(source=shown, _write=_DateWriter(tokens).write, _problem="field-not-date")
        raise UserError("format-unknown", format=source)

    def write(self, value: CellValue, language: str, name: str) -> str:
        """`value` in this format; `name` is the field's, for the error `field-not-number` or `field-not-date`."""
        text = self._write(value, language)
        if text is None:
            raise UserError(self._problem, field=name, format=self.source, value=value)
        return text


class _DateWriter:
    """Date and time tokens; minutes told from months as Excel does, by their neighbours."""

    def __init__(self, tokens: list[str]) -> None:
        kinds = [token.lower() if token[0].isalpha() else "" for token in tokens]
        told = [at for at, kind in enumerate(kinds) if kind and kind != "am/pm"]
        self._tokens = list(zip(kinds, tokens, strict=True))
        self._twelve = "am/pm" in kinds
        for place, at in enumerate(told):
            before = kinds[told[place - 1]] if place else ""
            after = kinds[told[place + 1]] if place + 1 < len(told) else ""
            if kinds[at] in {"m", "mm"} and (before.startswith("h") or after.startswith("s")):
                self._tokens[at] = ("n" * len(kinds[at]), tokens[at])

    def write(self, value: CellValue, language: str) -> str | None:
        if isinstance(value, str) and _PLAIN_DATE.fullmatch(value.strip()):
            try:
                value = datetime.fromisoformat(value.strip())
            except ValueError:
                return None
        if not isinstance(value, datetime):
            return None
        moment = value
        return "".join([self._one(kind, token, moment, language) for kind, token in self._tokens])

    def _one(self, kind: str, token: str, moment: datetime, language: str) -> str:
        tongue = language[:2] if language[:2] in _DAYS else "en"
        if not kind:
            return token[1:-1] if token[0] in "\"'“" else token
        if kind == "am/pm":
            return "AM" if moment.hour < 12 else "PM"  # noqa: PLR2004 - noon
        if len(kind) > 2 and kind[0] in "dm":  # noqa: PLR2004 - words, not figures
            name = _DAYS[tongue][moment.weekday()] if kind[0] == "d" else _MONTHS[tongue][moment.month - 1]
            return name if len(kind) == 4 else name[:3]  # noqa: PLR2004 - in full
        if kind[0] in "ya":
            return f"{moment.year:04}" if len(kind) == 4 else f"{moment.year % 100:02}"  # noqa: PLR2004 - in full
        hour = (moment.hour % 12 or 12) if self._twelve else moment.hour
        figures = {"d": moment.day, "m": moment.month, "h": hour, "n": moment.minute, "s": moment.second}
        return f"{figures[kind[0]]:0{len(kind)}}"


class _NumberWriter:
    """Digits, separators of the language, percent, and signs around."""

    def __init__(self, match: re.Match[str]) -> None:
        self._before = _literal(match["before"])
        self._after = _literal(match["after"])
        self._percent = match["percent"] or ""
        self._grouped = bool(match["group"])
        self._whole = len(match["whole"])
        places = match["places"] or ""
        self._most = len(places)
        self._least = len(places.rstrip("#"))

    def write(self, value: CellValue, language: str) -> str | None:
        number = _number(value)
        if number is None:
            return None
        if self._percent:
            number *= 100
        rounded = number.quantize(Decimal(1).scaleb(-self._most), ROUND_HALF_UP, _WIDE)
        whole, _, places = f"{abs(rounded):f}".partition(".")
        whole = whole.lstrip("0").rjust(self._whole, "0")
        places = places[: self._least] + places[self._least :].rstrip("0")
        comma = language.startswith("es") and language not in _POINT
        if self._grouped:
            whole = f"{int(whole):,}".rjust(self._whole, "0").replace(",", "." if comma else ",")
        sign = "-" if rounded < 0 else ""
        point = ("," if comma else ".") if places else ""
        return f"{sign}{self._before}{whole}{point}{places}{self._percent}{self._after}"


def _is_number(match: re.Match[str]) -> bool:
    """Separators that differ, and no bare words: these look like a date with figures in it."""
    same = match["group"] and match["group"][1] == match["point"]
    around = _QUOTED.sub("", match["before"] + match["after"])
    return not same and not any(char.islower() for char in around)


def _literal(text: str) -> str:
    return _QUOTED.sub(lambda quoted: quoted.group()[1:-1], text)


def _number(value: CellValue) -> Decimal | None:
    """The number that a cell holds; text only where it can be read in one way (1.234 cannot)."""
    if isinstance(value, str):
        text = value.strip()
        if not _PLAIN_NUMBER.fullmatch(text):
            return None
        *whole, places = re.split("[.,]", text) if re.search("[.,]", text) else [text, ""]
        return Decimal(f"{''.join(whole)}.{places}")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    number = Decimal(repr(value))  # what is shown of a float, not its binary tail
    return number if number.is_finite() else None
