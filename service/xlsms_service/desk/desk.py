"""A process of its own for long lists, so that reading and writing them takes no time from the links.

It runs `child`: a service without links, on the same ledger, that takes workbooks in and writes states back, one
order after the other. The ledger is where the two meet, as any two processes do; so whatever ends this one, in the
middle of whatever it does, nothing goes twice and nothing is lost.
"""

import asyncio
import os
import pickle
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlsms.errors import Place, TransientError, XlsmsError
from xlsms.workbook.source import kind_of
from xlsms_service.sync.fork import Fork, can_fork
from xlsms_service.sync.garbage import command
from xlsms_service.sync.pipe import get, put, wait_for

__all__ = ["Call", "Desk", "Told", "is_long", "is_quick"]

#: Bytes of a file from which on a process of its own is worth its start: a package of some 20,000 rows.
_LONG = 1 << 20

#: Bytes of a package up to which its first rows are written sooner than a process starts: the first write of all of it.
_QUICK = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What the other process is to do: the name of a method, and what to call it with.

    The desk carries out those of its `Handling`; the service hears of `admitted`, `written` and `problem`.
    """

    method: str
    arguments: tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the desk says: calls while it works, and at the end a result or an error."""

    ended: bool
    result: Any = None
    error: Exception | None = None


def is_long(path: Path) -> bool:
    """Whether a file is better worked on by a process of its own."""
    if (os.cpu_count() or 1) < 2:  # noqa: PLR2004 - nothing is won on one core
        return False
    try:
        return path.stat().st_size >= _LONG
    except OSError:
        return False


def is_quick(path: Path) -> bool:
    """Whether the first rows of a long list can stand in its file before a process of its own would look at them."""
    try:
        return path.stat().st_size <= _QUICK and kind_of(path) == "package"
    except (OSError, XlsmsError):  # whoever takes it in tells it better
        return False


class Desk:
    """The process, as seen from its service. `start` may come before the first order; it is started anew if it ended.

    `hearers` are called by what it tells while it works, on the loop's thread.
    """

    def __init__(self, given: object, hearers: Mapping[str, Callable[..., None]]) -> None:
        """`given` is handed to the process at its start."""
        self._given = given
        self._hearers = hearers
        self._process: subprocess.Popen[bytes] | Fork | None = None
        self._one = asyncio.Lock()
        self._answered = False
        self._under_way: tuple[asyncio.Task[Any], str] | None = None

    @property
    def doing(self) -> str | None:
        """The method that it runs now, if any."""
        return self._under_way[1] if self._under_way else None

    @property
    def ready(self) -> bool:
        """Whether it runs and has nothing to import before it begins."""
        return self._answered and self._process is not None and self._process.poll() is None

    def branch_off(self, work: Callable[[], None]) -> None:
        """Start it as a copy of this process, if that can be, which does the `work` of `child`.

        It has imported what this process has, so that it is ready at once. If it ends, another is started as ever.
        """
        if can_fork():
            with suppress(OSError):  # then it is started when it is needed
                # A session of its own: Ctrl-C is for the service, which lets this one come to the end of its step.
                self._process = Fork(work, "xlsms-desk", own_session=True)
                put(self._process.stdin, self._given)
                self._answered = True

    def start(self) -> subprocess.Popen[bytes] | Fork:
        """Start it, if it does not run; returns before it is ready."""
        if self._process is None or self._process.poll() is not None:
            self._answered = False
            self._process = subprocess.Popen(  # noqa: S603 - ours
                command("xlsms_service.desk.child"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # as above
                creationflags=getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0),  # only Windows has it
            )
            put(self._process.stdin, self._given)
        return self._process

    async def do(self, method: str, *arguments: object, through: bool = False) -> Any:
        """What `method` returns over there; an error is raised here.

        When the caller is cancelled, the process ends after its step, unless it is to see the order `through`; the next
        order waits for that.

        Raises:
            TransientError: `desk-ended`; it was killed, or had no memory left. What it had accepted stands.
        """
        async with self._one:
            if self._under_way is not None:  # whoever gave that order did not wait for its end
                await asyncio.wait([self._under_way[0]])
            task = asyncio.create_task(self._exchange(method, arguments))
            self._under_way = task, method
            try:
                return await asyncio.shield(task)
            except asyncio.CancelledError:
                task.add_done_callback(self._unheard)
                if not through:
                    self._dismiss()
                raise
            finally:
                if task.done():
                    self._under_way = None

    async def _exchange(self, method: str, arguments: tuple[object, ...]) -> Any:
        failed: Exception | None = None
        try:
            process = self.start()
            put(process.stdin, Call(method=method, arguments=arguments))
            while not (told := await asyncio.to_thread(get, process.stdout)).ended:
                self._answered = True
                failed = self._hear(told.result) or failed
            self._answered = True
        except (EOFError, OSError, ValueError, pickle.UnpicklingError) as error:  # ValueError: the pipe is closed
            await asyncio.to_thread(self._end)
            place = Place(file=arguments[0].name) if isinstance(arguments[0], Path) else None
            raise TransientError("desk-ended", place=place) from error
        if (wrong := failed or told.error) is not None:
            raise wrong
        return told.result

    def _hear(self, call: Call) -> Exception | None:
        """Tell the hearer; what goes wrong there is no fault of the desk, which goes on, and is raised at the end."""
        try:
            self._hearers[call.method](*call.arguments)
        except Exception as error:  # noqa: BLE001 - raised where the order was given
            return error
        return None

    async def close(self) -> None:
        """Let it come to the end of its step, and end it. Idempotent."""
        await asyncio.to_thread(self._end)

    def _unheard(self, task: asyncio.Task[Any]) -> None:
        """Whoever asked is gone; the ledger knows what came of it."""
        if self._under_way is not None and self._under_way[0] is task:
            self._under_way = None
        if not task.cancelled():
            task.exception()

    def _dismiss(self) -> None:
        """Have it end after its step."""
        with suppress(OSError):
            if self._process is not None and self._process.stdin:
                self._process.stdin.close()

    def _end(self) -> None:
        self._dismiss()
        process, self._process = self._process, None
        if process is None:
            return
        wait_for(process)
