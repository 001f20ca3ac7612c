"""A row that lies byte for byte as it was read is that row only if what its numbers stand for is the same."""

from datetime import UTC, datetime

import pytest
import xlsxwriter

from xlsms.model import Role
from xlsms.workbook.base import Placed, RowEdit
from xlsms.workbook.closed import ClosedWorkbook

HEADERS = ("Phone", "Message", "Send", "Other", "Status", "Status time", "SMS ID")


SPANISH = ("Teléfono", "Mensaje", "Enviar", "Otro", "Estado", "Hora del estado", "SMS ID")


def saved(path, message, headers=HEADERS, merged=None, *, inline=False):
    with xlsxwriter.Workbook(path, {"constant_memory": inline}) as book:
        sheet = book.add_worksheet("People")
        sheet.write_row(0, 0, headers)
        if merged:
            sheet.merge_range(merged, "")
        sheet.write_row(1, 0, (600_000_001, message, "x", "else"))


@pytest.mark.parametrize(
    ("before", "after", "inline"),
    [
        (("one",), ("another",), False),
        (("one",), ("one", ("Phone", "Other", "Send", "Message", *HEADERS[4:])), False),
        (("one",), ("one", HEADERS, "A2:B3"), False),
        ((1.5, SPANISH), (1.5, HEADERS), True),
    ],
    ids=["another string under the same number", "another column", "merged cells", "another language"],
)
def test_an_edit_by_place_is_stale_though_the_bytes_of_the_row_are_the_same(tmp_path, before, after, inline):
    path = tmp_path / "a.xlsx"
    saved(path, *before, inline=inline)
    row = ClosedWorkbook(path).read().rows[0]
    edit = RowEdit(values={Role.STATUS: "Queued", Role.STATUS_TIME: datetime.now(UTC)}, placed=Placed.of(row))
    saved(path, *after, inline=inline)
    now = ClosedWorkbook(path).read().rows[0]
    assert now.lay[1] == row.lay[1]
    assert now.lay != row.lay
    assert ClosedWorkbook(path).apply([edit]).stale == (edit,)


def test_an_edit_by_place_is_written_though_the_file_was_saved_anew(tmp_path):
    path = tmp_path / "a.xlsx"
    saved(path, "one")
    row = ClosedWorkbook(path).read().rows[0]
    saved(path, "one", (*HEADERS, "Detail"))
    edit = RowEdit(values={Role.STATUS: "Queued"}, placed=Placed.of(row))
    assert ClosedWorkbook(path).apply([edit]).done == (edit,)
    assert ClosedWorkbook(path).read().rows[0].status == "Queued"
