"""The inbox: texts are put together from their parts and find the message that they answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from xlsms import phone
from xlsms.errors import UserError
from xlsms.model import Concat, Inbound
from xlsms_service.ledger import conversation
from xlsms_service.ledger.conversation import Waiting

__all__ = ["MISSING", "Handled", "handle"]

#: What stands for a part that did not come.
MISSING = "[…]"

#: A long text is shown with what is there when its last part does not come for this long.
_PATIENCE = timedelta(minutes=5)

#: 3GPP TS 23.040 §9.2.3.24.1: the number of parts is one octet.
_MOST_PARTS = 255

#: A text answers a message of at most this age.
_OPEN = timedelta(days=30)

#: Digits of the shortest full number; what is shorter is a short code and has no +.
_FULL_NUMBER = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """What one look brought."""

    replies: int = 0  #: that stand beside a row now
    strangers: int = 0  #: texts that answer nothing
    next_at: datetime | None = None  #: when an incomplete text is to be shown as it is


def handle(connection: Connection, now: datetime, country: str) -> Handled:
    """Give every text in the ledger that has no place yet its place; numbers without + are of `country`."""
    groups: dict[tuple[object, ...], list[Waiting]] = {}
    for each in conversation.waiting(connection):
        groups.setdefault(_key(each), []).append(each)
    replies = strangers = 0
    next_at: datetime | None = None
    for group in groups.values():
        overdue = max(each.inbound.at for each in group) + _PATIENCE
        if not _complete(group) and now < overdue:
            next_at = min(next_at or overdue, overdue)
            continue
        first = group[0].inbound
        number = canonical(first.sender, country)
        message = conversation.latest_to(connection, number, first.connector, now - _OPEN)
        texts = [each.id for each in group]
        at = max(each.inbound.at for each in group)
        conversation.answered(connection, texts, to=message, number=number, text=_text(group), at=at, now=now)
        replies += message is not None
        strangers += message is None
    return Handled(replies=replies, strangers=strangers, next_at=next_at)


def canonical(sender: str, country: str) -> str:
    """A sender as numbers stand in the ledger: international with +, or as it is."""
    try:
        return phone.parse(sender, country).e164
    except UserError:
        # A number that nobody knows yet is still somebody's; what is short or has letters never gets a +.
        known = sender.isascii() and sender.isdecimal() and len(sender) >= _FULL_NUMBER
        return f"+{sender}" if known else sender


def _key(waiting: Waiting) -> tuple[object, ...]:
    inbound = waiting.inbound
    if inbound.concat is None:
        return (waiting.id,)
    return (inbound.connector, inbound.sender, inbound.recipient, inbound.concat.reference, inbound.concat.total)


def _complete(group: Sequence[Waiting]) -> bool:
    concat = group[0].inbound.concat
    return concat is None or len({_part(each.inbound) for each in group} & set(_numbers(concat))) == concat.total


def _part(inbound: Inbound) -> int:
    return inbound.concat.part if inbound.concat else 1


def _text(group: Sequence[Waiting]) -> str:
    concat = group[0].inbound.concat
    if concat is None:
        return group[0].inbound.text
    parts = {_part(each.inbound): each.inbound.text for each in group}
    return "".join(parts.get(number, MISSING) for number in _numbers(concat))


def _numbers(concat: Concat) -> range:
    """The numbers that the parts should have; a total beyond the format's one octet is somebody's mischief."""
    return range(1, min(concat.total, _MOST_PARTS) + 1)
