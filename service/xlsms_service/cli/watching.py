"""`xlsms run` and `status`: the service in the foreground, and what its ledger holds."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from xlsms.errors import UserError
from xlsms.wording import wording
from xlsms_service.app import App, Event, Status
from xlsms_service.app import status as look
from xlsms_service.cli.connector import wrong_with
from xlsms_service.cli.figures import LINK_STYLES, complaint, state_line
from xlsms_service.cli.session import Session, session_of
from xlsms_service.cli.words import language, shown, tr
from xlsms_service.config import Settings
from xlsms_service.ledger.link import LinkRow
from xlsms_service.ledger.view import BookCount

__all__ = ["commands", "event_line"]

commands = typer.Typer()


@commands.command(epilog="xlsms run")
def run(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line for each thing that happens.")] = False,
) -> None:
    """Watch the folders of the settings, send what is marked and write back, until Ctrl+C."""
    session = session_of(context)
    settings = session.settings

    def tell(event: Event) -> None:
        if as_json:
            session.json_line(_event_figures(event))
        else:
            session.out.print(event_line(event), soft_wrap=True)

    if settings.watches and not as_json:
        _announce(session, settings)
    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(_serve(settings, tell))
    if not as_json:
        session.say(tr("Stopped. Nothing is lost: what is under way goes on with the next start."), "dim")


async def _serve(settings: Settings, tell: Callable[[Event], None]) -> None:
    """Run until SIGINT or SIGTERM."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is None:
        raise RuntimeError("a coroutine outside a task")

    def stop_soon(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(task.cancel)

    # Not loop.add_signal_handler: Windows has none. SIGINT too: a script's background jobs are started deaf to it.
    before = {number: signal.signal(number, stop_soon) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        async with App(settings, on_event=tell) as service:
            await service.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _announce(session: Session, settings: Settings) -> None:
    for watch in settings.watches:
        session.say(tr("Watching {place}", place=watch.folder or watch.file))
    session.say(tr("Ctrl+C stops it."), "dim")


def event_line(event: Event) -> Text:
    """What happened, in one line for people."""
    line = Text(f"{event.at.astimezone():%H:%M:%S} ", style="dim")
    name = event.path.name if event.path else ""
    if event.link is not None:
        state = str(event.link.link)
        line.append(shown(f"{event.link.connector} "), style="bold")
        line.append(tr(state), style=LINK_STYLES.get(state, ""))
        if event.link.error:
            line.append(f" {shown(event.link.error.line(language()))}", style="")
    elif event.error is not None:
        named = not name or (event.error.place is not None and event.error.place.file is not None)
        line.append(shown(event.error.line(language()) if named else f"{name}: {event.error.line(language())}"), "red")
    elif event.taken is not None:
        line.append(shown(name), style="bold")
        line.append(" " + tr("accepted: {count}", count=event.taken.accepted), style="green")
        if event.taken.held:
            line.append(" " + tr("held: {count}", count=len(event.taken.held)), style="yellow")
        for error in event.taken.problems:
            line.append(f"\n         {shown(error.line(language()))}", style="red")
    elif event.kind == "reply":
        line.append(tr("replies: {count}", count=event.count), style="magenta")
    else:
        line.append(tr("texts from numbers that nothing was sent to: {count}", count=event.count), style="magenta")
    return line


def _event_figures(event: Event) -> dict[str, object]:
    figures: dict[str, object] = {"event": event.kind, "at": event.at.isoformat()}
    if event.path:
        figures["file"] = str(event.path)
    if event.count:
        figures["count"] = event.count
    if event.link:
        figures |= {"connector": event.link.connector, "link": str(event.link.link)}
        if event.link.error:
            figures["error"] = complaint(event.link.error)
    if event.error:
        figures["error"] = complaint(event.error)
    if event.taken:
        figures["accepted"] = event.taken.accepted
        figures["held"] = [complaint(entry.held) for entry in event.taken.held if entry.held]
        figures["problems"] = [complaint(error) for error in event.taken.problems]
    return figures


@commands.command(epilog="xlsms status list.xlsx")
def status(
    context: typer.Context,
    *,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Only this workbook.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures for programs.")] = False,
) -> None:
    """What is under way and what became of it, as the ledger knows it."""
    session = session_of(context)
    known = look(session.settings)
    books = [book for book in known.books if file is None or Path(book.path) == file.absolute()]
    if file is not None and not books:
        raise UserError("workbook-unknown", file=file)
    wrong = [error for each in session.settings.connectors if file is None and (error := wrong_with(each))]
    if as_json:
        session.json({**_status_figures(known, books), "problems": [complaint(error) for error in wrong]})
        return
    if file is None:
        session.say(_service_line(known), "green" if known.running else "dim")
        if known.stopped:
            since = f"{known.stopped.astimezone():%Y-%m-%d %H:%M}"
            session.say(tr("Nothing more goes out, since {time}.", time=since), "red")
        session.out.print(_link_table(known.links))
    session.out.print(_book_table(books))
    if file is None:
        line = state_line(known.tally.by_state)
        line.append(f"  {tr('Replies')} {known.tally.replies}", style="magenta")
        line.append(f"  {tr('SMS in all')} {known.tally.parts}", style="dim")
        session.out.print(line)
    for error in wrong:
        session.complain(error)


def _service_line(known: Status) -> str:
    if known.service is None:
        return tr("The service is not running.")
    since = f"{known.service.since.astimezone():%Y-%m-%d %H:%M}"
    return tr("The service is running since {time} (process {pid}).", time=since, pid=known.service.pid or "–")


def _link_table(links: Sequence[LinkRow]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in (tr("Connector"), tr("Link"), tr("Since"), ""):
        table.add_column(title)
    for link in links:
        said = wording(link.code, language(), link.facts).message if link.code else ""
        state = Text(tr(link.state), style=LINK_STYLES.get(link.state, ""))
        if link.breaker != "closed":
            state.append(" " + tr("(left alone after failures)"), style="yellow")
        table.add_row(shown(link.connector), state, f"{link.at.astimezone():%Y-%m-%d %H:%M}", shown(said))
    return table


def _book_table(books: Sequence[BookCount]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in (tr("Workbook"), tr("States"), ""):
        table.add_column(title)
    for book in books:
        said = wording(book.problem, language(), book.facts).message if book.problem else ""
        table.add_row(shown(Path(book.path).name), state_line(book.by_state), Text(shown(said), style="red"))
    return table


def _status_figures(known: Status, books: Sequence[BookCount]) -> dict[str, object]:
    return {
        "running": known.running,
        "service": {"pid": known.service.pid, "since": known.service.since.isoformat()} if known.service else None,
        "stopped": known.stopped.isoformat() if known.stopped else None,
        "states": {str(state): count for state, count in known.tally.by_state.items()},
        "parts": known.tally.parts,
        "replies": known.tally.replies,
        "lacking": known.tally.lacking,
        "workbooks": [
            {
                "file": book.path,
                "states": {str(state): count for state, count in book.by_state.items()},
                "problem": book.problem,
            }
            for book in books
        ],
        "links": [
            {
                "connector": link.connector,
                "link": link.state,
                "code": link.code,
                "at": link.at.isoformat(),
                "breaker": link.breaker,
            }
            for link in known.links
        ],
    }
