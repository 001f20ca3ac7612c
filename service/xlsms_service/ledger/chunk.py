"""Long lists of ids: databases bound the parameters of one statement."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, String, TableValuedAlias, bindparam, func, select

__all__ = ["among", "chunks", "listed", "pairs"]

T = TypeVar("T")

#: SQLite takes 32,766 parameters at most.
_SIZE = 5_000


def chunks(items: Sequence[T], size: int = _SIZE) -> Iterator[Sequence[T]]:
    """`items` in runs that fit one statement, or that are no longer than `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))


def among(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Whether the column is one of a list that is given as the one parameter `name`, made by `listed`.

    For statements that run for every claim and receipt: their text stays the same however long the list is, while one
    with a mark for each value is written anew each time, which takes longer than to run it.
    """
    value = func.json_each(bindparam(name, type_=String)).table_valued("value", name="listed").c.value
    return column.in_(select(value))


def pairs(name: str) -> TableValuedAlias:
    """The keys, as text, and the values of a JSON object that is given as the one parameter `name`."""
    return func.json_each(bindparam(name, type_=String)).table_valued("key", "value", name="pairs")


def listed(values: Sequence[int] | Sequence[str]) -> str:
    """A list as `among` takes it."""
    return json.dumps(values)
