"""A number in a format of fractions: `# ?/?`, `??/??`, `# ??/16` (ECMA-376 §18.8.31)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction as Exact

from xlsms.workbook.base import Language
from xlsms.workbook.placeholder import POINT, Token, amount_of

__all__ = ["Fraction", "fraction_of"]

_PLACES = re.compile(r"[0#?]{1,10}")
_WHOLE = re.compile(r"[0#?,]*[0#?]")
_HALF = Exact(1, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fraction:
    """A section of a format that shows a whole number and a fraction, or, without places for the first, the latter."""

    before: str
    whole: str  #: the places of the whole number; empty without one
    between: str
    above: str  #: the places of the numerator
    below: str  #: those of the denominator, or, where it is given, what it is
    behind: str

    def text(self, value: float, language: Language, *, minus: bool) -> str:
        """The text of a number; `minus`: whether a negative one has its sign put in front."""
        amount = Exact(amount_of(value))
        whole = int(amount) if self.whole else 0
        above, below = self._parts(amount - whole)
        if self.whole and above == below:
            whole, above, below = whole + 1, 0, 1
        sign = "-" if value < 0 and minus and (whole or above) else ""
        part = f"{_filled(above, self.above)}/{self._below(below)}"
        shown = self._whole(whole, POINT[language][1]) if whole or not above or "0" in self.whole else ""
        if self.whole and not above and "0" not in self.above:
            part = " " * len(self.between + part) if "?" in self.above else ""
        else:
            part = self.between + part
        return sign + self.before + shown + part + self.behind

    def _parts(self, amount: Exact) -> tuple[int, int]:
        """The numerator and the denominator that come nearest."""
        if self.below.isdigit() and self.below.strip("0"):
            below = int(self.below)
            return int(amount * below + _HALF), below
        nearest = amount.limit_denominator(10 ** len(self.below) - 1)
        return nearest.numerator, nearest.denominator

    def _whole(self, whole: int, comma: str) -> str:
        if not self.whole:
            return ""
        digits = str(whole).rjust(self.whole.count("0"), "0")
        return f"{whole:,}".replace(",", comma) if "," in self.whole else digits

    def _below(self, below: int) -> str:
        """Its digits are beside the line: blanks for those that are not there stand behind."""
        return _filled(below, self.below).lstrip().ljust(len(self.below) if "?" in self.below else 0)


def _filled(number: int, places: str) -> str:
    """A whole number in its places."""
    digits = str(number)
    missing = places[: max(0, len(places) - len(digits))]
    return missing.replace("?", " ").replace("#", "") + digits


def fraction_of(section: Sequence[Token]) -> Fraction | None:
    """What a section makes of a number; None: it is no fraction, or none that is known."""
    kinds = [kind for kind, _ in section]
    line = next((at for at, kind in enumerate(kinds) if kind in ("slash", "over")), 0)
    given = line > 0 and kinds[line] == "over"
    after = line + (1 if given else 2)
    if line == 0 or kinds[line - 1] != "number" or len(section) < after:
        return None
    below = section[after - 1][1]
    above, head, tail = section[line - 1][1], list(section[: line - 1]), section[after:]
    places = [at for at, (kind, _) in enumerate(head) if kind == "number"]
    whole = places[0] if places else len(head)
    known = {"literal", "locale", "bracket"}
    if len(places) > 1 or not known.issuperset(kind for kind, _ in (*head[:whole], *head[whole + 1 :], *tail)):
        return None
    if not _PLACES.fullmatch(above) or not (below.isdigit() or _PLACES.fullmatch(below)):
        return None
    if places and not _WHOLE.fullmatch(head[whole][1]):
        return None
    return Fraction(
        before=_said(head[:whole]),
        whole=head[whole][1] if places else "",
        between=_said(head[whole + 1 :]),
        above=above,
        below=below,
        behind=_said(tail),
    )


def _said(tokens: Sequence[Token]) -> str:
    return "".join(text for kind, text in tokens if kind == "literal")
