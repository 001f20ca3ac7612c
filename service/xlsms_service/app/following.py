"""Following a send: how far it is, how long to wait, what became of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from xlsms.errors import TransientError, XlsmsError
from xlsms.states import FINAL, State
from xlsms_service.ledger import stop, view
from xlsms_service.ledger.lease import Lease
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.planning import PlanEntry

__all__ = ["HELD_OPEN", "SETTLED", "Patience", "Progress", "Report", "follow", "when_free"]

_Done = TypeVar("_Done")

#: How often progress is told, in seconds; counting takes so many times its own duration of rest.
_BEAT = 0.2
_REST = 10.0

#: The same of looks at whether all is settled, as long as something moves: what comes then waits for it.
_LOOK = 0.04
_LOOK_REST = 2.0

#: Seconds before a workbook that somebody has open is tried again.
_AGAIN = 1.0

#: What says that somebody has a workbook open.
HELD_OPEN = frozenset({"file-open-elsewhere", "lock-left-behind"})

#: Nothing more happens to these unless someone acts.
SETTLED = FINAL | {State.HELD, State.UNCERTAIN, State.SCHEDULED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a send is."""

    total: int
    by_state: Mapping[State, int]
    replies: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of a send when it ended, or when nobody waited any longer."""

    path: Path | None
    by_state: Mapping[State, int]
    parts: int
    replies: int
    duration: timedelta
    held: tuple[PlanEntry, ...] = ()  #: rows that go only when someone decides so
    problems: tuple[XlsmsError, ...] = ()  #: one a row that could not go
    finished: bool = True  #: everything is settled and stands in the workbook
    handed_over: bool = False  #: the running service delivers
    new: bool = True  #: this send has accepted some of them; else all are of earlier ones

    @property
    def total(self) -> int:
        """Messages."""
        return sum(self.by_state.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a send is followed."""

    wait: bool = True  #: until all is settled, not only handed over to the network
    timeout: timedelta | None = None  #: not longer than this
    linger: timedelta = timedelta(0)  #: with `wait`: until nothing more came for this long; replies take their time

    def after(self, seconds: float) -> "Patience":
        """What is left of it."""
        if self.timeout is None:
            return self
        return replace(self, timeout=max(timedelta(0), self.timeout - timedelta(seconds=seconds)))


async def when_free(
    act: Callable[[], Awaitable[_Done]],
    patience: Patience,
    told: Callable[[XlsmsError], None],
    *,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[_Done, Patience]:
    """What `act` does with a workbook, as soon as nobody has it open, and the patience that is left then.

    Whose lock it waits for is told once a lock. Raises as `act` does: without `wait`, or when the time is over, also
    that the workbook is open.
    """
    began, last = clock(), ""
    while True:
        try:
            done = await act()
        except TransientError as error:
            left = patience.after(clock() - began)
            if error.code not in HELD_OPEN or not patience.wait or left.timeout == timedelta(0):
                raise
            if (line := error.line()) != last:
                told(error)
                last = line
        else:
            return done, patience.after(clock() - began)
        await pause(_AGAIN if left.timeout is None else min(_AGAIN, left.timeout.total_seconds()))


async def follow(
    ledger: Ledger,
    some: view.Some,
    patience: Patience,
    on_progress: Callable[[Progress], None],
    *,
    instead_of: Lease | None,
) -> bool:
    """Tell progress until all of them are out (or settled, when asked to wait), the time is over, or all is stopped.

    False when another process was to deliver and has ended before: its lease, `instead_of` which we wait, is ours then.
    """
    loop = asyncio.get_running_loop()
    began = quiet_since = loop.time()
    last: view.Tally | None = None
    over = SETTLED if patience.wait else SETTLED | {State.SENT}
    while True:
        asked = loop.time()
        tally = await ledger.do(view.tally, *some)
        now = loop.time()
        moves = last is None or (tally.by_state, tally.replies) != (last.by_state, last.replies)
        if moves:
            quiet_since, last = now, tally
            on_progress(Progress(total=tally.total, by_state=tally.by_state, replies=tally.replies))
        lingered = not patience.wait or now - quiet_since >= patience.linger.total_seconds()
        if over.issuperset(tally.by_state) and lingered:
            return True
        if patience.timeout is not None and now - began >= patience.timeout.total_seconds():
            return True
        if State.SENDING not in tally.by_state and await ledger.do(stop.pressed) is not None:
            return True
        if instead_of is not None and instead_of.take():
            return False
        # Counting a big campaign takes a while itself: it never gets more than a tenth of the ledger's time.
        until = now + max(_BEAT, _REST * (now - asked))
        look = _LOOK if moves else _BEAT
        await _rest(ledger, some, until, over=None if over.issuperset(tally.by_state) else over, look=look)


async def _rest(ledger: Ledger, some: view.Some, until: float, *, over: AbstractSet[State] | None, look: float) -> None:
    """Wait until then, or until all are in states that are `over`: that is soon told, as a rule by the newest.

    It looks every `look` seconds.
    """
    loop = asyncio.get_running_loop()
    pause = look
    while (left := until - loop.time()) > 0:
        await asyncio.sleep(min(pause, left))
        if over is not None:
            asked = loop.time()
            if not await ledger.do(view.any_open, some, over):
                return
            pause = max(look, _LOOK_REST * (loop.time() - asked))
