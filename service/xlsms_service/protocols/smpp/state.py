"""The states of an SMPP session and what may happen in each.

Everything that decides which PDU may be sent or received in which state, and which state follows, stands in this
file (§2.2 and table 2-1). The rest of the session only looks it up.
"""

from enum import StrEnum

from xlsms_service.protocols.smpp.constants import Command

__all__ = ["BOUND", "BOUND_BY", "MOVES", "MOVING", "REQUESTS", "Role", "SessionState", "Step", "other"]


class Role(StrEnum):
    """Which end of the link a session is."""

    ESME = "esme"  #: the one that binds: us
    SMSC = "smsc"  #: the one that is bound to: the network, or its simulator


class SessionState(StrEnum):
    """Where a session is between connecting and closing."""

    OPEN = "open"  #: connected; nobody has bound yet
    BINDING = "binding"  #: a bind is under way
    BOUND_TX = "bound-tx"  #: the ESME may submit
    BOUND_RX = "bound-rx"  #: the ESME may receive
    BOUND_TRX = "bound-trx"  #: both
    UNBINDING = "unbinding"  #: an unbind is under way; answers and deliveries still count
    CLOSED = "closed"  #: nothing more is sent or read


class Step(StrEnum):
    """What moves a session from one state to the next."""

    BIND = "bind"
    REFUSED = "bind refused"
    BOUND_TX = "bound as transmitter"
    BOUND_RX = "bound as receiver"
    BOUND_TRX = "bound as transceiver"
    UNBIND = "unbind"
    END = "end"  #: unbind answered, out of step, unanswered timers, connection gone


_S = SessionState

BOUND = frozenset({_S.BOUND_TX, _S.BOUND_RX, _S.BOUND_TRX})

#: From each state, the steps that are possible and where they lead.
MOVES: dict[SessionState, dict[Step, SessionState]] = {
    _S.OPEN: {Step.BIND: _S.BINDING, Step.END: _S.CLOSED},
    _S.BINDING: {
        Step.BOUND_TX: _S.BOUND_TX,
        Step.BOUND_RX: _S.BOUND_RX,
        Step.BOUND_TRX: _S.BOUND_TRX,
        Step.REFUSED: _S.OPEN,
        Step.END: _S.CLOSED,
    },
    _S.BOUND_TX: {Step.UNBIND: _S.UNBINDING, Step.END: _S.CLOSED},
    _S.BOUND_RX: {Step.UNBIND: _S.UNBINDING, Step.END: _S.CLOSED},
    _S.BOUND_TRX: {Step.UNBIND: _S.UNBINDING, Step.END: _S.CLOSED},
    _S.UNBINDING: {Step.UNBIND: _S.UNBINDING, Step.END: _S.CLOSED},
    _S.CLOSED: {},
}

#: The step that each bind's success is.
BOUND_BY: dict[int, Step] = {
    Command.BIND_TRANSMITTER: Step.BOUND_TX,
    Command.BIND_RECEIVER: Step.BOUND_RX,
    Command.BIND_TRANSCEIVER: Step.BOUND_TRX,
}

#: The requests that move a session by being sent, whichever side sends them.
MOVING: dict[int, Step] = {
    Command.BIND_TRANSMITTER: Step.BIND,
    Command.BIND_RECEIVER: Step.BIND,
    Command.BIND_TRANSCEIVER: Step.BIND,
    Command.UNBIND: Step.UNBIND,
}

_BINDS = frozenset({Command.BIND_TRANSMITTER, Command.BIND_RECEIVER, Command.BIND_TRANSCEIVER})
_ALWAYS = frozenset({Command.ENQUIRE_LINK})
_LEAVE = _ALWAYS | {Command.UNBIND}
_UPWARDS = frozenset({Command.SUBMIT_SM, Command.QUERY_SM, Command.CANCEL_SM})
_DOWNWARDS = frozenset({Command.DELIVER_SM, Command.ALERT_NOTIFICATION})

#: The requests that each side may send in each state (table 2-1). An enquire_link is answered in every state, and
#: what was already under way when an unbind crossed it is still taken.
REQUESTS: dict[Role, dict[SessionState, frozenset[int]]] = {
    Role.ESME: {
        _S.OPEN: _ALWAYS | _BINDS,
        _S.BINDING: _ALWAYS,
        _S.BOUND_TX: _LEAVE | _UPWARDS,
        _S.BOUND_RX: _LEAVE,
        _S.BOUND_TRX: _LEAVE | _UPWARDS,
        _S.UNBINDING: _LEAVE | _UPWARDS,
        _S.CLOSED: frozenset(),
    },
    Role.SMSC: {
        _S.OPEN: _ALWAYS | {Command.OUTBIND},
        _S.BINDING: _ALWAYS,
        _S.BOUND_TX: _LEAVE,
        _S.BOUND_RX: _LEAVE | _DOWNWARDS,
        _S.BOUND_TRX: _LEAVE | _DOWNWARDS,
        _S.UNBINDING: _LEAVE | _DOWNWARDS,
        _S.CLOSED: frozenset(),
    },
}


def other(role: Role) -> Role:
    """The other end."""
    return Role.SMSC if role is Role.ESME else Role.ESME
