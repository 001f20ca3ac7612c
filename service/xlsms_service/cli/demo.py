"""`xlsms demo`: a sample workbook goes out to a simulated network and comes back, all on this computer."""

import errno
import os
import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import openpyxl
import typer
from rich.table import Table
from rich.text import Text

from xlsms import templates
from xlsms.errors import Place, UserError
from xlsms.states import read_label
from xlsms_service.app import App, Patience, Progress, Report
from xlsms_service.cli.figures import STYLES
from xlsms_service.cli.people import numbers, people
from xlsms_service.cli.sending import follow, report_figures, show_report
from xlsms_service.cli.session import Ending, session_of
from xlsms_service.cli.words import language, shown, tr
from xlsms_service.cli.workbook import write_new
from xlsms_service.config import ConnectorSettings, ServiceSettings, Settings
from xlsms_service.simulators.exchange import Settings as Exchange
from xlsms_service.simulators.phones import BEHAVIOURS, Pace, Population
from xlsms_service.simulators.smsc import Smsc

__all__ = ["commands"]

commands = typer.Typer()

#: Quick enough to watch: every phone has its say within seconds.
_PACE = Pace(receipt=0.6, slow=3.0, expiry=4.0, reply=1.2, jitter=0.5)
#: So that even a short list shows what can happen: these rows' phones are not like the others.
_SPECIAL = {3: "answers", 5: "fails", 8: "off", 10: "slow"}
#: Lingers for longer than any phone thinks about its answer.
_PATIENCE = Patience(timeout=timedelta(minutes=5), linger=timedelta(seconds=2.5))
_SAMPLE = 12


@commands.command(epilog="xlsms demo --rows 200 --folder demo")
def demo(
    context: typer.Context,
    *,
    rows: Annotated[int, typer.Option(min=1, max=100_000, help="How many people the list has.")] = 40,
    folder: Annotated[Path, typer.Option(metavar="DIR", help="Where the workbook goes.")] = Path("xlsms-demo"),
    as_json: Annotated[bool, typer.Option("--json", help="Print figures for programs.")] = False,
) -> None:
    """The whole thing on this computer: a sample workbook, a simulated network with phones that answer, the result.

    Nothing leaves this computer and nothing is charged.
    """
    session = session_of(context)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = os.strerror(errno.ENOTDIR) if isinstance(error, FileExistsError) else error.strerror or ""
        raise UserError("new-not-written", place=Place(file=str(folder)), reason=reason) from error
    file = _free_name(folder, "recordatorios" if language() == "es" else "reminders")
    write_new(file, templates.new("reminders", language(), people(rows, language(), date.today())))  # noqa: DTZ011 (as on the wall)
    if not as_json:
        session.say(tr("A list for {count}: {file}", count=rows, file=file))
        session.say(tr("Sending over SMPP to a network that is simulated here …"), "dim")
    report = follow(session, lambda tell: _whole(file, tell), quiet=as_json, kept=False)
    if as_json:
        session.json({"rows": rows, **report_figures(report)})
    else:
        session.out.print(_sample(file))
        session.out.print()
        show_report(session, report)
        seconds = f"{report.duration.total_seconds():.1f}"
        session.say(
            tr("Done in {seconds} s. Open {file} and look beside each name.", seconds=seconds, file=file), "green"
        )
    session.end(Ending.DONE if report.finished and report.total == rows else Ending.SOME_NOT)


def _free_name(folder: Path, stem: str) -> Path:
    """A name that no file has: an earlier demo is never written over."""
    file, nth = folder / f"{stem}.xlsx", 1
    while file.exists():
        nth += 1
        file = folder / f"{stem}-{nth}.xlsx"
    return file


async def _whole(file: Path, tell: Callable[[Progress], None]) -> Report:
    """Send `file` through a network of its own, with a ledger that lives as long as the demo."""
    special = dict(zip(range(max(_SPECIAL) + 1), numbers(), strict=False))
    listed = {special[index]: BEHAVIOURS[name] for index, name in _SPECIAL.items()}
    smsc = Smsc(Population(listed, pace=_PACE), Exchange(accounts={"demo": "demo"}))
    with tempfile.TemporaryDirectory(prefix="xlsms-demo-", ignore_cleanup_errors=True) as data:
        async with smsc.serve("127.0.0.1", 0) as server:
            options = {"host": "127.0.0.1", "port": server.port, "system_id": "demo", "password": "demo"}
            settings = Settings(
                service=ServiceSettings(data=Path(data), country="ES", language=language()),
                connectors=(ConnectorSettings(name="simulated", type="smpp", options=options),),
            )
            async with App(settings) as service:
                return await service.send(file, patience=_PATIENCE, on_progress=tell)


def _sample(file: Path) -> Table:
    """The first rows as they stand in the workbook now."""
    book = openpyxl.load_workbook(file, read_only=True)
    sheet = book.worksheets[0]
    table = Table(box=None, pad_edge=False, header_style="bold")
    rows = sheet.iter_rows(min_row=4, max_row=4 + _SAMPLE, values_only=True)
    wanted = (0, 1, 6, 9, 7)  # name, phone, status, reply, detail
    header = next(rows)
    for column in wanted:
        table.add_column(str(header[column]), no_wrap=True, overflow="ellipsis", max_width=44)
    for row in rows:
        if row[0] is None:
            break
        cells = [Text(shown(row[column] if row[column] is not None else "")) for column in wanted]
        state = read_label(str(row[wanted[2]] or ""))
        cells[2].stylize(STYLES[state] if state else "")
        table.add_row(*cells)
    book.close()
    return table
