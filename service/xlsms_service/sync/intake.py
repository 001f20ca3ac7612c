"""From a workbook to the ledger: marked rows become messages, once.

The order of the steps is the promise: messages are *proposed* in the ledger, their ids are written into the workbook
(and their marks taken out), and only then are they *admitted*, that is, free to go. Whatever stops us in between, the
next look at the file finds either a marked row without an id, which is taken as if never seen, or an id that the
ledger knows.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, repeat
from pathlib import Path
from random import Random

from xlsms.errors import XlsmsError
from xlsms.files.conflict import original_of
from xlsms.model import Role, Row, RowId
from xlsms.states import State
from xlsms.workbook import identity
from xlsms.workbook.base import Applied, Reading, Refusal, RowEdit, Snapshot, Version, Workbook
from xlsms.workbook.rowids import RowIds
from xlsms_service.ledger import acceptance, live
from xlsms_service.ledger import book as books
from xlsms_service.ledger.book import Book
from xlsms_service.ledger.chunk import chunks
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.planning import PlanEntry, Terms
from xlsms_service.sync import order
from xlsms_service.sync.conflict import check_conflict
from xlsms_service.sync.order import Orders
from xlsms_service.sync.thread import WorkbookThread
from xlsms_service.sync.work import AskEarlier, Drafting, Work, held_cells

__all__ = ["DUPLICATE_WINDOW", "EAGER", "Intake", "Taken"]

#: The same text to the same number within this time is held.
DUPLICATE_WINDOW = timedelta(hours=24)

#: Rows of one commit: the links write theirs in between.
_AT_ONCE = 1_000

#: Rows that are proposed, written and admitted in one go. What a list needs of memory is bounded by the last.
_USUAL = (50_000,)

#: The same where nothing else waits for this process: few at first, so that the first texts leave soon; then more, for
#: each write copies the whole file. The links work on while the next piece is taken in, and the last one they have to
#: send alone. Beside the links of the same process it would halve their rate.
EAGER = (4_000, *(8_000,) * 6, 16_000)

#: Pieces that are being written or admitted while another one is looked at, where that is another process's work.
_AHEAD = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What one look at a workbook brought."""

    book: Book
    accepted: int = 0  #: rows that are free to go, now or at their time
    held: tuple[PlanEntry, ...] = ()
    problems: tuple[XlsmsError, ...] = ()  #: one a row that cannot go
    earlier: int = 0  #: rows that had been sent where the workbook was open, and did not show it
    changed: bool = False  #: the file was saved meanwhile: look again
    more: bool = False  #: only some rows were asked for, and there are others


@dataclass(slots=True, kw_only=True)
class _Look:
    """One look at a workbook, as far as it has come."""

    workbook: Workbook
    snapshot: Snapshot  #: without its rows
    version: Version  #: that of our last write
    book: Book
    terms: Terms
    standing: RowIds  #: all ids in the file
    lost: AskEarlier
    under_way: AbstractSet[str] = frozenset()  #: the fingerprints of what is proposed and not admitted yet
    campaigns: dict[str | None, int] = field(default_factory=dict)
    accepted: int = 0
    earlier: int = 0
    held: list[PlanEntry] = field(default_factory=list)
    problems: list[XlsmsError] = field(default_factory=list)
    merged: bool = False  #: somebody saved between our reading and our writing
    stale: bool = False
    more: bool = False
    deferred: bool = False
    failed: XlsmsError | None = None  #: what kept a piece from being written: none after it is
    #: Held by what works in this process. Python's threads take turns of 5 ms: who holds the ledger would wait so long
    #: for each row that it steps to while another thread plans, and all links with it.
    working: asyncio.Lock = field(default_factory=asyncio.Lock)

    def apply(self, edits: Sequence[RowEdit]) -> Applied:
        """Write edits, in the thread where that is done one after the other."""
        if self.failed is not None:
            raise self.failed
        try:
            applied = self.workbook.apply(edits)
        except XlsmsError as error:
            self.failed = error
            raise
        self.merged = self.merged or applied.before != self.version
        self.version = applied.version
        return applied

    def taken(self) -> Taken:
        """What it brought."""
        return Taken(
            book=self.book,
            accepted=self.accepted,
            held=tuple(self.held),
            problems=tuple(self.problems),
            earlier=self.earlier,
            changed=self.merged or self.stale,
            more=self.more,
        )


class Intake:
    """Takes workbooks in. `route` says which route a number takes, from that sender and that workbook.

    A long list is taken in piece by piece, each in the order of the promise; `admitted` is called when some may go. The
    next piece is looked at while one is written, which is done by `writing`: a thread of its own only where
    `open_workbook` gives workbooks that are written by another process. `pieces` are the sizes of the first ones, the
    last of which is that of all others; by default they are small where `writing` is another process's work.
    """

    def __init__(  # noqa: PLR0913 (half of them have a default that most callers want)
        self,
        ledger: Ledger,
        thread: WorkbookThread,
        open_workbook: Callable[[Path], Workbook],
        *,
        route: Callable[[str, str | None, Path], str],
        now: Callable[[], datetime],
        rng: Random,
        admitted: Callable[[], None] = lambda: None,
        pieces: Sequence[int] | None = None,
        writing: WorkbookThread | None = None,
    ) -> None:
        self._ledger = ledger
        self._thread, self._writing = thread, writing or thread
        self._ahead = _AHEAD if writing is not None else 0
        self._open = open_workbook
        self._drafting = Drafting(route=route, repeated=self._repeated, now=now, rng=rng)
        self._now = now
        self._admitted = admitted
        self._pieces = pieces or (_USUAL if writing is None else EAGER)
        self._one = asyncio.Lock()

    async def take(self, path: Path, terms: Terms, most: int | None = None) -> Taken:
        """Take in what the workbook at `path` asks for; one workbook at a time, so that no two count as the first.

        With `most`, no more than so many rows that may ask for something are looked at.

        What keeps a long list from being written when some of it has been accepted is told as a problem: those rows
        go, and the others still have their marks.

        Raises:
            UserError: the file or its columns cannot be used, or it is a copy of another; nothing was accepted.
            TransientError: the file is open elsewhere or keeps changing; nothing was accepted.
        """
        async with self._one:
            await self._ledger.do(live.check_closed, path, self._now())
            workbook = self._open(path)
            if original_of(path) is not None:
                snapshot = await self._thread.run(workbook.read)
                await self._thread.run(check_conflict, snapshot, lambda original: self._open(original).read())
            opened = workbook.reading()
            reading = await self._thread.run(opened.__enter__)
            try:
                return await self._take(workbook, path, reading, terms, most)
            finally:
                await self._thread.run(opened.__exit__, None, None, None)

    async def _take(self, workbook: Workbook, path: Path, reading: Reading, terms: Terms, most: int | None) -> Taken:
        ids = await self._thread.run(lambda: RowIds(reading.ids()))
        book = await self._ledger.do(
            books.recognise,
            path=path,
            guid=reading.snapshot.guid,
            language=reading.snapshot.language,
            row_ids=ids,
            exists=Path.exists,
        )
        look = _Look(
            workbook=workbook,
            snapshot=reading.snapshot,
            version=reading.snapshot.version,
            book=book,
            terms=terms,
            standing=ids,
            lost=await self._earlier(reading.snapshot, book),
        )
        writing: deque[asyncio.Task[None]] = deque()
        try:
            sizes = chain(self._pieces, repeat(self._pieces[-1])) if most is None else (most,)
            await self._take_pieces(look, reading.rows(), sizes, writing)
        except XlsmsError as error:
            for task in writing:
                with suppress(XlsmsError):  # it is that error, or came of it
                    await task
            if not look.accepted:
                raise
            look.problems.append(error)
        finally:
            for task in writing:
                task.cancel()
            await asyncio.gather(*writing, return_exceptions=True)
        return look.taken()

    async def _take_pieces(
        self, look: _Look, rows: Iterator[Row], sizes: Iterable[int], writing: deque[asyncio.Task[None]]
    ) -> None:
        """Piece by piece: one is looked at and proposed, while `writing` writes one before it and admits another."""
        # Which of the rows with one id is the one that it was given to, is decided when all of them have been seen.
        several: list[Row] = []
        last = False
        for size in sizes:
            async with look.working:
                piece = await self._thread.run(_next, rows, size, look.terms, look.standing.repeated, several)
                last = len(piece) < size
            async with look.working:
                work = await self._draw_up(look, [*piece, *several] if last else piece)
            async with look.working:
                await self._propose(look, work)
            writing.append(asyncio.create_task(self._write(look, work)))
            while len(writing) > (0 if last else self._ahead):
                await writing[0]
                writing.popleft()
            if last:
                break
        while writing:
            await writing[0]
            writing.popleft()
        look.more = not last
        if last:
            await self._note(look)

    async def _draw_up(self, look: _Look, rows: Sequence[Row]) -> Work:
        """What is to be done about a piece."""
        known = await self._ledger.do(acceptance.known, order.ids(rows))
        orders = await self._thread.run(
            order.sort_out,
            rows,
            known,
            book=look.book.id,
            all_rows=look.terms.all_rows,
            country=look.terms.country,
            sheets=look.snapshot.sheets,
        )
        await self._catch_up(look.book, orders)
        await self._ledger.do(live.saved, [it.row_id for it in known.values() if it.unsaved])
        look.deferred = look.deferred or orders.deferred
        return await self._thread.run(
            self._drafting.draw_up, look.snapshot, orders, look.terms, look.lost, look.standing, look.under_way
        )

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

    async def _propose(self, look: _Look, work: Work) -> None:
        if not work.written:
            return
        if look.campaigns:  # it is not the first piece: somebody may have opened it since
            await self._ledger.do(live.check_closed, look.snapshot.path, self._now())
        await self._thread.run(look.workbook.check_ready)
        for some in chunks(work.drafts, _AT_ONCE):
            look.campaigns = await self._ledger.do(acceptance.propose, look.book.id, some, self._now(), look.campaigns)
        look.under_way |= work.fingerprints

    async def _write(self, look: _Look, work: Work) -> None:
        """Write a piece that has been proposed, and admit what stands in the file then."""
        if work.written:
            applied = await self._write_down(look, work)
            async with look.working:
                done = await self._admit_written(look, work, applied)
            look.accepted += sum(draft.row_id in done and draft.state is not State.HELD for draft in work.drafts)
            look.earlier += len(done & work.again.keys())
            look.held += [entry for row_id, entry in work.held.items() if row_id in done]
            look.under_way -= work.fingerprints
        look.problems += work.problems

    async def _write_down(self, look: _Look, work: Work) -> Applied:
        try:
            return await self._writing.run(look.apply, work.written)
        except XlsmsError:
            await self._withdraw_untouched(look, work)
            raise

    async def _admit_written(self, look: _Look, work: Work, applied: Applied) -> AbstractSet[RowId]:
        """Let those go whose ids stand in the file now; which they are."""
        nameless = {_id_given(refusal.edit): refusal for refusal in applied.refused if refusal.role is Role.ID}
        # A mark that could not be taken out (a formula) still stands, and orders nothing new until it has gone.
        standing = {_id_given(refusal.edit) for refusal in applied.refused if refusal.role is Role.SEND}
        done = {_id_given(edit) for edit in applied.done} - nameless.keys()
        for some_done in chunks([row_id for row_id in (*work.edits, *work.again) if row_id in done], _AT_ONCE):
            await self._admit(some_done, standing.intersection(some_done))
            self._admitted()
        await self._ledger.do(live.shown_again, sorted(done & work.again.keys()), in_file=True)
        await self._ledger.do(acceptance.withdraw, sorted(work.edits.keys() - done))
        look.stale = look.stale or bool(applied.stale or applied.ambiguous)
        if nameless:
            await self._tell_nameless(look, list(nameless.values()), work, applied)
        return done

    async def _withdraw_untouched(self, look: _Look, work: Work) -> None:
        """Forget the proposals, if certainly none of their ids stands in the file."""
        try:
            now = await self._thread.run(look.workbook.version)
        except (XlsmsError, OSError):
            return
        if now == look.version:
            await self._ledger.do(acceptance.withdraw, sorted(work.edits))

    async def _tell_nameless(self, look: _Look, refused: Sequence[Refusal], work: Work, applied: Applied) -> None:
        """Rows whose id cell cannot be written do not go; the state beside them must say so."""
        edits = []
        for refusal in refused:
            work.problems.append(refusal.error)
            if refusal.edit.placed is not None:
                stands = any(other.edit is refusal.edit and other.role is Role.SEND for other in applied.refused)
                placed = refusal.edit.placed if stands else refusal.edit.placed._replace(marked=False)
                cells = held_cells(refusal.error.code, look.snapshot.language, refusal.error.facts)
                edits.append(RowEdit(placed=placed, values=cells))
        await self._writing.run(look.apply, edits)

    async def _note(self, look: _Look) -> None:
        """The whole file is now as we have read and written it, unless it has to be looked at again."""
        if not (look.merged or look.stale or look.deferred):
            await self._ledger.do(books.note_version, look.book.id, look.version.text)

    def _repeated(self, fingerprints: AbstractSet[str]) -> AbstractSet[str]:
        return self._ledger.do_now(acceptance.repeated, fingerprints, self._now() - DUPLICATE_WINDOW)


def _next(rows: Iterator[Row], size: int, terms: Terms, repeated: AbstractSet[RowId], several: list[Row]) -> list[Row]:
    """The next rows that may ask for something; none when all have been read. Those of a repeated id are put aside."""
    piece: list[Row] = []
    for row in rows:
        if row.id is not None and repeated and identity.check(row.id) in repeated:
            several.append(row)
        elif row.id is not None or row.marked or terms.all_rows:
            piece.append(row)
            if len(piece) == size:
                break
    return piece


def _id_given(edit: RowEdit) -> RowId:
    """The id that an edit of ours writes; empty for one that writes none."""
    return RowId(str(edit.values.get(Role.ID) or ""))
