"""What a simulated network has taken: the witness that nothing came twice and nothing is missing."""

import json
from collections import deque
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TextIO

from xlsms.model import Concat

__all__ = ["Counters", "Record", "Taken", "TakenPart"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenPart:
    """One part that the network said yes to, or took without its answer arriving."""

    system_id: str
    destination: str
    sender: str
    text: str
    network_id: str
    at: datetime
    concat: Concat | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One whole message: recorded when its last part arrived. The times and ids are those of its parts."""

    system_id: str
    destination: str
    sender: str
    text: str
    parts: int
    network_ids: tuple[str, ...]
    at: datetime


@dataclass(slots=True)
class Counters:
    """What has happened since the network started."""

    links: int = 0  #: bound now
    binds: int = 0
    refused_binds: int = 0
    submits: int = 0  #: submit_sm that came, whatever became of them
    parts: int = 0  #: taken
    messages: int = 0  #: complete
    throttled: int = 0
    refused: int = 0
    lost_answers: int = 0
    slow_answers: int = 0
    drops: int = 0
    receipts: int = 0  #: made, duplicates included
    replies: int = 0  #: parts of texts that phones wrote
    delivered: int = 0  #: receipts and replies that the client acknowledged
    declined: int = 0  #: receipts and replies that it refused for good
    repeated: int = 0  #: sent again, since they were not acknowledged
    malformed: int = 0  #: PDUs that could not be read, or were not allowed


@dataclass(slots=True)
class Record:
    """Keeps the last `keep` parts and messages (None: all), and writes each part to the journal before it is answered.

    The journal gets one JSON line a part, flushed at once: it survives the death of the process, not a power cut.
    """

    keep: int | None = None
    journal: Path | None = None
    counters: Counters = field(default_factory=Counters)
    parts: deque[TakenPart] = field(init=False)
    taken: deque[Taken] = field(init=False)
    _file: TextIO | None = None

    def __post_init__(self) -> None:
        self.parts = deque(maxlen=self.keep)
        self.taken = deque(maxlen=self.keep)

    def open(self) -> None:
        """Open the journal, if there is one. Raises OSError."""
        if self.journal is not None and self._file is None:
            self._file = self.journal.open("a", encoding="utf-8")

    def close(self) -> None:
        """Close the journal. Idempotent."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def add_part(self, part: TakenPart) -> None:
        """The network takes this part."""
        self.counters.parts += 1
        self.parts.append(part)
        if self._file is not None:
            line = asdict(part) | {"at": part.at.isoformat()}
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._file.flush()

    def add_message(self, message: Taken) -> None:
        """The last missing part of this message was taken."""
        self.counters.messages += 1
        self.taken.append(message)
