"""How fast the links are and how full their windows: told once a second, and left in a file for other processes."""

import json
import os
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

__all__ = ["FRESH", "LinkLive", "Live", "Speed", "forget", "read", "write"]

_NAME = "live.json"

_MINUTE = 60.0

#: Older than this, what the file says is no longer so: the service that wrote it hangs or has died.
FRESH = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLive:
    """One connector now."""

    connector: str
    link: str  #: up, connecting, down or refused
    code: str | None  #: why it is not up
    breaker: str  #: closed, half-open or open: left alone after failures
    window: int  #: parts that may be with the network without an answer
    used: int  #: parts that are
    limit: float | None  #: parts a second that may go; None: as many as the window lets
    second: float  #: parts accepted in the last second
    minute: float  #: parts a second accepted, over the last minute
    throttled: int  #: parts that the network sent back for their speed, in the last minute


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """Every connector now."""

    at: datetime
    links: tuple[LinkLive, ...]


@dataclass(slots=True)
class Speed:
    """Growth of a number that only grows, in the last second and the last minute."""

    _seen: deque[tuple[float, int]] = field(default_factory=deque)

    def saw(self, total: int, clock: float) -> None:
        """It is `total` now; called about once a second."""
        self._seen.append((clock, total))
        while len(self._seen) > 2 and clock - self._seen[1][0] >= _MINUTE:  # noqa: PLR2004 (a difference needs two)
            self._seen.popleft()

    def rate(self, seconds: float) -> float:
        """Growth a second, over about the last `seconds`."""
        began, before = self._since(seconds)
        ended, now = self._seen[-1] if self._seen else (0.0, 0)
        return (now - before) / (ended - began) if ended > began else 0.0

    def growth(self, seconds: float) -> int:
        """Growth over about the last `seconds`."""
        return self._seen[-1][1] - self._since(seconds)[1] if self._seen else 0

    def _since(self, seconds: float) -> tuple[float, int]:
        """The last look that is so long ago, or the first there was."""
        if not self._seen:
            return 0.0, 0
        then = self._seen[-1][0] - seconds
        return next((seen for seen in reversed(self._seen) if seen[0] <= then), self._seen[0])


def write(folder: Path, live: Live) -> None:
    """Leave it for other processes; readers see this one or the one before, never a half."""
    path = folder / _NAME
    draft = folder / f"{_NAME}.new"
    text = json.dumps({"at": live.at.isoformat(), "links": [asdict(link) for link in live.links]})
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def read(folder: Path, now: datetime) -> Live | None:
    """What the running service told last; None when none did of late."""
    try:
        said = json.loads((folder / _NAME).read_text("utf-8"))
        live = Live(at=datetime.fromisoformat(said["at"]), links=_links(said["links"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not there, or of another version
    return live if abs(now - live.at) <= FRESH else None


def _links(said: Sequence[Mapping[str, object]]) -> tuple[LinkLive, ...]:
    return tuple(LinkLive(**each) for each in said)  # type: ignore[arg-type]  # what we wrote; else a TypeError


def forget(folder: Path) -> None:
    """Nothing is live any more."""
    (folder / _NAME).unlink(missing_ok=True)
