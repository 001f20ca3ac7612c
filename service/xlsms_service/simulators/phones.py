"""Virtual phones: what each does with a message, decided by its number and a seed alone.

No socket, no clock: a phone answers with delays in seconds, and whoever runs the network waits them out.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from zlib import crc32

from xlsms.model import Concat
from xlsms_service.simulators.answer import ANSWERS, in_language_of

__all__ = ["BEHAVIOURS", "SHARES", "Behaviour", "Pace", "Phone", "Population", "Reaction", "Reply", "Report", "Whole"]

_MOST_UNFINISHED = 32  #: long messages that a phone keeps while parts are missing; the oldest goes first
_CARDS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How quick the phones are, in seconds."""

    receipt: float = 1.0  #: until a phone that is on has the message
    slow: float = 8.0  #: the same for a slow phone
    expiry: float = 30.0  #: until the network gives up on a phone that is off
    reply: float = 2.0  #: from the message being complete to the answer
    jitter: float = 0.0  #: 0.5 makes every delay last between half and one and a half times as long

    def __post_init__(self) -> None:
        if min(self.receipt, self.slow, self.expiry, self.reply) < 0 or not 0 <= self.jitter <= 1:
            raise ValueError("a delay below zero, or a jitter outside 0 to 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What a phone does with each message."""

    name: str
    refusal: int = 0  #: command_status that the submit gets; 0 takes it
    stat: str = "DELIVRD"  #: final state; empty: no receipt ever comes
    error: str = "000"
    receipt_after: float | None = None  #: seconds; None: as the pace says
    replies: Sequence[str] = ()  #: one for each message in turn, then silence
    again: bool = False  #: start over with the first reply instead of falling silent
    any_answer: int | None = None  #: number of a built-in answer, in the language of the message
    reply_after: float | None = None  #: seconds; None: as the pace says


#: The behaviours that a script can name. `answers` without a reply of its own says SI or YES.
BEHAVIOURS: dict[str, Behaviour] = {
    behaviour.name: behaviour
    for behaviour in (
        Behaviour(name="delivers"),
        Behaviour(name="answers", any_answer=0),
        Behaviour(name="slow"),
        Behaviour(name="fails", stat="UNDELIV", error="001"),
        Behaviour(name="off", stat="EXPIRED", error="027"),
        Behaviour(name="rejects", refusal=0x0B),
        Behaviour(name="silent", stat=""),
    )
}

#: Of 100 phones that no script lists, how many behave so; the others deliver and say nothing.
SHARES: dict[str, int] = {"answers": 24, "slow": 4, "fails": 1, "off": 1, "rejects": 1}


@dataclass(frozen=True, slots=True)
class Report:
    """The delivery receipt of one part, due in `after` seconds."""

    after: float
    stat: str
    error: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A text that the phone writes, `after` seconds after it has read the whole message."""

    after: float
    text: str


@dataclass(frozen=True, slots=True)
class Whole:
    """A message of which no part is missing, as the phone shows it."""

    text: str
    network_ids: tuple[str, ...]  #: of its parts, in order


@dataclass(frozen=True, slots=True)
class Reaction:
    """What one part sets off at a phone."""

    report: Report | None = None
    whole: Whole | None = None  #: with the part that completes a message
    reply: Reply | None = None


@dataclass(slots=True)
class Phone:
    """One phone and what it remembers: the long messages that are not complete, and how often it answered."""

    number: str
    behaviour: Behaviour
    pace: Pace
    rng: random.Random
    answered: int = 0
    unfinished: dict[tuple[str, int, int, bool], dict[int, tuple[str, str]]] = field(default_factory=dict)

    def on_message(self, text: str, sender: str = "", concat: Concat | None = None, network_id: str = "") -> Reaction:
        """Take one part; the answer comes with the last one that was missing."""
        report = self._report()
        if concat is None or concat.total < 2 or not 1 <= concat.part <= concat.total:  # noqa: PLR2004 no long message
            whole: Whole | None = Whole(text, (network_id,))
        else:
            whole = self._assemble((text, network_id), sender, concat)
        if whole is None or self.behaviour.stat not in ("DELIVRD", ""):
            return Reaction(report, whole)
        words = self._words(whole.text)
        if not words:
            return Reaction(report, whole)
        self.answered += 1
        after = self.behaviour.reply_after
        return Reaction(report, whole, Reply(self._wait(self.pace.reply if after is None else after), words))

    def _report(self) -> Report | None:
        behaviour = self.behaviour
        if not behaviour.stat:
            return None
        after = self._receipt_after() if behaviour.receipt_after is None else behaviour.receipt_after
        return Report(self._wait(after), behaviour.stat, behaviour.error)

    def _receipt_after(self) -> float:
        if self.behaviour.name == "slow":
            return self.pace.slow
        return self.pace.expiry if self.behaviour.stat == "EXPIRED" else self.pace.receipt

    def _wait(self, seconds: float) -> float:
        jitter = self.pace.jitter
        return seconds * self.rng.uniform(1 - jitter, 1 + jitter) if jitter else seconds

    def _words(self, heard: str) -> str:
        behaviour = self.behaviour
        if behaviour.replies:
            turn = self.answered % len(behaviour.replies) if behaviour.again else self.answered
            return behaviour.replies[turn] if turn < len(behaviour.replies) else ""
        return "" if behaviour.any_answer is None else in_language_of(heard, ANSWERS[behaviour.any_answer])

    def _assemble(self, part: tuple[str, str], sender: str, concat: Concat) -> Whole | None:
        key = (sender, concat.reference, concat.total, concat.wide)
        parts = self.unfinished.setdefault(key, {})
        parts[concat.part] = part
        if len(parts) == concat.total:
            del self.unfinished[key]
            ordered = [parts[number] for number in sorted(parts)]
            return Whole("".join(text for text, _ in ordered), tuple(network_id for _, network_id in ordered))
        if len(self.unfinished) > _MOST_UNFINISHED:
            del self.unfinished[next(iter(self.unfinished))]
        return None


class Population:
    """All the phones of a network. One that is not listed behaves by the last two digits of its number.

    A hundred cards are dealt to the endings 00 to 99, shuffled by `seed`; so a hundred numbers in a row have exactly
    the given shares, and a number behaves alike today and tomorrow. Numbers are compared by their digits.
    """

    def __init__(
        self,
        listed: Mapping[str, Behaviour] | None = None,
        *,
        shares: Mapping[str, int] | None = None,
        pace: Pace | None = None,
        seed: int = 0,
    ) -> None:
        self.pace = pace or Pace()
        self._listed = {_digits(number): behaviour for number, behaviour in (listed or {}).items()}
        self._cards = _deal(SHARES if shares is None else shares, seed)
        self._rng = random.Random(seed)  # noqa: S311 a rehearsal, not a secret
        self._phones: dict[str, Phone] = {}

    @classmethod
    def of(cls, behaviour: Behaviour | str, *, pace: Pace | None = None, seed: int = 0) -> "Population":
        """Phones that are all alike."""
        alike = BEHAVIOURS[behaviour] if isinstance(behaviour, str) else behaviour
        population = cls(shares={}, pace=pace, seed=seed)
        population._cards = (alike,) * _CARDS
        return population

    def phone(self, number: str) -> Phone:
        """The phone with this number, written with or without +."""
        phone = self._phones.get(number)
        if phone is None:
            digits = _digits(number)
            behaviour = self._listed.get(digits) or self._cards[_card(digits)]
            phone = self._phones[number] = Phone(number, behaviour, self.pace, self._rng)
        return phone


def _digits(number: str) -> str:
    return "".join(filter(str.isdecimal, number)) or number


def _card(digits: str) -> int:
    return int(digits[-2:]) if digits.isdecimal() else crc32(digits.encode()) % _CARDS


def _deal(shares: Mapping[str, int], seed: int) -> tuple[Behaviour, ...]:
    if min(shares.values(), default=0) < 0 or sum(shares.values()) > _CARDS:
        raise ValueError("the shares are of 100 phones")
    cards: list[Behaviour] = []
    answer = 0
    for name, share in shares.items():
        for _ in range(share):
            behaviour = BEHAVIOURS[name]
            if name == "answers":
                behaviour = replace(behaviour, any_answer=answer % len(ANSWERS))
                answer += 1
            cards.append(behaviour)
    cards += [BEHAVIOURS["delivers"]] * (_CARDS - len(cards))
    random.Random(seed).shuffle(cards)  # noqa: S311 a rehearsal, not a secret
    return tuple(cards)
