"""`xlsms send` and `text`: what goes out, and what became of it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from xlsms.errors import TransientError, XlsmsError
from xlsms.states import FINAL, State
from xlsms.workbook.base import Sheet
from xlsms.workbook.opening import FileWorkbook
from xlsms_service.app import HELD_OPEN, App, Event, Patience, Progress, Report
from xlsms_service.cli.figures import STYLES, complaint, label, state_line
from xlsms_service.cli.notice import nothing_marked
from xlsms_service.cli.ordering import hand_over
from xlsms_service.cli.password import password_of, passwords
from xlsms_service.cli.session import Ending, Session, session_of
from xlsms_service.cli.words import tr
from xlsms_service.config import Settings

__all__ = ["commands", "conclude", "follow", "report_figures", "show_report"]

commands = typer.Typer()

#: After all is settled, for replies that are still on their way.
_LINGER = timedelta(seconds=5)
_REACHED = frozenset({State.DELIVERED, State.SENT, State.SENDING, State.QUEUED, State.SCHEDULED})


@commands.command(epilog="xlsms send list.xlsx --wait")
def send(
    context: typer.Context,
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", readable=False, help="The workbook.")],
    wait: Annotated[bool, typer.Option("--wait", help="Stay until every row is settled, replies included.")] = False,
    timeout: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="With --wait: leave after this long.")
    ] = None,
    every_row: Annotated[bool, typer.Option("--all", help="Send every row, marked or not.")] = False,
    password_env: Annotated[
        str | None, typer.Option(metavar="NAME", help="Environment variable with the workbook's password.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures for programs.")] = False,
) -> None:
    """Send the marked rows of one workbook; states and replies are written back into it."""
    session = session_of(context)
    password = password_of(session.settings, file, password_env)
    longest = None if timeout is None else timedelta(seconds=timeout)
    patience = Patience(wait=wait, timeout=longest, linger=_LINGER)

    def happened(event: Event) -> None:
        if event.kind == "problem" and event.error is not None:
            session.complain(event.error)

    async def work(tell: Callable[[Progress], None]) -> Report:
        async with App(session.settings, on_event=happened, password=password, coming=file) as service:
            return await service.send(
                file,
                mark="all" if every_row else "marked",
                patience=patience,
                on_progress=tell,
            )

    try:
        report = follow(session, work, quiet=as_json)
    except TransientError as error:
        if error.code in HELD_OPEN and not wait and not as_json:
            session.say(tr("Nothing was sent: close the workbook and send again, or let it be waited for with --wait."))
        raise
    left = _left(session.settings, file, every_row=every_row)
    hidden = left.hidden if left else 0
    if as_json:
        session.json({**report_figures(report), "hidden": hidden})
    else:
        show_report(session, report, left.sheets if left else ())
        if hidden:
            session.say(tr("Marked but hidden, so they stay: {count}", count=hidden), "yellow")
    session.end(_ending_of(report))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Left:
    """What stands in a workbook after a send."""

    sheets: tuple[Sheet, ...]
    hidden: int  #: rows that were to go, but nobody sees them


def _left(settings: Settings, file: Path, *, every_row: bool) -> _Left | None:
    """None when somebody has taken the file away meanwhile."""
    zone = settings.service.zone
    try:
        known = FileWorkbook(
            file, zone=ZoneInfo(zone) if zone else None, passwords=lambda: passwords(settings, file, None)
        )
        snapshot = known.read(marked_only=not every_row)
    except XlsmsError:
        return None
    asked = (row for row in snapshot.rows if row.marked or (every_row and row.id is None))
    return _Left(sheets=snapshot.sheets, hidden=sum(row.hidden for row in asked))


@commands.command(epilog='xlsms text +34600000001 "Your table is ready"')
def text(
    context: typer.Context,
    *,
    number: Annotated[
        str, typer.Argument(metavar="NUMBER", help="As you would write it; + and country may be left out.")
    ],
    words: Annotated[str, typer.Argument(metavar="TEXT", help="The text, in quotes.")],
    wait: Annotated[bool, typer.Option("--wait", help="Stay until the phone has it.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures for programs.")] = False,
) -> None:
    """Send one text; the running service does, or this command where none runs."""
    session = session_of(context)
    if not wait and hand_over(session, number, words, as_json=as_json, while_stopped=False):
        return

    async def work(tell: Callable[[Progress], None]) -> Report:
        async with App(session.settings) as service:
            return await service.text(number, words, patience=Patience(wait=wait), on_progress=tell)

    conclude(session, follow(session, work, quiet=as_json), as_json=as_json)


def conclude(session: Session, report: Report, *, as_json: bool) -> None:
    """Tell what became of a send, and leave."""
    if as_json:
        session.json(report_figures(report))
    else:
        show_report(session, report)
    session.end(_ending_of(report))


def follow(
    session: Session,
    work: Callable[[Callable[[Progress], None]], Awaitable[Report]],
    *,
    quiet: bool,
    kept: bool = True,
) -> Report:
    """Run `work` on an event loop with a progress bar on the screen.

    Who interrupts it is told what becomes of the rest, if it is `kept` in a ledger that outlives the command.
    """

    async def whole(tell: Callable[[Progress], None]) -> Report:
        return await work(tell)

    try:
        if quiet or not session.out.is_terminal:
            return asyncio.run(whole(lambda _: None))
        with _bar(session) as tell:
            return asyncio.run(whole(tell))
    except KeyboardInterrupt:
        if kept and not quiet:
            line = tr("Stopped. Nothing is lost: what was accepted goes on with xlsms run or the next xlsms send.")
            session.say(line, "yellow")
        raise


@contextmanager
def _bar(session: Session) -> Iterator[Callable[[Progress], None]]:
    """A bar of the messages that are settled, and the states beside it."""
    columns = (BarColumn(bar_width=30), MofNCompleteColumn(), TextColumn("{task.fields[states]}"), TimeElapsedColumn())
    bar = Bar(*columns, console=session.out, transient=True)
    task = bar.add_task("", total=None, states="")

    def tell(progress: Progress) -> None:
        bar.start()  # not before there is something to tell: it has a thread of its own
        settled = sum(count for state, count in progress.by_state.items() if state in FINAL)
        line = state_line(progress.by_state)
        if progress.replies:
            line.append(f"  {tr('Replies')} {progress.replies}", style="magenta")
        bar.update(task, total=progress.total or None, completed=settled, states=line.markup)

    try:
        yield tell
    finally:
        bar.stop()


def show_report(session: Session, report: Report, sheets: Sequence[Sheet] = ()) -> None:
    """What became of a send."""
    for error in (*report.problems, *(entry.held for entry in report.held)):
        if error:
            session.complain(error)
    if not report.total and not report.problems and not report.held:
        session.say(nothing_marked(sheets) if sheets else tr("No row is marked: nothing was sent."), "yellow")
        return
    if not report.new and report.total:
        session.say(tr("Nothing new was sent. What became of earlier rows:"), "yellow")
    session.out.print(_state_table(report))
    if report.handed_over:
        session.say(tr("The service that is running delivers them."), "dim")
    waiting = report.by_state.get(State.SCHEDULED, 0)
    if waiting and report.handed_over:
        session.say(tr("Rows that wait for their time: {count}", count=waiting), "cyan")
    elif waiting:
        line = tr(
            "Rows that wait for their time: {count}. They go only while xlsms run or a later xlsms send is running.",
            count=waiting,
        )
        session.say(line, "cyan")
    if not report.finished:
        session.say(tr("Not all is settled yet; what is still to come is written when xlsms runs again."), "yellow")


def _state_table(report: Report) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    for state in State:
        if report.by_state.get(state):
            table.add_row(Text(label(state), style=STYLES[state]), str(report.by_state[state]))
    if report.replies:
        table.add_row(Text(tr("Replies"), style="magenta"), str(report.replies))
    table.add_row(tr("SMS in all"), str(report.parts), style="dim")
    return table


def report_figures(report: Report) -> dict[str, object]:
    """A report as figures."""
    return {
        "file": str(report.path) if report.path else None,
        "states": {str(state): count for state, count in report.by_state.items()},
        "parts": report.parts,
        "replies": report.replies,
        "seconds": round(report.duration.total_seconds(), 3),
        "finished": report.finished,
        "handed_over": report.handed_over,
        "held": [complaint(entry.held) for entry in report.held if entry.held],
        "problems": [complaint(error) for error in report.problems],
    }


def _ending_of(report: Report) -> Ending:
    """Whether every row went, as far as one can know now."""
    went = all(state in _REACHED for state, count in report.by_state.items() if count)
    return Ending.DONE if went and not report.problems and not report.held else Ending.SOME_NOT
