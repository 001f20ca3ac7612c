"""From an open workbook to the ledger, with the promise of the closed ones: propose, write the ids, admit.

The add-in is the hand that writes. What it has read is planned here; an approved plan is proposed in the ledger in the
same transaction that notes its approval, so the same approval again is the same messages. They go when the add-in says
that their ids stand in the sheet. Whatever stops us in between, the next look at the workbook, open or closed, finds
the id in the row, or a row that has lost it and is known by what it says.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from xlsms.client import wire
from xlsms.errors import UserError
from xlsms.model import RowId
from xlsms.states import State
from xlsms.workbook.base import Snapshot, Version
from xlsms_service.ledger import acceptance, campaign, live
from xlsms_service.ledger import book as books
from xlsms_service.ledger.acceptance import Known
from xlsms_service.ledger.book import Book
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.live import Earlier
from xlsms_service.planning import Plan, PlanEntry, Terms
from xlsms_service.sync import order
from xlsms_service.sync.intake import DUPLICATE_WINDOW
from xlsms_service.sync.order import Orders
from xlsms_service.sync.work import Drafting, Work

__all__ = ["Admitted", "Alone", "Asked", "LiveIntake", "LivePlan"]

#: One process, and one workbook in it, takes orders in at a time.
Alone = Callable[[], AbstractAsyncContextManager[None]]

#: What has left in these states, or may have.
_LEFT = frozenset({State.SENT, State.DELIVERED, State.UNCERTAIN})

_NO_VERSION = Version(size=0, mtime_ns=0, inode=0, directory="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the add-in has read: the rows that are ordered, and all others that carry an id."""

    book: int
    language: str
    hidden: bool
    sheets: Sequence[dict[str, Any]]
    rows: Sequence[dict[str, Any]]

    @property
    def text(self) -> str:
        """To be kept."""
        said = {"language": self.language, "hidden": self.hidden, "sheets": self.sheets, "rows": self.rows}
        return json.dumps({"book": self.book, **said}, ensure_ascii=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePlan:
    """What an approval would do now."""

    id: str
    book: Book
    language: str
    plan: Plan
    earlier: tuple[tuple[PlanEntry, Earlier], ...]  #: rows that have gone already and do not show it
    sheets: Mapping[str, int]  #: their places in the workbook
    again: Mapping[RowId, State] = field(default_factory=dict)  #: what was sent before, and goes once more


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """What became of a campaign's rows."""

    accepted: int
    held: int
    withdrawn: int


@dataclass(slots=True)
class _Draw:
    """One drawing up of what an open workbook asks for."""

    book: Book
    snapshot: Snapshot
    known: dict[RowId, Known]
    orders: Orders
    work: Work

    @property
    def places(self) -> Mapping[str, int]:
        """The places of the sheets in the workbook."""
        return {sheet.name: index for index, sheet in enumerate(self.snapshot.sheets)}

    @property
    def plan(self) -> Plan:
        """In the order of the sheets and rows."""
        places = self.places
        entries = sorted(self.work.entries, key=lambda it: (places.get(it.row.sheet, len(places)), it.row.number))
        return Plan(entries=tuple(entries), hidden=self.work.hidden)

    @property
    def again(self) -> Mapping[RowId, State]:
        """The rows whose text has left, or may have, and would go once more to the same number; and how it stands."""
        anew = {row_id: it for row_id, (_, it) in self.orders.anew.items() if it.state in _LEFT}
        return {
            it.row_id: it.state
            for entry in self.work.entries
            if entry.goes and entry.row.id and (it := anew.get(entry.row.id)) and it.fingerprint == entry.fingerprint
        }


class LiveIntake:
    """Takes open workbooks in. `terms` says what the settings ask of a send, hidden rows included or not."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        alone: Alone,
        terms: Callable[[bool], Terms],
        route: Callable[[str, str | None, Path], str],
        now: Callable[[], datetime],
        rng: Random,
    ) -> None:
        self._ledger = ledger
        self._alone = alone
        self._terms = terms
        self._now = now
        self._rng = rng
        self._drafting = Drafting(route=route, repeated=self._repeated, now=now, rng=rng, unsaved=True)

    async def plan(self, asked: Asked) -> LivePlan:
        """Plan what was read, and keep it for an approval."""
        draw = await asyncio.to_thread(self._draw, asked)
        plan, key = draw.plan, f"{self._rng.getrandbits(128):032x}"
        await self._ledger.do(campaign.keep, id=key, book=asked.book, hash=plan.hash, asked=asked.text, now=self._now())
        return _live_plan(key, asked, draw, plan)

    async def look(self, key: str) -> LivePlan:
        """The kept plan as it would be carried out now; `plan-unknown` when it is not kept."""
        stored, asked = await self._kept(key)
        draw = await asyncio.to_thread(self._draw, asked)
        return _live_plan(stored.id, asked, draw, draw.plan)

    async def approve(self, key: str, hash: str) -> dict[str, Any]:  # noqa: A002  # what it is called everywhere
        """Propose the messages of a plan, and say what is to be written into the sheet before they go.

        Raises:
            UserError: `plan-unknown`; `plan-changed` when what would go now is not what was planned.
        """
        async with self._alone():
            stored, asked = await self._kept(key)
            if stored.answer is not None and stored.hash == hash:
                return stored.answer
            draw = await asyncio.to_thread(self._draw, asked)
            if not draw.plan.hash == stored.hash == hash:
                await self._ledger.do(campaign.want, key, None)
                raise UserError("plan-changed")
            await self._catch_up(draw)
            answer = _answer(key, draw, asked.language)
            return await self._ledger.do(campaign.approve, stored, draw.work.drafts, answer, self._now())

    async def written(
        self, key: str, *, done: Sequence[RowId], refused: Sequence[RowId], standing: Sequence[RowId]
    ) -> Admitted:
        """These ids stand in the sheet now, those do not; the marks of some could not be taken out."""
        stored, _ = await self._kept(key)
        answer = stored.answer or {"drafts": [], "again": []}
        drafts, again = set(answer["drafts"]), set(answer["again"])
        there = sorted(set(done) & (drafts | again))
        before = await self._ledger.do(campaign.drafted, there)
        await self._admit(there, [row_id for row_id in standing if row_id in there])
        await self._ledger.do(live.shown_again, sorted(set(there) & again), in_file=False)
        await self._ledger.do(acceptance.withdraw, sorted((set(refused) & drafts) - set(there)))
        after = await self._ledger.do(campaign.drafted, there)
        held = sum(state is State.HELD for _, state, _ in after.values())
        return Admitted(accepted=len(before) - held, held=held, withdrawn=len(drafts - set(after)))

    async def seen(self, book: int, row_ids: Sequence[RowId]) -> None:
        """These ids do stand in the open workbook: what was proposed for them may go."""
        known = await self._ledger.do(acceptance.known, row_ids)
        await self._admit([it.row_id for it in known.values() if it.workbook == book and not it.admitted], [])

    async def _kept(self, key: str) -> tuple[campaign.Stored, Asked]:
        stored = await self._ledger.do(campaign.find, key)
        if stored is None:
            raise UserError("plan-unknown")
        return stored, Asked(**json.loads(stored.asked))

    async def _catch_up(self, draw: _Draw) -> None:
        """What the sheet shows and the ledger does not know: something stopped us before it was told."""
        standing = [it.row_id for row, it in draw.orders.adopted if row.marked]
        await self._admit([it.row_id for _, it in draw.orders.adopted], standing)
        await self._ledger.do(acceptance.close_marks, draw.orders.unmarked)

    async def _admit(self, row_ids: Sequence[RowId], standing: Sequence[RowId]) -> None:
        now = self._now()
        since = now - DUPLICATE_WINDOW
        await self._ledger.do(acceptance.admit, row_ids, now=now, since=since, standing=frozenset(standing))

    # In a thread of its own: a big sheet must not make a link late.

    def _draw(self, asked: Asked) -> _Draw:
        book = self._ledger.do_now(books.get, asked.book)
        rows = tuple(map(wire.read_row, asked.rows))
        snapshot = Snapshot(
            path=book.path,
            version=_NO_VERSION,
            guid=book.guid,
            language="es" if asked.language == "es" else "en",
            sheets=tuple(map(wire.read_sheet, asked.sheets)),
            rows=rows,
        )
        ids = order.ids(rows)
        known = self._ledger.do_now(acceptance.known, ids)
        terms = replace(self._terms(asked.hidden), language=asked.language)
        orders = order.sort_out(
            rows, known, book=book.id, all_rows=False, country=terms.country, sheets=snapshot.sheets
        )
        since = self._ledger.do_now(live.opened_at, book.id)

        def earlier(fingerprints: AbstractSet[str]) -> list[Earlier]:
            return self._ledger.do_now(live.earlier, book.id, fingerprints, since=since)

        return _Draw(book, snapshot, known, orders, self._drafting.draw_up(snapshot, orders, terms, earlier))

    def _repeated(self, fingerprints: AbstractSet[str]) -> AbstractSet[str]:
        return self._ledger.do_now(acceptance.repeated, fingerprints, self._now() - DUPLICATE_WINDOW)


def _live_plan(key: str, asked: Asked, draw: _Draw, plan: Plan) -> LivePlan:
    return LivePlan(
        id=key,
        book=draw.book,
        language=asked.language,
        plan=plan,
        earlier=tuple(draw.work.earlier),
        sheets=draw.places,
        again=draw.again,
    )


def _answer(key: str, draw: _Draw, language: str) -> dict[str, Any]:
    work = draw.work
    edits = [*work.edits.values(), *work.again.values(), *work.others]
    return {
        "id": key,
        "plan": key,
        "edits": [wire.edit(edit) for edit in edits],
        "troubles": [wire.error(problem, language) for problem in work.problems],
        "drafts": list(work.edits),
        "again": list(work.again),
    }
