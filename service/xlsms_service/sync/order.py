"""What the rows of a workbook ask for, held against what the ledger knows of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from xlsms import phone
from xlsms.errors import UserError
from xlsms.model import MessageId, Role, Row, RowId
from xlsms.states import State, read_label
from xlsms.workbook import identity
from xlsms.workbook.base import Sheet
from xlsms_service.ledger.acceptance import Known

__all__ = ["Orders", "ids", "sort_out"]

#: What the detail cell of a copied row shows: it is no row of its own until someone marks it.
_COPIED = "[row-copied]"


@dataclass(slots=True)
class Orders:
    """The rows of one snapshot by what is to be done about them; the rest needs nothing."""

    new: list[Row] = field(default_factory=list)  #: marked, never seen
    anew: dict[RowId, tuple[Row, Known]] = field(default_factory=dict)  #: seen, and marked again since
    adopted: list[tuple[Row, Known]] = field(default_factory=list)  #: their id was written, but not admitted any more
    unmarked: list[MessageId] = field(default_factory=list)  #: their mark has gone
    outdated: list[MessageId] = field(default_factory=list)  #: show another state than they are in, or lost their reply
    copies: list[Row] = field(default_factory=list)  #: carry the id of another row
    strangers: list[Row] = field(default_factory=list)  #: marked, with an id that is not ours
    deferred: bool = False  #: something can only be decided later: look again


def sort_out(
    rows: Sequence[Row],
    known: Mapping[RowId, Known],
    *,
    book: int | None,
    all_rows: bool,
    country: str,
    sheets: Sequence[Sheet] = (),
) -> Orders:
    """Sort the rows of a workbook, which the ledger calls `book`, into orders.

    With `all_rows` a row needs no mark to be sent, but is sent once only: what says "again" is always a mark.
    """
    orders = Orders()
    countries = {sheet.name: sheet.settings.country or country for sheet in sheets}
    replies = {sheet.name: sheet.headers[sheet.columns[Role.REPLY]] for sheet in sheets if Role.REPLY in sheet.columns}
    by_id: dict[RowId, list[Row]] = {}
    for row in rows:
        if row.id is not None:
            by_id.setdefault(row.id, []).append(row)
        elif row.marked or (all_rows and _COPIED not in row.detail):
            orders.new.append(row)
    for row_id, group in by_id.items():
        it = known.get(row_id) if identity.check(row_id) else None
        if it is None:
            orders.strangers += [row for row in group if row.marked]
            continue
        if it.workbook != book:  # pasted from another workbook: the id stays with the row it was given to
            orders.copies += group
            continue
        kept = _the_one(group, it, lambda row: countries.get(row.sheet, country))
        orders.copies += [row for row in group if row is not kept]
        _sort_known(orders, kept, it, replies.get(kept.sheet))
    return orders


def _sort_known(orders: Orders, row: Row, it: Known, reply: str | None) -> None:
    """Sort a row whose id is known; `reply` is the header of its reply column."""
    if not it.admitted:
        orders.adopted.append((row, it))
    elif not row.marked:
        if it.mark_open:
            orders.unmarked.append(it.message)
        shown = read_label(row.status)
        # The same state without the reply: somebody's older copy, saved over ours. A row emptied by hand has no state.
        lost = it.replied and shown is it.state and reply is not None and row.values.get(reply, "-") in (None, "")
        if shown not in (None, it.state) or lost:
            orders.outdated.append(it.message)
    elif it.superseded:
        orders.new.append(row)  # an older version of the file was put back: its order is no newer than what followed
    elif not it.mark_open:
        if it.state is State.SENDING:
            orders.deferred = True
        else:
            orders.anew[it.row_id] = (row, it)


def _the_one(group: Sequence[Row], it: Known, country: Callable[[Row], str]) -> Row:
    """The row that an id belongs to: the one with its number and state; among equals the first."""
    if len(group) == 1:
        return group[0]
    return max(group, key=lambda row: (_number(row, country(row)) == it.number, read_label(row.status) is it.state))


def _number(row: Row, country: str) -> str | None:
    try:
        return phone.parse(row.phone, country).e164
    except UserError:
        return None


def ids(rows: Iterable[Row]) -> list[RowId]:
    """The ids that the rows carry, each once."""
    return list(dict.fromkeys(row.id for row in rows if row.id is not None))
