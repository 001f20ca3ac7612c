"""What is to be done about the rows of one look at a workbook: messages for the ledger, cells for the workbook."""

from collections.abc import Callable, Container, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from random import Random

from xlsms.errors import Place, UserError, XlsmsError
from xlsms.model import CellValue, MessageId, Role, Row, RowId
from xlsms.states import LABELS, State
from xlsms.wording import detail
from xlsms.workbook import identity
from xlsms.workbook.base import Placed, RowEdit, Snapshot
from xlsms_service.ledger.acceptance import Draft, Known
from xlsms_service.ledger.live import Earlier
from xlsms_service.planning import Facts, Plan, PlanEntry, Terms, plan
from xlsms_service.sync.order import Orders

__all__ = ["AskEarlier", "Drafting", "Work", "held_cells"]

#: Asked with fingerprints: the messages whose rows may show nothing of them.
AskEarlier = Callable[[AbstractSet[str]], Sequence[Earlier]]

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
    again: dict[RowId, RowEdit] = field(default_factory=dict)  #: rows that get back what they lost, by its id
    earlier: list[tuple[PlanEntry, Earlier]] = field(default_factory=list)  #: these rows, and what they lost
    entries: list[PlanEntry] = field(default_factory=list)  #: all others that were ordered
    hidden: int = 0  #: ordered, but left out because the user does not see them

    @property
    def written(self) -> list[RowEdit]:
        """All that is written into the workbook."""
        return [*self.edits.values(), *self.again.values(), *self.others]

    @property
    def fingerprints(self) -> frozenset[str]:
        """Those of the drafts that go."""
        return frozenset(draft.fingerprint for draft in self.drafts if draft.state is not State.HELD)


def _nothing_earlier(_: AbstractSet[str]) -> Sequence[Earlier]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafting:
    """Draws up the work. It asks only what was sent lately (`repeated`), and which route a message takes."""

    route: Callable[[str, str | None, Path], str]
    repeated: Callable[[AbstractSet[str]], AbstractSet[str]]
    now: Callable[[], datetime]
    rng: Random
    unsaved: bool = False  #: the workbook is open: what is written there may never reach its file

    def draw_up(
        self,
        snapshot: Snapshot,
        orders: Orders,
        terms: Terms,
        earlier: AskEarlier = _nothing_earlier,
        standing: Container[RowId] | None = None,
        under_way: AbstractSet[str] = frozenset(),
    ) -> Work:
        """The work that the orders of one workbook ask for.

        A row that says what an `earlier` message says is that message's row and has lost it: it is not sent again.
        `standing` are the ids in the workbook; None: those of the rows of the snapshot. A text whose fingerprint is
        `under_way` is about to be sent, though the ledger does not count it yet.
        """
        work = Work()
        lost = _Lost(earlier, {row.id for row in snapshot.rows if row.id} if standing is None else standing)
        facts = Facts(now=self.now(), repeated=lambda said: self.repeated(said) | (said & under_way))
        # `orders` has chosen the rows
        asked = replace(terms, all_rows=True, language=snapshot.language)
        self._add(work, snapshot, asked, lost, plan(orders.new, asked, facts, snapshot.sheets), {})
        again = [row for row, _ in orders.anew.values()]
        # Whoever marks a row again says "again": it is no duplicate.
        known = {row_id: it for row_id, (_, it) in orders.anew.items()}
        anew = plan(again, asked, replace(facts, repeated=_nothing), snapshot.sheets)
        self._add(work, snapshot, asked, lost, anew, known)
        for row in orders.copies:
            cells: dict[Role, CellValue] = {Role.ID: None} | dict.fromkeys(_SHOWN)
            if row.marked or terms.all_rows:  # else a copied row would be a new one at the next look
                cells |= held_cells("row-copied", snapshot.language) | {Role.SEND: None}
                _refuse(work, "row-copied", row)
            work.others.append(RowEdit(placed=Placed.of(row), values=cells))
        for row in orders.strangers:
            cells = held_cells("id-unknown", snapshot.language)
            work.others.append(RowEdit(placed=Placed.of(row), values=cells))
            _refuse(work, "id-unknown", row)
        return work

    def _add(
        self,
        work: Work,
        snapshot: Snapshot,
        terms: Terms,
        lost: "_Lost",
        planned: Plan,
        known: Mapping[RowId, Known],
    ) -> None:
        work.hidden += planned.hidden
        now = self.now()  # rows that are accepted together show one time
        expires = now + terms.validity
        shown = _Shown(snapshot.language, now)
        ids = iter(identity.new_row_ids(len(planned.entries), self.rng))
        lost.look_for(planned)
        for entry in planned.entries:
            before = known.get(entry.row.id) if entry.row.id else None
            found = lost.take(entry, before.message if before else None)
            if found is not None:
                if found.admitted:
                    work.earlier.append((entry, found))
                else:  # proposed, and never confirmed: it goes now
                    work.entries.append(entry)
                work.again[found.row_id] = RowEdit(
                    placed=Placed.of(entry.row), values=_as_it_stands(found, snapshot.language)
                )
                continue
            work.entries.append(entry)
            if entry.problem is not None:
                error = entry.problem
                work.problems.append(error)
                cells = held_cells(error.code, snapshot.language, error.facts)
                work.others.append(RowEdit(placed=Placed.of(entry.row), values=cells))
                continue
            row_id = next(ids)
            draft = self._draft(entry, row_id, snapshot.path, terms, before, expires)
            if entry.held is not None:
                work.held[row_id] = entry
            work.drafts.append(draft)
            work.edits[row_id] = RowEdit(
                placed=Placed.of(entry.row),
                values=shown.of(draft),
            )

    def _draft(
        self, entry: PlanEntry, row_id: RowId, path: Path, terms: Terms, before: Known | None, expires: datetime
    ) -> Draft:
        """The draft of an entry; `before` is what its row showed, and it `expires` then unless it has a send time."""
        row, number, text, parts, sender, send_at, same, _, held = entry
        if number is None or parts is None or same is None:
            raise RuntimeError("a plan's entry with neither a problem nor a message")
        return Draft(
            number.e164,
            text,
            parts.alphabet,
            len(parts.parts),
            same,
            self.route(number.e164, sender, path),
            sender,
            row_id,
            row.sheet,
            before.message if before else None,
            _state(entry),
            held.code if held else None,
            held.facts if held else {},
            terms.priority,
            send_at,
            send_at + terms.validity if send_at else expires,
            None,
            self.unsaved,
        )


class _Lost:
    """The messages whose rows may show nothing of them; each is given to one row only."""

    def __init__(self, ask: AskEarlier, standing: Container[RowId]) -> None:
        self._ask = ask
        self._standing = standing
        self._found: dict[tuple[str, str], list[Earlier]] = {}
        self._taken: set[RowId] = set()

    def look_for(self, planned: Plan) -> None:
        """Ask for what the rows of a plan may have lost."""
        said = {entry.fingerprint for entry in planned.entries if entry.fingerprint and entry.problem is None}
        self._found = {}
        for each in self._ask(said) if said else ():
            if each.row_id not in self._standing and each.row_id not in self._taken:
                self._found.setdefault((each.sheet, each.fingerprint), []).append(each)

    def take(self, entry: PlanEntry, before: MessageId | None) -> Earlier | None:
        """What this row lost; a row that was marked again, after the message `before`, lost what followed on that."""
        if not self._found or entry.problem is not None or entry.fingerprint is None:
            return None
        there = self._found.get((entry.row.sheet, entry.fingerprint), [])
        for each in there:
            if (before is None or each.replaces == before) and (each.admitted or _as_ordered(each, entry)):
                there.remove(each)
                self._taken.add(each.row_id)
                return each
        return None


def _state(entry: PlanEntry) -> State:
    return State.HELD if entry.held else State.SCHEDULED if entry.send_at else State.QUEUED


def _as_ordered(it: Earlier, entry: PlanEntry) -> bool:
    """Whether a proposal is what its row orders now."""
    return it.state is _state(entry) and it.sender == entry.sender and entry.send_at in (None, it.due)


def _nothing(_: AbstractSet[str]) -> AbstractSet[str]:
    return frozenset()


class _Shown:
    """The cells of rows that are accepted at one time: but for their ids and parts most show the same."""

    def __init__(self, language: str, now: datetime) -> None:
        self._language, self._now = language, now
        self._usual: dict[State, Mapping[Role, CellValue]] = {}

    def of(self, draft: Draft) -> Mapping[Role, CellValue]:
        """The cells of one row."""
        cells = self._usual.get(draft.state)
        if cells is None:
            cells = self._usual[draft.state] = self._cells(draft.state, None)
        if draft.code:
            cells = self._cells(draft.state, detail(draft.code, self._language, draft.facts))
        return {**cells, Role.ID: draft.row_id, Role.PARTS: draft.parts}

    def _cells(self, state: State, why: str | None) -> Mapping[Role, CellValue]:
        return {
            Role.ID: None,
            Role.SEND: None,
            Role.STATUS: LABELS[self._language][state],
            Role.DETAIL: why,
            Role.STATUS_TIME: self._now,
            Role.REPLY: None,
            Role.REPLY_TIME: None,
            Role.PARTS: None,
        }


def held_cells(code: str, language: str, facts: Mapping[str, object] | None = None) -> dict[Role, CellValue]:
    """What a row shows that does not go."""
    return {Role.STATUS: LABELS[language][State.HELD], Role.DETAIL: detail(code, language, facts)}


def _as_it_stands(it: Earlier, language: str) -> Mapping[Role, CellValue]:
    """The cells of a row that has lost all that it showed."""
    return {
        Role.ID: it.row_id,
        Role.SEND: None,
        Role.STATUS: LABELS[language][it.state],
        Role.DETAIL: detail(it.code, language, it.facts) if it.code else None,
        Role.STATUS_TIME: it.state_at,
        Role.REPLY: it.reply,
        Role.REPLY_TIME: it.reply_at,
        Role.PARTS: it.parts,
    }


def _refuse(work: Work, code: str, row: Row) -> None:
    error = UserError(code, place=Place(sheet=row.sheet, row=row.number))
    work.problems.append(error)
    work.entries.append(PlanEntry(row=row, problem=error))
