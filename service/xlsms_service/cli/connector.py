"""`xlsms connector list` and `test`: the ways out."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import SystemRandom
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from xlsms.errors import TransientError, UserError, XlsmsError
from xlsms.model import Outcome
from xlsms_service.cli.figures import LINK_STYLES, complaint
from xlsms_service.cli.session import Ending, ending_of, session_of
from xlsms_service.cli.words import shown, tr
from xlsms_service.config import ConnectorSettings
from xlsms_service.connectors.base import Acknowledgeable, Connector, Link, LinkStatus
from xlsms_service.connectors.registry import build
from xlsms_service.simulators.rehearsal import rehearsal

__all__ = ["commands", "reach", "wrong_with"]

commands = typer.Typer(no_args_is_help=True, help="The connectors of the settings: the ways out and in.")

#: How long a network may take to let us in.
PATIENCE = timedelta(seconds=10)


@commands.command("list", epilog="xlsms connector list")
def list_(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures for programs.")] = False,
) -> None:
    """The connectors of the settings, without their secrets."""
    session = session_of(context)
    connectors = session.settings.connectors
    if as_json:
        session.json({"connectors": [_figures(each) for each in connectors]})
        return
    if not connectors:
        raise UserError("no-connector")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in (tr("Connector"), tr("Type"), tr("To")):
        table.add_column(title)
    for each in connectors:
        table.add_row(Text(shown(each.name), style="bold"), each.type, Text(shown(_to(each))))
    session.out.print(table)
    for error in filter(None, map(wrong_with, connectors)):
        session.complain(error)


def _figures(connector: ConnectorSettings) -> dict[str, object]:
    error = wrong_with(connector)
    return {
        "name": connector.name,
        "type": connector.type,
        "to": _to(connector),
        "error": complaint(error) if error else None,
    }


def wrong_with(connector: ConnectorSettings) -> XlsmsError | None:
    """What keeps a connector from being used at all: its type, or a key of its settings. Nothing is connected."""
    try:
        _build(connector)
    except XlsmsError as error:
        return error
    return None


def _build(connector: ConnectorSettings) -> Connector:
    return build(connector, now=lambda: datetime.now(UTC), rng=SystemRandom(), rehearsal=rehearsal)[0]


def _to(connector: ConnectorSettings) -> str:
    """Where it goes: host and port, or the serial port."""
    return ":".join(str(connector.options[key]) for key in ("host", "port") if key in connector.options)


@commands.command("test", epilog="xlsms connector test operator")
def try_link(
    context: typer.Context,
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name in the settings.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print figures for programs.")] = False,
) -> None:
    """Log in to a network and leave again; nothing is sent."""
    session = session_of(context)
    chosen = next((each for each in session.settings.connectors if each.name == name), None)
    if chosen is None:
        known = ", ".join(each.name for each in session.settings.connectors) or "–"
        raise UserError("connector-unknown", name=name, known=known)
    error = asyncio.run(reach(chosen))
    if as_json:
        session.json({"connector": name, "reached": error is None, "error": complaint(error) if error else None})
    elif error is None:
        session.say(tr("{name}: the network is there and lets us in.", name=name), LINK_STYLES["up"])
    else:
        session.complain(error)
    if error is not None:
        session.end(Ending.WRONG_USE if ending_of(error) is Ending.WRONG_USE else Ending.NOT_REACHED)


class _Ear:
    """Hears only of the link."""

    def __init__(self) -> None:
        self.told: asyncio.Future[XlsmsError | None] = asyncio.get_running_loop().create_future()
        self.last: XlsmsError | None = None

    def link_changed(self, status: LinkStatus) -> None:
        """Settle when the link is up, or when the network will not have us."""
        self.last = status.error or self.last
        if self.told.done():
            return
        if status.link is Link.UP:
            self.told.set_result(None)
        elif status.link is Link.REFUSED:
            self.told.set_result(status.error or TransientError("no-link"))

    def room_changed(self, connector: str) -> None:
        """Nothing is sent."""

    def outcomes(self, connector: str, outcomes: Sequence[Outcome]) -> None:
        """Nothing is sent."""

    def received(self, connector: str, items: Sequence[Acknowledgeable]) -> None:
        """Not acknowledged: the network brings it again when the service asks."""


async def reach(settings: ConnectorSettings, patience: timedelta = PATIENCE) -> XlsmsError | None:
    """Log in and leave; what keeps us out, if anything."""
    try:
        connector = _build(settings)
        ear = _Ear()
        await connector.open(ear)
    except XlsmsError as error:
        return error
    try:
        async with asyncio.timeout(patience.total_seconds()):
            return await ear.told
    except TimeoutError:
        return ear.last or TransientError("no-link")
    finally:
        await connector.close()
