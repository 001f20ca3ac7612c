"""`xlsms run`: the service in the foreground."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from types import FrameType
from typing import Annotated

import typer
from rich.text import Text

from xlsms_service.app import App, Event
from xlsms_service.app.logbook import logbook
from xlsms_service.cli.figures import LINK_STYLES, complaint
from xlsms_service.cli.session import Session, session_of
from xlsms_service.cli.words import language, shown, tr
from xlsms_service.config import Settings

__all__ = ["Screen", "commands", "event_line"]

commands = typer.Typer()

_BY_THE_DOZEN = ("reply", "stranger")
_GATHER = 1.0  # seconds


@commands.command(epilog="xlsms run")
def run(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line for each thing that happens.")] = False,
) -> None:
    """Watch the folders of the settings, send what is marked and write back, until Ctrl+C."""
    session = session_of(context)
    settings = session.settings

    screen = Screen(lambda event: session.out.print(event_line(event), soft_wrap=True))

    def tell(event: Event) -> None:
        if as_json:
            session.json_line(_event_figures(event))
        else:
            screen.tell(event, lambda flush: asyncio.get_running_loop().call_later(_GATHER, flush))

    if settings.watches and not as_json:
        _announce(session, settings)
    with logbook(settings.service, language()), suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(_serve(settings, tell))
    screen.flush()
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


class Screen:
    """Shows what happens; what comes by the dozen, such as replies, is one line a second with their number."""

    def __init__(self, show: Callable[[Event], None]) -> None:
        self._show = show
        self._gathered: dict[str, Event] = {}

    def tell(self, event: Event, later: Callable[[Callable[[], None]], object]) -> None:
        """Show it, or keep it until `later` calls back."""
        if event.kind not in _BY_THE_DOZEN:
            self.flush()
            self._show(event)
            return
        if not self._gathered:
            later(self.flush)
        before = self._gathered.get(event.kind)
        self._gathered[event.kind] = replace(event, count=event.count + (before.count if before else 0))

    def flush(self) -> None:
        """Show what was kept."""
        gathered, self._gathered = self._gathered, {}
        for event in gathered.values():
            self._show(event)


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
