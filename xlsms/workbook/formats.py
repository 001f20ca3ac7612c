"""The text that a user sees in a cell: its value in its number format (ECMA-376 §18.8.31), in the workbook's language.

Covered: General, whole and decimal numbers, thousands, percent, powers of ten, money with its symbol, signs by
section, conditions, dates, times, elapsed time, and text. Anything else, such as fractions, shows as General would.
The system's own date format is not in a workbook: it is day/month/year in Spanish, and in English, where the order
differs by country, the month is spelled out.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from xlsms.ooxml.style import LOCAL_DATE
from xlsms.ooxml.value import Raw
from xlsms.workbook.base import Language
from xlsms.workbook.placeholder import POINT, Figure, Token, figure_of, general

__all__ = ["shown"]

_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
}
_DAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
}
_LANGUAGE_IDS = {0x09: "en", 0x0A: "es"}  # the low ten bits of a locale id
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|_(?P<space>.)|\*.'
    r"|\[\$(?P<symbol>[^\]-]*)(?:-(?P<locale>[^\]]*))?\]|\[(?P<elapsed>[hms]+)\]|\[(?P<bracket>[^\]]*)\]"
    r"|(?P<half>AM/PM|A/P)|(?P<general>General)|(?P<date>y+|m+|d+|h+|s+)"
    r"|(?P<number>[0#?](?:[0#?,]*[0#?])?(?:\.[0#?]*)?,*|\.[0#?]+)|(?P<power>E[+-]0+)|(?P<percent>%)|(?P<text>@)|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)(-?[0-9.]+)")
_TESTS = {
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
}
_NOON = 12
_MOST = 10**21  # from where on a number is no longer meant for people

Condition = tuple[str, float]

_GENERAL: tuple[Token, ...] = (("general", "General"),)
#: By the number of sections without conditions: which numbers each is for, and whether it puts a minus in front.
_UNTESTED: dict[int, list[tuple[Condition | None, bool]]] = {
    1: [(None, True)],
    2: [((">=", 0.0), False), (None, False)],
    3: [((">", 0.0), False), (("<", 0.0), False), (None, False)],
}


def shown(value: Raw, code: str, language: Language) -> str:
    """The displayed text of a value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return {"en": "TRUE", "es": "VERDADERO"}[language] if value else {"en": "FALSE", "es": "FALSO"}[language]
    if isinstance(value, str):
        return _text(value, code)
    if isinstance(value, datetime):
        return _date(value, code, language)
    try:
        return _number(value, code, language)
    except (ArithmeticError, ValueError):  # a code that no program would write, such as `[>1.2.3]`
        return general(value, language)


@lru_cache(maxsize=512)
def _sections(code: str) -> tuple[tuple[Token, ...], ...]:
    """The sections of a format as tokens: kind and text."""
    sections: list[list[Token]] = [[]]
    for match in _TOKEN.finditer(code):
        kind = match.lastgroup or ""
        if kind == "other" and match[0] == ";":
            sections.append([])
        elif kind == "locale" or (kind == "symbol" and match["locale"] is None):
            sections[-1] += [("literal", match["symbol"]), ("locale", match["locale"] or "")]
        elif kind in ("quoted", "escaped", "other"):
            sections[-1].append(("literal", match[kind]))
            if match[0] == "/":  # neither quoted nor escaped
                sections[-1].append(("fraction", ""))
        elif kind == "space":
            sections[-1].append(("literal", " "))
        elif kind:
            sections[-1].append((kind, match[kind]))
    return tuple(tuple(section) for section in sections)


def _text(value: str, code: str) -> str:
    section = _section_of_texts(code)
    if section is None:
        return value
    return "".join(value if kind == "text" else text for kind, text in section)


@lru_cache(maxsize=512)
def _section_of_texts(code: str) -> tuple[Token, ...] | None:
    """What a format makes of a text; None: nothing."""
    sections = _sections(code)
    last = sections[-1]
    if len(sections) != 4 and not any(kind == "text" for kind, _ in last):  # noqa: PLR2004 - the fourth is for text
        return None
    return tuple((kind, text) for kind, text in last if kind in ("text", "literal"))


def _number(value: float, code: str, language: Language) -> str:
    if code == "General":  # most cells
        return general(value, language)
    for section in _for_numbers(code):
        if section.when is None or _TESTS[section.when[0]](value, section.when[1]):
            break
    else:
        return ""  # Excel fills such a cell with #
    if section.figure is not None and abs(value) < _MOST:
        return section.figure.text(value, language, minus=section.minus)
    if any(kind == "elapsed" for kind, _ in section.tokens):
        return _elapsed(value if section.minus else abs(value), section.tokens)
    return general(value, language)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """A section of a format that is for numbers."""

    tokens: tuple[Token, ...]
    figure: Figure | None  #: None: not known, or elapsed time
    when: Condition | None  #: which numbers it is for; None: all that are left
    minus: bool  #: whether a negative number has its sign put in front


@lru_cache(maxsize=512)
def _for_numbers(code: str) -> tuple[_Section, ...]:
    """The sections that are for numbers: the first whose condition is met shows one."""
    sections = list(_sections(code))
    if len(sections) < 4 and any(kind == "text" for kind, _ in sections[-1]):  # noqa: PLR2004 - the fourth is for text
        sections.pop()
    del sections[3:]
    if sections in ([], [()]):
        sections = [_GENERAL]
    given = [_condition(section) for section in sections]
    if any(given) and len(sections) == 1:
        sections, given = [*sections, _GENERAL], [*given, None]
    tested = _tested(given) if any(given) else _UNTESTED[len(sections)]
    return tuple(
        _Section(tokens=section, figure=figure_of(section), when=when, minus=minus)
        for section, (when, minus) in zip(sections, tested, strict=True)
    )


def _condition(section: tuple[Token, ...]) -> Condition | None:
    found = (_CONDITION.fullmatch(text) for kind, text in section if kind == "bracket")
    return next(((match[1], float(match[2])) for match in found if match), None)


def _tested(given: Sequence[Condition | None]) -> list[tuple[Condition | None, bool]]:
    """Which numbers each of two or three sections is for, one of which at least has a condition, and who has a minus.

    As Excel has it: none where the condition is met by negative numbers alone. What is left to the second of two has
    one only behind `=`, `>` and `>=` of what is not negative.
    """
    first, second, *others = given
    first = first or (">", 0.0)
    if second is None and not others:
        return [(first, _has_minus(first)), (None, first[0] == "=" or (first[0] in (">", ">=") and first[1] >= 0))]
    second = second or ("<", 0.0)
    return [(first, _has_minus(first)), (second, _has_minus(second)), *[(when, True) for when in others]]


def _has_minus(when: Condition) -> bool:
    sign, limit = when
    return not (sign in ("<", "<=", "=") and limit < 0) and when != ("<", 0.0)


def _elapsed(value: float, section: tuple[Token, ...]) -> str:
    seconds = round(abs(value) * 86_400)
    out = "-" if value < 0 else ""
    sizes = {"h": 3600, "m": 60, "s": 1}
    for kind, text in section:
        if kind == "elapsed":
            size = sizes[text[0].lower()]
            out += str(seconds // size).rjust(len(text), "0")
            seconds %= size
        elif kind == "date":
            size = sizes.get(text[0].lower(), 1)
            out += str(seconds // size).rjust(len(text), "0")
            seconds %= size
        elif kind == "literal":
            out += text
    return out


def _date(moment: datetime, code: str, language: Language) -> str:
    if code.startswith(LOCAL_DATE) and language == "en":
        code = code.replace(LOCAL_DATE, "d mmm yyyy")
    section = _sections(code)[0]
    half = any(kind == "half" for kind, _ in section)
    spoken: str = language
    out = ""
    for index, (kind, text) in enumerate(section):
        if kind == "date":
            unit = text.lower()
            if unit[0] == "m" and len(unit) <= 2 and _is_minute(section, index):  # noqa: PLR2004 - more are months
                out += str(moment.minute).rjust(len(unit), "0")
            else:
                out += _date_part(moment, unit, spoken, half=half)
        elif kind == "locale":
            spoken = _locale(text) or spoken
        elif kind == "half":
            out += text.split("/")[moment.hour >= _NOON]
        elif kind == "number" and text.startswith(".") and set(text[1:]) == {"0"}:  # fractions of a second
            out += POINT[language][0] + f"{moment.microsecond:06d}"[: len(text) - 1]
        elif kind in ("literal", "number"):
            out += text
    return out


def _is_minute(section: tuple[Token, ...], index: int) -> bool:
    """`m` is a minute right after hours and right before seconds, a month elsewhere."""

    def units(tokens: Iterator[Token]) -> str:
        return next((text[0].lower() for kind, text in tokens if kind == "date"), "")

    return units(reversed(section[:index])) == "h" or units(iter(section[index + 1 :])) == "s"


def _date_part(moment: datetime, unit: str, language: str, *, half: bool) -> str:
    length = len(unit)
    if unit[0] == "y":
        return f"{moment.year:04d}" if length > 2 else f"{moment.year % 100:02d}"  # noqa: PLR2004 - two digits
    if unit[0] in "md" and length > 2:  # noqa: PLR2004 - names from three on
        name = (
            _MONTHS[language].split()[moment.month - 1] if unit[0] == "m" else _DAYS[language].split()[moment.weekday()]
        )
        return name[0] if length == 5 else name[:3] if length == 3 else name  # noqa: PLR2004 - one letter, three, all
    hour = (moment.hour + 11) % 12 + 1 if half else moment.hour
    number = {"m": moment.month, "d": moment.day, "h": hour, "s": moment.second}[unit[0]]
    return str(number).rjust(min(length, 2), "0")


def _locale(text: str) -> str | None:
    try:
        return _LANGUAGE_IDS.get(int(text, 16) & 0x3FF)
    except ValueError:
        return next((language for language in POINT if text.lower().startswith(language)), None)
