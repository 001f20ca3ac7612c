"""`xlsms inbox` and `reply`: what came in, and an answer to it."""

from collections.abc import Callable, Sequence
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from xlsms_service.app import App, Patience, Progress, Report
from xlsms_service.cli.ordering import hand_over
from xlsms_service.cli.sending import conclude, follow
from xlsms_service.cli.session import session_of
from xlsms_service.cli.words import shown, tr
from xlsms_service.ledger import talk
from xlsms_service.ledger.reader import Reader
from xlsms_service.ledger.talk import Said

__all__ = ["commands"]

commands = typer.Typer()


@commands.command(epilog="xlsms inbox --limit 5")
def inbox(
    context: typer.Context,
    *,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help="How many, the newest first.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures for programs.")] = False,
) -> None:
    """What came in, newest first, and the row that it answers."""
    session = session_of(context)
    service = session.settings.service
    with Reader.open(service.data, service.ledger) as reader:
        texts = reader.ask(talk.inbox, limit)
    if as_json:
        session.json({"texts": [_figures(each) for each in texts]})
    elif texts:
        session.out.print(_table(texts))
        session.say(tr("Answer with: xlsms reply NUMBER TEXT"), "dim")
    else:
        session.say(tr("Nothing has come in yet."))


@commands.command(epilog='xlsms reply +34600000001 "See you tomorrow"')
def reply(
    context: typer.Context,
    *,
    number: Annotated[
        str, typer.Argument(metavar="NUMBER", help="As you would write it; + and country may be left out.")
    ],
    words: Annotated[str, typer.Argument(metavar="TEXT", help="The text, in quotes.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print figures for programs.")] = False,
) -> None:
    """Answer a number; the running service sends it, or this command where none runs."""
    session = session_of(context)
    if hand_over(session, number, words, as_json=as_json):
        return

    async def work(tell: Callable[[Progress], None]) -> Report:
        async with App(session.settings) as service:
            return await service.text(number, words, patience=Patience(wait=False), on_progress=tell)

    conclude(session, follow(session, work, quiet=as_json), as_json=as_json)


def _table(texts: Sequence[Said]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(tr("When"), no_wrap=True)
    table.add_column(tr("Number"), no_wrap=True)
    table.add_column(tr("Text"), ratio=1)
    table.add_column(tr("Answers"))
    for each in texts:
        row = f"{each.workbook} · {each.sheet}" if each.workbook else "–"
        table.add_row(
            Text(f"{each.at.astimezone():%Y-%m-%d %H:%M}", style="dim"),
            Text(shown(each.number)),
            Text(shown(each.text)),
            Text(shown(row), style="dim"),
        )
    return table


def _figures(each: Said) -> dict[str, object]:
    return {
        "id": each.id,
        "number": each.number,
        "text": each.text,
        "at": each.at.isoformat(),
        "workbook": each.workbook,
        "sheet": each.sheet,
        "row_id": each.row_id,
    }
