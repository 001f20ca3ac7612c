"""Cuts a stream of octets into PDUs by their command_length (§3.2)."""

from struct import Struct

from xlsms_service.protocols.smpp.constants import HEADER
from xlsms_service.protocols.smpp.fault import ProtocolError

__all__ = ["FRAME_LIMIT", "Framer"]

FRAME_LIMIT = 65536  #: octets; SMPP sets no limit, no real PDU comes near it

_LENGTH = Struct(">I")


class Framer:
    """Holds at most one unfinished PDU of at most `limit` octets; the stream may be split anywhere."""

    def __init__(self, limit: int = FRAME_LIMIT) -> None:
        self._limit = limit
        self._rest = b""

    @property
    def pending(self) -> int:
        """Octets of the unfinished PDU."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """The PDUs that `data` completes, in order.

        Raises `ProtocolError` when a command_length cannot be true: the stream is out of step and has to be closed.
        Its `frames` are the whole PDUs before it.
        """
        rest = self._rest + data if self._rest else data
        frames: list[bytes] = []
        at, end = 0, len(rest)
        while end - at >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(rest, at)
            if not HEADER <= length <= self._limit:
                self._rest = b""
                raise OutOfStepError(length, frames)
            if end - at < length:
                break
            frames.append(rest[at : at + length])
            at += length
        self._rest = rest[at:]
        return frames


class OutOfStepError(ProtocolError):
    """A command_length that cannot be true; `frames` came whole before it."""

    def __init__(self, length: int, frames: list[bytes]) -> None:
        super().__init__(f"command_length {length}")
        self.frames = frames
