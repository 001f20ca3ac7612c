"""Orders of the command line: carried out by the running service, or in the ledger where none runs."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from xlsms.client import Client, Reach
from xlsms.client.starting import find
from xlsms.errors import TransientError, UserError
from xlsms_service.cli.figures import label
from xlsms_service.cli.session import Session
from xlsms_service.cli.words import tr
from xlsms_service.ledger import book as books
from xlsms_service.ledger import intervention
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.reader import Reader

__all__ = ["book_of", "carry_out", "hand_over", "minute", "reach_of", "say_when_seen"]

T = TypeVar("T")


def carry_out(session: Session, by_service: Callable[[Client], T], by_ledger: Callable[[Ledger], T]) -> T:
    """Have the running service do it; where none runs, or it goes in this moment, do it in its ledger.

    Both do the same, and twice does no more than once.
    """
    service = session.settings.service
    found = find(service.data)
    if found is not None:
        try:
            with Client(found) as client:
                return by_service(client)
        except TransientError:
            pass
    with Ledger.open(service.data, service.ledger) as ledger:
        return by_ledger(ledger)


def book_of(session: Session, file: Path | None) -> int | None:
    """The number of a workbook; None for all.

    Raises:
        UserError: `workbook-unknown`.
    """
    if file is None:
        return None
    service = session.settings.service
    with Reader.open(service.data, service.ledger) as reader:
        book = reader.ask(books.find, file.resolve())
    if book is None:
        raise UserError("workbook-unknown", file=file)
    return book.id


def reach_of(reach: intervention.Reach) -> Reach:
    """How many messages an order reached, as the ledger tells it."""
    return Reach(count=reach.count, under_way=reach.under_way, asked_back=reach.asked_back)


def say_when_seen(session: Session, text: str, style: str = "green") -> None:
    """Say what was done, and when the sheets show it."""
    running = find(session.settings.service.data) is not None
    when = (
        tr("Their sheets show it in a moment.") if running else tr("Their sheets show it when the service runs next.")
    )
    session.say(f"{text} {when}", style)


def hand_over(session: Session, number: str, text: str, *, as_json: bool, while_stopped: bool = True) -> bool:
    """Have the running service send one text, and say so; false where none runs.

    Raises:
        UserError: the number or the text cannot be used; `sending-stopped`, unless it may wait `while_stopped`.
    """
    found = find(session.settings.service.data)
    if found is None:
        return False
    with Client(found) as client:
        since = None if while_stopped else client.health().stopped
        if since is not None:
            raise UserError("sending-stopped", since=minute(since))
        sent = client.text(number, text)
    if as_json:
        figures = {"message": sent.message, "number": sent.number, "parts": sent.parts, "state": str(sent.state)}
        session.json(figures | {"states": {str(sent.state): 1}, "handed_over": True})
    else:
        said = tr("Taken over by the running service: {number}, {state}.", number=sent.number, state=label(sent.state))
        session.say(said, "green")
    return True


def minute(moment: datetime) -> str:
    """A moment to the minute, in the time of this computer."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"
