"""Stretches of cells in a line that hold something, and where Ctrl and an arrow key go among them. Pure."""

from collections.abc import Iterable

__all__ = ["joined", "leap"]


def joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches that touch made one."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(last, joined[-1][1])
        else:
            joined.append((first, last))
    return joined


def leap(spans: list[tuple[int, int]], at: int, *, forward: bool, last: int) -> int:
    """From inside a stretch to its end, from its end or from outside to the next one, else to the edge."""
    if not forward:
        return last - leap(
            [(last - end, last - start) for start, end in reversed(spans)], last - at, forward=True, last=last
        )
    for start, end in spans:
        if start <= at < end:
            return end
        if start > at:
            return start
    return last
