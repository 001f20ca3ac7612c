"""What two processes of ours say to each other through a pipe, one pickled object after the other."""

import pickle
import subprocess
from typing import IO, Any

from xlsms_service.sync.fork import Fork

__all__ = ["get", "put", "wait_for"]

#: Seconds that a process may take to come to the end of what it is doing when nobody says anything to it any more.
_LAST = 60


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


def wait_for(process: subprocess.Popen[bytes] | Fork) -> None:
    """Let a process that nobody says anything to any more come to its end, and end it if it does not."""
    try:
        process.wait(_LAST)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()
