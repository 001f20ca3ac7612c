"""The ids of a long list, held as numbers: eight bytes each, where the texts would be a tenth of the list."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from xlsms.model import RowId
from xlsms.workbook.identity import number_of, of_number

__all__ = ["RowIds"]


class RowIds(Sequence[RowId]):
    """The valid ids among some texts, each once. `repeated` are those that stood there more than once."""

    def __init__(self, texts: Iterable[str]) -> None:
        numbers: Iterator[int | None] = map(number_of, texts)
        found = array("Q", (number for number in numbers if number is not None))
        again: set[int] = set()
        self._numbers = array("Q")
        last = -1
        for number in sorted(found):
            if number == last:
                again.add(number)
            else:
                self._numbers.append(number)
            last = number
        self.repeated: frozenset[RowId] = frozenset(map(of_number, again))

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, text: object) -> bool:
        number = number_of(text) if isinstance(text, str) else None
        if number is None:
            return False
        at = bisect_left(self._numbers, number)
        return at < len(self._numbers) and self._numbers[at] == number

    @overload
    def __getitem__(self, index: int) -> RowId: ...
    @overload
    def __getitem__(self, index: slice) -> list[RowId]: ...
    def __getitem__(self, index: int | slice) -> RowId | list[RowId]:
        if isinstance(index, slice):
            return [of_number(number) for number in self._numbers[index]]
        return of_number(self._numbers[index])
