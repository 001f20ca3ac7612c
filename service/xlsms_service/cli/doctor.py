"""`xlsms doctor`: what is in order on this computer, what is not, and what to do about it."""

import asyncio
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.table import Table
from rich.text import Text

from xlsms.errors import UserError, XlsmsError
from xlsms_service.cli.connector import reach
from xlsms_service.cli.session import Ending, Session, session_of
from xlsms_service.cli.words import language, shown, tr
from xlsms_service.config import Settings, default_path
from xlsms_service.ledger.lease import holder
from xlsms_service.ledger.ledger import FILE, Ledger

__all__ = ["Finding", "Verdict", "commands", "examine"]

commands = typer.Typer()

_PYTHON = (3, 11)
_ANSWERS = 5.0  # seconds that the metrics may take; counting a big ledger for the first time takes one
_PACKAGES = (
    "openpyxl",
    "phonenumbers",
    "sqlalchemy",
    "alembic",
    "watchdog",
    "smpplib",
    "rich",
    "typer",
    "prometheus-client",
    "platformdirs",
)
_OFFICES = (
    "/Applications/LibreOffice.app/Contents/MacOS/soffice",
    "/Applications/Microsoft Excel.app",
    r"C:\Program Files\LibreOffice\program\soffice.exe",
    r"C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE",
    r"C:\Program Files (x86)\Microsoft Office\root\Office16\EXCEL.EXE",
)


class Verdict(StrEnum):
    """How something is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


_MARKS = {Verdict.OK: ("✓", "green"), Verdict.WARN: ("!", "yellow"), Verdict.FAIL: ("✗", "red")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    what: str
    verdict: Verdict
    said: str
    remedy: str = ""
    link: bool = False  #: about a network, not about this computer


@commands.command(epilog="xlsms doctor")
def doctor(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures for programs.")] = False,
) -> None:
    """Look at everything xlsms needs on this computer, and say what to do about what is not in order."""
    session = session_of(context)
    findings = list(examine(session.loaded))
    if as_json:
        session.json({"findings": [_figures(finding) for finding in findings]})
    else:
        _show(session, findings)
    failed = [finding for finding in findings if finding.verdict is Verdict.FAIL]
    if any(not finding.link for finding in failed):
        session.end(Ending.WRONG_USE)
    session.end(Ending.NOT_REACHED if failed else Ending.DONE)


def _figures(finding: Finding) -> dict[str, object]:
    return {
        "what": finding.what,
        "verdict": str(finding.verdict),
        "said": finding.said,
        "remedy": finding.remedy,
    }


def _show(session: Session, findings: list[Finding]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in findings:
        mark, style = _MARKS[finding.verdict]
        said = Text(shown(finding.said))
        if finding.remedy:
            said.append(f"\n→ {shown(finding.remedy)}", style=style)
        table.add_row(Text(mark, style=style), Text(finding.what, style="bold"), said)
    session.out.print(table)


def examine(loaded: Settings | XlsmsError) -> Iterator[Finding]:
    """Everything, in the order in which one thing needs another."""
    yield from _python()
    if isinstance(loaded, XlsmsError):
        yield _wrong(tr("Settings"), loaded)
        return
    said = str(loaded.path) if loaded.path else tr("none at {path}: the defaults are used", path=default_path())
    yield Finding(what=tr("Settings"), verdict=Verdict.OK, said=said)
    yield _folder(tr("Data folder"), loaded.service.data, made_later=True)
    yield _ledger(loaded)
    for watch in loaded.watches:
        place = watch.folder or (watch.file.parent if watch.file else Path())
        yield _folder(tr("Watched folder"), place)
    yield from _connectors(loaded)
    if loaded.service.metrics is not None:
        yield _metrics(loaded.service.metrics, running=holder(loaded.service.data) is not None)
    yield _office()


def _wrong(what: str, error: XlsmsError, *, link: bool = False) -> Finding:
    place = f"{error.place}: " if error.place and str(error.place) else ""
    said = f"{place}{error.message(language())} [{error.code}]"
    return Finding(what=what, verdict=Verdict.FAIL, said=said, remedy=error.advice(language()), link=link)


def _python() -> Iterator[Finding]:
    new_enough = sys.version_info >= _PYTHON
    yield Finding(
        what="Python",
        verdict=Verdict.OK if new_enough else Verdict.FAIL,
        said=f"{sys.version.split()[0]} ({sys.executable})",
        remedy="" if new_enough else tr("Install Python {wanted} or newer.", wanted="3.11"),
    )
    missing = []
    for name in _PACKAGES:
        try:
            version(name)
        except PackageNotFoundError:
            missing.append(name)
    yield Finding(
        what=tr("Packages"),
        verdict=Verdict.FAIL if missing else Verdict.OK,
        said=tr("missing: {names}", names=", ".join(missing))
        if missing
        else tr("all {count} are here", count=len(_PACKAGES)),
        remedy="pip install 'xlsms[service]'" if missing else "",
    )


def _folder(what: str, folder: Path, *, made_later: bool = False) -> Finding:
    if not folder.exists():
        nearest = next((parent for parent in folder.parents if parent.exists()), Path())
        if made_later and os.access(nearest, os.W_OK):
            return Finding(what=what, verdict=Verdict.OK, said=tr("{path} (made when it is needed)", path=folder))
        remedy = tr("Make the folder, or name another one in the settings.")
        return Finding(what=what, verdict=Verdict.FAIL, said=tr("{path} is not there", path=folder), remedy=remedy)
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        said = tr("{path} cannot be read and written by this user", path=folder)
        return Finding(
            what=what, verdict=Verdict.FAIL, said=said, remedy=tr("Give this user the right to write there.")
        )
    if made_later and os.name == "posix" and folder.stat().st_mode & 0o077:
        said = tr("{path} can be read by other users of this computer", path=folder)
        return Finding(what=what, verdict=Verdict.WARN, said=said, remedy=f"chmod 700 '{folder}'")
    return Finding(what=what, verdict=Verdict.OK, said=str(folder))


def _ledger(settings: Settings) -> Finding:
    what = tr("Ledger")
    file = settings.service.data / FILE
    if settings.service.ledger is None and not file.exists():
        return Finding(what=what, verdict=Verdict.OK, said=tr("not made yet"))
    try:
        with Ledger.open(settings.service.data, settings.service.ledger):
            pass
        if settings.service.ledger is None:
            with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
                (result,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if result != "ok":
                raise UserError("ledger-damaged", file=file, reason=result)
    except XlsmsError as error:
        return _wrong(what, error)
    except sqlite3.DatabaseError as error:
        return _wrong(what, UserError("ledger-damaged", file=file, reason=str(error)))
    return Finding(what=what, verdict=Verdict.OK, said=str(file) if settings.service.ledger is None else tr("reached"))


def _connectors(settings: Settings) -> Iterator[Finding]:
    if not settings.connectors:
        remedy = tr("Add a [[connector]] to the settings; xlsms simulate smpp shows one to try with.")
        yield Finding(what=tr("Connectors"), verdict=Verdict.WARN, said=tr("none is set up"), remedy=remedy)
        return
    if holder(settings.service.data) is not None:
        said = tr("the service is running and uses them: see xlsms status")
        yield Finding(what=tr("Connectors"), verdict=Verdict.OK, said=said)
        return

    async def all_of_them() -> list[XlsmsError | None]:
        return await asyncio.gather(*(reach(each) for each in settings.connectors))

    for connector, error in zip(settings.connectors, asyncio.run(all_of_them()), strict=True):
        what = tr("Connector {name}", name=connector.name)
        if error is None:
            yield Finding(what=what, verdict=Verdict.OK, said=tr("the network lets us in"))
        else:
            yield _wrong(what, error, link=True)


def _metrics(address: str, *, running: bool) -> Finding:
    what = tr("Metrics")
    try:
        found = httpx.get(f"http://{address}/metrics", timeout=_ANSWERS, trust_env=False).text
    except httpx.HTTPError as error:
        if not running:
            return Finding(what=what, verdict=Verdict.OK, said=tr("{address}, while xlsms run runs", address=address))
        reason = type(error).__name__
        said = tr("{address} does not answer ({reason})", address=address, reason=reason)
        remedy = tr("Start xlsms run again; it says why it cannot serve them.")
        return Finding(what=what, verdict=Verdict.WARN, said=said, remedy=remedy)
    if "xlsms_info" in found:
        return Finding(what=what, verdict=Verdict.OK, said=tr("{address} answers", address=address))
    said = tr("another program answers at {address}", address=address)
    remedy = tr("Set metrics in [service] to an address that is free, and start the service again.")
    return Finding(what=what, verdict=Verdict.FAIL, said=said, remedy=remedy)


def _office() -> Finding:
    found = shutil.which("soffice") or shutil.which("libreoffice") or next(filter(os.path.exists, _OFFICES), None)
    if found:
        return Finding(what=tr("Spreadsheet program"), verdict=Verdict.OK, said=found)
    said = tr("neither Excel nor LibreOffice was found")
    remedy = tr("xlsms sends without them; install one to open the workbooks on this computer.")
    return Finding(what=tr("Spreadsheet program"), verdict=Verdict.WARN, said=said, remedy=remedy)
