"""What is to be done about the rows of one look at a workbook: messages for the ledger, cells for the workbook."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from random import Random

from xlsms.errors import Place, XlsmsError
from xlsms.model import CellValue, Role, Row, RowId
from xlsms.states import LABELS, State
from xlsms.wording import detail
from xlsms.workbook import identity
from xlsms.workbook.base import Placed, RowEdit, Snapshot
from xlsms_service.ledger.acceptance import Draft, Known
from xlsms_service.planning import Facts, Plan, PlanEntry, Terms, plan
from xlsms_service.sync.order import Orders

__all__ = ["Drafting", "Work", "held_cells"]

#: The cells of a row that show what became of it.
_SHOWN = (Role.STATUS, Role.DETAIL, Role.STATUS_TIME, Role.REPLY, Role.REPLY_TIME)


@dataclass(slots=True)
class Work:
    """What is to be written for one look: drafts into the ledger, edits into the workbook."""

    drafts: list[Draft] = field(default_factory=list)
    edits: dict[RowId, RowEdit] = field(default_factory=dict)  #: of the drafts, by their id
    others: list[RowEdit] = field(default_factory=list)  #: rows that do not go, and why
    held: dict[RowId, PlanEntry] = field(default_factory=dict)  #: by the id that it was to get
    problems: list[XlsmsError] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafting:
    """Draws up the work. It asks only what was sent lately (`repeated`), and which route a message takes."""

    route: Callable[[str, str | None, Path], str]
    repeated: Callable[[AbstractSet[str]], AbstractSet[str]]
    now: Callable[[], datetime]
    rng: Random

    def draw_up(self, snapshot: Snapshot, orders: Orders, terms: Terms) -> Work:
        """The work that the orders of one workbook ask for."""
        work = Work()
        facts = Facts(now=self.now(), repeated=self.repeated)
        # `orders` has chosen the rows
        asked = replace(terms, all_rows=True, language=snapshot.language)
        self._add(work, snapshot, asked, plan(orders.new, asked, facts, snapshot.sheets), {})
        again = [row for row, _ in orders.anew.values()]
        # Whoever marks a row again says "again": it is no duplicate.
        known = {row_id: it for row_id, (_, it) in orders.anew.items()}
        self._add(work, snapshot, asked, plan(again, asked, replace(facts, repeated=_nothing), snapshot.sheets), known)
        for row in orders.copies:
            cells: dict[Role, CellValue] = {Role.ID: None} | dict.fromkeys(_SHOWN)
            if row.marked or terms.all_rows:  # else a copied row would be a new one at the next look
                cells |= held_cells("row-copied", snapshot.language) | {Role.SEND: None}
                work.problems.append(_problem("row-copied", row))
            work.others.append(RowEdit(placed=Placed.of(row), values=cells))
        for row in orders.strangers:
            cells = held_cells("id-unknown", snapshot.language)
            work.others.append(RowEdit(placed=Placed.of(row), values=cells))
            work.problems.append(_problem("id-unknown", row))
        return work

    def _add(self, work: Work, snapshot: Snapshot, terms: Terms, planned: Plan, known: Mapping[RowId, Known]) -> None:
        for entry in planned.entries:
            if entry.problem is not None:
                error = entry.problem
                work.problems.append(error)
                cells = held_cells(error.code, snapshot.language, error.facts)
                work.others.append(RowEdit(placed=Placed.of(entry.row), values=cells))
                continue
            draft = self._draft(entry, snapshot.path, terms, known)
            if draft.row_id is None:
                raise RuntimeError("a row of a workbook without an id")
            if entry.held is not None:
                work.held[draft.row_id] = entry
            work.drafts.append(draft)
            work.edits[draft.row_id] = RowEdit(
                placed=Placed.of(entry.row),
                values=_accepted(draft, snapshot.language, self.now()),
            )

    def _draft(self, entry: PlanEntry, path: Path, terms: Terms, known: Mapping[RowId, Known]) -> Draft:
        if entry.number is None or entry.parts is None or entry.fingerprint is None:
            raise RuntimeError("a plan's entry with neither a problem nor a message")
        row = entry.row
        it = known.get(row.id) if row.id else None
        state = State.HELD if entry.held else State.SCHEDULED if entry.send_at else State.QUEUED
        return Draft(
            row_id=identity.new_row_id(self.rng),
            replaces=it.message if it else None,
            sheet=row.sheet,
            number=entry.number.e164,
            text=entry.text,
            alphabet=entry.parts.alphabet,
            parts=len(entry.parts.parts),
            fingerprint=entry.fingerprint,
            route=self.route(entry.number.e164, entry.sender, path),
            sender=entry.sender,
            state=state,
            code=entry.held.code if entry.held else None,
            facts=entry.held.facts if entry.held else {},
            priority=terms.priority,
            not_before=entry.send_at,
            expires_at=(entry.send_at or self.now()) + terms.validity,
        )


def _nothing(_: AbstractSet[str]) -> AbstractSet[str]:
    return frozenset()


def _accepted(draft: Draft, language: str, now: datetime) -> Mapping[Role, CellValue]:
    return {
        Role.ID: draft.row_id,
        Role.SEND: None,
        Role.STATUS: LABELS[language][draft.state],
        Role.DETAIL: detail(draft.code, language, draft.facts) if draft.code else None,
        Role.STATUS_TIME: now,
        Role.REPLY: None,
        Role.REPLY_TIME: None,
        Role.PARTS: draft.parts,
    }


def held_cells(code: str, language: str, facts: Mapping[str, object] | None = None) -> dict[Role, CellValue]:
    """What a row shows that does not go."""
    return {Role.STATUS: LABELS[language][State.HELD], Role.DETAIL: detail(code, language, facts)}


def _problem(code: str, row: Row) -> XlsmsError:
    return XlsmsError(code, place=Place(sheet=row.sheet, row=row.number))
