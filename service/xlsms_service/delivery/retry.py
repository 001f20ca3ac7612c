"""How long a message that came back waits for its next try, by the reason; its validity says when that ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

__all__ = ["RETRIES", "Retry", "retry_for"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Wait `first`, then `growth` times as long each time, never longer than `most`."""

    first: timedelta = timedelta(0)
    growth: float = 1.0
    most: timedelta = timedelta(minutes=15)
    sick: bool = False  #: speaks against the link, not against its speed

    def wait(self, tries: int) -> timedelta:
        """How long to wait after so many tries; the first is 1."""
        doublings = min(max(tries, 1) - 1, 64)  # more make no longer wait, and must not overflow
        return min(self.most, self.first * min(self.growth**doublings, 1e9))


#: By the code of the outcome. What came back certainly did not leave, so it may take any link that serves its route.
RETRIES: Mapping[str, Retry] = {
    "link-down": Retry(),  # at once: over the next link, or over this one when it is up again
    "smsc-throttled": Retry(first=timedelta(seconds=1)),  # the link's pace does the rest
    "smsc-in-trouble": Retry(first=timedelta(seconds=30), growth=2, sick=True),
}

_UNKNOWN = Retry(first=timedelta(seconds=1), growth=2, sick=True)


def retry_for(code: str | None) -> Retry:
    """The policy for a reason."""
    return RETRIES.get(code or "", _UNKNOWN)
