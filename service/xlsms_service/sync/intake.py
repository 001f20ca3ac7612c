"""From a workbook to the ledger: marked rows become messages, once.

The order of the steps is the promise: messages are *proposed* in the ledger, their ids are written into the workbook
(and their marks taken out), and only then are they *admitted*, that is, free to go. Whatever stops us in between, the
next look at the file finds either a marked row without an id, which is taken as if never seen, or an id that the
ledger knows.
"""

import asyncio
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from xlsms.errors import XlsmsError
from xlsms.model import Role, RowId
from xlsms.states import State
from xlsms.workbook.base import Applied, Refusal, RowEdit, Snapshot, Workbook
from xlsms_service.ledger import acceptance, live
from xlsms_service.ledger import book as books
from xlsms_service.ledger.book import Book
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.planning import PlanEntry, Terms
from xlsms_service.sync import order
from xlsms_service.sync.conflict import check_conflict
from xlsms_service.sync.order import Orders
from xlsms_service.sync.thread import WorkbookThread
from xlsms_service.sync.work import AskEarlier, Drafting, Work, held_cells

__all__ = ["DUPLICATE_WINDOW", "Intake", "Taken"]

#: The same text to the same number within this time is held.
DUPLICATE_WINDOW = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What one look at a workbook brought."""

    book: Book
    accepted: int = 0  #: rows that are free to go, now or at their time
    held: tuple[PlanEntry, ...] = ()
    problems: tuple[XlsmsError, ...] = ()  #: one a row that cannot go
    earlier: int = 0  #: rows that had been sent where the workbook was open, and did not show it
    changed: bool = False  #: the file was saved meanwhile: look again


class Intake:
    """Takes workbooks in. `route` says which route a number takes, from that sender and that workbook."""

    def __init__(
        self,
        ledger: Ledger,
        thread: WorkbookThread,
        open_workbook: Callable[[Path], Workbook],
        *,
        route: Callable[[str, str | None, Path], str],
        now: Callable[[], datetime],
        rng: Random,
    ) -> None:
        self._ledger = ledger
        self._thread = thread
        self._open = open_workbook
        self._drafting = Drafting(route=route, repeated=self._repeated, now=now, rng=rng)
        self._now = now
        self._one = asyncio.Lock()

    async def take(self, path: Path, terms: Terms) -> Taken:
        """Take in what the workbook at `path` asks for; one workbook at a time, so that no two count as the first.

        Raises:
            UserError: the file or its columns cannot be used, or it is a copy of another; nothing was accepted.
            TransientError: the file is open elsewhere or keeps changing; nothing was accepted.
        """
        async with self._one:
            await self._ledger.do(live.check_closed, path, self._now())
            workbook = self._open(path)
            snapshot = await self._thread.run(workbook.read)
            await self._thread.run(check_conflict, snapshot, lambda original: self._open(original).read())
            ids = order.ids(snapshot.rows)
            book = await self._ledger.do(
                books.recognise,
                path=path,
                guid=snapshot.guid,
                language=snapshot.language,
                row_ids=ids,
                exists=Path.exists,
            )
            known = await self._ledger.do(acceptance.known, ids)
            orders = await self._thread.run(
                order.sort_out,
                snapshot.rows,
                known,
                book=book.id,
                all_rows=terms.all_rows,
                country=terms.country,
                sheets=snapshot.sheets,
            )
            await self._catch_up(book, orders)
            await self._ledger.do(live.saved, [it.row_id for it in known.values() if it.unsaved])
            lost = await self._earlier(snapshot, book)
            work = await self._thread.run(self._drafting.draw_up, snapshot, orders, terms, lost)
            applied = await self._write(workbook, snapshot, book, work)
            return await self._taken(snapshot, book, orders, work, applied)

    async def _catch_up(self, book: Book, orders: Orders) -> None:
        """What the file shows and the ledger does not know: a crash came between, or somebody else wrote the file."""
        # Whether a mark beside such an id is the old one or a new one, nobody knows: it counts as the old one.
        standing = {it.row_id for row, it in orders.adopted if row.marked}
        await self._admit([it.row_id for _, it in orders.adopted], standing)
        await self._ledger.do(acceptance.close_marks, orders.unmarked)
        await self._ledger.do(books.outdated, book.id, orders.outdated)

    async def _earlier(self, snapshot: Snapshot, book: Book) -> AskEarlier:
        """What may have been sent where the workbook was open, if this file is the one that was open there."""
        left = await self._ledger.do(live.file_left, book.id)
        version = snapshot.version
        # Without a GUID in the file, another list may have been saved under its name since.
        same = snapshot.guid is not None or left == f"{version.size}:{version.mtime_ns}"
        if not same and book.version != version.text:
            return lambda _fingerprints: ()
        return lambda fingerprints: self._ledger.do_now(live.earlier, book.id, fingerprints)

    async def _admit(self, row_ids: Sequence[RowId], standing: AbstractSet[RowId]) -> None:
        now = self._now()
        await self._ledger.do(
            acceptance.admit, row_ids, now=now, since=now - DUPLICATE_WINDOW, standing=frozenset(standing)
        )

    async def _write(self, workbook: Workbook, snapshot: Snapshot, book: Book, work: Work) -> Applied | None:
        edits = [*work.edits.values(), *work.again.values(), *work.others]
        if not edits:
            return None
        await self._thread.run(workbook.check_ready)
        await self._ledger.do(acceptance.propose, book.id, work.drafts, self._now())
        try:
            applied = await self._thread.run(workbook.apply, edits)
        except XlsmsError:
            await self._withdraw_untouched(workbook, snapshot, work)
            raise
        nameless = {_id_given(refusal.edit): refusal for refusal in applied.refused if refusal.role is Role.ID}
        # A mark that could not be taken out (a formula) still stands, and orders nothing new until it has gone.
        standing = {_id_given(refusal.edit) for refusal in applied.refused if refusal.role is Role.SEND}
        done = ({_id_given(edit) for edit in applied.done} & set(work.edits)) - set(nameless)
        again = ({_id_given(edit) for edit in applied.done} & set(work.again)) - set(nameless)
        await self._admit(sorted(done | again), standing & (done | again))
        await self._ledger.do(live.shown_again, sorted(again), in_file=True)
        await self._ledger.do(acceptance.withdraw, sorted(set(work.edits) - done))
        if nameless:
            applied = await self._tell_nameless(workbook, snapshot, list(nameless.values()), work, applied)
        return applied

    async def _withdraw_untouched(self, workbook: Workbook, snapshot: Snapshot, work: Work) -> None:
        """Forget the proposals, if certainly none of their ids stands in the file."""
        try:
            now = await self._thread.run(workbook.version)
        except (XlsmsError, OSError):
            return
        if now == snapshot.version:
            await self._ledger.do(acceptance.withdraw, sorted(work.edits))

    async def _tell_nameless(
        self, workbook: Workbook, snapshot: Snapshot, refused: Sequence[Refusal], work: Work, applied: Applied
    ) -> Applied:
        """Rows whose id cell cannot be written do not go; the state beside them must say so."""
        edits = []
        for refusal in refused:
            work.problems.append(refusal.error)
            if refusal.edit.placed is not None:
                stands = any(other.edit is refusal.edit and other.role is Role.SEND for other in applied.refused)
                placed = refusal.edit.placed if stands else replace(refusal.edit.placed, marked=False)
                cells = held_cells(refusal.error.code, snapshot.language, refusal.error.facts)
                edits.append(RowEdit(placed=placed, values=cells))
        told = await self._thread.run(workbook.apply, edits)
        done = tuple(edit for edit in applied.done if edit not in [refusal.edit for refusal in refused])
        return replace(applied, version=told.version, done=done)

    async def _taken(
        self, snapshot: Snapshot, book: Book, orders: Orders, work: Work, applied: Applied | None
    ) -> Taken:
        merged = applied is not None and applied.before != snapshot.version
        stale = applied is not None and bool(applied.stale or applied.ambiguous)
        if not (merged or stale or orders.deferred):
            version = applied.version if applied is not None else snapshot.version
            await self._ledger.do(books.note_version, book.id, version.text)
        done = {_id_given(edit) for edit in applied.done} if applied is not None else set()
        return Taken(
            book=book,
            accepted=sum(draft.row_id in done and draft.state is not State.HELD for draft in work.drafts),
            held=tuple(entry for row_id, entry in work.held.items() if row_id in done),
            problems=tuple(work.problems),
            earlier=len(done & set(work.again)),
            changed=merged or stale,
        )

    def _repeated(self, fingerprints: AbstractSet[str]) -> AbstractSet[str]:
        return self._ledger.do_now(acceptance.repeated, fingerprints, self._now() - DUPLICATE_WINDOW)


def _id_given(edit: RowEdit) -> RowId:
    """The id that an edit of ours writes; empty for one that writes none."""
    return RowId(str(edit.values.get(Role.ID) or ""))
