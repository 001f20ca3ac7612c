"""Taking back from a network what it has accepted, where its connector can: recalled messages that have left."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from xlsms.errors import TransientError
from xlsms.journal import note
from xlsms.model import MessageId, PartKey
from xlsms.states import State, may_move, worst
from xlsms_service.connectors.base import Asking, PartAskedAbout
from xlsms_service.delivery.lane import Lane
from xlsms_service.ledger import intervention, settlement
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.settlement import Move, PartRecord

__all__ = ["Recaller", "settle"]

_log = logging.getLogger(__name__)

#: Seconds between two looks into the ledger.
_LOOK = 1.0

#: Messages that are asked back at once; the link's window is theirs meanwhile.
_AT_ONCE = 20

#: So often a message is asked back when no answer comes, and when the network says that it cannot tell now.
_TRIES = 5
_LATER = 100

#: The network will answer later; it is asked again at the next look.
_NOT_NOW = frozenset({"smsc-throttled", "smsc-in-trouble"})

_TAKEN_BACK = "recalled-at-network"


class Recaller:
    """Asks a network to forget what somebody recalled, until it says yes or no."""

    def __init__(self, ledger: Ledger, lane: Lane, connector: Asking, *, now: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._lane = lane
        self._connector = connector
        self._now = now
        self._tried: dict[MessageId, int] = {}  # how often, without an answer

    async def run(self, changed: Callable[[], None]) -> None:
        """Ask, until cancelled."""
        name = self._lane.connector.name
        while True:
            try:
                unanswered: set[MessageId] = set()
                while self._lane.up and (
                    parts := await self._ledger.do(intervention.asked_back, name, _AT_ONCE, unanswered)
                ):
                    unanswered |= await self._ask(parts)
                    changed()
            except SQLAlchemyError as error:
                note(_log, logging.ERROR, "log-ledger-again", error)
            await asyncio.sleep(_LOOK)

    async def _ask(self, parts: Sequence[PartRecord]) -> set[MessageId]:
        """One question for each id: where a network cuts long texts itself, all parts have the same.

        Gives those that have to be asked about again.
        """
        asked = {(part.key.message, part.network_id): part for part in parts}
        answers = await asyncio.gather(*(self._cancel(part) for part in asked.values()))
        said = dict(zip(asked, answers, strict=True))
        results: dict[PartKey, bool] = {}
        for part in parts:
            answer = said[part.key.message, part.network_id]
            if answer is not None:
                results[part.key] = answer
        again = {part.key.message for part in parts if part.key not in results}
        await self._ledger.do(settle, results, self._now(), again)
        return again

    async def _cancel(self, part: PartRecord) -> bool | None:
        """Whether the network took it back; None when that has to be asked again."""
        asked = PartAskedAbout(network_id=part.network_id or "", destination=part.recipient, sender=part.sender)
        try:
            said = await self._connector.cancel(asked)
        except TransientError as error:
            times = self._tried.pop(part.key.message, 0) + 1
            most = _LATER if error.code in _NOT_NOW else _TRIES
            if error.code == "smsc-says-nothing" or times >= most:
                return False
            self._tried[part.key.message] = times
            return None
        self._tried.pop(part.key.message, None)
        return said


def settle(
    connection: Connection, results: Mapping[PartKey, bool], now: datetime, again: AbstractSet[MessageId] = frozenset()
) -> None:
    """Write down what was taken back and what was not.

    What a report has settled meanwhile stays; a message is *cancelled* when each of its parts is settled and one of
    them was taken back. Those that are to be asked for `again` stay recalled.
    """
    messages = {key.message for key in results}
    parts = settlement.parts_of(connection, messages)
    back = [
        part.key
        for some in parts.values()
        for part in some
        if results.get(part.key) and may_move(part.state, State.CANCELLED)
    ]
    settlement.set_part_states(connection, [(key, State.CANCELLED) for key in back], now)
    moves, refused = [], []
    for message, some in parts.items():
        states = [State.CANCELLED if part.key in back else part.state for part in some]
        if worst(states) is State.CANCELLED:
            code = _TAKEN_BACK if set(states) == {State.CANCELLED} else intervention.LEFT_IN_PART
            moves.append(Move(message=message, state=State.CANCELLED, at=now, code=code))
        elif message not in again and not any(results[key] for key in results if key.message == message):
            refused.append(message)
    settlement.move(connection, moves)
    intervention.tell_refused(connection, refused, intervention.RECALL_REFUSED)
    intervention.forget(connection, messages - again)
