"""What formulas refer to, as far as it takes to say whether something can be taken away under them.

Formulas stand in files in one notation, whatever the user types: English names, commas, `Table[[#This Row],[Column]]`
(ECMA-376 §18.17). A formula is not evaluated here, so what `INDIRECT` or `OFFSET` reach stays unseen.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from xlsms.ooxml.cells import Area

__all__ = ["Targets", "moves"]

_STRING = re.compile(r'"(?:[^"]|"")*"')
_CORNER = r"\$?[A-Z]{1,3}\$?[0-9]{1,7}"
_PLACE = re.compile(
    r"(?:(?:'(?P<quoted>(?:[^']|'')+)'|(?P<bare>[\w.\]]+))!)?"
    rf"(?<![\w.$])(?:(?P<cells>{_CORNER}(?::{_CORNER})?)|(?P<columns>\$?[A-Z]{{1,3}}:\$?[A-Z]{{1,3}}))(?![\w.(!\[])",
    re.IGNORECASE,
)
_TABLE = re.compile(r"([\w.\\]+)\[")
_QUOTED = re.compile("'(.)")
_COLUMN = re.compile(r"(?:[^\[\]']|'.)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What is looked for; names in lower case."""

    sheets: frozenset[str] = frozenset()
    tables: frozenset[str] = frozenset()
    areas: Mapping[str, Sequence[Area]] = field(default_factory=dict)  #: by sheet
    columns: Mapping[str, frozenset[str]] = field(default_factory=dict)  #: headers by table

    def hit(self, formula: str, home: str | None, *, widen: tuple[int, int] = (0, 0), bridging: bool = True) -> bool:
        """Whether a formula refers to any of it. References without a sheet are to `home`.

        `widen` says how many rows and columns a formula is shared over: its references move along.
        Without `bridging`, areas that begin left of the columns looked for and end right of them do not count.
        """
        bare = _STRING.sub('""', formula)
        lowered = bare.lower().replace("''", "'")
        if any(f"{name}'!" in lowered or f"{name}!" in lowered or f"{name}:" in lowered for name in self.sheets):
            return True
        return self._places(bare, home, widen, bridging=bridging) or self._tables(bare)

    def _places(self, formula: str, home: str | None, widen: tuple[int, int], *, bridging: bool) -> bool:
        for match in _PLACE.finditer(formula):
            sheet = (match["quoted"] or match["bare"] or home or "").replace("''", "'").lower()
            areas = self.areas.get(sheet, ())  # one of another workbook has its number in brackets before it
            found = Area.of(match["cells"] or match["columns"]) if areas else None
            if found is None:
                continue
            moved = Area(found.top, found.left, found.bottom + widen[0], found.right + widen[1])
            # in each cell that it is shared over
            everywhere = Area(found.top, found.left + widen[1], found.bottom, found.right)
            if any(moved.meets(area) and (bridging or not everywhere.bridges(area)) for area in areas):
                return True
        return False

    def _tables(self, formula: str) -> bool:
        if any(re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.(])", formula, re.IGNORECASE) for name in self.tables):
            return True
        for match in _TABLE.finditer(formula):
            gone = self.columns.get(match[1].lower(), frozenset())
            if not gone.isdisjoint(_inside(formula[match.end() :])):
                return True
        return False


def moves(formula: str) -> bool:
    """Whether a formula names cells by where they stand from its own, so that it differs from row to row."""
    places = (match["cells"] or "" for match in _PLACE.finditer(_STRING.sub('""', formula)))
    return any(re.search(r"[A-Za-z][0-9]", place) for place in places)


def _inside(rest: str) -> set[str]:
    """The names between the brackets of a table reference, in lower case, up to the bracket that closes it."""
    depth, at = 1, 0
    while at < len(rest) and depth:
        depth += {"[": 1, "]": -1}.get(rest[at], 0)
        at += 2 if rest[at] == "'" else 1
    return {_QUOTED.sub(r"\1", name.strip("@ ")).lower() for name in _COLUMN.findall(rest[:at])}
