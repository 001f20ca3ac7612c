"""Long lists of ids, a few thousand at a time: databases bound the parameters of one statement."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

__all__ = ["chunks"]

T = TypeVar("T")

#: SQLite takes 32,766 parameters at most.
_SIZE = 5_000


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """`items` in runs that fit one statement."""
    return (items[start : start + _SIZE] for start in range(0, len(items), _SIZE))
