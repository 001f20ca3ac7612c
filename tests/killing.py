"""kill -9 at any call that touches a folder: a process of its own does a piece of work and dies at the one asked for."""

import itertools
import multiprocessing
import os
import signal
import sys
from pathlib import Path

from xlsms.files.cache import Cache

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.killing", "xlsms.workbook.opening", "xlsms.workbook.setup"])


def deaths(folder, prepare, work, *arguments):
    """After each death of `work(*arguments)`, at the first call, the second … until one lives to its end.

    `prepare` lays the folder anew each time. Yields how many calls were made.
    """
    for calls in itertools.count():
        prepare()
        process = _processes.Process(target=_die, args=(str(folder), calls, work, arguments))
        process.start()
        process.join(60)
        if process.exitcode == 0:
            return
        assert process.exitcode == -signal.SIGKILL, process.exitcode
        yield calls


def _die(folder, calls, work, arguments):
    """Do `work`, but for what comes after so many calls with a path in the folder."""
    left = calls

    def look(_, facts):
        nonlocal left
        if any(_inside(fact, folder) for fact in facts):
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

    sys.addaudithook(look)
    work(*arguments)


def _inside(fact, folder):
    return isinstance(fact, str | bytes | Path) and os.fsdecode(fact).startswith(folder)


def keep_often(folder, letter):
    """Put an entry of one letter into a cache again and again, and find one of one letter each time."""
    for _ in range(200):
        Cache(folder).put("a", letter * 1000)
        assert len(set(Cache(folder).get("a"))) == 1
