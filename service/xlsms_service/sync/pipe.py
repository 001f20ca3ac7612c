"""What two processes of ours say to each other through a pipe, one pickled object after the other."""

import os
import pickle
import subprocess
import sys
from typing import IO, Any

from xlsms_service.sync.fork import Fork

__all__ = ["ends", "get", "put", "wait_for"]

#: Seconds that a process may take to come to the end of what it is doing when nobody says anything to it any more.
_LAST = 60


def ends() -> tuple[IO[bytes], IO[bytes]]:
    """This process's standard input and output as such pipes; whoever prints does not talk into it."""
    given, said = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    sys.stdout = sys.stderr
    return given, said


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
