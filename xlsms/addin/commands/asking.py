"""The conversation of the selected row, in a page of the service, which also sends an answer."""

from xlsms.addin.commands.desk import desk
from xlsms.addin.commands.selection import first_selected
from xlsms.addin.invocation import Invocation
from xlsms.errors import Place, UserError
from xlsms.workbook.identity import check

__all__ = ["answer", "replies"]


def replies(request: Invocation) -> None:
    """Show what was said with the number of the selected row.

    Raises:
        UserError: `selection-…`; `row-without-number`.
    """
    with desk(request) as at:
        row = first_selected(request, at.workbook.read(), at.workbook)
        identity = check(row.id) if row.id else None
        if identity is not None and identity in at.client.states([identity]):
            at.voice.show(at.client.row_page(identity, at.language))
        elif row.phone is not None:
            at.voice.show(at.client.conversation_page(str(row.phone), at.language))
        else:
            raise UserError("row-without-number", place=Place(sheet=row.sheet, row=row.number))


answer = replies  # the page has the box to write an answer in
