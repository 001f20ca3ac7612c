"""A service that is killed again and again, and a network that is never killed and writes down what it gets."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.journal import reached
from tests.settings import settings_text
from xlsms.states import LABELS, State
from xlsms.workbook import read_rows

SEED = int(os.environ.get("XLSMS_SEED", "20260301"))

#: What a row may show in the end; "Sent", where its receipt came while nobody was there to hear it.
ENDS = frozenset({State.DELIVERED, State.FAILED, State.EXPIRED, State.UNCERTAIN, State.SENT})

_STATES = {label: state for labels in LABELS.values() for state, label in labels.items()}


def xlsms(*arguments: object, **more: Any) -> subprocess.Popen[Any]:
    """Start the program."""
    return subprocess.Popen([sys.executable, "-m", "xlsms_service", *map(str, arguments)], **more)


def settings(folder: Path, port: int, **connector: object) -> Path:
    """A settings file in `folder` for its folder `watched` and the network at `port`."""
    path = folder / "xlsms.toml"
    path.write_text(settings_text(port, service={"language": "en"}, **connector))
    return path


@contextmanager
def network(folder: Path) -> Iterator[int]:
    """A simulated network in a process of its own; yields its port."""
    with (folder / "network.log").open("w") as log:
        process = xlsms(
            "simulate", "smpp", "--port", "0", "--json", "--journal", folder / "journal.jsonl",
            "--receipt-delay", "0.3", "--seed", "1", stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
        try:
            port = None
            while port is None:
                line = process.stdout.readline()
                assert line, (folder / "network.log").read_text()
                port = json.loads(line).get("port")
            # The pipe must not fill up while nobody reads it.
            drain = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            process.stdout.close()
            drain.wait(60)


def end(service: subprocess.Popen[Any]) -> None:
    """End a service as its user does."""
    service.send_signal(signal.SIGTERM)
    service.wait(60)


def taken(folder: Path) -> Counter[str]:
    """How often each number was reached."""
    return reached(folder / "journal.jsonl")


def states(book: Path) -> dict[str, State | None]:
    """What the workbook shows beside each number; None for a row that shows nothing yet."""
    return {f"34{row.phone}": _STATES.get(row.status or "") for row in read_rows(book)}


def await_end(book: Path, seconds: float, over: Callable[[set[State | None]], bool]) -> None:
    """Wait until what the workbook shows is `over`, for so long at most."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(1)
        if over(set(states(book).values())):
            break


@dataclass(frozen=True, kw_only=True)
class Aftermath:
    """What the network got, and what the workbook shows."""

    reached: Mapping[str, int]
    shown: Mapping[str, State | None]

    @classmethod
    def of(cls, folder: Path, book: Path) -> "Aftermath":
        """Look at both."""
        return cls(reached=taken(folder), shown=states(book))

    def showing(self, state: State) -> set[str]:
        """The numbers beside which that state stands."""
        return {number for number, shown in self.shown.items() if shown is state}

    @property
    def unreached_uncertain(self) -> set[str]:
        """The numbers that were never reached, and whose row says that nobody knows."""
        return {number for number in self.showing(State.UNCERTAIN) if not self.reached[number]}

    def check(self, most_uncertain: int) -> None:
        """Nothing twice, nothing missing without a word, and no more uncertain rows than can be."""
        assert {number: count for number, count in self.reached.items() if count > 1} == {}, "sent twice"
        missing = {number for number in self.shown if not self.reached[number]}
        told = self.showing(State.UNCERTAIN) | self.showing(State.FAILED)
        assert missing - told == set(), "missing, and nobody says so"
        assert len(self.showing(State.UNCERTAIN)) <= most_uncertain
        assert set(self.shown.values()) <= ENDS

    def __str__(self) -> str:
        counted = ", ".join(f"{state or 'nothing'}: {count}" for state, count in Counter(self.shown.values()).items())
        return f"{counted}; uncertain and never reached: {len(self.unreached_uncertain)}"
