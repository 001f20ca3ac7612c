"""What keeps writes of ours out of the user's Undo.

Excel empties its Undo when a program writes into cells. Calc would record each write as a step, and whoever takes back
his own last typing would take back ids and states as well: rows that have gone would stand there marked anew.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from xlsms.addin.calc.link import Uno

__all__ = ["unrecorded"]

P = ParamSpec("P")
T = TypeVar("T")


class _InDocument(Protocol):
    @property
    def document(self) -> Uno:
        """The document that it is part of."""


S = TypeVar("S", bound=_InDocument)


def unrecorded(write: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """`write` without a step of Undo; the user's own steps stay. Locked for one call only: he may be typing."""

    @wraps(write)
    def locked(it: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        undo = it.document.UndoManager
        undo.lock()
        try:
            return write(it, *args, **kwargs)
        finally:
            undo.unlock()

    return locked
