"""How a simulated network misbehaves, and how it names its messages."""

import random
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

__all__ = ["IdForm", "Network", "Throttle", "Which", "chosen", "write_id"]

Which = float | frozenset[int]  #: a share from 0 to 1, or the n-th ones, counted from 1

_PADDED = 20
_GOLDEN = 0x9E3779B97F4A7C15F39CC0605CEDC835  # odd, so that no two numbers make the same UUID


class IdForm(StrEnum):
    """How a network writes a message id."""

    DECIMAL = "decimal"
    PADDED = "padded"  #: decimal with leading zeros, 20 digits
    HEX = "hex"
    HEX_UPPER = "HEX"
    UUID = "uuid"
    UUID_PLAIN = "uuid-plain"  #: a UUID without dashes


def write_id(number: int, form: IdForm) -> str:
    """The message number in this form; UUIDs only match each other."""
    match form:
        case IdForm.DECIMAL:
            return str(number)
        case IdForm.PADDED:
            return str(number).zfill(_PADDED)
        case IdForm.HEX:
            return f"{number:x}"
        case IdForm.HEX_UPPER:
            return f"{number:X}"
    unique = UUID(int=number * _GOLDEN % (1 << 128), version=4)
    return str(unique) if form is IdForm.UUID else unique.hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The knobs of a network, all at rest by default. Submits are counted over all sessions."""

    response_id: IdForm = IdForm.DECIMAL  #: the id in submit_sm_resp
    receipt_id: IdForm = IdForm.DECIMAL  #: the id in the receipt
    receipt_text: bool = True  #: receipts say what happened in their text
    receipt_tlvs: bool = True  #: receipts say what happened in optional parameters
    throttle_every: int = 0  #: every n-th submit gets ESME_RTHROTTLED and is not taken; 0: none
    throttle_rate: int = 0  #: so do the submits above so many within a second; 0: no limit
    lose_answers: Which = 0.0  #: of the parts taken: no submit_sm_resp ever comes
    slow_answers: Which = 0.0  #: of the parts taken: the submit_sm_resp comes late
    slow_by: float = 1.0  #: seconds
    drop_after: int = 0  #: each link is cut at its n-th PDU after the bind; 0: never
    drop_unanswered: bool = False  #: the PDU that cuts it gets no answer, though what it submits is taken
    early_receipts: Which = 0.0  #: of the parts taken: the receipt goes out before the submit_sm_resp
    duplicate_receipts: Which = 0.0  #: of the receipts: sent twice

    def __post_init__(self) -> None:
        uuids = {form in (IdForm.UUID, IdForm.UUID_PLAIN) for form in (self.response_id, self.receipt_id)}
        if len(uuids) > 1:
            raise ValueError("a receipt with a UUID cannot be matched to a number")
        if not (self.receipt_text or self.receipt_tlvs):
            raise ValueError("a receipt without text and parameters says nothing")


def chosen(which: Which, number: int, rng: random.Random) -> bool:
    """Whether the `number`-th is one of those."""
    if isinstance(which, frozenset):
        return number in which
    return which > 0 and rng.random() < which


class Throttle:
    """Counts submits in whole seconds."""

    def __init__(self) -> None:
        self._second = -1
        self._count = 0

    def exceeds(self, rate: int, now: float) -> bool:
        """Whether one more within this second is above `rate`; if not, it is counted."""
        second = int(now)
        if second != self._second:
            self._second, self._count = second, 0
        if self._count >= rate:
            return True
        self._count += 1
        return False
