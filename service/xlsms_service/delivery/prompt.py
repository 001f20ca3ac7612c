"""Answers whose delivery report has come with them: both are written down in one go.

A network that delivers at once answers and reports within a millisecond. One after the other, that would be two updates
of the message, two of its part, and a search for the part by the network's id. Only what leaves no doubt is done so,
with the end that `outcome` and then `receipt` would give it; they do the rest.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection

from xlsms.model import MessageId, PartKey, Receipt, Result
from xlsms.states import State
from xlsms_service.delivery import phone
from xlsms_service.delivery.outcome import Answered
from xlsms_service.delivery.receipt import STATES
from xlsms_service.ledger import settlement, stranger

__all__ = ["Rest", "settle"]

T = TypeVar("T")

#: The words of networks that say so.
_DELIVERED = frozenset(word for word, state in STATES.items() if state is State.DELIVERED)


class Rest(NamedTuple):
    """What is still to be settled, and the seconds from answer to report of the parts that have come to their end."""

    answered: Sequence[Answered]
    receipts: Sequence[Receipt]
    waits: Sequence[float]


def settle(
    connection: Connection, connector: str, answered: Sequence[Answered], receipts: Sequence[Receipt], now: datetime
) -> Rest:
    """Write down the answers of one part that was taken and is reported as delivered.

    Not while receipts wait for an answer, and not where the network has used the id before: then it is to be found out
    which message is meant.
    """
    pairs = _pairs(answered, receipts)
    if not pairs or stranger.any_waiting(connection, connector):
        return Rest(answered, receipts, ())
    for name in settlement.known(connection, connector, pairs):
        del pairs[name]
    done: dict[datetime, list[MessageId]] = {}
    parts: list[tuple[PartKey, str]] = []
    waits: list[float] = []
    for name, (each, receipt) in pairs.items():
        taken = each.outcomes[0]
        done.setdefault(receipt.done_at or receipt.at, []).append(each.message)
        parts.append((taken.key, name))
        waits.append(max((receipt.at - taken.at).total_seconds(), 0.0))
    settlement.keep_alike(connection, connector, State.DELIVERED, parts, now)
    for at, messages in done.items():
        settlement.move_alike(connection, State.DELIVERED, messages, at)
    settled = {message for messages in done.values() for message in messages}
    return Rest(
        [each for each in answered if each.message not in settled],
        [receipt for receipt in receipts if receipt.network_id not in pairs],
        waits,
    )


def _pairs(answered: Sequence[Answered], receipts: Sequence[Receipt]) -> dict[str, tuple[Answered, Receipt]]:
    """Answers with the one report under their id, by the id."""
    reports = _alone([(receipt.network_id, receipt) for receipt in receipts])
    named = _alone([(outcome.network_id, each) for each in answered for outcome in each.outcomes])
    return {
        name: (each, receipt)
        for name, each in named.items()
        if name and (receipt := reports.get(name)) and _beyond_doubt(each, receipt)
    }


def _alone(things: Sequence[tuple[str | None, T]]) -> dict[str | None, T]:
    """Those that have their id for themselves, by the id."""
    found = dict(things)
    if len(found) < len(things):
        counts = Counter([name for name, _ in things])
        found = {name: each for name, each in found.items() if counts[name] == 1}
    return found


def _beyond_doubt(each: Answered, receipt: Receipt) -> bool:
    return (
        len(each.outcomes) == 1
        and not each.resumed
        and each.outcomes[0].result is Result.ACCEPTED
        and receipt.state in _DELIVERED
        and bool(each.number)
        and not phone.contradicts(each.number, receipt)
    )
