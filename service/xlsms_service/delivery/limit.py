"""How many SMS may go in a time, by sender and by number: the generic cell rate algorithm, the clock an argument."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from xlsms_service.config import Limit

__all__ = ["Limiter"]

_Key = tuple[int, str | None]

#: Who comes to his moment late by less than this, or by half of the interval, does not make those behind him late:
#: claims have a length of their own, and each would cost a place.
_LATE = timedelta(milliseconds=20)

#: Lines of a cell that are kept before those that have come to their end are dropped.
_MOST_LINES = 16

#: Cells kept before those that say nothing any more are dropped: a campaign has as many numbers as rows.
_MOST_CELLS = 10_000

#: SMS of one message at most (3GPP TS 23.040 §9.2.3.24.1).
_LONGEST = 255


@dataclass(slots=True)
class _Cell:
    """What one sender or number, or all together, have used up of a limit."""

    free_at: datetime  #: what has gone so far is made good by then
    #: those of each line that have to wait have been given the moments until then
    lines: dict[int, datetime] = field(default_factory=dict)


class Limiter:
    """The limits of the settings, and how much of each is used up. Not durable: a restart begins anew."""

    def __init__(self, limits: Sequence[Limit] = ()) -> None:
        self._limits = limits
        self._cells: dict[_Key, _Cell] = {}

    @property
    def limits(self) -> bool:
        """Whether there are any."""
        return bool(self._limits)

    def ask(self, number: str, sender: str | None, parts: int, line: int, now: datetime) -> datetime | None:
        """Let a message of so many SMS go, and count it: None. Or the moment until which it waits, nothing counted.

        Those of one `line`, a campaign, that have to wait are given one moment after the other, so that each has to be
        set back but once. Nothing is kept free for them: the next to go is whoever asks first. So neither an urgent
        message nor another campaign stands behind them.
        """
        concerned = [
            (limit, self._cell(index, limit, number, sender, now))
            for index, limit in enumerate(self._limits)
            if limit.concerns(number, sender)
        ]
        if all(_earliest(limit, cell) <= now for limit, cell in concerned):
            for limit, cell in concerned:
                cell.free_at = max(cell.free_at, now - max(limit.interval / 2, _LATE)) + limit.interval * parts
            return None
        return max(_later(limit, cell, parts, line, now) for limit, cell in concerned)

    def forget_lines(self) -> None:
        """Nobody stands in line any more: all that waits may ask anew."""
        for cell in self._cells.values():
            cell.lines.clear()

    def _cell(self, index: int, limit: Limit, number: str, sender: str | None, now: datetime) -> _Cell:
        key = (index, {"number": number, "sender": sender}.get(limit.each or ""))
        cell = self._cells.get(key)
        if cell is None:
            if len(self._cells) >= _MOST_CELLS:
                self._cells = {key: cell for key, cell in self._cells.items() if cell.free_at > now}
            cell = self._cells[key] = _Cell(now)
        # A clock that was put back must not stop everything until it has caught up.
        cell.free_at = min(cell.free_at, now + limit.interval * (limit.burst + _LONGEST))
        return cell


def _earliest(limit: Limit, cell: _Cell) -> datetime:
    """When one more SMS may go: `burst` may go at once where nothing has gone for long enough."""
    return cell.free_at - limit.interval * (limit.burst - 1)


def _later(limit: Limit, cell: _Cell, parts: int, line: int, now: datetime) -> datetime:
    """The moment for one that has to wait, behind the others of its line that have to."""
    moment = max(_earliest(limit, cell), cell.lines.get(line, now), now)
    if len(cell.lines) >= _MOST_LINES:
        cell.lines = {other: ends for other, ends in cell.lines.items() if ends > now}
    cell.lines[line] = moment + limit.interval * parts
    return moment
