"""What the answers to the parts of a message make of the message."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from xlsms.model import MessageId, Outcome, Result
from xlsms.states import State, worst
from xlsms_service.connectors.base import IdForms
from xlsms_service.delivery import receipt
from xlsms_service.ledger import settlement
from xlsms_service.ledger.settlement import Move, PartRecord

__all__ = ["Answered", "settle"]

_PART_STATES = {
    Result.ACCEPTED: State.SENT,
    Result.REFUSED: State.FAILED,
    Result.UNCERTAIN: State.UNCERTAIN,
}


#: Claims of one message, each sent back by the network for the moment; at half a minute each it is most of a day.
_MOST_TRIES = 2_000


@dataclass(frozen=True, slots=True)
class Answered:
    """A message each of whose submitted parts has been answered, or never will be."""

    message: MessageId
    outcomes: tuple[Outcome, ...]
    resumed: bool = False  #: the network had some of its parts before


def settle(connection: Connection, connector: str, answered: Sequence[Answered], forms: IdForms, now: datetime) -> None:
    """Write the answers down, then give receipts that came before them to their parts."""
    earlier = settlement.parts_of(connection, [each.message for each in answered if each.resumed])
    settlement.keep_parts(
        connection,
        [
            PartRecord(
                key=outcome.key,
                connector=connector,
                state=_PART_STATES[outcome.result],
                at=outcome.at,
                network_id=outcome.network_id,
            )
            for each in answered
            for outcome in each.outcomes
            if outcome.result is not Result.RETURNED
        ],
    )
    verdicts = [_verdict(each, [part.state for part in earlier.get(each.message, ())]) for each in answered]
    settlement.move(connection, _give_up(connection, verdicts))
    if not settlement.any_waiting(connection, connector):
        return
    ids = [outcome.network_id for each in answered for outcome in each.outcomes if outcome.network_id]
    early = settlement.take_waiting(connection, connector, {form for network_id in ids for form in forms(network_id)})
    if early:
        receipt.settle(connection, connector, early, forms, now)


def _give_up(connection: Connection, verdicts: Sequence[Move]) -> list[Move]:
    """What the network has sent back again and again will not go: it has failed."""
    back = [verdict.message for verdict in verdicts if verdict.state is State.QUEUED]
    if not back:
        return list(verdicts)
    tries = settlement.attempts(connection, back)
    return [
        replace(verdict, state=State.FAILED, code="never-taken", not_before=None)
        if tries.get(verdict.message, 0) >= _MOST_TRIES
        else verdict
        for verdict in verdicts
    ]


def _verdict(answered: Answered, earlier: Sequence[State]) -> Move:
    """A refused part fails the message, a lost answer makes it uncertain; else what was returned is tried again."""
    by_result: dict[Result, Outcome] = {}
    for outcome in answered.outcomes:
        by_result.setdefault(outcome.result, outcome)
    returned = by_result.get(Result.RETURNED)
    cause = by_result.get(Result.REFUSED) or by_result.get(Result.UNCERTAIN) or returned
    at = max(outcome.at for outcome in answered.outcomes)
    if cause is None:
        return Move(message=answered.message, state=worst([State.SENT, *earlier]), at=at)
    if cause is returned:
        later = at + cause.retry_after if cause.retry_after else None
        return Move(
            message=answered.message, state=State.QUEUED, at=at, code=cause.code, facts=cause.facts, not_before=later
        )
    state = State.FAILED if cause.result is Result.REFUSED else State.UNCERTAIN
    return Move(message=answered.message, state=state, at=at, code=cause.code, facts=cause.facts)
