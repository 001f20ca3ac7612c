"""The text that a user sees in a cell: its value in its number format (ECMA-376 §18.8.31), in the workbook's language.

Covered: General, whole and decimal numbers, thousands, percent, powers of ten, money with its symbol, signs by
section, conditions, dates, times, elapsed time, and text. Anything else, such as fractions, shows as General would.
The system's own date format is not in a workbook: it is day/month/year in Spanish, and in English, where the order
differs by country, the month is spelled out.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from xlsms.ooxml.style import LOCAL_DATE
from xlsms.ooxml.value import Raw
from xlsms.workbook.base import Language

__all__ = ["shown"]

_POINT = {"en": (".", ","), "es": (",", ".")}  # decimal and thousands
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
_GENERAL_DIGITS = 10
_NOON = 12
_MOST = 10**15  # where a workbook stops to know every digit
_LONGEST = 12  # digits after which a pattern is no longer meant for people

Token = tuple[str, str]


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
        return _general(value, language)


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
    section, value = _section(value, _sections(code))
    kinds = [kind for kind, _ in section]
    if "elapsed" in kinds:
        return _elapsed(value, section)
    patterns = [text for kind, text in section if kind == "number"]
    fraction = len(patterns) > 1 and ("literal", "/") in section
    unreadable = abs(value) >= _MOST or any(len(pattern) > _LONGEST for pattern in patterns)
    if fraction or unreadable or "date" in kinds or not section:
        return _general(value, language)
    amount = abs(Decimal(repr(value))).scaleb(2 * kinds.count("percent"))
    power = next((text for kind, text in section if kind == "power"), None)
    texts = {"percent": "%", "general": _general(abs(value), language), "text": _general(abs(value), language)}
    if patterns and power:
        texts["number"] = _scientific(amount, patterns[0], power, language)
    elif patterns:
        texts["number"] = _digits(amount, patterns[0], language)
    out = "-" if value < 0 and re.search("[1-9]", texts.get("number", texts["general"])) else ""  # zero has no sign
    for kind, text in section:
        out += text if kind == "literal" else texts.pop(kind, "") if kind == "number" else texts.get(kind, "")
    return out


def _section(value: float, sections: tuple[tuple[Token, ...], ...]) -> tuple[tuple[Token, ...], float]:
    """The section for a number, and the number as that section shows it: the negative one writes its own sign."""
    for section in sections[:2]:
        condition = next(
            (_CONDITION.fullmatch(text) for kind, text in section if kind == "bracket" and text[:1] in "<>="), None
        )
        if condition and _TESTS[condition[1]](value, float(condition[2])):
            return section, value
        if condition:
            return sections[min(len(sections) - 1, sections.index(section) + 1)], value
    if value < 0 and len(sections) > 1:
        return sections[1], abs(value)
    if value == 0 and len(sections) > 2:  # noqa: PLR2004 - the third is for zero
        return sections[2], value
    return sections[0], value


def _general(value: float, language: Language) -> str:
    if isinstance(value, int):
        return str(value)
    return f"{value:.{_GENERAL_DIGITS}g}".replace(".", _POINT[language][0])


def _digits(amount: Decimal, pattern: str, language: Language) -> str:
    """A number in a pattern of `0`, `#` and `?`, with thousands where a comma stands between digits."""
    pattern, scaled = pattern.rstrip(","), len(pattern) - len(pattern.rstrip(","))
    whole, _, fraction = pattern.partition(".")
    amount = amount.scaleb(-3 * scaled).quantize(Decimal(1).scaleb(-len(fraction)), ROUND_HALF_UP)
    digits, _, decimals = f"{abs(amount):f}".partition(".")
    digits = digits.lstrip("0").rjust(whole.count("0"), "0")
    point, comma = _POINT[language]
    if "," in whole:
        digits = re.sub(r"(?<=\d)(?=(?:\d{3})+$)", comma, digits)
    needed = len(fraction.rstrip("#?"))
    decimals = decimals[:needed] + decimals[needed:].rstrip("0")
    return digits + (point + decimals if "." in pattern and (decimals or needed) else "")


def _scientific(amount: Decimal, pattern: str, power: str, language: Language) -> str:
    places = len(pattern.partition(".")[2])
    digits, _, exponent = f"{float(amount):.{places}e}".partition("e")
    sign = "-" if int(exponent) < 0 else ("+" if power[1] == "+" else "")
    return digits.replace(".", _POINT[language][0]) + "E" + sign + str(abs(int(exponent))).rjust(len(power) - 2, "0")


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
            out += _POINT[language][0] + f"{moment.microsecond:06d}"[: len(text) - 1]
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
        return next((language for language in _POINT if text.lower().startswith(language)), None)
