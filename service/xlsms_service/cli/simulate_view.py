"""What `xlsms simulate` shows: the settings to paste, the last messages and the figures."""

import json
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from xlsms_service.cli.words import shown, tr
from xlsms_service.simulators.exchange import Event
from xlsms_service.simulators.record import Counters

__all__ = ["LiveView", "print_connector", "print_summary"]

_LINES = 14
_COLOURS = {"DELIVRD": "green", "UNDELIV": "red", "EXPIRED": "yellow", "refused": "red", "throttled": "yellow"}
_FIGURES = {
    "links": "links",
    "messages": "messages",
    "parts": "parts",
    "receipts": "receipts",
    "replies": "reply parts",
    "delivered": "acknowledged",
    "throttled": "throttled",
    "refused": "refused",
    "lost_answers": "answers lost",
    "drops": "links cut",
    "malformed": "malformed",
}


def print_connector(
    console: Console, host: str, port: int, system_id: str, password: str, certificate: Path | None
) -> None:
    """The block that makes xlsms use this network."""
    reachable = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 only compared
    lines = [
        "[[connector]]",
        'name = "rehearsal"',
        'type = "smpp"',
        f"host = {_quoted(reachable)}",
        f"port = {port}",
        f"system_id = {_quoted(system_id)}",
        f"password = {_quoted(password)}",
    ]
    if certificate is not None:
        lines += ["tls = true", f"ca = {_quoted(str(certificate.absolute()))}"]
    console.print(tr("The network is up. To use it, put these lines into xlsms.toml:"), markup=False, highlight=False)
    if console.is_terminal:
        console.print(Panel(Syntax("\n".join(lines), "toml", background_color="default"), expand=False))
    else:
        console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a TOML string, too


def print_summary(console: Console, counters: Counters) -> None:
    """All figures that are not zero, at the end."""
    console.print(tr("What this network has seen"), markup=False, highlight=False)
    table = Table(show_header=False)
    for name, title in _FIGURES.items():
        value = getattr(counters, name)
        if name != "links" and (value or name in ("messages", "parts")):
            table.add_row(tr(title), f"{value:,}")
    console.print(table)


@dataclass(frozen=True, slots=True)
class _Line:
    arrow: str
    phone: str
    text: str
    state: str
    time: str


class LiveView:
    """The last messages, newest below, and the figures above them."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lines: OrderedDict[str, _Line] = OrderedDict()
        self._nameless = 0

    def show(self, event: Event) -> None:
        """Something happened; it is drawn with the next refresh."""
        time = event.at.astimezone().strftime("%H:%M:%S")
        known = self._lines.get(event.network_id) if event.network_id else None
        if event.kind == "receipt" and known is not None:
            self._lines[event.network_id] = replace(known, state=event.state)
        elif event.kind == "lost-answer" and known is not None:
            self._lines[event.network_id] = replace(known, state=tr("not answered"))
        elif event.kind == "taken":
            self._add(event.network_id, _Line("→", event.phone, event.text, tr("taken"), time))
        elif event.kind == "reply":
            self._add("", _Line("←", event.phone, event.text, tr("reply"), time))
        elif event.kind in ("throttled", "refused"):
            self._add("", _Line("→", event.phone, "", event.kind, time))
        elif event.kind in ("bind", "leave", "drop", "refused-bind"):
            self._add("", _Line("•", event.system_id, "", f"{event.kind} {event.state}", time))

    def _add(self, name: str, line: _Line) -> None:
        self._nameless += 1
        self._lines[name or f" {self._nameless}"] = line
        if len(self._lines) > _LINES:
            self._lines.popitem(last=False)

    @contextmanager
    def live(self, counters: Counters) -> Iterator[Callable[[], None]]:
        """A place on the screen until the block ends; call what it gives to draw the present state there."""
        with Live(self.render(counters), console=self._console, auto_refresh=False, transient=True) as live:
            yield lambda: live.update(self.render(counters), refresh=True)

    def render(self, counters: Counters) -> RenderableType:
        """The view as it stands."""
        figures = "   ".join(f"{tr(title)} {getattr(counters, name):,}" for name, title in _FIGURES.items())
        table = Table(expand=True, box=None, pad_edge=False)
        table.add_column(tr("time"), style="dim", no_wrap=True)
        table.add_column("")
        table.add_column(tr("phone"), no_wrap=True)
        table.add_column(tr("text"), ratio=1, no_wrap=True, overflow="ellipsis")
        table.add_column(tr("state"), no_wrap=True)
        for line in self._lines.values():
            state = Text(shown(line.state), style=_COLOURS.get(line.state, ""))
            table.add_row(line.time, line.arrow, Text(shown(line.phone)), Text(shown(line.text)), state)
        return Group(Text(figures, style="bold"), table, Text(tr("Ctrl+C ends it"), style="dim"))
