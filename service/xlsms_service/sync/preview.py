"""What `Intake` would do with a workbook now, without doing any of it."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from xlsms.errors import Place, UserError
from xlsms.model import Row, RowId
from xlsms.workbook.base import Snapshot
from xlsms_service.ledger import acceptance
from xlsms_service.ledger import book as books
from xlsms_service.ledger.book import Book
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.planning import Facts, Plan, PlanEntry, Terms, plan
from xlsms_service.sync import order
from xlsms_service.sync.intake import DUPLICATE_WINDOW

__all__ = ["copied", "preview"]


def preview(ledger: Ledger | None, snapshot: Snapshot, terms: Terms, now: datetime) -> Plan:
    """The plan of everything that the workbook orders, in the order of its rows; without a ledger nothing is known."""
    ids = order.ids(snapshot.rows)
    known = ledger.do_now(acceptance.known, ids) if ledger else {}
    book = _book(ledger, snapshot, ids) if ledger else None
    orders = order.sort_out(
        snapshot.rows,
        known,
        book=book.id if book else None,
        all_rows=terms.all_rows,
        country=terms.country,
        sheets=snapshot.sheets,
    )

    def repeated(fingerprints: AbstractSet[str]) -> AbstractSet[str]:
        return ledger.do_now(acceptance.repeated, fingerprints, now - DUPLICATE_WINDOW) if ledger else frozenset()

    asked = replace(terms, all_rows=True, language=snapshot.language)  # `orders` has chosen the rows
    new = plan(orders.new, asked, Facts(now=now, repeated=repeated), snapshot.sheets)
    anew = plan([row for row, _ in orders.anew.values()], asked, Facts(now=now), snapshot.sheets)
    refused = [
        *(_refused(row, "row-copied") for row in orders.copies if row.marked),
        *(_refused(row, "id-unknown") for row in orders.strangers),
    ]
    places = {sheet.name: index for index, sheet in enumerate(snapshot.sheets)}
    entries = sorted(
        (*new.entries, *anew.entries, *refused),
        key=lambda entry: (places.get(entry.row.sheet, len(places)), entry.row.number),
    )
    return Plan(entries=tuple(entries), hidden=new.hidden + anew.hidden)


def copied(ledger: Ledger, snapshot: Snapshot) -> UserError | None:
    """What keeps all of the workbook from going: it is a copy of one that was taken in."""
    book = _book(ledger, snapshot, order.ids(snapshot.rows))
    return None if book is None else books.copy_of(book, snapshot.path, Path.exists)


def _refused(row: Row, code: str) -> PlanEntry:
    return PlanEntry(row=row, problem=UserError(code, place=Place(sheet=row.sheet, row=row.number)))


def _book(ledger: Ledger, snapshot: Snapshot, ids: Sequence[RowId]) -> Book | None:
    return ledger.do_now(books.look_up, path=snapshot.path, guid=snapshot.guid, row_ids=ids, exists=Path.exists)
