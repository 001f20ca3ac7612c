"""What keeps a cell from being written, as far as that is known without its row."""

import math
import sys
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

from xlsms.ooxml.book import Table
from xlsms.ooxml.cells import TEXT_LIMIT, Area

__all__ = ["Bars"]


_ANYWHERE = {str, int, type(None), datetime}  # what any cell can hold, if it is neither long nor large
_LARGE = 10**15


class _Cover:
    """How many of many areas a cell lies in, without a look at each for every cell."""

    def __init__(self, areas: Sequence[Area]) -> None:
        self._areas = areas
        self._ends: dict[int, tuple[list[int], list[int]]] = {}  # by column: top rows and bottom rows, each in order

    @cached_property
    def corners(self) -> Counter[tuple[int, int]]:
        """How many of them begin in a cell."""
        return Counter((area.top, area.left) for area in self._areas)

    def __getitem__(self, cell: tuple[int, int]) -> int:
        row, column = cell
        if column not in self._ends:
            areas = [area for area in self._areas if area.left <= column <= area.right]
            self._ends[column] = sorted(area.top for area in areas), sorted(area.bottom for area in areas)
        tops, bottoms = self._ends[column]
        return bisect_right(tops, row) - bisect_left(bottoms, row)  # begun, and not ended above


class Bars:
    """The areas of a sheet that may not be written, and the values that no cell can hold; codes tell the reason."""

    def __init__(self, arrays: Sequence[Area], merges: Sequence[Area], tables: Sequence[Table]) -> None:
        self._arrays, self._merges, self._tables = _Cover(arrays), _Cover(merges), tables
        self.none = not (arrays or merges or tables)  #: whether every cell may be written

    def place(self, cell: tuple[int, int]) -> str | None:
        """Why a cell cannot be written where it stands."""
        if self.none:
            return None
        if self._arrays[cell]:
            return "cell-in-array"
        merged = self._merges[cell]
        if merged and merged > self._merges.corners[cell]:  # as its first cell a merge can be written
            return "cell-merged"
        if any(cell in table.area and not table.first <= cell[0] <= table.last for table in self._tables):
            return "cell-of-table"
        return None

    @staticmethod
    def fit(values: Sequence[object]) -> bool:
        """Whether values are such that any cell holds them, as far as a glance tells."""
        kinds = set(map(type, values))
        texts = [value for value in values if isinstance(value, str)] if str in kinds else []
        numbers = [value for value in values if isinstance(value, int)] if int in kinds else []
        longest, largest = max(map(len, texts), default=0), max(map(abs, numbers), default=0)
        return kinds <= _ANYWHERE and longest * 2 <= TEXT_LIMIT and largest < _LARGE

    @staticmethod
    def value(value: object) -> str | None:
        """Why a value cannot be written anywhere."""
        if isinstance(value, str):
            # a character is two units at most
            long = len(value) * 2 > TEXT_LIMIT and len(value.encode("utf-16-le", "surrogatepass")) > 2 * TEXT_LIMIT
            return "cell-text-too-long" if long else None
        if isinstance(value, int):
            return "cell-not-a-number" if value.bit_length() > sys.float_info.max_exp else None
        return "cell-not-a-number" if isinstance(value, float) and not math.isfinite(value) else None
