"""What can be wrong with a PDU.

ProtocolError    theirs: what the peer sent cannot be read
FieldError       ours: a value that the format cannot carry
"""

from xlsms_service.protocols.smpp.constants import Status

__all__ = ["FieldError", "ProtocolError"]


class ProtocolError(Exception):
    """The peer sent what cannot be read; `status` and `sequence` are for the generic_nack that answers it."""

    def __init__(self, reason: str, *, status: int = Status.INVALID_COMMAND_LENGTH, sequence: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.sequence = sequence


class FieldError(ValueError):
    """A field's value cannot be written as SMPP demands; nothing is ever cut to fit."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason
