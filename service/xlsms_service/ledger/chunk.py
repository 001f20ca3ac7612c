"""Long lists of ids, a few thousand at a time: databases bound the parameters of one statement."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

__all__ = ["chunks"]

T = TypeVar("T")

#: SQLite takes 32,766 parameters at most.
_SIZE = 5_000


def chunks(items: Sequence[T], size: int = _SIZE) -> Iterator[Sequence[T]]:
    """`items` in runs that fit one statement, or that are no longer than `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))
