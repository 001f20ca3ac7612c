"""One SMPP session, either end of it, with no socket and no clock.

Bytes in with `receive`, events out; requests in with `send`, bytes out with `data_to_send`. Time is the caller's:
seconds of a clock that never goes back, given as `now`; `due` says when `tick` has something to do.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from struct import Struct

from xlsms_service.protocols.smpp.base import read_cstring
from xlsms_service.protocols.smpp.constants import HEADER, LAST_SEQUENCE, RESPONSE, Command, Status
from xlsms_service.protocols.smpp.event import (
    Answered,
    AnsweredLate,
    BindAnswered,
    Closed,
    End,
    Event,
    Reported,
    Requested,
    Taken,
    TimedOut,
)
from xlsms_service.protocols.smpp.fault import ProtocolError
from xlsms_service.protocols.smpp.framing import FRAME_LIMIT, Framer, OutOfStepError
from xlsms_service.protocols.smpp.pdu import (
    Bind,
    BindResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Pdu,
    Unbind,
    UnbindResp,
    Unknown,
    decode,
    encode,
    response_to,
)
from xlsms_service.protocols.smpp.state import BOUND, BOUND_BY, MOVES, MOVING, REQUESTS, Role, SessionState, Step, other
from xlsms_service.protocols.smpp.usual import UsualReader, UsualReceipt

__all__ = ["NotNowError", "Session", "Timers"]

_HEAD = Struct(">IIII")
_ACKNOWLEDGED = Struct(">IIIIB")  # a deliver_sm_resp: its message_id is empty (§4.6.2)
_TAKEN, _REPORTED = int(Command.SUBMIT_SM_RESP), int(Command.DELIVER_SM)
_NOTHING = (None, None, 0.0)  # waits for an answer of this sequence number
_FINISH = 5.0  # seconds that an unbind waits for its answer while ours are still to come
_LATE = 10_000  # requests without an answer whose tokens are kept in case it still comes


class NotNowError(RuntimeError):
    """This side may not send this request in this state: a mistake of the program, not of the peer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """How long a session waits, in seconds (§7.2)."""

    response: float = 30.0  #: for the answer to a request
    bind: float = 10.0  #: for the answer to a bind
    enquire: float | None = 30.0  #: nothing read for so long: ask whether the other side is there; None: never


class _Own:
    """The token of the requests that the session answers for itself."""


_OWN = _Own()


class Session:
    """One end of a link from connection to close. Nothing that the peer sends makes it raise."""

    def __init__(self, role: Role = Role.ESME, *, now: float, timers: Timers, limit: int = FRAME_LIMIT) -> None:
        self.role = role
        self.state = SessionState.OPEN
        self._timers = timers
        self._framer = Framer(limit)
        self._usual = UsualReader()
        self._out: list[bytes] = []
        self._sequence = 0
        #: sequence -> (command of the response, token, deadline); deadlines grow, as all but the bind's, which goes
        #: alone, are equally long: the first is the next one due.
        self._open: dict[int, tuple[int, object, float]] = {}
        self._own = 0  # how many of the open requests are the session's own
        self._late: dict[int, tuple[int, object]] = {}  # the same without deadlines: those that have timed out
        self._read_at = now
        #: The unbind of the SMSC that waits for its answer until ours have come, and when it is answered all the same.
        self._dismissal: tuple[int, float] | None = None

    @property
    def in_flight(self) -> int:
        """Requests given to `send` that have no answer yet."""
        return len(self._open) - self._own

    @property
    def closed(self) -> bool:
        """Nothing more is sent or read."""
        return self.state is SessionState.CLOSED

    # --- out ---

    def data_to_send(self) -> bytes:
        """All octets since the last call; the caller writes them in one go."""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def bind(self, pdu: Bind, now: float) -> None:
        """Ask to be bound; `BindAnswered` or `Closed` follows."""
        self._request(pdu, _OWN, now + self._timers.bind)

    def unbind(self, now: float) -> None:
        """Take leave; `Closed` follows. Events of what is still open may come before it."""
        self._request(Unbind(sequence=0), _OWN, now + self._timers.response)

    def send(self, pdu: Pdu, token: object, now: float) -> int:
        """Send a request under the next sequence number, which is returned; one `Answered` or `TimedOut` follows.

        Raises `NotNowError` in a state that does not allow it, `FieldError` for a value that cannot be written.
        """
        return self._request(pdu, token, now + self._timers.response)

    def send_bodies(self, command: int, bodies: Iterable[tuple[bytes, object]], now: float) -> None:
        """As `send` for each body with its token, for bodies that are octets already: the quick way for submit_sm."""
        self._check(command)
        out, waiting = self._out.append, self._open
        response, deadline = command | RESPONSE, now + self._timers.response
        for body, token in bodies:
            sequence = self._next()
            out(_HEAD.pack(HEADER + len(body), command, 0, sequence))
            out(body)
            waiting[sequence] = (response, token, deadline)

    def respond(self, pdu: Pdu) -> None:
        """Answer a request; its `sequence` is the request's. Without effect once the session is closed."""
        if self.closed:
            return
        self._out.append(encode(pdu))
        if isinstance(pdu, BindResp) and self.state is SessionState.BINDING:
            self._move(Step.REFUSED if pdu.status else BOUND_BY[pdu.command & ~RESPONSE])

    def acknowledge(self, sequences: Iterable[int]) -> None:
        """As `respond` with a bare deliver_sm_resp to each: the quick way."""
        if not self.closed:
            size = _ACKNOWLEDGED.size
            self._out += [_ACKNOWLEDGED.pack(size, Command.DELIVER_SM_RESP, 0, each, 0) for each in sequences]

    def abandon(self) -> list[object]:
        """The connection is gone: end the session, and give the tokens of what has no answer, oldest first."""
        tokens = [token for _, token, _ in self._open.values() if token is not _OWN]
        self._open.clear()
        self._late.clear()
        self._own = 0
        self._out.clear()
        self._close()
        return tokens

    # --- in ---

    def receive(self, data: bytes, now: float) -> list[Event]:
        """What these octets mean. Answers to enquire_link, unbind and rubbish are put out by the session itself."""
        events: list[Event] = []
        if self.closed:
            return events
        self._read_at = now
        fault: OutOfStepError | None = None
        try:
            frames = self._framer.feed(data)
        except OutOfStepError as error:
            fault, frames = error, error.frames
        self._read(frames, fault, events)
        if self._dismissal is not None and not self.in_flight:
            self._go(events)
        return events

    def _read(self, frames: list[bytes], fault: OutOfStepError | None, events: list[Event]) -> None:
        at = 0
        while at < len(frames):
            quick = self._read_taken(frames, at, events) or self._read_reported(frames, at, events)
            if not quick:
                self._receive(frames[at], events)
                if self.closed:
                    return
            at += quick or 1
        if fault is not None:
            self._out.append(encode(GenericNack(sequence=0, status=fault.status)))
            self._end(End.GARBLED, events, fault.reason)

    def _read_taken(self, frames: list[bytes], at: int, events: list[Event]) -> int:
        """The quick way for each submit_sm_resp, from `at` on, that accepts what waits for it; how many there are."""
        waiting, submits = self._open, []
        for index in range(at, len(frames)):
            frame = frames[index]
            _, command, status, sequence = _HEAD.unpack_from(frame)
            if command != _TAKEN or status or waiting.get(sequence, _NOTHING)[0] != _TAKEN:
                break
            submits.append((waiting.pop(sequence)[1], read_cstring(frame, HEADER)[0]))
        if submits:
            events.append(Taken(submits))
        return len(submits)

    def _read_reported(self, frames: list[bytes], at: int, events: list[Event]) -> int:
        """The same for each usual receipt."""
        receipts: list[UsualReceipt] = []
        if Command.DELIVER_SM not in REQUESTS[other(self.role)][self.state]:
            return 0
        for index in range(at, len(frames)):
            frame = frames[index]
            _, command, _, sequence = _HEAD.unpack_from(frame)
            receipt = self._usual.read(frame, sequence) if command == _REPORTED else None
            if receipt is None:
                break
            receipts.append(receipt)
        if receipts:
            events.append(Reported(receipts))
        return len(receipts)

    def _receive(self, frame: bytes, events: list[Event]) -> None:
        try:
            pdu = decode(frame)
        except ProtocolError as error:
            # A response that cannot be read is left to its timer: the request may have been carried out.
            if not frame[4] & 0x80:
                self._out.append(encode(GenericNack(sequence=error.sequence, status=error.status)))
            return
        command = pdu.command_id if isinstance(pdu, Unknown) else pdu.command
        if command & RESPONSE:
            self._answered(command, pdu, events)
        elif command in REQUESTS[other(self.role)][self.state]:
            self._requested(command, pdu, events)
        elif not isinstance(pdu, Unknown):
            again = command in BOUND_BY and self.state in BOUND
            self._out.append(encode(response_to(pdu, Status.ALREADY_BOUND if again else Status.WRONG_BIND_STATE)))
        elif command != Command.ALERT_NOTIFICATION:
            self._out.append(encode(GenericNack(sequence=pdu.sequence, status=Status.INVALID_COMMAND)))

    def _answered(self, command: int, pdu: Pdu, events: list[Event]) -> None:
        waiting = self._open.get(pdu.sequence)
        if waiting is None:
            late = self._late.get(pdu.sequence)
            if late is not None and command in (late[0], Command.GENERIC_NACK):
                del self._late[pdu.sequence]
                events.append(AnsweredLate(late[1], pdu))
            return
        if command not in (waiting[0], Command.GENERIC_NACK):
            return
        del self._open[pdu.sequence]
        if waiting[1] is not _OWN:
            events.append(Answered(waiting[1], pdu))
            return
        self._own -= 1
        if self.state is SessionState.BINDING and waiting[0] - RESPONSE in BOUND_BY:
            self._bind_answered(waiting[0], pdu, events)
        elif waiting[0] == Command.UNBIND_RESP:
            self._end(End.LEFT, events)

    def _bind_answered(self, expected: int, pdu: Pdu, events: list[Event]) -> None:
        # A generic_nack is a refusal even where its status forgets to say so.
        status = pdu.status or (Status.BIND_FAILED if isinstance(pdu, GenericNack) else Status.OK)
        self._move(Step.REFUSED if status else BOUND_BY[expected - RESPONSE])
        events.append(BindAnswered(status=status, response=pdu if isinstance(pdu, BindResp) else None))

    def _requested(self, command: int, pdu: Pdu, events: list[Event]) -> None:
        match command:
            case Command.ENQUIRE_LINK:
                self._out.append(encode(EnquireLinkResp(sequence=pdu.sequence)))
            case Command.UNBIND if self.role is Role.ESME and self.state in BOUND and self.in_flight:
                # An operator that is about to restart finishes its work: the answers are behind its unbind.
                self._dismissal = (pdu.sequence, self._read_at + _FINISH)
                self._move(Step.UNBIND)
            case Command.UNBIND:
                self._out.append(encode(UnbindResp(sequence=pdu.sequence)))
                self._end(End.DISMISSED, events)
            case Command.ALERT_NOTIFICATION:
                pass  # it has no answer, and says only that a phone is back (§4.12)
            case _:
                if (step := MOVING.get(command)) is not None:
                    self._move(step)
                events.append(Requested(pdu))

    # --- time ---

    def due(self) -> float | None:
        """When `tick` has something to do; None while nothing is waited for."""
        if self.closed:
            return None
        waits = [self._open[next(iter(self._open))][2]] if self._open else []
        if (idle := self._idle_at()) is not None:
            waits.append(idle)
        if self._dismissal is not None:
            waits.append(self._dismissal[1])
        return min(waits, default=None)

    def tick(self, now: float) -> list[Event]:
        """What has run out by `now`; puts out an enquire_link when nothing was read for long."""
        events: list[Event] = []
        while self._open and not self.closed:
            sequence = next(iter(self._open))
            expected, token, deadline = self._open[sequence]
            if deadline > now:
                break
            del self._open[sequence]
            if token is not _OWN:
                events.append(TimedOut(token))
                self._remember(sequence, expected, token)
                continue
            self._own -= 1
            binding = expected - RESPONSE in BOUND_BY
            self._end(End.BIND_UNANSWERED if binding else End.SILENT, events)
        if self._dismissal is not None and not self.closed and (self._dismissal[1] <= now or not self.in_flight):
            self._go(events)
        idle = self._idle_at()
        if idle is not None and idle <= now:
            self._request(EnquireLink(sequence=0), _OWN, now + self._timers.response)
        return events

    def forgive(self, seconds: float) -> None:
        """For so long nothing could be read, for a reason of our own: all that is waited for may come so much later."""
        self._open = {key: (command, token, until + seconds) for key, (command, token, until) in self._open.items()}
        self._read_at += seconds

    def _remember(self, sequence: int, expected: int, token: object) -> None:
        self._late[sequence] = (expected, token)
        if len(self._late) > _LATE:
            del self._late[next(iter(self._late))]

    def _idle_at(self) -> float | None:
        """When to ask whether the other side is there; None while a question of ours is open."""
        if self._timers.enquire is None or self._own or self.state not in BOUND:
            return None
        return self._read_at + self._timers.enquire

    # --- inside ---

    def _request(self, pdu: Pdu, token: object, deadline: float) -> int:
        self._check(pdu.command)
        sequence = self._next()
        self._out.append(encode(replace(pdu, sequence=sequence)))
        if pdu.command != Command.OUTBIND:  # it has no answer
            self._open[sequence] = (pdu.command | RESPONSE, token, deadline)
            self._own += token is _OWN
        if (step := MOVING.get(pdu.command)) is not None:
            self._move(step)
        return sequence

    def _check(self, command: int) -> None:
        if command not in REQUESTS[self.role][self.state]:
            raise NotNowError(f"{Command(command).name} as {self.role} in state {self.state}")

    def _next(self) -> int:
        while True:
            self._sequence = 1 if self._sequence >= LAST_SEQUENCE else self._sequence + 1
            if self._sequence not in self._open and self._sequence not in self._late:
                return self._sequence

    def _move(self, step: Step) -> None:
        self.state = MOVES[self.state][step]

    def _go(self, events: list[Event]) -> None:
        """Answer the unbind of the SMSC, and close."""
        if self._dismissal is not None and not self.closed:
            self._out.append(encode(UnbindResp(sequence=self._dismissal[0])))
            self._end(End.DISMISSED, events)

    def _close(self) -> None:
        if not self.closed:
            self._move(Step.END)

    def _end(self, end: End, events: list[Event], detail: str = "") -> None:
        self._close()
        events.append(Closed(end=end, detail=detail))
