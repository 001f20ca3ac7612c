"""`xlsms stop`, `resume` and `resolve`: nothing more goes, it goes on, and what became of what may have gone."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from xlsms.errors import UserError
from xlsms.phone import parse
from xlsms.wording import wording
from xlsms_service.cli.figures import label
from xlsms_service.cli.session import Session, session_of
from xlsms_service.cli.words import language, shown, tr
from xlsms_service.config import Settings
from xlsms_service.ledger import book as books
from xlsms_service.ledger import stop as button
from xlsms_service.ledger import uncertain as lost
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.uncertain import VERDICTS, Uncertain, Verdict

__all__ = ["commands"]

commands = typer.Typer()


def _ledger(settings: Settings) -> Ledger:
    return Ledger.open(settings.service.data, settings.service.ledger)


@commands.command(epilog="xlsms stop")
def stop(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures for programs.")] = False,
) -> None:
    """Stop all sending at once, also of a running service, until resume; what a network already has is finished."""
    session = session_of(context)
    with _ledger(session.settings) as ledger:
        since = ledger.do_now(button.press, datetime.now(UTC))
    if as_json:
        session.json({"stopped": since.isoformat()})
    else:
        session.say(tr("Nothing more goes out, since {time}.", time=_time(since)), "red")
        session.say(tr("What waits is kept. It goes on with: xlsms resume"))


@commands.command(epilog="xlsms resume")
def resume(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures for programs.")] = False,
) -> None:
    """Let sending go on after a stop."""
    session = session_of(context)
    with _ledger(session.settings) as ledger:
        was_stopped = ledger.do_now(button.release)
    if as_json:
        session.json({"stopped": None, "was_stopped": was_stopped})
    else:
        session.say(tr("Sending goes on.") if was_stopped else tr("Sending was not stopped."), "green")


@commands.command(epilog="xlsms resolve list.xlsx --as delivered --number +34600000001")
def resolve(
    context: typer.Context,
    *,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Only this workbook.")] = None,
    verdict: Annotated[
        Verdict | None,
        typer.Option("--as", help="What became of them: delivered, failed, resend (risks a second one) or cancelled."),
    ] = None,
    number: Annotated[str | None, typer.Option(metavar="NUMBER", help="Only what went to this number.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures for programs.")] = False,
) -> None:
    """List the messages that may have left, or say what became of them."""
    session = session_of(context)
    service = session.settings.service
    book = None if file is None else file.resolve()
    to = None if number is None else parse(number, service.country).e164
    with _ledger(session.settings) as ledger:
        if book is not None and ledger.do_now(books.find, book) is None:
            raise UserError("workbook-unknown", file=file)
        found = ledger.do_now(lost.uncertain, book=book, number=to)
        settled = 0
        if verdict is not None and found and _sure(session, found, verdict, yes=yes, quiet=as_json):
            keys = [each.message for each in found]
            settled = ledger.do_now(lost.settle, keys, verdict, datetime.now(UTC), service.validity)
    if as_json:
        session.json({"uncertain": [_figures(each) for each in found], "settled": settled})
    elif not found:
        session.say(tr("Nothing is uncertain."), "green")
    elif verdict is None:
        session.out.print(_table(found))
    elif settled:
        session.say(tr("Settled: {count}. Their sheets show it when the service runs next.", count=settled), "green")


def _sure(session: Session, found: Sequence[Uncertain], verdict: Verdict, *, yes: bool, quiet: bool) -> bool:
    if yes:
        return True
    if quiet or not session.out.is_terminal:
        raise UserError("resolve-needs-yes", count=len(found), verdict=verdict)
    session.out.print(_table(found))
    if verdict is Verdict.RESEND:
        session.say(tr("Whoever has it already gets it a second time, and you pay twice."), "yellow")
    return typer.confirm(
        tr("Settle {count} messages as {verdict}?", count=len(found), verdict=label(VERDICTS[verdict]))
    )


def _table(found: Sequence[Uncertain]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in (tr("Number"), tr("Workbook"), "SMS ID", tr("Since"), tr("Connector"), tr("Why")):
        table.add_column(title, no_wrap=title == tr("Number"))
    for each in found:
        table.add_row(
            each.number,
            shown(f"{each.workbook.name} · {each.sheet}" if each.workbook else "–"),
            each.row_id or "–",
            _time(each.since),
            shown(each.connector or "–"),
            shown(wording(each.code, language(), each.facts).message if each.code else "–"),
        )
    return table


def _figures(each: Uncertain) -> dict[str, object]:
    return {
        "message": each.message,
        "number": each.number,
        "workbook": str(each.workbook) if each.workbook else None,
        "sheet": each.sheet,
        "id": each.row_id,
        "since": each.since.isoformat(),
        "connector": each.connector,
        "code": each.code,
    }


def _time(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"
