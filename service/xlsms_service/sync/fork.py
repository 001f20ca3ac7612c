"""A process that begins as a copy of this one: what this one has imported is there at once, and in memory once.

Only on Linux: elsewhere libraries of the system have threads of their own, which are not copied.
"""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import NoReturn

from xlsms.journal import note

__all__ = ["Fork", "can_fork", "do_or_log"]

_log = logging.getLogger(__name__)

#: Seconds between two looks at whether it has ended.
_STEP = 0.005

_STANDARD = 3  #: standard streams, which come before all files


def can_fork() -> bool:
    """Whether a copy of this process would be whole."""
    return sys.platform == "linux" and threading.active_count() == 1


class Fork:
    """The copy: what is needed of a `subprocess.Popen` with pipes.

    It calls `work`, with the other ends of the pipes as its standard input and output, and ends. `name` is what it is
    called in lists of processes.
    """

    def __init__(self, work: Callable[[], None], name: str, *, own_session: bool = False) -> None:
        """Raises OSError where there is no room for another process, or a standard stream is closed."""
        pipes = (its_input, to_it), (from_it, its_output) = os.pipe(), os.pipe()
        if min(map(min, pipes)) < _STANDARD:
            _close(*pipes)
            raise OSError("a standard stream is closed")
        try:
            self.pid = os.fork()
        except OSError:
            _close(*pipes)
            raise
        if not self.pid:
            os.dup2(its_input, 0)
            os.dup2(its_output, 1)
            _close(*pipes)
            _run(work, name, own_session=own_session)
        os.close(its_input)
        os.close(its_output)
        self.stdin, self.stdout = os.fdopen(to_it, "wb"), os.fdopen(from_it, "rb")
        self._status: int | None = None

    def poll(self) -> int | None:
        """How it has ended; None: it has not."""
        return self._look(os.WNOHANG)

    def wait(self, timeout: float | None = None) -> int | None:
        """How it has ended.

        Raises:
            subprocess.TimeoutExpired: it has not, in so many seconds.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while until is not None and self.poll() is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired(sys.argv, timeout or 0)
            time.sleep(_STEP)
        return self._look(0)

    def kill(self) -> None:
        """End it at once."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def _look(self, options: int) -> int | None:
        if self._status is None:
            try:
                pid, status = os.waitpid(self.pid, options)
            except ChildProcessError:  # somebody else has asked, who was told
                pid, status = self.pid, 0
            self._status = os.waitstatus_to_exitcode(status) if pid else None
        return self._status


def _close(*pipes: tuple[int, int]) -> None:
    for end in chain(*pipes):
        os.close(end)


def _run(work: Callable[[], None], name: str, *, own_session: bool) -> NoReturn:
    """What the copy does; nothing that the other one has begun is ended here, for above it stands that one's work."""
    done = False
    try:
        done = do_or_log(lambda: _begin(work, name, own_session=own_session))
    finally:
        os._exit(0 if done else 1)


def _begin(work: Callable[[], None], name: str, *, own_session: bool) -> None:
    with suppress(OSError):  # it is but a name
        Path("/proc/self/comm").write_text(name)
    if own_session:
        os.setsid()
    signal.set_wakeup_fd(-1)
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_DFL)
    _let_go()
    work()


def _let_go() -> None:
    """Hold nothing open that the other process does: who waits for the end of one of its pipes waits for it alone.

    Something empty takes the place of each, so that an object that still closes its own does not close one of ours.
    """
    empty = os.open(os.devnull, os.O_RDWR)
    with suppress(OSError):  # where nothing tells which there are, they stay
        for each in {int(entry.name) for entry in Path("/proc/self/fd").iterdir()} - {0, 1, 2, empty}:
            os.dup2(empty, each, inheritable=False)


def do_or_log(work: Callable[[], None]) -> bool:
    """Do the `work` of a process; whether it could be done. What goes wrong is a line of the log, not a traceback."""
    try:
        work()
    except Exception as error:  # noqa: BLE001 - whoever has started the process sees that it has ended
        note(_log, logging.ERROR, "log-process-ended", error)
        return False
    return True
