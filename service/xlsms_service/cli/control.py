"""`xlsms stop`, `resume`, `recall` and `resolve`: nothing more goes, it goes on, comes back, what became of it."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from xlsms.client import Client, Reach
from xlsms.errors import UserError
from xlsms.phone import parse
from xlsms.wording import wording
from xlsms_service.cli.figures import label
from xlsms_service.cli.ordering import book_of, carry_out, minute, reach_of, say_when_seen
from xlsms_service.cli.session import Session, session_of
from xlsms_service.cli.words import language, shown, tr
from xlsms_service.connectors.registry import take_back
from xlsms_service.ledger import book as books
from xlsms_service.ledger import intervention
from xlsms_service.ledger import stop as button
from xlsms_service.ledger import uncertain as lost
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.uncertain import VERDICTS, Uncertain, Verdict

__all__ = ["commands"]

commands = typer.Typer()


@commands.command(epilog="xlsms stop")
def stop(
    context: typer.Context,
    *,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Only this workbook.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures for programs.")] = False,
) -> None:
    """Stop all sending at once, also of a running service, until resume; what a network already has is finished."""
    session, now = session_of(context), datetime.now(UTC)
    if file is None:
        since = carry_out(session, Client.stop, lambda ledger: ledger.do_now(button.press, now))
        if as_json:
            session.json({"stopped": since.isoformat()})
            return
        session.say(tr("Nothing more goes out, since {time}.", time=minute(since)), "red")
        session.say(tr("What waits is kept. It goes on with: xlsms resume"))
        return
    book = book_of(session, file)
    reach = carry_out(
        session,
        lambda client: client.pause(book),
        lambda ledger: reach_of(ledger.do_now(intervention.pause, now, book=book)),
    )
    if as_json:
        session.json(_reached(file, reach))
        return
    session.say(tr("Held in {file}: {count}.", file=file, count=reach.count), "yellow")
    _say_under_way(session, reach)
    session.say(tr("It goes on with: xlsms resume {file}", file=file))


@commands.command(epilog="xlsms resume")
def resume(
    context: typer.Context,
    *,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Only this workbook.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures for programs.")] = False,
) -> None:
    """Let sending go on after a stop."""
    session = session_of(context)
    if file is None:
        was_stopped = carry_out(session, Client.resume, lambda ledger: ledger.do_now(button.release))
        if as_json:
            session.json({"stopped": None, "was_stopped": was_stopped})
        else:
            session.say(tr("Sending goes on.") if was_stopped else tr("Sending was not stopped."), "green")
        return
    book, now = book_of(session, file), datetime.now(UTC)
    reach, since = carry_out(
        session,
        lambda client: (client.unpause(book), client.health().stopped),
        lambda ledger: (reach_of(ledger.do_now(intervention.unpause, now, book=book)), ledger.do_now(button.pressed)),
    )
    if as_json:
        session.json(_reached(file, reach))
        return
    session.say(tr("Goes on in {file}: {count}.", file=file, count=reach.count), "green")
    if since is not None:
        session.say(tr("But all sending is stopped since {time}: xlsms resume", time=minute(since)), "yellow")


@commands.command(epilog="xlsms recall list.xlsx")
def recall(
    context: typer.Context,
    *,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Only this workbook.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures for programs.")] = False,
) -> None:
    """Take back for good what has not left, of a workbook or all; of a running service too.

    What a network has is asked back where its connector says `cancel = true`.
    """
    session = session_of(context)
    book, now = book_of(session, file), datetime.now(UTC)
    if not yes:
        if as_json or not session.out.is_terminal:
            raise UserError("recall-needs-yes")
        asked = tr("everything that waits") if file is None else shown(str(file))
        if not typer.confirm(tr("Take back {what}? This cannot be undone.", what=asked)):
            return
    networks = take_back(session.settings.connectors)
    reach = carry_out(
        session,
        lambda client: client.recall(book),
        lambda ledger: reach_of(ledger.do_now(intervention.recall, now, book=book, networks=networks)),
    )
    if as_json:
        session.json(_reached(file, reach))
        return
    say_when_seen(session, tr("Taken back: {count}.", count=reach.count))
    _say_under_way(session, reach)
    if reach.asked_back:
        session.say(tr("Asked back of a network: {count}. Status tells whether it would.", count=reach.asked_back))


def _reached(file: Path | None, reach: Reach) -> dict[str, object]:
    return {"workbook": None if file is None else str(file), **asdict(reach)}


def _say_under_way(session: Session, reach: Reach) -> None:
    if reach.under_way:
        session.say(tr("On a link just now: {count}. They follow if they come back unsent.", count=reach.under_way))


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
    with Ledger.open(service.data, service.ledger) as ledger:
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
        say_when_seen(session, tr("Settled: {count}.", count=settled))


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
            minute(each.since),
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
