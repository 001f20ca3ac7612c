"""What the answers to the parts of a message make of the message."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from xlsms.model import MessageId, Outcome, Result
from xlsms.states import State, worst
from xlsms_service.connectors.base import IdForms
from xlsms_service.delivery import receipt
from xlsms_service.delivery.retry import retry_for
from xlsms_service.ledger import intervention, settlement, stranger
from xlsms_service.ledger.intervention import Wish
from xlsms_service.ledger.settlement import Move, PartRecord

__all__ = ["MOST_RESENDS", "Answered", "settle"]

_PART_STATES = {
    Result.ACCEPTED: State.SENT,
    Result.REFUSED: State.FAILED,
    Result.UNCERTAIN: State.UNCERTAIN,
}


#: What is wished of a message in these states has been done.
_DONE = (State.HELD, State.CANCELLED)

#: A message whose answer was lost is sent again so often, where the settings allow it at all.
MOST_RESENDS = 2


class Answered(NamedTuple):
    """A message each of whose submitted parts has been answered, or never will be."""

    message: MessageId
    outcomes: tuple[Outcome, ...]
    resumed: bool = False  #: the network had some of its parts before
    tries: int = 1  #: how often it was claimed
    resent: int = 0  #: how often it has waited anew though it may have left
    expires_at: datetime | None = None
    send_at: datetime | None = None
    number: str = ""  #: the phone that it went to; empty: not told


def settle(
    connection: Connection,
    connector: str,
    answered: Sequence[Answered],
    forms: IdForms,
    now: datetime,
    *,
    resends: int = 0,
    elsewhere: Collection[str] = (),
) -> None:
    """Write the answers down, then give receipts that came before them to their parts.

    What came back from a link in trouble waits, but not where its route is `elsewhere`: other links serve it now.
    A message whose answer was lost is *uncertain*; one that has been sent again less than `resends` times waits anew.
    """
    wishes = intervention.wishes(connection, _unsent(answered))
    earlier = settlement.parts_of(
        connection, [each.message for each in answered if each.resumed or each.message in wishes]
    )
    # What somebody took back or paused is not sent a second time.
    allowed = {each.message: 0 if each.message in wishes else resends for each in answered}
    settlement.keep_parts(connection, _records(connector, answered))
    routes = settlement.routes(connection, _from_trouble(answered)) if elsewhere else {}
    verdicts = [
        _verdict(
            each,
            [part.state for part in earlier.get(each.message, ())],
            allowed[each.message],
            at_once=routes.get(each.message) in elsewhere,
        )
        for each in answered
    ]
    if wishes:
        left = {each.message for each in answered if earlier.get(each.message) or _partly_left(each)}
        verdicts = [_wished(verdict, wishes.get(verdict.message), verdict.message in left) for verdict in verdicts]
        intervention.forget(connection, [each.message for each in verdicts if each.state in _DONE])
    settlement.move(connection, verdicts)
    if resends:
        again = {verdict.message for verdict in verdicts if verdict.state is State.QUEUED}
        lost = {each.message for each in answered if any(it.result is Result.UNCERTAIN for it in each.outcomes)}
        settlement.count_resent(connection, again & lost)
    if stranger.any_waiting(connection, connector):
        _settle_early(connection, connector, answered, forms, now)
        if any(verdict.state is State.UNCERTAIN for verdict in verdicts):
            receipt.settle_lost(connection, connector, forms, now)


def _records(connector: str, answered: Sequence[Answered]) -> list[PartRecord]:
    """What is kept of the parts."""
    return [
        PartRecord(
            key=outcome.key,
            connector=connector,
            state=_PART_STATES[outcome.result],
            at=outcome.at,
            network_id=outcome.network_id,
        )
        for each in answered
        for outcome in each.outcomes
        if outcome.result is not Result.RETURNED  # one that goes again may yet turn out to have gone
    ]


def _settle_early(
    connection: Connection, connector: str, answered: Sequence[Answered], forms: IdForms, now: datetime
) -> None:
    """Give receipts that came before the answers to their parts."""
    ids = [outcome.network_id for each in answered for outcome in each.outcomes if outcome.network_id]
    early = stranger.take(connection, connector, {form for network_id in ids for form in forms(network_id)})
    # A prefix of the report's own is among no writings of the answer's id.
    early += stranger.take_to(connection, connector, [each.number for each in answered])
    if early:
        receipt.settle(connection, connector, early, forms, now)


def _unsent(answered: Sequence[Answered]) -> list[MessageId]:
    """Those of which some part came back, or would go again: seldom any."""
    open_ends = (Result.RETURNED, Result.UNCERTAIN)
    return [each.message for each in answered if any(outcome.result in open_ends for outcome in each.outcomes)]


def _from_trouble(answered: Sequence[Answered]) -> list[MessageId]:
    """Those that a link has given back because it is in trouble."""
    return [each.message for each in answered if any(_is_trouble(outcome) for outcome in each.outcomes)]


def _is_trouble(outcome: Outcome) -> bool:
    return outcome.result is Result.RETURNED and retry_for(outcome.code).sick


def _partly_left(answered: Answered) -> bool:
    return any(outcome.result is Result.ACCEPTED for outcome in answered.outcomes)


def _wished(verdict: Move, wish: Wish | None, left_in_part: bool) -> Move:  # noqa: FBT001  # one fact of the move
    """What was to wait anew is held or taken back, where somebody wished that while it was on the link."""
    if wish is None or verdict.state is not State.QUEUED:
        return verdict
    taken_back = wish is not Wish.PAUSED and left_in_part
    code = intervention.LEFT_IN_PART if taken_back else wish
    return Move(message=verdict.message, state=wish.state, at=verdict.at, code=code, not_before=verdict.not_before)


def _goes_again(outcome: Outcome, answered: Answered, resends: int) -> bool:
    return outcome.result is Result.UNCERTAIN and answered.resent < resends


def _verdict(answered: Answered, earlier: Sequence[State], resends: int, *, at_once: bool = False) -> Move:
    """A refused part fails the message, a lost answer makes it uncertain; else what was returned is tried again."""
    by_result: dict[Result, Outcome] = {}
    for outcome in answered.outcomes:
        by_result.setdefault(outcome.result, outcome)
    cause = next((by_result[it] for it in (Result.REFUSED, Result.UNCERTAIN, Result.RETURNED) if it in by_result), None)
    at = max(outcome.at for outcome in answered.outcomes)
    if cause is None:
        if answered.send_at is not None and answered.send_at > at:
            facts = {"time": f"{answered.send_at.astimezone():%Y-%m-%d %H:%M}"}
            return Move(message=answered.message, state=State.SENT, at=at, code="waits-at-network", facts=facts)
        return Move(message=answered.message, state=worst([State.SENT, *earlier]), at=at)
    if cause.result is Result.RETURNED or _goes_again(cause, answered, resends):
        return _again(answered, cause, at, at_once=at_once and _is_trouble(cause))
    state = State.FAILED if cause.result is Result.REFUSED else State.UNCERTAIN
    return Move(message=answered.message, state=state, at=at, code=cause.code, facts=cause.facts)


def _again(answered: Answered, cause: Outcome, at: datetime, *, at_once: bool) -> Move:
    """It waits for its next try, unless that would come after its validity; `at_once`, it takes another link."""
    wait = max(retry_for(cause.code).wait(answered.tries), cause.retry_after or timedelta(0))
    if at_once:
        wait = timedelta(0)
    due = at + wait
    late = answered.expires_at is not None and due >= answered.expires_at
    return Move(
        message=answered.message,
        state=State.EXPIRED if late else State.QUEUED,
        at=at,
        code=cause.code,
        facts=cause.facts,
        not_before=due if wait and not late else None,
    )
