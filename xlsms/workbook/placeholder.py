"""A number in the placeholders of a format: `000-00-0000`, `#,##0.00`, `##0.0E+0` (ECMA-376 §18.8.31).

Digits go into the places from the decimal point outward, and the first place takes all those that are left. What
stands between places stays there. `0` shows a digit that is not there as 0, `?` as a blank and `#` not at all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

from xlsms.workbook.base import Language

__all__ = ["POINT", "Figure", "Token", "amount_of", "figure_of", "general"]

Token = tuple[str, str]  #: a piece of a format: its kind and its text

POINT = {"en": (".", ","), "es": (",", ".")}  #: decimal and thousands
_GENERAL_DIGITS = 10
_KNOWN_DIGITS = 15  # of which a workbook knows no more
_MOST_PLACES = 40  # after which a format is no longer meant for people
_EXACT = Context(prec=100, rounding=ROUND_HALF_UP)  # digits: all of a number for people, in all places of its format
_ABSENT = {"0": "0", "?": " ", "#": ""}  # what a place shows without a digit
_OTHER_KINDS = frozenset({"date", "minute", "half", "elapsed"})


def general(value: float, language: Language) -> str:
    """A number as a cell without a format shows it."""
    if isinstance(value, int):
        return str(value)
    return f"{value:.{_GENERAL_DIGITS}G}".replace(".", POINT[language][0])


def amount_of(value: float) -> Decimal:
    """A number without its sign, in the digits that a workbook knows."""
    return abs(Decimal(value if isinstance(value, int) else f"{value:.{_KNOWN_DIGITS}g}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A section of a format that shows a number; `pieces` has each run of places as `whole` or `decimal`."""

    pieces: tuple[Token, ...]
    whole: str  #: the places before the decimal point
    decimal: str
    shift: int  #: powers of ten: two for each percent sign, three less for each comma behind the places
    grouped: bool
    power: str  #: as `E+00`; empty without one
    plain: bool  #: whether the whole places are `#` and then `0`, with nothing between

    def text(self, value: float, language: Language, *, minus: bool) -> str:
        """The text of a number; `minus`: whether a negative one has its sign put in front."""
        amount = amount_of(value).scaleb(self.shift)
        exponent = 0
        if self.power:
            amount, exponent = self._mantissa(amount)
        amount = self._rounded(amount)
        digits, _, decimals = f"{amount:f}".partition(".")
        wholes = self._filled(digits.lstrip("0"), POINT[language][1] if self.grouped else "")
        ends = iter(_decimals(decimals, self.decimal))
        is_zero = not amount and (self.whole or self.decimal)
        out = "-" if value < 0 and minus and not is_zero else ""
        for kind, text in self.pieces:
            if kind == "literal":
                out += text
            elif kind == "whole":
                out += next(wholes) if self.plain else "".join([next(wholes) for _ in text])
            elif kind == "decimal":
                out += "".join([next(ends) for _ in text])
            elif kind == "point":
                out += POINT[language][0]
            elif kind == "power":
                out += _power(exponent, text)
            else:
                out += general(abs(value), language)
        return out

    def _rounded(self, amount: Decimal) -> Decimal:
        return amount.quantize(Decimal(1).scaleb(-len(self.decimal)), context=_EXACT)

    def _mantissa(self, amount: Decimal) -> tuple[Decimal, int]:
        """A number parted for a power of ten that is a multiple of the number of places before the point."""
        step = len(self.whole) or 1
        exponent = amount.adjusted() // step * step if amount else 0
        mantissa = self._rounded(amount.scaleb(-exponent))
        if mantissa and mantissa.adjusted() >= step:  # 9.99 that became 10.0
            exponent += step
        return amount.scaleb(-exponent), exponent

    def _filled(self, digits: str, comma: str) -> Iterator[str]:
        """What stands in each place before the decimal point, or in all of them where nothing stands between."""
        if not self.plain:
            return iter(_wholes(digits, self.whole, comma))
        needed = len(self.whole.lstrip("#"))
        if comma and (digits or needed):
            width = max(1, needed + (needed - 1) // 3)  # with the commas
            return iter([f"{int(digits or 0):0{width},}".replace(",", comma)])
        return iter([digits.rjust(needed, "0")])


def _wholes(digits: str, places: str, comma: str) -> list[str]:
    """What stands in each place before the decimal point."""
    out: list[str] = []
    more = max(0, len(digits) - len(places))
    places = "#" * more + places
    for place, digit, left in zip(places, digits.rjust(len(places)), range(len(places), 0, -1), strict=True):
        text = _ABSENT[place] if digit == " " else digit
        if comma and left % 3 == 0 and text and any(out):
            text = (" " if out[-1] == " " else comma) + text
        out.append(text)
    return ["".join(out[: more + 1]), *out[more + 1 :]]


def _decimals(digits: str, places: str) -> list[str]:
    """What stands in each place behind the decimal point: zeros at the end only where they are asked for."""
    out = list(digits)
    for at in range(len(digits) - 1, -1, -1):
        if places[at] == "0" or digits[at] != "0":
            break
        out[at] = _ABSENT[places[at]]
    return out


def _power(exponent: int, text: str) -> str:
    sign = "-" if exponent < 0 else ("+" if text[1] == "+" else "")
    return "E" + sign + str(abs(exponent)).rjust(len(text) - 2, "0")


def figure_of(section: Sequence[Token]) -> Figure | None:
    """What a section makes of a number; None: not known, as with dates."""
    kinds = [kind for kind, _ in section]
    fraction = "over" in kinds or (kinds.count("number") > 1 and "slash" in kinds)
    behind = kinds[kinds.index("power") :] if "power" in kinds else []
    if fraction or "number" in behind or _OTHER_KINDS.intersection(kinds):
        return None
    draft = _Draft()
    for kind, text in section:
        draft.add(kind, text)
    return draft.figure()


class _Draft:
    """A figure as its format is read."""

    def __init__(self) -> None:
        self._pieces: list[Token] = []
        self._places = {"whole": "", "decimal": ""}
        self._part = "whole"
        self._shift = self._commas = 0  # the commas since the last place
        self._grouped = False
        self._power = ""

    def add(self, kind: str, text: str) -> None:
        if kind == "number":
            for sign in text:
                self._sign(sign)
        elif kind == "percent":
            self._shift += 2
            self._piece("literal", text)
        elif kind in ("literal", "slash", "era"):
            self._piece("literal", text)
        elif kind in ("general", "text", "power"):
            self._power = text if kind == "power" else self._power
            self._piece(kind, text)

    def figure(self) -> Figure | None:
        whole, decimal = self._places["whole"], self._places["decimal"]
        if len(whole) + len(decimal) + len(self._power) + abs(self._shift) > _MOST_PLACES:
            return None
        runs = [kind for kind, _ in self._pieces].count("whole")
        return Figure(
            pieces=tuple(self._pieces),
            whole=whole,
            decimal=decimal,
            shift=self._shift - 3 * self._commas,
            grouped=self._grouped,
            power=self._power,
            plain=runs == 1 and not whole.lstrip("#").strip("0"),
        )

    def _sign(self, sign: str) -> None:
        if sign == ",":
            self._commas += 1
        elif sign == "." and self._part == "whole":
            if not self._places["whole"]:
                self._place("#")  # what is whole shows all the same
            self._part, self._shift, self._commas = "decimal", self._shift - 3 * self._commas, 0
            self._piece("point", sign)
        elif sign == ".":
            self._piece("literal", sign)
        else:
            self._place(sign)

    def _place(self, sign: str) -> None:
        self._grouped, self._commas = self._grouped or self._commas > 0, 0  # between places they part thousands
        self._places[self._part] += sign
        self._piece(self._part, sign)

    def _piece(self, kind: str, text: str) -> None:
        if self._pieces and self._pieces[-1][0] == kind and kind in ("whole", "decimal", "literal"):
            text = self._pieces.pop()[1] + text
        self._pieces.append((kind, text))
