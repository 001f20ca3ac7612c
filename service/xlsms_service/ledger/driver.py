"""Statements run by the database's driver itself.

For a statement of a few rows SQLAlchemy needs ten times as long as SQLite, and for the values of a row several times
as long as SQLite for the row. So what runs for every claim and every bundle of answers is compiled once, and its values
are given, and its rows taken, as the driver has them: microseconds for an instant, text for JSON.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Connection, Executable, TextualSelect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.sql.selectable import Select

__all__ = ["Compiled", "Question", "run", "savepoint", "straight"]


def run(connection: Connection, sql: str, values: Any, *, many: bool = False) -> list[tuple[Any, ...]]:
    """Run `sql`, once for each of `values` where there are many; the rows that it gives.

    Raises what SQLAlchemy would raise, and goes through it where somebody listens to statements.
    """
    direct = connection.dialect.name == "sqlite" and connection.in_transaction()
    if direct and not connection.dispatch.before_cursor_execute:
        return straight(connection, sql, values, many=many)
    result = connection.exec_driver_sql(sql, values)
    return [tuple(row) for row in result] if result.returns_rows else []


def straight(connection: Connection, sql: str, values: Any = (), *, many: bool = False) -> list[tuple[Any, ...]]:
    """The same, always by the driver: SQLite's, whether a transaction has begun or not."""
    driver: Any = connection.connection.driver_connection
    try:
        cursor = driver.executemany(sql, values) if many else driver.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        cursor.close()
    except sqlite3.Error as error:
        raise DBAPIError.instance(
            sql, None, error, sqlite3.Error, hide_parameters=True, dialect=connection.dialect
        ) from error
    return rows


@contextmanager
def savepoint(connection: Connection) -> Iterator[None]:
    """What is done within is undone when it fails, and only that."""
    if connection.dialect.name != "sqlite":
        with connection.begin_nested():
            yield
        return
    straight(connection, "SAVEPOINT work")
    try:
        yield
    except BaseException:
        straight(connection, "ROLLBACK TO work")
        straight(connection, "RELEASE work")
        raise
    straight(connection, "RELEASE work")


class Compiled(NamedTuple):
    """A statement in the words of one database."""

    sql: str
    order: tuple[int, ...] | None  #: which value each of its marks takes; None where marks have names
    names: tuple[str, ...]
    constants: tuple[object, ...]  #: values within the statement: they come behind those that are given

    @classmethod
    def of(cls, connection: Connection, statement: Executable, names: Sequence[str]) -> "Compiled":
        """`statement` with parameters of these names."""
        if not isinstance(statement, ClauseElement):
            raise TypeError("no statement")
        compiled = statement.compile(dialect=connection.dialect, column_keys=list(names))
        params: dict[str, Any] = dict(compiled.params)
        every = (*names, *(name for name in params if name not in names))
        places: Sequence[str] | None = getattr(compiled, "positiontup", None)
        order = None if places is None else tuple(every.index(name) for name in places)
        return cls(str(compiled), order, every, tuple(params[name] for name in every[len(names) :]))

    def given(self, values: tuple[object, ...]) -> Any:
        """The values, in the order of the names, as the driver takes them."""
        whole = values + self.constants
        if self.order is None:
            return dict(zip(self.names, whole, strict=True))
        return tuple([whole[place] for place in self.order])


class Question:
    """A query, or a change that may tell of its rows, whose parameters are `names`; compiled once."""

    def __init__(self, query: Select[Any] | TextualSelect | UpdateBase, names: Sequence[str] = ()) -> None:
        self._query = query
        self._names = tuple(names)
        self._compiled: dict[str, Compiled] = {}

    def rows(self, connection: Connection, *values: object) -> list[tuple[Any, ...]]:
        """The rows for these values, in the order of the names, as the driver gives them."""
        compiled = self._compiled.get(connection.dialect.name)
        if compiled is None:
            compiled = Compiled.of(connection, self._query, self._names)
            self._compiled[connection.dialect.name] = compiled
        return run(connection, compiled.sql, compiled.given(values))
