"""One statement for many rows, run by the database's driver itself.

SQLAlchemy spends several times longer on the parameters of a row than SQLite on the row. So the statements that run
for every message are compiled once, and their rows are given as the driver wants them.
"""

from collections.abc import Sequence
from functools import cache
from itertools import chain
from operator import itemgetter

from sqlalchemy import Connection, Insert, Update

from xlsms_service.ledger.driver import run

__all__ = ["Many"]

#: Rows that one run of a statement inserts. Each run opens the table and all of its indexes, which takes as long as to
#: insert a row.
_TOGETHER = (100, 10)

_VALUES = " VALUES "  #: what stands before the row that a statement inserts; others insert what they select


class Many:
    """`statement` for rows of plain values in the order of `names`, its parameters.

    The values are what the column stores: microseconds for an instant, text for JSON.
    """

    def __init__(self, statement: Insert | Update, names: Sequence[str]) -> None:
        self._statement = statement
        self._names = tuple(names)
        self._compiled: dict[str, tuple[str, tuple[int, ...] | None]] = {}

    def run(self, connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
        """Run it once a row, in few calls of the driver."""
        if not rows:
            return
        sql, order = self._compiled.get(connection.dialect.name) or self._compile(connection)
        if order is None:
            named = [dict(zip(self._names, row, strict=True)) for row in rows]
            run(connection, sql, named if len(named) > 1 else named[0], many=len(named) > 1)
            return
        given = rows if order == tuple(range(len(self._names))) else list(map(itemgetter(*order), rows))
        for size in _TOGETHER if _VALUES in sql else ():
            several, whole = _several(sql, size), len(given) // size * size
            for start in range(0, whole, size):
                run(connection, several, tuple(chain.from_iterable(given[start : start + size])))
            given = given[whole:]
        if given:
            run(connection, sql, given if len(given) > 1 else given[0], many=len(given) > 1)

    def _compile(self, connection: Connection) -> tuple[str, tuple[int, ...] | None]:
        """The text of the statement, and which value each of its marks takes; None where marks have names."""
        compiled = self._statement.compile(dialect=connection.dialect, column_keys=self._names)
        fixed = set(compiled.params) - set(self._names)
        if fixed:
            raise RuntimeError(f"values within the statement are bound too: {fixed}")
        places = compiled.positiontup
        order = None if places is None else tuple(self._names.index(place) for place in places)
        found = self._compiled[connection.dialect.name] = (str(compiled), order)
        return found


@cache
def _several(sql: str, rows: int) -> str:
    """A statement that inserts one row, for several: no clause follows its values."""
    head, values, row = sql.partition(_VALUES)
    return head + values + ", ".join([row] * rows)
