"""New cells woven into many rows at once, whether they replace old ones or come between or behind them.

The rows are taken into pieces by one pattern that knows them to the last byte, the new cells are made column by column,
and all is put together again.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain

from xlsms.ooxml.batch import Batch, Slices
from xlsms.ooxml.cells import column_letters
from xlsms.ooxml.grammar import Grammar
from xlsms.ooxml.rowedit import RowWriter

__all__ = ["Weaver"]

_SIMPLE = frozenset({str, int, float, bool, datetime, type(None)})
_BEFORE = 3  # what is told of a row before its cells: number, attributes, and whether it has any
_STYLE = re.compile(rb"(?: s=\"([0-9]+)\")?(?: t=\"[A-Za-z]+\")?/?>")


class Weaver:
    """Writes into the rows of one plain sheet. What is unusual in any way is left to a closer look."""

    def __init__(self, grammar: Grammar, batch: Batch, rows: RowWriter) -> None:
        self._grammar, self._batch, self._rows = grammar, batch, rows
        self._formula = grammar.formula_open
        self._styles: dict[tuple[bytes, int], int | None] = {}  # by the attributes of a row, and column
        self._tags: dict[tuple[bytes, tuple[int, int]], bytes] = {}  # by them, and the first and last new column
        self._told: dict[bytes, int | None] = {}  # by how a cell begins behind its reference

    def expect(self, slices: Slices) -> None:
        """Have the next block told apart while it is checked, if it is to be woven into."""
        letters = tuple(column_letters(number).encode() for number in sorted(slices))
        self._grammar.shapes.tell("between" if len(slices) > 1 else None, letters)

    def write(self, data: bytes, slices: Slices) -> bytes | None:
        """A block with all cells of some slices written; None when it needs a closer look."""
        columns = sorted(slices)
        letters = {number: column_letters(number).encode() for number in columns}
        if not all(
            _SIMPLE.issuperset(map(type, self._batch.columns[number].values[slice(*slices[number])]))
            for number in columns
        ):
            return None
        rows = self._grammar.between(data, tuple(letters.values()))
        if rows is None:
            return None
        pieces: list[Sequence[bytes]] = list(zip(*rows, strict=True))
        if any(pieces[2]):
            return None
        place = {int(number): at for at, number in enumerate(pieces[0])}
        where = self._where(slices, place)
        if where is None:
            return None
        there = {number: pieces[_BEFORE + 1 + 2 * nth] for nth, number in enumerate(columns)}
        styles = {number: self._styles_of(number, pieces[1], there[number], where[number]) for number in columns}
        if None in styles.values():
            return None
        tags = self._tags_of(pieces, there, where)
        # from here on values are noted as they are written
        for nth, number in enumerate(columns):
            cells = self._column(number, slices[number], styles[number] or ())
            pieces[_BEFORE + 1 + 2 * nth] = self._among(number, pieces[0], there[number], where[number], cells)
        ends = [self._grammar.row_end] * len(rows)
        something = (each for each in pieces[_BEFORE:] if any(each))
        return b"".join(chain.from_iterable(zip(tags, *something, ends, strict=True)))

    def _where(self, slices: Slices, place: dict[int, int]) -> dict[int, list[int]] | None:
        """By column the places of the rows that get cells; None where one has to be put between others.

        Columns that get cells in the same rows share a list.
        """
        known: dict[bytes, list[int]] = {}
        where: dict[int, list[int]] = {}
        for number in sorted(slices):
            rows = self._batch.columns[number].rows[slice(*slices[number])]
            same = rows.tobytes()
            if same not in known:
                try:
                    known[same] = [place[row] for row in rows]
                except KeyError:
                    return None
            where[number] = known[same]
        return where

    def _styles_of(
        self, number: int, attributes: Sequence[bytes], there: Sequence[bytes], where: Sequence[int]
    ) -> list[int | None] | None:
        """The formats of the new cells; None where an old one is unusual."""
        if not any(there):  # a column that nobody has written in yet
            known_of = {each: self._style(each, number) for each in set(attributes)}
            if len(set(known_of.values())) == 1:
                return [known_of[attributes[0]]] * len(where)
            return [known_of[attributes[at]] for at in where]
        cells = [there[at] for at in where]
        told: dict[bytes, int | None] = {}
        for cell in set(cells) - {b""}:  # many lie alike
            known = cell.partition(b">")[0]
            if known not in self._told:
                match = _STYLE.fullmatch(known + b">")
                if match is None:
                    return None
                self._told[known] = None if match[1] is None else int(match[1])
            if self._formula in cell:
                return None
            told[cell] = self._told[known]
        return [
            told[cell] if cell else self._style(attributes[at], number) for at, cell in zip(where, cells, strict=True)
        ]

    def _tags_of(
        self,
        pieces: Sequence[Sequence[bytes]],
        there: Mapping[int, Sequence[bytes]],
        where: Mapping[int, Sequence[int]],
    ) -> list[bytes]:
        """The start tags of the rows."""
        new: dict[int, tuple[int, int]] = {}  # by place in the block the first and the last column that comes
        alike: dict[int, list[int]] = {}  # columns without any cell, by the list that they share
        for number, places in where.items():
            if not any(there[number]):
                alike.setdefault(id(places), []).append(number)
        for numbers in alike.values():
            ends = numbers[0], numbers[-1]
            if new:
                new.update((at, _wider(new.get(at, ends), ends)) for at in where[numbers[0]])
            else:
                new = dict.fromkeys(where[numbers[0]], ends)
        for number, places in where.items():
            cells = there[number]
            for at in places if any(cells) else ():
                if not cells[at]:
                    new[at] = _wider(new.get(at, (number, number)), (number, number))
        opening = self._grammar.row_open + b' r="'
        tags = [b'%b%b"%b>' % (opening, *of) for of in zip(pieces[0], pieces[1], strict=True)]
        for row, of in new.items():
            tags[row] = b'%b%b"%b' % (opening, pieces[0][row], self._rest_of_tag(pieces[1][row], of))
        return tags

    def _column(self, number: int, of: tuple[int, int], styles: Sequence[int | None]) -> list[bytes]:
        """The new cells of a column."""
        column = self._batch.columns[number]
        rows, values = column.rows[slice(*of)].tolist(), column.values[slice(*of)]
        return self._rows.cells.cells(number, rows, styles, values)

    def _among(
        self, number: int, numbers: Sequence[bytes], there: Sequence[bytes], where: Sequence[int], cells: list[bytes]
    ) -> list[bytes]:
        """The cells of a column in all rows of a block, the new ones in their places."""
        if len(cells) == len(there):
            return cells
        opening = self._grammar.cell_open + column_letters(number).encode()
        whole = [b'%b%b"%b' % (opening, *of) if of[1] else b"" for of in zip(numbers, there, strict=True)]
        for at, cell in zip(where, cells, strict=True):
            whole[at] = cell
        return whole

    def _style(self, attributes: bytes, column: int) -> int | None:
        """The format of a new cell in a row with some attributes."""
        known = (attributes, column)
        if known not in self._styles:
            self._styles[known] = self._rows.default_style(b"<row" + attributes + b">", column)
        return self._styles[known]

    def _rest_of_tag(self, attributes: bytes, new: tuple[int, int]) -> bytes:
        """What follows the number in the start tag of a row that gets cells from one column to another."""
        known = attributes, new
        rest = self._tags.get(known)
        if rest is None:
            rest = self._tags[known] = self._rows.opening(b"<row" + attributes + b">", new)[len(b"<row") :]
        return rest


def _wider(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return min(one[0], other[0]), max(one[1], other[1])
