"""Questions to a ledger that another process may be writing: they never wait for it, nor it for them."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, ParamSpec, Self, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError

from xlsms_service.ledger import migration
from xlsms_service.ledger.ledger import FILE, Ledger, url_of

__all__ = ["Reader"]

P = ParamSpec("P")
T = TypeVar("T")

#: Seconds that a question waits while another process turns a new file into a ledger.
_BUSY_SECONDS = 10


class Reader:
    """An open ledger that is only read; each question sees one moment of it. May be asked from any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, data: Path, url: str | None = None) -> Self:
        """Open the ledger that `Ledger.open` would; made and brought up to date first where it is not.

        Raises:
            UserError, TransientError: as `Ledger.open` does.
        """
        engine = _connect(url_of(data, url))
        if (url is None and not (data / FILE).exists()) or not _ready(engine):
            Ledger.open(data, url).close()
        return cls(engine)

    def ask(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `function(connection, …)` finds."""
        with self._engine.begin() as connection:
            return function(connection, *args, **kwargs)

    def close(self) -> None:
        """Idempotent."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _connect(url: str) -> Engine:
    engine = create_engine(url, pool_size=4, max_overflow=32, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver would begin transactions of its own
    for pragma in (f"busy_timeout={_BUSY_SECONDS * 1000}", "query_only=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")  # of a write-ahead log: neither waits for a writer nor stops one


def _ready(engine: Engine) -> bool:
    """Whether it can be read as it is; if not, opening it says why."""
    try:
        with engine.begin() as connection:
            return migration.revision(connection) == migration.HEAD
    except DatabaseError:
        return False
