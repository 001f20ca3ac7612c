"""What a text file means: where its header row and its columns stand, and its rows."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

from xlsms.errors import UserError
from xlsms.model import Role, Row, RowId
from xlsms.ooxml.cells import column_letters, column_number
from xlsms.workbook.base import RESULTS, Sheet
from xlsms.workbook.delimited import DELIMITERS, Delimited, Record, decoded, records, separator
from xlsms.workbook.heading import Heading, heading, nothing_to_send
from xlsms.workbook.inert import bared
from xlsms.workbook.ours import written_columns
from xlsms.workbook.roles import HEADER_ROWS, is_mark

__all__ = ["Page"]

_TABS = (".tsv", ".tab")
_WIDEST = 16_384  # columns of a sheet


@dataclass(frozen=True, kw_only=True)  # no slots: the cached properties live in the instance
class Page:
    """The text, and where its columns stand."""

    name: str
    text: Delimited
    heading: Heading

    @classmethod
    def of(cls, path: Path, content: bytes) -> "Page":
        """The page that a file holds; the delimiter is the one that makes the most of its header row.

        Raises:
            UserError: see `decoded` and `records`; `no-phone-column`, `sheet-empty`, `two-columns`.
        """
        text, encoding = decoded(content)
        if not text.strip():
            raise nothing_to_send([path.stem], empty=True)
        delimiter, found = _best(path, text)
        return cls(name=path.stem, text=Delimited(text, encoding, delimiter), heading=found)

    @property
    def numbers(self) -> range:
        """The rows below the header."""
        return range(self.heading.row + 1, len(self.text.rows) + 1)

    @property
    def sheet(self) -> Sheet:
        """The seam's view of it."""
        return Sheet(
            name=self.name,
            header_row=self.heading.row,
            columns=self.heading.columns,
            headers=self.heading.headers,
            missing=self.heading.missing,
        )

    @cached_property
    def _headers(self) -> dict[str, int]:
        """The columns of the headers that stand once, from 0."""
        times = Counter(self.heading.headers.values())
        headers = self.heading.headers.items()
        return {text: column_number(letters) - 1 for letters, text in headers if times[text] == 1}

    @cached_property
    def _repeated(self) -> dict[str, str]:
        return {text: "columns-same-name" for text in self.heading.headers.values() if text not in self._headers}

    @cached_property
    def _results(self) -> frozenset[int]:
        columns = self.heading.columns
        return frozenset(column_number(columns[role]) - 1 for role in RESULTS if role in columns)

    @cached_property
    def _places(self) -> dict[Role, int]:
        return {role: column_number(letters) - 1 for role, letters in self.heading.columns.items()}

    def rows(self) -> Iterator[Row]:
        """The rows with anything under a header, one after the other; none is held."""
        for number, record in enumerate(self.text.records(), 1):
            row = self._row(number, record) if number > self.heading.row else None
            if row is not None:
                yield row

    def row(self, number: int) -> Row | None:
        """One row; None when nothing stands under its headers."""
        return self._row(number, self.text.rows[number - 1])

    def results(self) -> Iterator[tuple[int, str, str]]:
        """Row, letters and text of what stands where results are written."""
        places = [(letters, column_number(letters) - 1) for letters in written_columns(self.heading.columns)]
        for number in self.numbers:
            values = self.text.rows[number - 1].values
            yield from ((number, letters, values[at]) for letters, at in places if at < len(values) and values[at])

    def _row(self, number: int, record: Record) -> Row | None:
        values = [bared(value) if column in self._results else value for column, value in enumerate(record.values)]
        values += [""] * (max(map(column_number, self.heading.headers)) - len(values))

        def at(role: Role) -> str:
            return values[self._places[role]] if role in self._places else ""

        fields = {text: values[column] for text, column in self._headers.items()}
        if not any(values[column_number(letters) - 1] for letters in self.heading.headers):
            return None
        return Row(
            sheet=self.name,
            number=number,
            phone=at(Role.PHONE) or None,
            message=at(Role.MESSAGE) or None,
            marked=is_mark(at(Role.SEND)),
            send_at=at(Role.SEND_AT) or None,
            sender=at(Role.SENDER).strip() or None,
            id=RowId(at(Role.ID).strip()) if at(Role.ID).strip() else None,
            status=at(Role.STATUS).strip(),
            fields=fields,
            values={text: value or None for text, value in fields.items()},
            problems=self._repeated,
        )


def _best(path: Path, text: str) -> tuple[str, Heading]:
    named = separator(text)
    likely = DELIMITERS if path.suffix.lower() not in _TABS else ("\t", *DELIMITERS)
    found: tuple[str, Heading] | None = None
    problem: UserError = nothing_to_send([path.stem], empty=False)
    for delimiter in (named[0],) if named else likely:
        first = islice(records(text[len(named[1]) :] if named else text, delimiter), HEADER_ROWS)
        try:
            tops = {number: _lettered(record.values) for number, record in enumerate(first, 1)}
            current = heading(tops, path.stem)
        except UserError as error:
            problem = error
            continue
        if current and (found is None or _size(current) > _size(found[1])):
            found = delimiter, current
    if found is None:
        raise problem
    return found


def _size(found: Heading) -> tuple[int, int]:
    return len(found.columns), len(found.headers)


def _lettered(values: Sequence[str]) -> Mapping[str, str]:
    return {column_letters(column): value for column, value in enumerate(values[:_WIDEST], 1) if value}
