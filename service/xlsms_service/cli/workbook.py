"""`xlsms init` and `check`: a workbook before anything is sent."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.text import Text

from xlsms import templates
from xlsms.errors import Place, UserError, XlsmsError
from xlsms.workbook.base import Snapshot
from xlsms.workbook.opening import FileWorkbook
from xlsms_service.app import live, terms
from xlsms_service.cli.figures import complaint, plan_figures, plan_table
from xlsms_service.cli.notice import nothing_marked, warnings
from xlsms_service.cli.password import password_of, passwords
from xlsms_service.cli.session import Ending, Session, session_of
from xlsms_service.cli.setup import remove_again, renew_file, set_up_file
from xlsms_service.cli.ways import Ways
from xlsms_service.cli.words import language, tr
from xlsms_service.config import Settings
from xlsms_service.ledger.ledger import FILE, Ledger
from xlsms_service.planning import Plan
from xlsms_service.sync.conflict import check_conflict
from xlsms_service.sync.preview import copied, preview

__all__ = ["commands", "write_new"]

commands = typer.Typer()


@commands.command(epilog="xlsms init reminders.xlsx --lang es")
def init(  # noqa: PLR0913 one option each
    context: typer.Context,
    *,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", readable=False, help="The workbook to make, or one that needs the columns."),
    ],
    template: Annotated[str, typer.Option(help="What to start from: reminders.")] = "reminders",
    lang: Annotated[str | None, typer.Option(help="Language of a new workbook: en or es.")] = None,
    sheets: Annotated[
        bool, typer.Option("--sheets/--no-sheets", help="Add sheets for replies and a report to a workbook you have.")
    ] = True,
    remove: Annotated[
        bool, typer.Option("--remove", help="Take away again what init has added; your own columns stay.")
    ] = False,
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Do not ask: also into protected sheets, and also away with what stands there."),
    ] = False,
    new_identity: Annotated[
        bool, typer.Option("--new-identity", help="Make a copy a workbook of its own: its results are emptied.")
    ] = False,
    password_env: Annotated[
        str | None, typer.Option(metavar="NAME", help="Environment variable with the workbook's password.")
    ] = None,
) -> None:
    """Make a new workbook from a template, or add the columns that xlsms fills in to one that you have."""
    session = session_of(context)
    if new_identity:
        renew_file(session, file)
        return
    if remove:
        remove_again(session, file, sure=yes)
        return
    if file.exists():
        known = passwords(session.settings, file, password_of(session.settings, file, password_env))
        set_up_file(session, file, own_sheets=sheets, sure=yes, passwords=known)
        return
    write_new(file, templates.new(template, lang or language()))
    session.say(tr("Made {file}. Fill in your list, put an x under Send, then: xlsms check {file}", file=file), "green")


def write_new(file: Path, content: bytes) -> None:
    """Write a file that must not be there yet; a crash leaves none or the whole."""
    if file.suffix.lower() != ".xlsx":
        raise UserError("new-not-xlsx", place=Place(file=file.name))
    draft = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        draft.write_bytes(content)
        try:
            os.link(draft, file)  # unlike a rename, never replaces a file that has appeared meanwhile
        except (OSError, NotImplementedError):
            if file.exists():
                raise FileExistsError(file) from None
            draft.rename(file)  # a file system without links
    except FileExistsError:
        raise UserError("new-exists", place=Place(file=file.name)) from None
    except OSError as error:
        raise UserError("new-not-written", place=Place(file=file.name), reason=error.strerror or "") from error
    finally:
        draft.unlink(missing_ok=True)


@commands.command(epilog="xlsms check list.xlsx")
def check(
    context: typer.Context,
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", readable=False, help="The workbook.")],
    every_row: Annotated[bool, typer.Option("--all", help="As if every row were marked.")] = False,
    rows: Annotated[int, typer.Option(min=0, help="Show at most so many of the rows that can go.")] = 50,
    password_env: Annotated[
        str | None, typer.Option(metavar="NAME", help="Environment variable with the workbook's password.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures for programs.")] = False,
) -> None:
    """Show what would be sent: each row's number, text, parts, way, and what is wrong. Nothing is sent or changed."""
    session = session_of(context)
    password = password_of(session.settings, file, password_env)
    zone = ZoneInfo(session.settings.service.zone) if session.settings.service.zone else None
    workbook = FileWorkbook(file, zone=zone, passwords=lambda: passwords(session.settings, file, password))
    snapshot = workbook.read()
    plan, copy = _plan(session.settings, snapshot, every_row=every_row)
    ways = Ways(session.settings, snapshot.path, live.read(session.settings.service.data, datetime.now(UTC)))
    blocked = _blocked(workbook, snapshot, plan) or copy
    if as_json:
        figures = {"blocked": complaint(blocked) if blocked else None, "warnings": list(warnings(snapshot))}
        session.json({"file": str(file), **plan_figures(plan, ways), **figures})
    else:
        _show(session, plan, rows, snapshot, ways)
    if blocked:
        raise blocked
    session.end(Ending.SOME_NOT if plan.totals.problems or plan.totals.held else Ending.DONE)


def _blocked(workbook: FileWorkbook, snapshot: Snapshot, plan: Plan) -> XlsmsError | None:
    """Why nothing could be sent from the file now, though it can be read."""
    try:
        check_conflict(snapshot, lambda original: FileWorkbook(original).read())
        workbook.check_ready()
        workbook.check_columns({entry.row.sheet for entry in plan.entries})
    except XlsmsError as error:
        return error
    return None


def _plan(settings: Settings, snapshot: Snapshot, *, every_row: bool) -> tuple[Plan, XlsmsError | None]:
    """What would go, and what the ledger knows that keeps all of it back."""
    service = settings.service
    asked = terms(settings, "all" if every_row else "marked")
    now = datetime.now(UTC)
    if service.ledger is None and not (service.data / FILE).exists():
        return preview(None, snapshot, asked, now), None
    with Ledger.open(service.data, service.ledger) as ledger:
        return preview(ledger, snapshot, asked, now), copied(ledger, snapshot)


def _show(session: Session, plan: Plan, most: int, snapshot: Snapshot, ways: Ways) -> None:
    totals = plan.totals
    if not totals.rows:
        session.say(nothing_marked(snapshot.sheets), "yellow")
    else:
        session.out.print(plan_table(plan, most, ways))
        if totals.go > most:
            session.say(tr("… and {count} more that can go", count=totals.go - most), "dim")
        line = Text("\n" + tr("Rows that go: {count}", count=totals.go), style="green")
        line.append("  " + tr("SMS: {count}", count=totals.parts), style="green")
        if ways.priced:
            cost, unpriced = ways.total(plan.entries)
            line.append("  " + tr("cost: {cost}", cost=cost), style="green")
            if unpriced:
                line.append("  " + tr("without a price: {count}", count=unpriced), style="yellow")
        if totals.scheduled:
            line.append("  " + tr("later: {count}", count=totals.scheduled), style="cyan")
        if totals.held:
            line.append("  " + tr("held: {count}", count=totals.held), style="yellow")
        if totals.problems:
            line.append("  " + tr("cannot go: {count}", count=totals.problems), style="red")
        session.out.print(line)
    if totals.hidden:
        session.say(tr("Marked but hidden, so they stay: {count}", count=totals.hidden), "yellow")
    for warning in warnings(snapshot):
        session.say(warning, "yellow")
