"""What two processes of ours say to each other through a pipe, one pickled object after the other."""

import pickle
from typing import IO, Any

__all__ = ["get", "put"]


def put(pipe: IO[bytes] | None, thing: object) -> None:
    """Say something to the other process.

    Raises:
        OSError, ValueError: nobody is there any more.
    """
    if pipe is None:
        raise OSError("no pipe")
    pickle.dump(thing, pipe, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.flush()


def get(pipe: IO[bytes] | None) -> Any:
    """What the other process says next.

    Raises:
        EOFError, OSError, ValueError, pickle.UnpicklingError: it says nothing any more, or has ended while it did.
    """
    if pipe is None:
        raise OSError("no pipe")
    return pickle.load(pipe)  # noqa: S301 - our own process
