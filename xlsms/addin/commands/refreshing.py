"""What is new goes into the sheet, and what somebody asked for in a page of the service is done."""

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xlsms.addin.commands.desk import Desk, desk
from xlsms.addin.commands.news import GONE, ask_again
from xlsms.addin.commands.sending import deliver
from xlsms.addin.commands.voice import complaint
from xlsms.addin.commands.word import word
from xlsms.addin.invocation import Invocation
from xlsms.client import Order, OrderKind
from xlsms.errors import TransientError, UserError, XlsmsError
from xlsms.model import Role
from xlsms.workbook.identity import check
from xlsms.workbook.live.listing import list_replies
from xlsms.workbook.replies import Incoming

if TYPE_CHECKING:
    from xlsms.model import RowId
    from xlsms.workbook.base import RowEdit

__all__ = ["Brought", "bring", "obey", "refresh", "update"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What a look at the service has brought."""

    cursor: int  #: to ask with the next time; where something waits, from before it
    rows: int
    waiting: int = 0  #: rows that are hidden and come the next time
    listed: int = 0  #: the id of the last reply that was put into the sheet of replies


def refresh(request: Invocation) -> None:
    """Write what is new into the sheet now, and say how much it was."""
    with desk(request) as at:
        brought = bring(at, at.book.cursor)
        lines = [
            word("refreshed", at.language, count=brought.rows) if brought.rows else word("nothing-new", at.language)
        ]
        if brought.waiting:
            lines.append(word("waiting", at.language, count=brought.waiting))
        at.voice.say("\n".join(lines))


def update(request: Invocation) -> None:
    """The same without a word; what cannot be written now stays in the service, and the tick comes back to it."""
    try:
        with desk(request) as at:
            try:
                waiting = bring(at, at.book.cursor).waiting
            except UserError as error:  # a sheet is protected, a header is being typed: it goes on when that is over
                if error.code not in GONE:
                    ask_again(request.news)
                raise
    except TransientError:
        ask_again(request.news)
        raise
    if waiting:
        ask_again(request.news)


def bring(at: Desk, since: int, *, wait: float = 0.0, listed: int = 0) -> Brought:
    """Write what has changed since a cursor into the sheet, in one go, and do what was ordered from a page.

    Replies with an id above `listed` go into the sheet of replies, too; 0 looks at all that its file lacks.
    """
    edits: dict[RowId | None, RowEdit] = {}
    orders: list[Order] = []
    cursor = since
    while True:
        found = at.client.changes(at.book, since=cursor, wait=wait)
        edits |= {edit.id: edit for edit in found.edits}  # the newest of each row
        orders += found.orders
        cursor, wait = found.cursor, 0.0
        if not found.more:
            break
    if found.unconfirmed:
        _confirm(at, frozenset(found.unconfirmed))
    waiting = rows = 0
    if edits:
        with at.workbook.turn as waited:
            if waited:  # another process may have written what is newer than this
                newer = at.client.changes(at.book, since=cursor)
                edits |= {edit.id: edit for edit in newer.edits if edit.id in edits}
                orders += newer.orders  # they are given out once
            applied = at.workbook.apply(list(edits.values()))
        waiting, rows = len(applied.waiting), applied.changed
    if not listed or any(edit.values.get(Role.REPLY) for edit in edits.values()):
        listed = _list_replies(at, listed)
    for order in orders:
        obey(at, order)
    return Brought(cursor=since if waiting else cursor, rows=rows, waiting=waiting, listed=listed)


def _list_replies(at: Desk, after: int) -> int:
    """Put replies into the sheet of replies, where there is one; what it does not take comes when it is closed."""
    texts = list(at.client.replies(at.book, after=after))
    if not texts:
        return after
    with suppress(UserError):  # the rows show them as well, and states must not wait for a list
        list_replies(
            at.workbook,
            [
                Incoming(at=each.at, number=each.number, text=each.text, sheet=each.sheet, row_id=each.row_id)
                for each in texts
            ],
        )
    return texts[-1].id


def _confirm(at: Desk, asked: frozenset[str]) -> None:
    """Tell which ids stand in the sheet, of those that were given out just before something broke."""
    standing = (check(row.id) for row in at.workbook.read().rows if row.id)
    at.client.seen(at.book, [found for found in standing if found in asked])


def obey(at: Desk, order: Order) -> None:
    """Do what somebody asked for in a page; what cannot be is told here, where he is sent to by the page."""
    try:
        _obey(at, order)
    except XlsmsError as error:
        if error.code != "plan-changed":  # that the page tells itself
            at.voice.warn(complaint(error, at.language))


def _obey(at: Desk, order: Order) -> None:
    if order.kind is OrderKind.SEND and order.plan is not None:
        deliver(at, order.plan, order.hash)
    elif order.kind is OrderKind.SHOW and order.sheet is not None:
        at.workbook.go_to(order.sheet, _row_of(at, order), order.column or "A")


def _row_of(at: Desk, order: Order) -> int:
    """Where the row is now; where it was when it has no id."""
    if order.row_id is not None:
        for row in at.workbook.read().rows:
            if row.sheet == order.sheet and row.id and check(row.id) == order.row_id:
                return row.number
    return order.row or 1
