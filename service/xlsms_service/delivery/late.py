"""Answers that come after their part was given up as *uncertain*, and settle it if nothing else has."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from xlsms.model import MessageId, Outcome, Result
from xlsms.states import State, worst
from xlsms_service.connectors.base import IdForms
from xlsms_service.delivery import receipt
from xlsms_service.ledger import settlement, stranger
from xlsms_service.ledger.settlement import Move

__all__ = ["settle"]

#: What an answer says of a part. One that was sent back did not leave after all, yet it is not sent again unasked: the
#: message stands as *uncertain* in the sheet, and someone may have acted on that.
_STATES = {Result.ACCEPTED: State.SENT, Result.REFUSED: State.FAILED}


def settle(connection: Connection, connector: str, outcomes: Sequence[Outcome], forms: IdForms, now: datetime) -> None:
    """Write the answers down where the part is still *uncertain*, then give receipts that waited to their parts."""
    open_parts = {
        part.key
        for parts in settlement.parts_of(connection, {each.key.message for each in outcomes}).values()
        for part in parts
        if part.state is State.UNCERTAIN
    }
    settled = [each for each in outcomes if each.key in open_parts and each.result in _STATES]
    names = [(each.key, each.network_id) for each in settled if each.network_id]
    settlement.name_parts(connection, connector, names, now)
    settlement.set_part_states(connection, [(each.key, _STATES[each.result]) for each in settled], now)
    settlement.move(connection, _moves(connection, settled))
    ids = {form for each in settled if each.network_id for form in forms(each.network_id)}
    if early := stranger.take(connection, connector, ids):
        receipt.settle(connection, connector, early, forms, now)


def _moves(connection: Connection, settled: Sequence[Outcome]) -> list[Move]:
    """The messages whose parts all have an answer now."""
    last: dict[MessageId, Outcome] = {}
    for each in settled:
        before = last.get(each.key.message)
        if before is None or before.result is not Result.REFUSED:  # a refusal is the reason that is shown
            last[each.key.message] = each
    sizes = settlement.sizes(connection, last)
    moves = []
    for message, parts in settlement.parts_of(connection, last).items():
        state = worst(part.state for part in parts)
        if len(parts) < sizes[message] or state is State.UNCERTAIN:
            continue
        answer = last[message]
        refused = state is State.FAILED and answer.result is Result.REFUSED
        code, facts = (answer.code, answer.facts) if refused else (None, {})
        moves.append(Move(message=message, state=state, at=answer.at, code=code, facts=facts))
    return moves
