"""How many SMS may go in a time, by sender and by number: the generic cell rate algorithm, the clock an argument."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from xlsms_service.config import Limit

__all__ = ["Limiter"]

_Key = tuple[int, str | None]

#: Cells kept before those that say nothing any more are dropped: a campaign has as many numbers as rows.
_MOST_CELLS = 10_000

#: SMS of one message at most (3GPP TS 23.040 §9.2.3.24.1).
_LONGEST = 255


@dataclass(slots=True)
class _Cell:
    """What one sender or number, or all together, have used up of a limit."""

    free_at: datetime  #: what has gone so far is made good by then
    line_ends: datetime  #: those that have to wait have been given the moments until then


class Limiter:
    """The limits of the settings, and how much of each is used up. Not durable: a restart begins anew."""

    def __init__(self, limits: Sequence[Limit] = ()) -> None:
        self._limits = limits
        self._cells: dict[_Key, _Cell] = {}

    def ask(self, number: str, sender: str | None, parts: int, now: datetime) -> datetime | None:
        """Let a message of so many SMS go, and count it: None. Or the moment until which it waits, nothing counted.

        Those that have to wait are given one moment after the other, so that each has to be set back but once. Nothing
        is kept free for them: the next to go is whoever asks first, so an urgent message does not stand in line.
        """
        concerned = [
            (limit, self._cell(index, limit, number, sender, now))
            for index, limit in enumerate(self._limits)
            if limit.concerns(number, sender)
        ]
        if all(_earliest(limit, cell) <= now for limit, cell in concerned):
            for limit, cell in concerned:
                cell.free_at = max(cell.free_at, now) + limit.interval * parts
            return None
        return max(_later(limit, cell, parts, now) for limit, cell in concerned)

    def _cell(self, index: int, limit: Limit, number: str, sender: str | None, now: datetime) -> _Cell:
        key = (index, {"number": number, "sender": sender}.get(limit.each or ""))
        cell = self._cells.get(key)
        if cell is None:
            if len(self._cells) >= _MOST_CELLS:
                self._cells = {key: cell for key, cell in self._cells.items() if cell.free_at > now}
            cell = self._cells[key] = _Cell(now, now)
        # A clock that was put back must not stop everything until it has caught up.
        cell.free_at = min(cell.free_at, now + limit.interval * (limit.burst + _LONGEST))
        return cell


def _earliest(limit: Limit, cell: _Cell) -> datetime:
    """When one more SMS may go: `burst` may go at once where nothing has gone for long enough."""
    return cell.free_at - limit.interval * (limit.burst - 1)


def _later(limit: Limit, cell: _Cell, parts: int, now: datetime) -> datetime:
    """The moment for one that has to wait, behind the others that have to."""
    moment = max(_earliest(limit, cell), cell.line_ends, now)
    cell.line_ends = moment + limit.interval * parts
    return moment
