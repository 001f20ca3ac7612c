"""One connector as the engine sees it: what is with it, what came back, and how much more it may be given."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from xlsms.model import Concat, MessageId, Outcome, Outgoing, PartKey, Result
from xlsms.text import split
from xlsms_service.connectors.base import Acknowledgeable, Connector, IdForms, Link, LinkStatus
from xlsms_service.delivery.breaker import Breaker, Phase
from xlsms_service.delivery.outcome import Answered
from xlsms_service.ledger.claim import Claimed, Served
from xlsms_service.measuring import NOTHING, Measures, metric

__all__ = ["Lane", "reference"]

#: References of long messages (3GPP TS 23.040 §9.2.3.24.1).
_REFERENCES = 256

#: Seconds that a slot may stay free so that others share the commit of its claim.
_GATHER = 0.1


class _Open(NamedTuple):
    """A message whose parts are with a link; a tuple, for one is made for every message."""

    message: Claimed
    parts: int
    since: float  #: when they were handed over, on the loop's clock
    outcomes: list[Outcome]


@dataclass(slots=True)
class Lane:
    """One connector, its link and its breaker."""

    connector: Connector
    forms: IdForms
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    status: LinkStatus | None = None
    breaker: Breaker = field(default_factory=Breaker)
    answered: list[Answered] = field(default_factory=list)
    late: list[Outcome] = field(default_factory=list)  #: answers to parts that were given up
    received: list[Acknowledgeable] = field(default_factory=list)
    served: Served = field(default_factory=Served)
    measures: Measures = NOTHING
    _window: int = 1  #: the most room ever seen
    _open: dict[MessageId, _Open] = field(default_factory=dict)
    _filled_at: float = 0.0

    @property
    def up(self) -> bool:
        """Whether the link is there."""
        return self.status is not None and self.status.link is Link.UP

    @property
    def healthy(self) -> bool:
        """Whether the link is there and takes what it is given."""
        return self.up and self.breaker.phase is Phase.CLOSED

    @property
    def idle(self) -> bool:
        """Whether nothing is with the link."""
        return not self._open

    def room(self, now: datetime, clock: float) -> tuple[int, float]:
        """How many parts it may be given now; with none, the seconds until it should be asked again unasked.

        Slot by slot each message would cost a commit of its own: half a window at a time shares them, unless that takes
        so long that an urgent message would be late. `clock` is in seconds and never goes back.
        """
        free = self.connector.room()
        self._window = max(self._window, free)
        allowed = self.breaker.room(free, now, idle=self.idle)
        if allowed < 1:
            return 0, self.breaker.opens_in(now).total_seconds() or float("inf")
        gathered = self._filled_at + _GATHER - clock
        if not self.idle and allowed * 2 < self._window and gathered > 0:
            return 0, gathered
        return allowed, 0.0

    def submit(self, claimed: Sequence[Claimed], now: datetime, clock: float) -> None:
        """Hand messages over."""
        self._filled_at = clock
        self.served.note(claimed)
        batch: list[Outgoing] = []
        last: datetime | None = None
        valid: timedelta | None = None
        for message in claimed:
            key, number, sender, text, alphabet, count, *_, until, send_at, _, taken = message
            # What `split` leaves as it is: line ends of one character, and no halves of pairs, which are not GSM.
            if count == 1 and alphabet == "gsm7" and send_at is None and not taken and "\r" not in text:
                self._open[key] = _Open(message, 1, clock, [])
                if until is not last:  # the rows of a list have theirs in common
                    last, valid = until, None if until is None else until - now
                batch.append(Outgoing(PartKey(key, 1), number, text, alphabet, sender, None, None, valid))
            else:
                batch += self._parts(message, now, clock)
        self.measures.count(metric.SUBMITTED, len(batch), self.connector.name)
        self.connector.submit(batch)

    def _parts(self, message: Claimed, now: datetime, clock: float) -> list[Outgoing]:
        """The parts of a message that the network does not have yet; noted as open with the link."""
        texts = split(message.text, limit=None, alphabet=message.alphabet).parts
        later = message.send_at if message.send_at is not None and message.send_at > now else None
        validity = None if message.expires_at is None else message.expires_at - now
        parts = [
            Outgoing(
                key=PartKey(message.id, number),
                destination=message.number,
                sender=message.sender,
                text=text,
                alphabet=message.alphabet,
                concat=Concat(reference(message.id), len(texts), number) if len(texts) > 1 else None,
                send_at=later,
                validity=validity,
            )
            for number, text in enumerate(texts, 1)
            if number not in message.taken
        ]
        self._open[message.id] = _Open(message, len(parts), clock, [])
        return parts

    def saw(self, outcomes: Sequence[Outcome], now: datetime, clock: float) -> bool:
        """Gather answers until a message's parts all have theirs; whether the breaker has changed."""
        before = self.breaker.phase
        accepted, last = Result.ACCEPTED, None
        waited: list[float] = []
        for each in outcomes:
            if each.result is not accepted or last is not accepted:  # one after the other is nothing new to the breaker
                self.breaker.saw(each, now)
            last = each.result
            message, parts, since, gathered = self._open[each.key.message]
            waited.append(clock - since)
            gathered.append(each)
            if len(gathered) == parts:
                del self._open[message.id]
                self.answered.append(_answered(message, tuple(gathered)))
        self._measure(outcomes, waited)
        return self.breaker.phase is not before

    def _measure(self, outcomes: Sequence[Outcome], waited: Sequence[float]) -> None:
        name, measures = self.connector.name, self.measures
        for (result, code), count in Counter([(each.result, each.code) for each in outcomes]).items():
            measures.count(metric.ANSWERS, count, name, result, code or "")
        for seconds, count in Counter(waited).items():
            measures.took(metric.ANSWER_SECONDS, seconds, count, name)


def _answered(message: Claimed, outcomes: tuple[Outcome, ...]) -> Answered:
    key, number, _, _, _, _, _, _, tries, resent, expires_at, send_at, _, taken = message
    return Answered(key, outcomes, bool(taken), tries, resent, expires_at, send_at, number)


def reference(message: MessageId) -> int:
    """One that a phone has not just had: lists as long as there are references give each phone another one in turn."""
    return (message + message // _REFERENCES) % _REFERENCES
