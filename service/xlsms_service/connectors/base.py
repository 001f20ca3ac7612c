"""The seam between delivery and a way out and in.

A connector keeps its own link alive: after `open` it reconnects by itself until `close`. It holds no promise beyond
the link: what was accepted, refused or is uncertain is told through `Events`, and the ledger keeps it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable

from xlsms.errors import XlsmsError
from xlsms.model import Inbound, Outcome, Outgoing, Receipt

__all__ = [
    "Acknowledgeable",
    "Asking",
    "Capabilities",
    "Connector",
    "Events",
    "IdForms",
    "LateEvents",
    "Link",
    "LinkStatus",
    "Measured",
    "PartAskedAbout",
    "Reading",
]

#: The other ways in which a network may write a message id: hexadecimal for decimal, zeros dropped, other case.
IdForms = Callable[[str], Iterable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a connector can do."""

    receipts: bool
    inbound: bool
    ahead: timedelta = timedelta(0)  #: so long before its send time a message may be handed over


class Link(StrEnum):
    """State of the live session."""

    DOWN = "down"
    CONNECTING = "connecting"
    UP = "up"
    REFUSED = "refused"  #: wrong password and the like: someone has to mend the settings


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkStatus:
    """What the link does now, and why when it, or one of several connections behind it, is not up."""

    connector: str
    link: Link
    error: XlsmsError | None = None
    retry_in: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How much of a connector is in use now."""

    window: int  #: parts that may be with the network without an answer; 0 while no link is up
    used: int  #: parts that are
    limit: float | None = None  #: parts a second that may go; None: as many as the window lets


class Acknowledgeable(NamedTuple):
    """Something the network waits to have acknowledged; give `token` to `Connector.acknowledge` once it is durable."""

    item: Receipt | Inbound
    token: object


@dataclass(frozen=True, slots=True, kw_only=True)
class PartAskedAbout:
    """A part that the network took, with what it knows it by."""

    network_id: str
    destination: str  #: as it was submitted
    sender: str | None = None  #: None: the connector's own


class Events(Protocol):
    """What a connector tells, on the event loop's thread, in batches; no method blocks or raises."""

    def link_changed(self, status: LinkStatus) -> None:
        """The link went up or down."""

    def room_changed(self, connector: str) -> None:
        """`room()` has grown: more can be submitted."""

    def outcomes(self, connector: str, outcomes: Sequence[Outcome]) -> None:
        """Submits have ended."""

    def received(self, connector: str, items: Sequence[Acknowledgeable]) -> None:
        """Receipts and texts arrived; each is acknowledged only when durable."""


@runtime_checkable
class LateEvents(Protocol):
    """What `Events` may hear besides: a connector tells it to those who have this method."""

    def outcomes_late(self, connector: str, outcomes: Sequence[Outcome]) -> None:
        """Submits whose outcome was *uncertain* have been answered after all; this is what became of them."""


class Connector(Protocol):
    """A way out and in. All methods are called on the event loop's thread."""

    name: str
    capabilities: Capabilities

    async def open(self, events: Events) -> None:
        """Start keeping a link; returns at once. Idempotent."""

    def room(self) -> int:
        """How many more parts may be submitted now: the free window, 0 while the link is down."""

    def submit(self, batch: Sequence[Outgoing]) -> None:
        """Hand parts over. Never blocks, never raises for the network's sake; one `Outcome` follows for each.

        A batch may be larger than `room()`; the rest waits inside and is *returned* if the link goes down before its
        turn comes. While the link is down everything is *returned* at once.
        """

    def acknowledge(self, tokens: Sequence[object]) -> None:
        """What these tokens stood for is durable: tell the network. Tokens of a link that is gone are ignored."""

    async def close(self, drain: timedelta = timedelta(seconds=5)) -> None:
        """Wait up to `drain` for open answers, take leave, and stop. What is still open is *uncertain*. Idempotent."""


@runtime_checkable
class Asking(Protocol):
    """What a connector can besides, whose network answers questions about what it took.

    Both raise `TransientError` while the link is down, when no answer comes, and when the network says neither.
    """

    ask_after: timedelta | None  #: how long a part may go without a report before it is asked about; None: never
    cancels: bool  #: whether what is recalled is to be taken back from the network

    async def query(self, part: PartAskedAbout) -> Receipt | None:
        """What the network says of the part now, in the words of a receipt; None when it does not know it."""

    async def cancel(self, part: PartAskedAbout) -> bool:
        """Take the part back; whether it certainly does not reach the phone any more."""


@runtime_checkable
class Measured(Protocol):
    """What a connector can besides: say how much of it is in use."""

    def reading(self) -> Reading:
        """How it is now."""
