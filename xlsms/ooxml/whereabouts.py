"""In which segments of a sheet the texts of a column may stand, so that not all are looked through for few texts."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from itertools import pairwise

from xlsms.ooxml.batch import Batch, New
from xlsms.ooxml.cells import column_number

__all__ = ["Whereabouts"]


class Whereabouts:
    """Of one column, below a row.

    Segments are known by the last rows of the one before and of their own, texts by their hashes, eight bytes each. One
    that nobody has looked through may hold any text. It may be told to hold a text that it does not hold, never the
    other way round. Texts are of ASCII letters in upper case and digits; of others nobody knows.
    """

    def __init__(self, column: str, below: int) -> None:
        self.of = column, below
        self._hashes: dict[tuple[int, int], array[int]] = {}

    def may_hold(self, rows: tuple[int, int], hashes: AbstractSet[int]) -> bool:
        """Whether a segment may hold some of the texts that have these hashes."""
        known = self._hashes.get(rows)
        return known is None or not hashes.isdisjoint(known)

    def note(self, rows: tuple[int, int], texts: Iterable[bytes]) -> None:
        """What a segment holds, now that it has been looked through."""
        self._hashes[rows] = array("q", map(hash, texts))

    def after(self, batch: Batch, lasts: Iterable[int]) -> "Whereabouts":
        """The same of the part that came of writing a batch, and has segments of rows with these last ones.

        What was written over is told to be there still.
        """
        new = Whereabouts(*self.of)
        column = batch.columns.get(column_number(self.of[0]))
        start = 0
        for rows in pairwise((0, *lasts)):
            known = self._hashes.get(rows)
            if column is not None:
                end = bisect_right(column.rows, rows[1], start)
                come = _hashes(column.values[start:end])
                known = None if known is None or come is None else known + come
                start = end
            if known is not None:
                new._hashes[rows] = known
        return new


def _hashes(values: list[New]) -> "array[int] | None":
    """Those of the texts that were written; None where there is anything else."""
    hashes = array("q")
    for value in values:
        if isinstance(value, str) and value.isascii() and value.isalnum():
            hashes.append(hash(value.upper().encode()))
        elif value is not None:
            return None
    return hashes
