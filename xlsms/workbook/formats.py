"""The text that a user sees in a cell: its value in its number format (ECMA-376 §18.8.31), in the workbook's language.

Covered: General, whole and decimal numbers, thousands, percent, powers of ten, fractions, money with its symbol, signs
by section, conditions, dates, times, elapsed time, and text. For what another format shows there is no text.
The system's own formats are not in a workbook: they are as in Spain for Spanish, and as in ECMA-376 for English, but
that a date, whose order differs by country, has its month spelled out. The system's money is not known.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from xlsms.model import UNSHOWN
from xlsms.ooxml.cells import serial_of
from xlsms.ooxml.style import BUILT_IN, LOCAL_DATE
from xlsms.ooxml.value import Raw
from xlsms.workbook.base import Language
from xlsms.workbook.fraction import Fraction, fraction_of
from xlsms.workbook.moment import elapsed, is_known_locale, moment_text, with_minutes
from xlsms.workbook.placeholder import Figure, Token, figure_of, general

__all__ = ["shown"]

#: Formats that the system decides, where they are not in a language as they are written.
_LOCAL: dict[Language, dict[str, str]] = {
    "en": {LOCAL_DATE: "d mmm yyyy"},
    "es": {
        BUILT_IN[15]: "dd-mmm-yy",
        BUILT_IN[16]: "dd-mmm",
        BUILT_IN[37]: "#,##0;-#,##0",
        BUILT_IN[38]: "#,##0;-#,##0",
        BUILT_IN[39]: "#,##0.00;-#,##0.00",
        BUILT_IN[40]: "#,##0.00;-#,##0.00",
        BUILT_IN[41]: '_-* #,##0_-;-* #,##0_-;_-* "-"_-;_-@_-',
        BUILT_IN[43]: '_-* #,##0.00_-;-* #,##0.00_-;_-* "-"??_-;_-@_-',
        r"[$-F800]dddd\,\ mmmm\ dd\,\ yyyy": 'dddd, d "de" mmmm "de" yyyy',
        "[$-x-sysdate]dddd, mmmm dd, yyyy": 'dddd, d "de" mmmm "de" yyyy',
        r"[$-F400]h:mm:ss\ AM/PM": "h:mm:ss",
        "[$-x-systime]h:mm:ss AM/PM": "h:mm:ss",
    },
}
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|_(?P<space>.)|\*.'
    r"|\[\$(?P<symbol>[^\]-]*)(?:-(?P<locale>[^\]]*))?\]|\[(?P<elapsed>[hms]+)\]|\[(?P<bracket>[^\]]*)\]"
    r"|(?P<half>AM/PM|A/P)|(?P<general>General)|(?P<date>y+|m+|d+|h+|s+)"
    r"|(?P<number>[0#?](?:[0#?,]*[0#?])?(?:\.[0#?]*)?,*|\.[0#?]+)|(?P<power>E[+-]0+)|(?P<percent>%)|(?P<text>@)"
    r"|/(?P<over>[1-9][0-9]*)|(?P<slash>/)|(?P<era>[beg])|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_COLOUR = re.compile("black|blue|cyan|green|magenta|red|white|yellow|color *[0-9]+", re.IGNORECASE)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)(-?[0-9.]+)")
_TESTS = {
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
}
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
    """The displayed text of a value; for one whose format is not known `UNSHOWN`, and then the format.

    The blanks by which numbers are lined up with those above and below, such as `_)` has, are left out.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return {"en": "TRUE", "es": "VERDADERO"}[language] if value else {"en": "FALSE", "es": "FALSO"}[language]
    if isinstance(value, str):
        return _text(value, code)
    if code == "General" and not isinstance(value, datetime):  # most cells
        return general(value, language)
    try:
        text = _in_format(value, code, language)
    except (ArithmeticError, ValueError):  # a code that no program would write, such as `[>1.2.3]`
        text = None
    return UNSHOWN + code if text is None else text.strip(" ")


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
    return tuple(with_minutes(section) for section in sections)


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


def _in_format(value: float | datetime, code: str, language: Language) -> str | None:
    """A number or a moment by the section that is for it; None: not known."""
    number = serial_of(value, date1904=False) if isinstance(value, datetime) else value
    for section in _for_numbers(code, language):
        if section.when is None or _TESTS[section.when[0]](number, section.when[1]):
            break
    else:
        return ""  # Excel fills such a cell with #
    if not section.known:
        return None
    if section.figure is not None:
        return section.figure.text(number, language, minus=section.minus) if abs(number) < _MOST else None
    if section.elapsed:
        return elapsed(number if section.minus else abs(number), section.tokens, language)
    return moment_text(value, section.tokens, language) if isinstance(value, datetime) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """A section of a format that is for numbers."""

    tokens: tuple[Token, ...]
    figure: Figure | Fraction | None  #: None: a date, or a stretch of time
    when: Condition | None  #: which numbers it is for; None: all that are left
    minus: bool  #: whether a negative number has its sign put in front
    known: bool  #: whether it holds nothing but what is known
    elapsed: bool  #: whether it shows a stretch of time


@lru_cache(maxsize=512)
def _for_numbers(code: str, language: Language) -> tuple[_Section, ...]:
    """The sections that are for numbers: the first whose condition is met shows one."""
    for written, meant in _LOCAL[language].items():
        code = meant + code[len(written) :] if code.startswith(written) else code
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
        _Section(
            tokens=section,
            figure=fraction_of(section) or figure_of(section),
            when=when,
            minus=minus,
            known=all(_is_known(kind, text) for kind, text in section),
            elapsed=any(kind == "elapsed" for kind, _ in section),
        )
        for section, (when, minus) in zip(sections, tested, strict=True)
    )


def _is_known(kind: str, text: str) -> bool:
    """Whether a piece of a format is none that asks for other digits, or for another calendar."""
    if kind == "bracket":
        return bool(_COLOUR.fullmatch(text) or _CONDITION.fullmatch(text))
    return kind != "locale" or is_known_locale(text)


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
