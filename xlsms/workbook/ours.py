"""Whether what stands under the headers of results is ours.

*Detail*, *Reply* or *Parts* may be a column of the user's own in a list that was never sent from.
"""

from collections.abc import Iterable, Iterator, Mapping

from xlsms.errors import Place, UserError
from xlsms.model import CellValue, Role
from xlsms.ooxml.grammar import Grammar
from xlsms.ooxml.scan import row_blocks
from xlsms.ooxml.value import Decoder
from xlsms.states import read_label
from xlsms.workbook.layout import Layout

__all__ = ["check_layout", "check_ours", "written_columns"]

_LETTERS = bytes(range(ord("A"), ord("Z") + 1))
_WRITTEN = (Role.STATUS, Role.DETAIL, Role.STATUS_TIME, Role.REPLY, Role.REPLY_TIME, Role.PARTS)


def written_columns(columns: Mapping[Role, str]) -> tuple[str, ...]:
    """The letters of the columns that a send writes into without having added them."""
    return tuple(columns[role] for role in _WRITTEN if role in columns)


def check_ours(
    sheet: str, columns: Mapping[Role, str], headers: Mapping[str, str], cells: Iterable[tuple[int, str, CellValue]]
) -> None:
    """Make sure that a sheet without ids holds nothing of its user's where results are to be written.

    `cells` are row, letters and value of what stands in `written_columns` below the header. Where *Status* shows states
    of ours, and nothing else, the sheet was sent from, and all is ours.

    Raises:
        UserError: `column-of-yours`, with the first cell; in *Status*, where one stands beside states of ours.
    """
    first: tuple[int, str] | None = None
    sent = False
    for number, letters, value in cells:
        text = "" if value is None else str(value).strip()
        if text and letters == columns.get(Role.STATUS):
            sent = read_label(text) is not None
            if not sent:
                first = number, letters
                break
        elif text and first is None:
            first = number, letters
    if first is not None and not sent:
        number, letters = first
        raise UserError(
            "column-of-yours", place=Place(sheet=sheet, row=number, column=letters), header=headers[letters]
        )


def check_layout(layout: Layout) -> None:
    """The same for a sheet of a closed workbook.

    Raises:
        UserError: `column-of-yours`.
    """
    if Role.ID not in layout.columns and written_columns(layout.columns):
        check_ours(layout.part.name, layout.columns, layout.headers, _cells(layout))


def _cells(layout: Layout) -> Iterator[tuple[int, str, CellValue]]:
    grammar = Grammar(layout.found.prefix)
    decoder = Decoder(layout.book, grammar.prefix)
    pattern = grammar.cells_of("|".join(written_columns(layout.columns)).encode())
    for block in row_blocks(layout.book, layout.part, layout.found):
        for match in pattern.finditer(block):
            cell = match.groups(b"")
            number = int(match[0].split(b'"', 2)[1].lstrip(_LETTERS))
            if layout.header_row < number <= layout.last and any(cell[2:]):
                yield number, cell[0].decode(), decoder.value(cell)[0]  # type: ignore[arg-type]  # as RawCell has
