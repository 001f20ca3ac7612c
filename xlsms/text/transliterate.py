"""Signs that would force UCS-2 replaced by what the GSM 7-bit alphabet has, as far as the user allows."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from xlsms.text.gsm7 import DEFAULT

__all__ = ["Change", "Level", "Transliteration", "transliterate"]

Level = Literal["off", "safe", "wide"]


@dataclass(frozen=True, slots=True)
class Change:
    """One replacement: where it was in the text as given, what stood there, what stands there now."""

    index: int
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Transliteration:
    """A text, what was changed in it, and what nothing could be found for."""

    text: str
    changes: list[Change]
    culprits: list[tuple[int, str]]  #: index (in the text as given) and character that still force UCS-2


def _table(*rows: tuple[str, str]) -> dict[str, str]:
    return {char: new for chars, new in rows for char in chars}


# Nobody would miss the difference.
_SAFE = _table(
    ("‘’‚‛′´`", "'"),
    ("“”„‟″«»", '"'),
    ("–—‒―−‐‑", "-"),
    ("…", "..."),
    ("•·‣", "*"),
    ("\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t", " "),
    ("\u2028\u2029\x85\x0b", "\n"),
    ("\u200b\u200c\u2060\ufeff\u00ad", ""),
    ("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", ""),  # direction marks
    ("\ufe0e\ufe0f", ""),  # how to draw the sign before
    ("‹", "<"),
    ("›", ">"),
    ("×", "x"),
    ("÷", "/"),
    ("™", "(TM)"),
    ("©", "(C)"),
    ("®", "(R)"),
    ("º", "o"),
    ("ª", "a"),
    ("¼", "1/4"),
    ("½", "1/2"),
    ("¾", "3/4"),
    ("‰", "0/00"),
    ("№", "No"),
    ("ﬁ", "fi"),
    ("ﬂ", "fl"),
)

# Readable, but not how it is written. Letters with a mark lose it by decomposition; these do not decompose.
_WIDE = _SAFE | _table(
    ("łŁ", "l"),
    ("đð", "d"),
    ("ĐÐ", "D"),
    ("ı", "i"),
    ("œ", "oe"),
    ("Œ", "OE"),
    ("þ", "th"),
    ("Þ", "Th"),
    ("µ", "u"),
    ("∆", "Δ"),
)
_WIDE["Ł"] = "L"
_WIDE |= dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True))
_WIDE |= dict(zip("αβγδεζηθικλμνξοπρσςτυφχψω", "ABΓΔEZHΘIKΛMNΞOΠPΣΣTYΦXΨΩ", strict=True))

_INSIDE = r'[^\s<>"“”„«»\u200b\ufeff]'
_LAST = r'[^\s<>"“”„«»\u200b\ufeff‘’…]'  # what follows a link is not of it
_LINK = re.compile(
    rf"(?:https?://|www\.){_INSIDE}*{_LAST}|(?<![\w.-])[\w-]++(?:\.[\w-]++)++(?<=[a-z]{{2}})/(?:{_INSIDE}*{_LAST})?",
    re.IGNORECASE,
)
_CATALAN = re.compile("(?<=[lL])·(?=[lL])")


def transliterate(text: str, level: Level = "safe") -> Transliteration:
    """`text` in the GSM 7-bit alphabet if `level` allows; otherwise as it was, since half the work saves nothing.

    *safe* replaces quotes, dashes, spaces and the like, never inside a link; *wide* also drops accents and turns Greek
    to capitals, in links too. Emoji are never taken out: they come back as culprits.
    """
    if level == "off" or DEFAULT.covers(text):
        return Transliteration(text, [], DEFAULT.aliens(text))
    links = frozenset() if level == "wide" else frozenset(_linked(text))
    table = _WIDE if level == "wide" else _SAFE
    found: list[str] = []
    changes: list[Change] = []
    culprits: list[tuple[int, str]] = []
    for index, sign in _signs(text):
        new: str | None = sign
        if not DEFAULT.covers(sign):
            whole = unicodedata.normalize("NFC", sign)
            new = None if index in links else _replacement(text, index, whole, table, level)
        if new is None:
            culprits.extend((index + at, char) for at, char in DEFAULT.aliens(sign))
        else:
            found.append(new)
            if new != sign:
                changes.append(Change(index, sign, new))
    if culprits:
        return Transliteration(text, [], culprits)
    return Transliteration("".join(found), changes, [])


def _linked(text: str) -> Iterator[int]:
    for match in _LINK.finditer(text):
        yield from range(*match.span())


def _signs(text: str) -> list[tuple[int, str]]:
    """Each character with the combining marks after it, and where it begins."""
    if unicodedata.is_normalized("NFC", text):
        return list(enumerate(text))
    starts = [at for at, char in enumerate(text) if at == 0 or not unicodedata.combining(char)]
    return [(start, text[start:end]) for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]


def _replacement(text: str, index: int, sign: str, table: dict[str, str], level: Level) -> str | None:
    if _CATALAN.match(text, index):
        return "."
    new = "".join([table.get(char, char) for char in sign])
    if level == "wide" and not DEFAULT.covers(new):
        bare = [char for char in unicodedata.normalize("NFD", new) if not unicodedata.combining(char)]
        new = "".join([table.get(char, char) for char in bare])
    return new if DEFAULT.covers(new) else None
