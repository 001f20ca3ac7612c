"""The states of a message, what the sheet calls them, and the legal moves between them.

Everything that decides which state may follow which stands in this file.
"""

from collections.abc import Iterable
from enum import StrEnum

__all__ = ["FINAL", "LABELS", "MOVES", "State", "may_move", "read_label", "worst"]


class State(StrEnum):
    """Where a message is on its way; the values are stable and stored."""

    SCHEDULED = "scheduled"  #: accepted; waits for its send time
    QUEUED = "queued"  #: accepted; waits for a free link
    HELD = "held"  #: accepted, but goes nowhere until someone decides
    SENDING = "sending"  #: claimed for a link; its bytes may leave at any moment
    SENT = "sent"  #: the network took it
    DELIVERED = "delivered"  #: the phone has it
    FAILED = "failed"  #: refused for good by the network or the phone
    EXPIRED = "expired"  #: its validity ended before the phone could be reached
    UNCERTAIN = "uncertain"  #: it may have left; never repeated unasked
    CANCELLED = "cancelled"  #: taken back before it left, or before its phone had it


#: What the sheet shows.
LABELS: dict[str, dict[State, str]] = {
    "en": {
        State.QUEUED: "Queued",
        State.SCHEDULED: "Scheduled",
        State.SENDING: "Sending",
        State.SENT: "Sent",
        State.DELIVERED: "Delivered",
        State.FAILED: "Failed",
        State.EXPIRED: "Expired",
        State.UNCERTAIN: "Uncertain",
        State.HELD: "Held",
        State.CANCELLED: "Cancelled",
    },
    "es": {
        State.QUEUED: "En cola",
        State.SCHEDULED: "Programado",
        State.SENDING: "Enviando",
        State.SENT: "Enviado",
        State.DELIVERED: "Entregado",
        State.FAILED: "Fallido",
        State.EXPIRED: "Caducado",
        State.UNCERTAIN: "Incierto",
        State.HELD: "Retenido",
        State.CANCELLED: "Cancelado",
    },
}

#: From each state, the states that may follow. A receipt may overtake the answer to the submit, and what comes back
#: unsent may have been recalled or paused meanwhile, so *sending* reaches every outcome; what waits to be sent again
#: after a lost answer may turn out to have gone, so *queued* reaches *sent* and *delivered*. *Delivered* replaces any
#: other outcome (some networks report EXPIRED first, or deliver what they said they had taken back), and nothing
#: replaces it.
MOVES: dict[State, frozenset[State]] = {
    State.SCHEDULED: frozenset({State.QUEUED, State.HELD, State.CANCELLED, State.EXPIRED}),
    State.QUEUED: frozenset(
        {
            State.SENDING,
            State.SCHEDULED,
            State.HELD,
            State.CANCELLED,
            State.EXPIRED,
            State.FAILED,
            State.SENT,
            State.DELIVERED,
        },
    ),
    State.HELD: frozenset({State.QUEUED, State.SCHEDULED, State.CANCELLED, State.EXPIRED}),
    State.SENDING: frozenset(
        {
            State.QUEUED,
            State.HELD,
            State.CANCELLED,
            State.SENT,
            State.DELIVERED,
            State.FAILED,
            State.EXPIRED,
            State.UNCERTAIN,
        },
    ),
    State.SENT: frozenset({State.DELIVERED, State.FAILED, State.EXPIRED, State.CANCELLED}),
    State.UNCERTAIN: frozenset(
        {State.SENT, State.DELIVERED, State.FAILED, State.EXPIRED, State.QUEUED, State.CANCELLED},
    ),
    State.FAILED: frozenset({State.DELIVERED}),
    State.EXPIRED: frozenset({State.DELIVERED}),
    State.DELIVERED: frozenset(),
    State.CANCELLED: frozenset({State.DELIVERED}),
}

#: Nothing more is expected. *Uncertain* is not among them: a receipt or the user settles it.
FINAL: frozenset[State] = frozenset({State.DELIVERED, State.FAILED, State.EXPIRED, State.CANCELLED})

#: Parts of one message, worst first: the message is only as well off as its worst part.
_WORST = (
    State.UNCERTAIN,
    State.SENDING,
    State.QUEUED,
    State.SENT,
    State.FAILED,
    State.EXPIRED,
    State.CANCELLED,
    State.DELIVERED,
)

_READ = {label.casefold(): state for labels in LABELS.values() for state, label in labels.items()}


def may_move(old: State, new: State) -> bool:
    """Whether `new` may follow `old`."""
    return new in MOVES[old]


def read_label(text: str) -> State | None:
    """The state that a status cell shows, in either language; None when it shows something else."""
    return _READ.get(text.strip().casefold())


def worst(parts: Iterable[State]) -> State:
    """The state of a message from its parts: delivered only if all are; final only when all are final."""
    return min(parts, key=_WORST.index)
