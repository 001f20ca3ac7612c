"""Whether the phone that a receipt names is the one that a message went to; networks write numbers in many ways."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from xlsms.model import Receipt

__all__ = ["by_ending", "contradicts", "same", "those", "written"]

T = TypeVar("T")

#: Digits that two writings of one phone number have in common at least.
_COMMON_DIGITS = 8

#: Digits that make a number of what the network says; fewer are a short code, or nothing.
_A_NUMBER = 5


def same(ours: str, receipt: Receipt) -> bool:
    """Whether the receipt certainly names this phone, as the one that got the message or, swapped, as its sender."""
    return any(_alike(ours, theirs, _COMMON_DIGITS) for theirs in (receipt.recipient, receipt.sender))


def by_ending(things: Iterable[T], number: Callable[[T], str]) -> Mapping[str, list[T]]:
    """Things with numbers of ours, to be looked up by `those`."""
    found: dict[str, list[T]] = {}
    for each in things:
        if ending := _digits(number(each))[-_COMMON_DIGITS:]:
            found.setdefault(ending, []).append(each)
    return found


def those(things: Mapping[str, list[T]], receipt: Receipt) -> list[T]:
    """The only ones whose number `same` can find in the receipt: a few, where each receipt would look at all."""
    endings = {_digits(number)[-_COMMON_DIGITS:] for number in (receipt.recipient, receipt.sender)}
    return [each for ending in sorted(endings) for each in things.get(ending, ())]


def written(receipt: Receipt) -> set[str]:
    """The numbers that the receipt names, as they may stand in the ledger."""
    names = {number for number in (receipt.recipient, receipt.sender) if number}
    return names | {"+" + bare for number in names if (bare := number.lstrip("+").removeprefix("00")).isdigit()}


def contradicts(ours: str, receipt: Receipt) -> bool:
    """Whether the receipt certainly names another phone; one without a number, or with a masked one, names none."""
    if ours.endswith(receipt.recipient) and len(receipt.recipient) >= _A_NUMBER:
        return False  # as nearly all of them: no need to take the numbers apart
    if len(_digits(receipt.recipient)) < _A_NUMBER or not _digits(ours):
        return False
    return not any(_alike(ours, theirs, _A_NUMBER) for theirs in (receipt.recipient, receipt.sender))


def _digits(number: str) -> str:
    """The number as digits without what stands before it; empty where it is no number."""
    bare = number.lstrip("+")
    return bare.lstrip("0") if bare.isascii() and bare.isdigit() else ""


def _alike(ours: str, theirs: str, least: int) -> bool:
    """National and international writings end alike."""
    one, other = _digits(ours), _digits(theirs)
    common = min(len(one), len(other))
    return bool(one) and (one == other or (common >= least and one[-common:] == other[-common:]))
