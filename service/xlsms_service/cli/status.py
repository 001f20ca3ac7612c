"""`xlsms status`: what the ledger holds and how fast the links are, once or as it changes."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.live import Live as Screen
from rich.table import Table
from rich.text import Text

from xlsms.errors import UserError, XlsmsError
from xlsms.states import FINAL, State
from xlsms.wording import wording
from xlsms_service.app import Status
from xlsms_service.app import looking as looking_at
from xlsms_service.app.live import LinkLive
from xlsms_service.cli.connector import wrong_with
from xlsms_service.cli.figures import LINK_STYLES, STYLES, complaint, label, state_line
from xlsms_service.cli.session import Session, session_of
from xlsms_service.cli.words import language, shown, tr
from xlsms_service.ledger.link import LinkRow
from xlsms_service.ledger.view import BookCount

__all__ = ["commands", "picture"]

commands = typer.Typer()

_BAR = 10  # columns of the longest bar
_BLOCKS = " ▏▎▍▌▋▊▉█"
_AROUND = 16  # lines of a screen that are not workbooks


@commands.command(epilog="xlsms status --watch")
def status(
    context: typer.Context,
    *,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Only this workbook.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Show it as it changes, until Ctrl+C.")] = False,
    every: Annotated[float, typer.Option(min=0.2, max=3600, metavar="SECONDS", help="How often, with --watch.")] = 1.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print figures for programs; with --watch, a line each time.")
    ] = False,
) -> None:
    """What is under way and what became of it, as the ledger knows it, and how fast it goes."""
    session = session_of(context)
    wrong = [error for each in session.settings.connectors if file is None and (error := wrong_with(each))]
    with looking_at(session.settings) as look:
        if file is not None and not _of(look(), file):
            raise UserError("workbook-unknown", file=file)
        if watch:
            with suppress(KeyboardInterrupt):
                _watch(session, look, file, wrong, every=every, as_json=as_json)
            return
        known = look()
    books = _of(known, file)
    if as_json:
        session.json(_figures(known, books, wrong))
        return
    session.out.print(_summary(known, books) if file is None else _book_table(books))
    for error in wrong:
        session.complain(error)


def _of(known: Status, file: Path | None) -> list[BookCount]:
    return [book for book in known.books if file is None or Path(book.path) == file.absolute()]


def _watch(
    session: Session,
    look: Callable[[], Status],
    file: Path | None,
    wrong: Sequence[XlsmsError],
    *,
    every: float,
    as_json: bool,
) -> None:
    """Look and show, for ever."""
    if as_json or not session.out.is_terminal:
        while True:
            known = look()
            if as_json:
                session.json_line(_figures(known, _of(known, file), wrong))
            else:
                session.out.print(picture(known, _of(known, file)))
            time.sleep(every)
    with Screen(console=session.out, auto_refresh=False, screen=True) as screen:
        while True:
            known = look()
            most = max(3, session.out.height - _AROUND - len(known.links))
            screen.update(picture(known, _of(known, file), wrong, most=most), refresh=True)
            time.sleep(every)


# Once.


def _summary(known: Status, books: Sequence[BookCount]) -> RenderableType:
    line = state_line(known.tally.by_state)
    line.append(f"  {tr('Replies')} {known.tally.replies}", style="magenta")
    line.append(f"  {tr('SMS in all')} {known.tally.parts}", style="dim")
    return Group(*_head(known), _links(known), _book_table(books), line)


def _head(known: Status) -> list[Text]:
    if known.service is None:
        said = Text(tr("The service is not running."), style="dim")
    else:
        since = f"{known.service.since.astimezone():%Y-%m-%d %H:%M}"
        pid = known.service.pid or "–"
        said = Text(tr("The service is running since {time} (process {pid}).", time=since, pid=pid), style="green")
    if known.stopped is None:
        return [said]
    since = f"{known.stopped.astimezone():%Y-%m-%d %H:%M}"
    return [said, Text(tr("Nothing more goes out, since {time}.", time=since), style="red")]


def _links(known: Status) -> RenderableType:
    """Each connector in a row, and below what is to be said of one."""
    speeds = {each.connector: each for each in known.live.links} if known.live else {}
    table = Table(box=None, pad_edge=False, header_style="bold")
    titles = [tr("Connector"), tr("Link"), tr("Since")]
    figures = [tr("SMS/s"), tr("in 1 min"), tr("Window")] if speeds else []
    for title in titles:
        table.add_column(title, no_wrap=True)
    for title in figures:
        table.add_column(title, justify="right", no_wrap=True)
    remarks = Text()
    for link in known.links:
        cells: list[str | Text] = [shown(link.connector), _standing(link), _when(link.at, known.at)]
        if speeds:
            cells += _speed(speeds.get(link.connector))
        table.add_row(*cells)
        if said := _remarks(link, speeds.get(link.connector)):
            remarks.append(f"\n{shown(link.connector)}: " if remarks else f"{shown(link.connector)}: ", style="bold")
            remarks.append_text(said)
    return Group(table, remarks) if remarks else table


def _standing(link: LinkRow) -> Text:
    return Text(tr(link.state), style=LINK_STYLES.get(link.state, ""))


def _when(moment: datetime, now: datetime) -> str:
    """The time; with its day when that is not today."""
    local = moment.astimezone()
    return f"{local:%H:%M}" if local.date() == now.astimezone().date() else f"{local:%Y-%m-%d %H:%M}"


def _speed(speed: LinkLive | None) -> list[str | Text]:
    if speed is None:
        return ["–", "–", "–"]
    window = Text(f"{speed.used}/{speed.window} ")
    window.append_text(_bar(speed.used, speed.window, "blue", width=8))
    return [f"{speed.second:,.0f}", f"{speed.minute:,.0f}", window]


def _remarks(link: LinkRow, speed: LinkLive | None) -> Text:
    """Why a link is not up, or not as quick as it could be."""
    said: list[Text] = []
    if link.code:
        said.append(Text(shown(wording(link.code, language(), link.facts).message)))
    if link.breaker != "closed":
        said.append(Text(tr("left alone after failures"), style="yellow"))
    if speed is not None and speed.throttled:
        said.append(Text(tr("throttled {count} times in a minute", count=speed.throttled), style="yellow"))
    if speed is not None and speed.limit is not None:
        said.append(Text(tr("at most {rate}/s", rate=f"{speed.limit:,.0f}"), style="dim"))
    return Text(", ").join(said)


def _book_table(books: Sequence[BookCount]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in (tr("Workbook"), tr("States"), ""):
        table.add_column(title)
    for book in books:
        table.add_row(shown(Path(book.path).name), state_line(book.by_state), _trouble(book))
    return table


def _trouble(book: BookCount) -> Text:
    said = wording(book.problem, language(), book.facts).message if book.problem else ""
    return Text(shown(said), style="red")


# As it changes.


def picture(
    known: Status, books: Sequence[BookCount], wrong: Sequence[XlsmsError] = (), *, most: int = 50
) -> RenderableType:
    """One screen: service, speed, links, messages by state, workbooks with open rows."""
    head = _head(known)
    head[0].append(f"  {known.at.astimezone():%H:%M:%S}", style="dim")
    parts: list[RenderableType] = [*head, "", _links(known), "", _queue(known)]
    open_books = sorted((book for book in books if _open(book)), key=_open, reverse=True)
    if open_books:
        parts += ["", _progress(open_books[:most])]
        if len(open_books) > most:
            parts.append(Text(tr("and {count} more", count=len(open_books) - most), style="dim"))
    if known.tally.by_state.get(State.UNCERTAIN):
        parts += ["", Text(tr("What may have left is listed by: xlsms resolve"), style="yellow")]
    parts += [Text(shown(error.line(language())), style="red") for error in wrong]
    parts += ["", Text(tr("Ctrl+C ends this view; the service goes on."), style="dim")] if known.running else []
    return Group(*parts)


def _queue(known: Status) -> Table:
    """Each state with its count and a bar, the largest the longest."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    counts = known.tally.by_state
    largest = max(counts.values(), default=0)
    for state in State:
        if counts.get(state):
            bar = _bar(counts[state], largest, STYLES[state], width=3 * _BAR)
            table.add_row(Text(label(state), style=STYLES[state]), f"{counts[state]:,}", bar)
    if known.tally.replies:
        bar = _bar(known.tally.replies, largest, "magenta", width=3 * _BAR)
        table.add_row(Text(tr("Replies"), style="magenta"), f"{known.tally.replies:,}", bar)
    if known.tally.lacking:
        said = Text(tr("not in the sheet yet"), style="dim")
        table.add_row(said, f"{known.tally.lacking:,}", _bar(known.tally.lacking, largest, "dim", width=3 * _BAR))
    return table


def _open(book: BookCount) -> int:
    """Rows whose end is still to come, or whose sheet does not show it."""
    going = sum(count for state, count in book.by_state.items() if state not in FINAL)
    return going + book.tally.lacking


def _progress(books: Sequence[BookCount]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(tr("Workbook"), no_wrap=True, overflow="ellipsis", max_width=26)
    table.add_column(tr("settled"), justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column(tr("States"))
    for book in books:
        total = book.tally.total
        done = sum(count for state, count in book.by_state.items() if state in FINAL)
        said = _in_lines(book)
        share = f"{100 * done // total if total else 100} %"
        table.add_row(shown(Path(book.path).name), share, _bar(done, total, "green", width=_BAR), said)
    return table


def _in_lines(book: BookCount) -> Text:
    """What is still open, what has ended, what keeps the file from being read or written: a line each."""
    still = {state: count for state, count in book.by_state.items() if state not in FINAL}
    ended = {state: count for state, count in book.by_state.items() if state in FINAL}
    lines = [state_line(still), state_line(ended), _trouble(book)]
    return Text("\n").join(line for line in lines if line)


def _bar(count: float, of: float, style: str, *, width: int) -> Text:
    """A bar of eighths of a column; the least that is not nothing shows."""
    eighths = round(8 * width * min(count, of) / of) if of else 0
    eighths = max(eighths, int(count > 0))
    whole, rest = divmod(eighths, 8)
    drawn = "█" * whole + (_BLOCKS[rest] if rest else "")
    bar = Text(drawn, style=style)
    bar.append("·" * (width - len(drawn)), style="dim")
    return bar


# For programs.


def _figures(known: Status, books: Sequence[BookCount], wrong: Sequence[XlsmsError]) -> dict[str, object]:
    speeds = {each.connector: each for each in known.live.links} if known.live else {}
    return {
        "at": known.at.isoformat(),
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
                "lacking": book.tally.lacking,
                "problem": book.problem,
            }
            for book in books
        ],
        "links": [_link_figures(link, speeds.get(link.connector)) for link in known.links],
        "problems": [complaint(error) for error in wrong],
    }


def _link_figures(link: LinkRow, speed: LinkLive | None) -> dict[str, object]:
    figures: dict[str, object] = {
        "connector": link.connector,
        "link": link.state,
        "code": link.code,
        "at": link.at.isoformat(),
        "breaker": link.breaker,
        "live": None,
    }
    if speed is not None:
        figures["live"] = {
            "window": speed.window,
            "used": speed.used,
            "limit": speed.limit,
            "per_second": speed.second,
            "per_second_over_a_minute": speed.minute,
            "throttled_in_a_minute": speed.throttled,
        }
    return figures
