"""Following a send: how far it is, how long to wait, what became of it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection

from xlsms.errors import XlsmsError
from xlsms.states import FINAL, State
from xlsms_service.ledger import stop
from xlsms_service.ledger.lease import Lease
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.view import Tally
from xlsms_service.planning import PlanEntry

__all__ = ["SETTLED", "Count", "Patience", "Progress", "Report", "follow"]

#: How often progress is told, in seconds.
_BEAT = 0.2

#: Nothing more happens to these unless someone acts.
SETTLED = FINAL | {State.HELD, State.UNCERTAIN, State.SCHEDULED}

#: What counts the messages of a send.
Count = Callable[[Connection], Tally]


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


async def follow(
    ledger: Ledger,
    count: Count,
    patience: Patience,
    on_progress: Callable[[Progress], None],
    *,
    instead_of: Lease | None,
) -> bool:
    """Tell progress until everything is out (or settled, when asked to wait), the time is over, or all is stopped.

    False when another process was to deliver and has ended before: its lease, `instead_of` which we wait, is ours then.
    """
    loop = asyncio.get_running_loop()
    began = quiet_since = loop.time()
    last: Tally | None = None
    while True:
        asked = loop.time()
        tally = await ledger.do(count)
        now = loop.time()
        if last is None or (tally.by_state, tally.replies) != (last.by_state, last.replies):
            quiet_since, last = now, tally
            on_progress(Progress(total=tally.total, by_state=tally.by_state, replies=tally.replies))
        open_states = set(tally.by_state) - (SETTLED if patience.wait else SETTLED | {State.SENT})
        lingered = not patience.wait or now - quiet_since >= patience.linger.total_seconds()
        if not open_states and lingered:
            return True
        if patience.timeout is not None and now - began >= patience.timeout.total_seconds():
            return True
        if State.SENDING not in tally.by_state and await ledger.do(stop.pressed) is not None:
            return True
        if instead_of is not None and instead_of.take():
            return False
        # Counting a big campaign takes a while itself: it never gets more than a tenth of the ledger's time.
        await asyncio.sleep(max(_BEAT, 10 * (now - asked)))
