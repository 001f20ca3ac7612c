"""Long texts for operators who cut them: the parts of a message as one, and its one outcome as theirs."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Self

from xlsms.model import Outcome, Outgoing, PartKey

__all__ = ["join", "part_outcomes"]


class _JoinedKey(PartKey):
    """The first part of a message, in place of all of them."""

    keys: tuple[PartKey, ...]

    @classmethod
    def of(cls, parts: Sequence[Outgoing]) -> Self:
        """The key of all these."""
        key = cls(*parts[0].key)
        key.keys = tuple(part.key for part in parts)
        return key


def join(batch: Sequence[Outgoing]) -> list[Outgoing]:
    """The batch with all parts of a message as one text without a place; those of which some are missing stay parts."""
    joined: list[Outgoing] = []
    for _, group in groupby(batch, key=lambda part: part.key.message):
        parts = list(group)
        first = parts[0]
        if first.concat is None or len(parts) != first.concat.total:
            joined += parts
            continue
        text = "".join(part.text for part in parts)
        joined.append(first._replace(key=_JoinedKey.of(parts), text=text, concat=None))
    return joined


def part_outcomes(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """The outcomes with that of a joined text for each of its parts: they share the network's name for it."""
    return [
        outcome._replace(key=key)
        for outcome in outcomes
        for key in (outcome.key.keys if isinstance(outcome.key, _JoinedKey) else (outcome.key,))
    ]
