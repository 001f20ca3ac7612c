"""Whether the rows of a sheet are plain, told by their shapes: what is left of a row when its digits are taken out.

The rows of a list differ in their numbers only, as long as texts are shared. So a block of rows has few shapes, and
each is looked at once, with the same patterns that `Grammar.check` lays on every row. Where rows hold their texts
themselves, shapes do not repeat, and the block is searched for a cell that is not as it should be.
"""

import re
from collections.abc import Callable

__all__ = ["Shapes"]

_DIGITS = b"0123456789"
_MOST = 8 << 20  # bytes of shapes to remember
_REFERENCE = re.compile(rb' r="([A-Z]*)"')


class Shapes:
    """The quick check of a sheet with one prefix: True is certain, False means that a slower one has to decide."""

    def __init__(self, prefix: bytes, slow: Callable[[bytes], bool]) -> None:
        self._slow = slow
        self._usable = not any(digit in prefix for digit in _DIGITS)
        self._known: set[bytes] = set()
        self._size = 0
        self._repeating = True
        self.areas = False  #: whether a formula that fills an area may have been among the blocks checked
        p = re.escape(prefix)
        self._row_end = b"</" + prefix + b"row>"
        self._numbers = re.compile(rb"<" + p + rb'row r="(?:([1-9][0-9]{0,6})")?')
        self._row, self._row_first = b"<" + prefix + b"row", b"<" + prefix + b'row r="'
        self._odd_row = re.compile(rb"<" + p + rb"row(?! r=\"[1-9][0-9]{0,6}\"[^<>']*+>)")
        self._odd_row_end = re.compile(rb"</" + p + rb"row(?!>)")
        self._odd_cell = re.compile(rb"<" + p + rb'c(?! r="[A-Z]{1,3}[1-9][0-9]{0,6}"[^<>/\']*+/?>)')
        self._odd_cell_end = re.compile(rb"</" + p + rb"c(?!>)")

    def check(self, block: bytes, last: int) -> int | None:
        """The number of the last row of a block, or `last`; None when the block has to be looked at more closely."""
        end = self._checked(block, last)
        if end is None or not self._repeating:
            self.areas = True
        return end

    def _checked(self, block: bytes, last: int) -> int | None:
        if not self._usable or (b"!" in block and b"<!" in block) or (b"?" in block and b"<?" in block):
            return None
        found = self._numbers.findall(block)
        if not found or b"" in found:
            return None
        numbers = list(map(int, found))
        first, end = numbers[0], numbers[-1]
        ordered = numbers == list(range(first, end + 1)) or all(map(int.__lt__, numbers, numbers[1:]))
        if first <= last or not ordered:
            return None
        if self._repeating:
            return end if self._same_shapes(block, len(numbers)) else None
        odd = (self._odd_row, self._odd_row_end, self._odd_cell, self._odd_cell_end)
        return None if any(pattern.search(block) for pattern in odd) else end

    def _same_shapes(self, block: bytes, rows: int) -> bool:
        *shapes, rest = block.translate(None, _DIGITS).split(self._row_end)
        if rest.strip():
            return False
        new = set(shapes) - self._known
        if len(new) > max(16, rows // 8):
            self._repeating = False
            return False
        if self._size > _MOST:
            self._known.clear()
            self._size = 0
        for shape in new:
            if not self._plain(shape):
                return False
            self._known.add(shape)
            self._size += len(shape)
            self.areas = self.areas or b"ref=" in shape
        return True

    def _plain(self, shape: bytes) -> bool:
        """Whether one shape is plain, with ones in the place of its numbers."""
        if shape.count(self._row) != shape.count(self._row_first):
            return False
        row = shape.replace(b' r=""', b' r="1"') + self._row_end
        return self._slow(_REFERENCE.sub(rb' r="\g<1>1"', row))
