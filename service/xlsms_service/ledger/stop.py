"""The red button: while it is pressed nothing is claimed, by no process, over all restarts."""

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from xlsms_service.ledger.driver import Question
from xlsms_service.ledger.instant import moment
from xlsms_service.ledger.schema import stop

__all__ = ["press", "pressed", "release"]


_PRESSED = Question(select(stop.c.at))


def press(connection: Connection, now: datetime) -> datetime:
    """Nothing more goes; what is with a link already is finished. Since when that is so."""
    since = pressed(connection)
    if since is None:
        connection.execute(insert(stop).values(at=now))
    return since or now


def release(connection: Connection) -> bool:
    """Let messages go again; whether the button was pressed."""
    return connection.execute(delete(stop)).rowcount > 0


def pressed(connection: Connection) -> datetime | None:
    """Since when nothing goes; None while it does."""
    rows = _PRESSED.rows(connection)
    return moment(rows[0][0]) if rows else None
