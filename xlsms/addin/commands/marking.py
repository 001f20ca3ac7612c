"""Marks on rows, and the columns that xlsms fills in."""

from xlsms.addin.commands.desk import voice_of, workbook_of
from xlsms.addin.commands.selection import selected
from xlsms.addin.commands.word import word
from xlsms.addin.invocation import Invocation
from xlsms.errors import Place, UserError
from xlsms.model import Role
from xlsms.workbook.base import RESULTS, Placed, RowEdit
from xlsms.workbook.live.setup import insert_columns

__all__ = ["columns", "mark"]

_MARK = "x"


def mark(request: Invocation) -> None:
    """Mark the selected rows that have a number, or take the marks out when all of them have one.

    Raises:
        UserError: `no-send-column`; `selection-…`.
    """
    workbook = workbook_of(request)
    snapshot = workbook.read()
    rows = [row for row in selected(request, snapshot, workbook) if row.phone is not None]
    sheet = next(sheet for sheet in snapshot.sheets if sheet.name == request.sheet)
    if Role.SEND not in sheet.columns:
        raise UserError("no-send-column", place=Place(sheet=sheet.name))
    if not rows:
        raise UserError("selection-no-row", place=Place(sheet=sheet.name))
    out = all(row.marked for row in rows)
    workbook.apply(
        [
            RowEdit(values={Role.SEND: None if out else _MARK}, placed=Placed.of(row))
            for row in rows
            if row.marked is out
        ]
    )


def columns(request: Invocation) -> None:
    """Add the columns that the taking-part sheets lack."""
    added = insert_columns(workbook_of(request), (Role.MESSAGE, Role.SEND, *RESULTS))
    voice = voice_of(request)
    if added:
        texts = "\n".join(f"{name}: {', '.join(headers)}" for name, headers in added.items())
        voice.say(word("columns-added", request.language, columns=texts))
    else:
        voice.say(word("columns-there", request.language))
