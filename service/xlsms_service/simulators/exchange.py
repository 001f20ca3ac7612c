"""A simulated SMS centre without a socket: accounts, messages, and what is due when.

Whoever owns it hands in octets and the time, through `Session`, and calls `tick` when `due` has come.
"""

import random
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from heapq import heappop, heappush
from itertools import count
from pathlib import Path

from xlsms_service.protocols.smpp.constants import Status
from xlsms_service.protocols.smpp.pdu import (
    CancelSm,
    CancelSmResp,
    DeliverSm,
    QuerySm,
    QuerySmResp,
    SubmitSm,
    SubmitSmResp,
)
from xlsms_service.simulators.network import Network, Throttle, chosen, write_id
from xlsms_service.simulators.phones import Population, Report
from xlsms_service.simulators.record import Counters, Record, Taken, TakenPart
from xlsms_service.simulators.session import Outlet, Session
from xlsms_service.simulators.timing import Timing
from xlsms_service.simulators.wire import MESSAGE_STATES, Message, final_date, read_text, write_receipt, write_reply

__all__ = ["Event", "Exchange", "Settings"]

_EARLY_LEAD = 0.02  # seconds by which a receipt overtakes its answer, when they go over two connections
_IDS_A_SECOND = 100_000  # a restarted network does not give out an id again, unless it was faster than this
_FAILURE_ONLY = 0x02
_DELETED = Report(stat="DELETED", error="000", after=0.0)  # what becomes of a cancelled message
_LONGEST_ADDRESS = 20  # characters (§5.2.8); reading forgives longer ones, a receipt could not name them


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Who may bind, and how the SMS centre deals with its clients."""

    accounts: Mapping[str, str] = field(default_factory=dict, repr=False)  #: system_id -> password; empty: everyone
    number: str = "34600000000"  #: what phones see and answer when a submit names no sender
    window: int = 10  #: deliver_sm that may be open towards one session
    enquire: float = 30.0  #: seconds of silence before an enquire_link, and before giving up on one; 0: never
    retry: float = 1.0  #: seconds before a deliver_sm is tried again that the client could not take just now
    keep: int | None = None  #: parts and messages remembered; None: all
    journal: Path | None = None  #: file that gets one JSON line for each part taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something to show: what happened, and to which phone, text and message it did."""

    kind: str  #: bind, refused-bind, leave, drop, taken, throttled, refused, lost-answer, receipt, reply, malformed
    at: datetime
    system_id: str = ""
    phone: str = ""
    text: str = ""
    state: str = ""
    network_id: str = ""


@dataclass(slots=True)
class _Account:
    """What waits for one client, over all its sessions and while it has none."""

    system_id: str
    waiting: deque[DeliverSm] = field(default_factory=deque)
    receivers: deque[Session] = field(default_factory=deque)


def _now() -> datetime:
    return datetime.now(UTC)


class Exchange:
    """The SMS centre. `network` may be changed at any time; times named `now` are seconds of any steady clock."""

    def __init__(
        self,
        population: Population | None = None,
        settings: Settings | None = None,
        network: Network | None = None,
        *,
        clock: Callable[[], datetime] = _now,
        rng: random.Random | None = None,
        listener: Callable[[Event], None] | None = None,
    ) -> None:
        self.population = population or Population()
        self.settings = settings or Settings()
        self.network = network or Network()
        self.record = Record(keep=self.settings.keep, journal=self.settings.journal)
        self.sessions: set[Session] = set()
        self._clock = clock
        self._rng = rng or random.Random(0)  # noqa: S311 a rehearsal, not a secret
        self._listener = listener
        self._accounts: dict[str, _Account] = {}
        self._messages: OrderedDict[str, Message] = OrderedDict()
        self._numbers = count(int(clock().timestamp()) * _IDS_A_SECOND + 1)
        self._references = count(1)
        self._throttle = Throttle()
        self._timers: list[tuple[float, int, Callable[[float], None]]] = []
        self._timer_numbers = count()
        self._unsettled: set[str] = set()
        self._outspoken: list[Session] = []

    @property
    def counters(self) -> Counters:
        """What has happened so far."""
        return self.record.counters

    @property
    def taken(self) -> list[Taken]:
        """The whole messages that were taken, oldest first."""
        return list(self.record.taken)

    @property
    def waiting(self) -> int:
        """Receipts and replies that no client has acknowledged yet."""
        queued = sum(len(account.waiting) for account in self._accounts.values())
        return queued + sum(session.open_deliveries for session in self.sessions)

    # Sessions

    def connect(self, outlet: Outlet, now: float) -> Session:
        """A client has connected."""
        session = Session(self, outlet, now)
        self.sessions.add(session)
        return session

    def admit(self, system_id: str, password: str) -> Status:
        """Whether these credentials may bind."""
        accounts = self.settings.accounts
        if accounts and system_id not in accounts:
            return Status.WRONG_SYSTEM_ID
        return Status.WRONG_PASSWORD if accounts and accounts[system_id] != password else Status.OK

    def joined(self, session: Session) -> None:
        """A session is bound."""
        self.counters.binds += 1
        self.counters.links += 1
        if session.receives:
            self._account(session.system_id).receivers.append(session)
            self._unsettled.add(session.system_id)
        self.tell("bind", system_id=session.system_id, state=session.mode)

    def left(self, session: Session, unacknowledged: list[DeliverSm]) -> None:
        """A session is gone; what it did not acknowledge is sent again, in order, before anything newer."""
        self.sessions.discard(session)
        if not session.system_id:
            return
        self.counters.links -= 1
        account = self._account(session.system_id)
        if session.receives:
            account.receivers.remove(session)
        account.waiting.extendleft(reversed(unacknowledged))
        self.counters.repeated += len(unacknowledged)
        self._unsettled.add(session.system_id)
        self.tell("leave", system_id=session.system_id)

    def drop(self) -> None:
        """Cut every link at once."""
        for session in list(self.sessions):
            self.counters.drops += 1
            session.cut()

    # Time

    def later(self, at: float, action: Callable[[float], None]) -> None:
        """Do this at that time."""
        heappush(self._timers, (at, next(self._timer_numbers), action))

    @property
    def due(self) -> float | None:
        """When `tick` has to be called next."""
        return self._timers[0][0] if self._timers else None

    def tick(self, now: float) -> None:
        """Do all that is due."""
        timers = self._timers
        while timers and timers[0][0] <= now:
            _, _, action = heappop(timers)
            action(now)
        self.settle()

    def settle(self) -> None:
        """Hand out what waits for the clients, and write what the sessions have to say."""
        while self._unsettled:
            account = self._account(self._unsettled.pop())
            receivers = account.receivers
            full = 0
            while account.waiting and full < len(receivers):
                if receivers[0].room > 0:
                    receivers[0].deliver(account.waiting.popleft())
                    full = 0
                else:
                    full += 1
                receivers.rotate(-1)
        while self._outspoken:
            self._outspoken.pop().flush()

    # Messages

    def submit(self, session: Session, pdu: SubmitSm, now: float) -> None:
        """Take or refuse one part, and answer it as the network does."""
        self.counters.submits += 1
        status = self._judge(pdu, now)
        if status:
            throttled = status == Status.THROTTLED
            self.counters.throttled += throttled
            self.counters.refused += not throttled
            kind = "throttled" if throttled else "refused"
            self.tell(kind, system_id=session.system_id, phone=pdu.destination_addr, state=f"0x{status:02X}")
            session.send(SubmitSmResp(sequence=pdu.sequence, status=status))
            return
        message = self._take(session.system_id, pdu)
        early = self._react(message, now)
        self._answer(session, SubmitSmResp(sequence=pdu.sequence, message_id=message.part.network_id), now, early=early)

    def _judge(self, pdu: SubmitSm, now: float) -> int:
        network = self.network
        if network.throttle_every and self.counters.submits % network.throttle_every == 0:
            return Status.THROTTLED
        if network.throttle_rate and self._throttle.exceeds(network.throttle_rate, now):
            return Status.THROTTLED
        if not pdu.destination_addr.removeprefix("+").isdecimal() or len(pdu.destination_addr) > _LONGEST_ADDRESS:
            return Status.INVALID_DESTINATION
        if len(pdu.source_addr) > _LONGEST_ADDRESS:
            return Status.INVALID_SOURCE
        return self.population.phone(pdu.destination_addr).behaviour.refusal

    def _take(self, system_id: str, pdu: SubmitSm) -> Message:
        number = next(self._numbers)
        text, concat = read_text(pdu)
        part = TakenPart(
            system_id=system_id,
            destination=pdu.destination_addr,
            sender=pdu.source_addr or self.settings.number,
            text=text,
            network_id=write_id(number, self.network.response_id),
            at=self._clock(),
            concat=concat,
        )
        self.record.add_part(part)
        message = Message(part=part, submit=pdu, receipt_id=write_id(number, self.network.receipt_id))
        self._messages[part.network_id] = message
        if self.settings.keep is not None and len(self._messages) > self.settings.keep:
            self._messages.popitem(last=False)
        self.tell_of(message, "taken")
        return message

    def _react(self, message: Message, now: float) -> bool:
        """Let the phone react; True when its receipt has overtaken the answer."""
        part = message.part
        phone = self.population.phone(part.destination)
        reaction = phone.on_message(part.text, part.sender, part.concat, part.network_id)
        if message.submit.schedule_delivery_time or message.submit.validity_period:
            reaction = Timing.of(message.submit, part.at).applied(reaction)
        if reaction.whole is not None:
            self.record.add_message(
                Taken(
                    system_id=part.system_id,
                    destination=part.destination,
                    sender=part.sender,
                    text=reaction.whole.text,
                    parts=len(reaction.whole.network_ids),
                    network_ids=reaction.whole.network_ids,
                    at=part.at,
                )
            )
        early = chosen(self.network.early_receipts, self.counters.parts, self._rng) and reaction.report is not None
        if reaction.report is not None:
            report = partial(self._report, message, reaction.report)
            if early:
                report(now)
            else:
                self.later(now + reaction.report.after, report)
        if reaction.reply is not None and message.can_be_answered:
            self.later(now + reaction.reply.after, partial(self._reply, message, reaction.reply.text))
        return early

    def _answer(self, session: Session, answer: SubmitSmResp, now: float, *, early: bool) -> None:
        number = self.counters.parts
        if chosen(self.network.lose_answers, number, self._rng):
            self.counters.lost_answers += 1
            self.tell("lost-answer", system_id=session.system_id, network_id=answer.message_id)
            return
        wait = _EARLY_LEAD if early else 0.0
        if chosen(self.network.slow_answers, number, self._rng):
            self.counters.slow_answers += 1
            wait = max(wait, self.network.slow_by)
        if wait:
            self.later(now + wait, lambda _now: session.send(answer))
        else:
            session.send(answer)

    def _report(self, message: Message, report: Report, _now: float) -> None:
        if message.done is not None:  # it was cancelled
            return
        message.stat, message.error, message.done = report.stat, report.error, self._clock()
        self.tell_of(message, "receipt")
        wanted = message.submit.registered_delivery & 0x03
        if not wanted or (wanted == _FAILURE_ONLY and report.stat == "DELIVRD"):
            return
        receipt = write_receipt(message, in_text=self.network.receipt_text, in_tlvs=self.network.receipt_tlvs)
        self.counters.receipts += 1
        self._enqueue(message.part.system_id, receipt)
        if chosen(self.network.duplicate_receipts, self.counters.receipts, self._rng):
            self.counters.receipts += 1
            self._enqueue(message.part.system_id, receipt)

    def _reply(self, message: Message, text: str, _now: float) -> None:
        if message.stat == _DELETED.stat:
            return
        self._write(message.part.destination, message.part.sender, text, message.part.system_id)

    def text(self, phone: str, text: str, *, to: str | None = None, system_id: str | None = None) -> None:
        """The phone writes of its own accord: to the network's number, for the first account, unless told otherwise.

        Raises LookupError when nobody has an account.
        """
        known = system_id or next(iter(self.settings.accounts or self._accounts), None)
        if known is None:
            raise LookupError("no account yet")
        self._write(phone, to or self.settings.number, text, known)
        self.settle()

    def _write(self, phone: str, to: str, text: str, system_id: str) -> None:
        for pdu in write_reply(phone, to, text, next(self._references)):
            self.counters.replies += 1
            self._enqueue(system_id, pdu)
        self.tell("reply", system_id=system_id, phone=phone, text=text)

    def query(self, pdu: QuerySm) -> QuerySmResp:
        """What became of a message, asked by the id of its submit_sm_resp."""
        message = self._messages.get(pdu.message_id)
        if message is None:
            return QuerySmResp(sequence=pdu.sequence, status=Status.INVALID_MESSAGE_ID)
        return QuerySmResp(
            sequence=pdu.sequence,
            message_id=pdu.message_id,
            final_date=final_date(message.done),
            message_state=MESSAGE_STATES[message.stat],
            error_code=int(message.error),
        )

    def cancel(self, pdu: CancelSm, now: float) -> CancelSmResp:
        """Take a message back that its phone does not have yet, by the id of its submit_sm_resp."""
        message = self._messages.get(pdu.message_id)
        status = Status.OK
        if message is None:
            status = Status.INVALID_MESSAGE_ID
        elif message.done is not None:
            status = Status.CANCEL_FAILED
        else:
            self._report(message, _DELETED, now)
        return CancelSmResp(sequence=pdu.sequence, status=status)

    # Deliveries

    def has_to_say(self, session: Session) -> None:
        """A session waits for its `flush`."""
        self._outspoken.append(session)

    def _account(self, system_id: str) -> _Account:
        account = self._accounts.get(system_id)
        if account is None:
            account = self._accounts[system_id] = _Account(system_id)
        return account

    def _enqueue(self, system_id: str, pdu: DeliverSm) -> None:
        self._account(system_id).waiting.append(pdu)
        self._unsettled.add(system_id)

    def roomier(self, session: Session) -> None:
        """A session can take more."""
        self._unsettled.add(session.system_id)

    def postpone(self, session: Session, pdu: DeliverSm, now: float) -> None:
        """The client could not take it just now."""
        self.counters.repeated += 1
        self.later(now + self.settings.retry, lambda _now: self._enqueue(session.system_id, pdu))

    # Showing

    def tell_of(self, message: Message, kind: str) -> None:
        """Tell the listener, if there is one, about a message."""
        if self._listener is not None:
            part = message.part
            self.tell(
                kind,
                system_id=part.system_id,
                phone=part.destination,
                text=part.text,
                state=message.stat,
                network_id=part.network_id,
            )

    def tell(self, kind: str, **facts: str) -> None:
        """Tell the listener, if there is one."""
        if self._listener is not None:
            self._listener(Event(kind=kind, at=self._clock(), **facts))
