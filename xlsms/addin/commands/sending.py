"""Preview, send the marked rows, send the selected rows: read once, plan, ask, write ids, confirm."""

from collections.abc import Iterator
from dataclasses import replace

from xlsms.addin.commands.box import SMALL, Way, box
from xlsms.addin.commands.desk import Desk, desk
from xlsms.addin.commands.selection import selected
from xlsms.addin.commands.voice import complaint
from xlsms.addin.commands.word import word
from xlsms.addin.invocation import Invocation
from xlsms.client import Plan, Written
from xlsms.errors import UserError
from xlsms.workbook.base import RowEdit, Snapshot

__all__ = ["deliver", "preview", "send", "send_selected", "summary"]


def preview(request: Invocation) -> None:
    """Show what the marked rows would send, to be approved there: few in a dialog, many in a page of the service."""
    with desk(request) as at:
        plan = _planned(at, at.workbook.read())
        if not plan.totals.rows:
            at.voice.say(word("nothing-marked", at.language))
            return
        small = plan.totals.rows <= SMALL
        choice = at.voice.look(box(plan, at.language, facts(plan, at), _barred(at), at.book.zone)) if small else None
        if choice is None or choice.way is Way.PAGE:
            at.voice.show(at.client.preview_page(plan))
        elif choice.way is Way.SEND:
            at.voice.say("\n".join(_outcome(at, deliver(at, plan))))
        elif choice.line is not None:
            at.workbook.go_to(choice.line.sheet, choice.line.row, choice.line.column or "A")


def send(request: Invocation) -> None:
    """Send the marked rows, after a yes."""
    with desk(request) as at:
        _send(at, at.workbook.read(), "nothing-marked")


def send_selected(request: Invocation) -> None:
    """Send the selected rows, marked or not, after a yes; other marks stay."""
    with desk(request) as at:
        snapshot = at.workbook.read()
        chosen = {(row.sheet, row.number) for row in selected(request, snapshot, at.workbook)}
        rows = tuple(row._replace(marked=(row.sheet, row.number) in chosen) for row in snapshot.rows)
        bare = frozenset(chosen - {(row.sheet, row.number) for row in snapshot.rows if row.marked})
        _send(at, replace(snapshot, rows=rows), "nothing-selected", unmarked=bare)


def _barred(at: Desk) -> str | None:
    """Why nothing could be written into the workbook now, and so nothing can go."""
    try:
        at.workbook.check_ready()
    except UserError as error:
        return complaint(error, at.language)
    return None


def _planned(at: Desk, snapshot: Snapshot) -> Plan:
    at.voice.status(word("planning", at.language))
    try:
        return at.client.plan(at.book, snapshot)
    finally:
        at.voice.status(None)


def _send(at: Desk, snapshot: Snapshot, nothing: str, *, unmarked: frozenset[tuple[str, int]] = frozenset()) -> None:
    plan = _planned(at, snapshot)
    totals = plan.totals
    if not totals.rows:
        at.voice.say(word(nothing, at.language))
        return
    at.workbook.check_ready()  # before anybody says yes to what could not be
    if not totals.go:
        deliver(at, plan, unmarked=unmarked)  # the rows are told why; those that are held wait for a decision
        at.voice.warn("\n".join(summary(plan, at)))
    elif at.voice.ask("\n".join([word("ask-send", at.language, go=totals.go, parts=totals.parts), *summary(plan, at)])):
        at.voice.say("\n".join(_outcome(at, deliver(at, plan, unmarked=unmarked))))


def facts(plan: Plan, at: Desk) -> list[str]:
    """The figures of a plan besides how many go and how many cannot."""
    totals = plan.totals
    lines = []
    if totals.cost is not None:
        lines.append(word("cost", at.language, cost=totals.cost))
    counted = {
        "again": totals.again,
        "scheduled": totals.scheduled,
        "held": totals.held,
        "hidden": totals.hidden,
        "earlier": totals.earlier,
    }
    lines += [word(name, at.language, count=count) for name, count in counted.items() if count]
    return lines


def summary(plan: Plan, at: Desk) -> list[str]:
    """All figures of a plan besides how many go, with the first row that cannot."""
    totals, lines = plan.totals, facts(plan, at)
    if totals.problems:
        first = next((row.problem.line for row in plan.rows if row.problem), "")
        lines.append(word("problems", at.language, count=totals.problems, first=first))
    return lines


def deliver(
    at: Desk, plan: Plan | str, approved: str | None = None, *, unmarked: frozenset[tuple[str, int]] = frozenset()
) -> Written:
    """Approve a plan, put its ids and states into the rows, and let those go whose id stands there.

    `approved` is the hash that somebody approved in a page; a plan by its id needs one. `unmarked` are the rows that
    are sent because they were selected: no mark stands in them.

    Raises:
        UserError: `sheet-locked`, `workbook-read-only`, and nothing was approved; as `Client.send`.
    """
    at.workbook.check_ready()
    at.voice.status(word("sending", at.language))
    try:
        campaign = at.client.send(plan, approved)
        applied = at.workbook.apply([_as_it_stands(edit, unmarked) for edit in campaign.edits])
        return at.client.written(campaign, applied)
    finally:
        at.voice.status(None)


def _as_it_stands(edit: RowEdit, unmarked: frozenset[tuple[str, int]]) -> RowEdit:
    place = edit.placed
    if place is None or (place.sheet, place.number) not in unmarked:
        return edit
    return edit._replace(placed=place._replace(marked=False))


def _outcome(at: Desk, written: Written) -> Iterator[str]:
    stopped = at.client.health().stopped is not None
    yield word("taken" if stopped else "sent", at.language, accepted=written.accepted)
    if stopped:
        yield word("is-stopped", at.language)
    if written.held:
        yield word("held", at.language, count=written.held)
    if written.withdrawn:
        yield word("withdrawn", at.language, count=written.withdrawn)
