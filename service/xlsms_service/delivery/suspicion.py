"""Receipts for ids that were never heard: which message they are about, told by number, time and text.

A wrong guess would tell somebody that a text has come which has not. So a receipt counts only when a single message is
left that it can be about, among all that this connector was given for the phone, and never when one of those is still
under way: its answer will tell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import Connection

from xlsms.model import MessageId, PartKey, Receipt
from xlsms.states import State
from xlsms.text import split
from xlsms_service.delivery import phone
from xlsms_service.ledger import stranger
from xlsms_service.ledger.stranger import Suspect

__all__ = ["Found", "Guess", "agrees", "find"]

#: Clocks and zones, ours and the network's, may be off by this much.
_CLOCKS = timedelta(days=1)

#: The longest that networks keep trying is a week; a day more for the clocks.
_LONGEST = timedelta(days=8)

#: Characters of a quoted text that must be readable before they say anything.
_TELLING = 4

#: Someone said what became of it: it cannot be settled any more, but the receipt may be about it all the same.
_BY_HAND = "settled-by-hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """A receipt and the part that it can only be about."""

    receipt: Receipt
    part: PartKey
    of: int  #: parts of its message
    state: State  #: of the part, before the receipt


@dataclass(slots=True)
class Found:
    """What was found for some receipts."""

    guesses: list[Guess] = field(default_factory=list)
    names: list[tuple[PartKey, str]] = field(default_factory=list)  #: ids that were learnt by it


def find(connection: Connection, connector: str, receipts: Sequence[Receipt]) -> tuple[Found, list[Receipt]]:
    """What these receipts are about, and those of which that is not certain."""
    pool = _suspects(connection, connector, receipts)
    by_ending = phone.by_ending(pool.values(), lambda each: each.number)
    found, rest = Found(), []
    learnt: dict[str, Guess] = {}
    named: dict[MessageId, set[int]] = {}
    for receipt in receipts:
        before = learnt.get(receipt.network_id)
        if before is not None and not phone.contradicts(pool[before.part.message].number, receipt):
            found.guesses.append(Guess(receipt=receipt, part=before.part, of=before.of, state=before.state))
            continue
        guess = _guess(receipt, by_ending, named)
        if guess is None:
            rest.append(receipt)
            continue
        learnt[receipt.network_id] = guess
        named.setdefault(guess.part.message, set()).add(guess.part.part)
        found.guesses.append(guess)
        found.names.append((guess.part, receipt.network_id))
    return found, rest


def _suspects(connection: Connection, connector: str, receipts: Sequence[Receipt]) -> Mapping[MessageId, Suspect]:
    """All messages that any of them may be about."""
    numbers = {number for receipt in receipts for number in phone.written(receipt)}
    since = min(receipt.at for receipt in receipts) - _LONGEST
    found = stranger.suspects(connection, connector, numbers, since)
    reached = phone.by_ending({each.number for each in found}, str)
    homeless = [receipt for receipt in receipts if not _named_in(receipt, reached)]
    if homeless:  # a number without its country
        unsettled = phone.by_ending(stranger.unsettled_numbers(connection, connector), str)
        near = {number for receipt in homeless for number in _named_in(receipt, unsettled)}
        found += stranger.suspects(connection, connector, near - numbers, since)
    return {each.message: each for each in found}


def _named_in(receipt: Receipt, numbers: Mapping[str, list[str]]) -> list[str]:
    return [number for number in phone.those(numbers, receipt) if phone.same(number, receipt)]


def _guess(receipt: Receipt, pool: Mapping[str, list[Suspect]], named: Mapping[MessageId, set[int]]) -> Guess | None:
    concerned = [
        each for each in phone.those(pool, receipt) if phone.same(each.number, receipt) and _in_time(each, receipt)
    ]
    left = [each for each in concerned if _may_have_left(each)]
    says = {each.message: _says(each, receipt) for each in left}
    if True in says.values():
        left = [each for each in left if says[each.message] is not False]
    elif False in says.values():
        return None  # it quotes another text than ours, or in a way that we cannot read
    if len(left) != 1:
        return None
    [only] = left
    free = [part for part in range(1, only.parts + 1) if part not in only.named | named.get(only.message, set())]
    state = State.UNCERTAIN if _goes_again(only) else only.state
    if not free or state not in (State.UNCERTAIN, State.SENT):
        return None
    texts = dict(enumerate(_texts(only), 1))
    part = next((part for part in free if agrees(receipt.quoted, texts.get(part, ""))), free[0])
    return Guess(receipt=receipt, part=PartKey(only.message, part), of=only.parts, state=state)


def _in_time(suspect: Suspect, receipt: Receipt) -> bool:
    """Whether the message may have been taken when the receipt says, or at any time before the receipt was made."""
    claimed = suspect.claimed_at
    if receipt.submitted_at is not None and abs(receipt.submitted_at - claimed) > _CLOCKS:
        return False
    made = min(receipt.at, receipt.done_at or receipt.at)
    return made - _LONGEST <= claimed <= made + _CLOCKS


def _goes_again(suspect: Suspect) -> bool:
    """Whether it waits to be sent again, though it may have left."""
    return suspect.state is State.QUEUED and suspect.resent > 0


def _may_have_left(suspect: Suspect) -> bool:
    """Whether the receipt may be about it: it is open, or was settled without its id, or tried more than once."""
    return (
        suspect.state in (State.SENDING, State.SENT, State.UNCERTAIN)
        or suspect.code == _BY_HAND
        or suspect.tries > 1
        or _goes_again(suspect)
    )


def _says(suspect: Suspect, receipt: Receipt) -> bool | None:
    """Whether the text that it quotes is one of the message's: None when it says nothing."""
    said = [agrees(receipt.quoted, text) for text in _texts(suspect)]
    if True in said:
        return True
    return False if False in said else None


def _texts(suspect: Suspect) -> Sequence[str]:
    return [suspect.text] if suspect.parts == 1 else split(suspect.text, limit=None, alphabet=suspect.alphabet).parts


def agrees(quoted: str, text: str) -> bool | None:
    """Whether a text begins as it is quoted, as far as the network can write its characters; None: not to be told."""
    theirs, ours = " ".join(quoted.split()).casefold(), " ".join(text.split()).casefold()
    length = 0
    for one, other in zip(theirs, ours, strict=False):
        if "?" in (one, other) or not (one.isascii() and other.isascii()):
            break  # from here on it may be written with more characters, or fewer
        if one != other:
            return False
        length += 1
    return True if length >= _TELLING or (length and length == len(ours) == len(theirs)) else None
