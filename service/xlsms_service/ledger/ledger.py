"""The durable store of the service: where every room meets every other.

What can be done in it stands in the theme modules beside this one (`book`, `acceptance`, `claim`,
`settlement`, `conversation`, `view`), each function one transaction that takes a `Connection` first. `Ledger.do` runs
them.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Concatenate, ParamSpec, Self, TypeVar, cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from xlsms.errors import TransientError, UserError
from xlsms_service.ledger import migration
from xlsms_service.ledger.driver import straight
from xlsms_service.ledger.lease import Lease
from xlsms_service.ledger.turn import Turn
from xlsms_service.ledger.writer import Writer
from xlsms_service.measuring import NOTHING, Measures

__all__ = ["FILE", "Ledger", "connect", "hindrance", "url_of"]

P = ParamSpec("P")
T = TypeVar("T")

FILE = "ledger.sqlite3"  #: the embedded ledger, in the folder of the data

#: Seconds that a transaction waits for another process's transaction.
_BUSY_SECONDS = 10


#: Pages of the write-ahead log that are copied into the ledger at once, some 16 MB. A thousand rows change nearly as
#: many pages as SQLite's own 1,000, most of them of an index that the next thousand rows change again.
_LOG = 4_000


def url_of(data: Path, url: str | None) -> str:
    """Where the ledger is: at `url`, or embedded in the folder `data`; UserError `ledger-not-embedded` elsewhere."""
    if url is not None and not url.startswith("sqlite:"):
        raise UserError("ledger-not-embedded")
    return url or f"sqlite:///{data / FILE}"


def connect(url: str) -> Engine:
    """An engine for `url` with the durability that the promises need.

    SQLite: write-ahead log, a commit is on disk before it returns (`synchronous=FULL`), foreign keys on, and every
    transaction takes the write lock when it begins, so that none fails half-way for another's sake.
    """
    # Numbers and texts never stand in an error or a log.
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver would begin transactions of its own
    for pragma in (
        f"busy_timeout={_BUSY_SECONDS * 1000}",
        "journal_mode=WAL",
        "synchronous=FULL",
        f"wal_autocheckpoint={_LOG}",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "cache_size=-65536",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def hindrance(error: BaseException, file: Path | str = FILE) -> TransientError | None:
    """What an error of the ledger `file` means if another process held it for too long, or its disk is full."""
    if isinstance(error, DatabaseError):
        for words, code in (("locked", "ledger-busy"), ("disk is full", "ledger-full")):
            if words in str(error.orig):
                return TransientError(code, file=file)
    return None


def _close_to_others(file: Path) -> None:
    """Make the file, empty, if it is not there: readable by its owner alone, and so what SQLite puts beside it."""
    if not file.exists():
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    for each in (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm"))):
        with suppress(OSError):  # one of somebody else's, or none
            each.chmod(0o600)


def _begin_immediate(connection: Connection) -> None:
    straight(connection, "BEGIN IMMEDIATE")


def _bring_up_to_date(engine: Engine, writing: Turn) -> None:
    """Run the migrations, one process at a time.

    SQLite does not wait when two connections turn a new file into a write-ahead one at once: it refuses one of them.
    """
    file = Path(engine.url.database or "")
    turn = Lease(file.parent, f"{file.stem}-opening")
    with suppress(OSError):  # of a folder that cannot be used SQLite speaks better, and so it does of a busy file
        turn.await_turn(_BUSY_SECONDS)
    try:
        with writing:
            migration.upgrade(engine)
    finally:
        turn.give_back()


class Ledger:
    """The open store: `await do(function, …)` runs a function of a theme module and returns when it is durable."""

    def __init__(self, engine: Engine, measures: Measures = NOTHING, turn: Turn | None = None) -> None:
        self._engine = engine
        self._turn = turn
        self._writer = Writer(engine, measures, turn)

    @classmethod
    def open(cls, data: Path, url: str | None = None, measures: Measures = NOTHING) -> Self:
        """Open the embedded ledger in the folder `data`, or the one at `url`; made and brought up to date as needed.

        Raises:
            UserError: `ledger-folder` when the folder cannot be written, `ledger-damaged` when it is not a ledger,
                `ledger-not-embedded` for databases that are not there yet.
            TransientError: `ledger-busy` when another process holds it for too long, `ledger-full` when its disk is
                full.
        """
        file, place = data / FILE, url_of(data, url)
        if url is None:
            try:
                data.mkdir(parents=True, exist_ok=True, mode=0o700)
                _close_to_others(file)
            except OSError as error:
                raise UserError("ledger-folder", folder=data, reason=error.strerror) from error
        engine = connect(place)
        turn = Turn(Path(engine.url.database or file), _BUSY_SECONDS)
        try:
            _bring_up_to_date(engine, turn)
        except DatabaseError as error:
            turn.close()
            hindered = hindrance(error, file)
            if hindered is not None:
                raise hindered from error
            raise UserError("ledger-damaged", file=url or file, reason=str(error.orig)) from error
        return cls(engine, measures, turn)

    async def do(
        self,
        function: Callable[Concatenate[Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run `function(connection, …)` in the writer's thread; returns once what it did is on disk."""
        future = self._writer.submit(lambda connection: function(connection, *args, **kwargs))
        return cast(T, await asyncio.wrap_future(future))

    def do_now(
        self,
        function: Callable[Concatenate[Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """The same for callers without an event loop."""
        return cast(T, self._writer.submit(lambda connection: function(connection, *args, **kwargs)).result())

    def close(self) -> None:
        """Finish what is queued and close. Idempotent."""
        self._writer.close()
        self._engine.dispose()
        if self._turn is not None:
            self._turn.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
