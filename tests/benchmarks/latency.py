"""How long an office user waits: from the file saved to the first byte out, and from the receipt to the cell.

    python -m tests.benchmarks.latency [--rounds 20] [--rows 20]

`xlsms run` watches a folder and `xlsms simulate smpp` is the network, each in a process of its own. Lists are saved into
the folder one after another. The network's journal says when the first text of a list arrived; its receipt follows
exactly so many seconds later. A list has its state when the file itself shows it. Beside each stands its limit: the
quiet time that the watcher waits for a program that saves in steps, and the time for which changes are gathered into
one write. The last line is JSON.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

import openpyxl

from tests.settings import settings_text
from xlsms.workbook import read_rows
from xlsms_service.sync import watch, writeback

HEADERS = ("Name", "Phone", "Message", "Send", "Status", "Detail", "Status time", "Reply", "Reply time", "SMS ID")
RECEIPT = 1.0  # seconds between a text and its receipt
LOOK = 0.005  # seconds between two looks at the file
LONGEST = 60

PHONES = """
[pace]
receipt = 1.0
jitter = 0.0
[shares]
answers = 0
slow = 0
fails = 0
off = 0
rejects = 0
"""


@contextmanager
def xlsms(*arguments: object):
    """A command that stays; yields it once it has said that it is ready."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "xlsms_service", *map(str, arguments), "--json"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(LONGEST)


def heard(process: subprocess.Popen[str], **facts: object) -> dict[str, object]:
    """The first of its events with these facts."""
    for line in process.stdout:
        event = json.loads(line)
        if facts.items() <= event.items():
            # Nobody asks for the rest, and a full pipe would stop the command.
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return event
    raise SystemExit("a command ended too soon")


def save(path: Path, rows: int, first: int) -> float:
    """Save a list as programs do, beside the folder and moved in; when it stood there."""
    book = openpyxl.Workbook()
    book.active.append(HEADERS)
    for number in range(first, first + rows):
        book.active.append((f"Person {number}", f"6{number:08}", f"Hello number {number}", "x"))
    beside = path.parent.parent / path.name
    book.save(beside)
    beside.replace(path)
    return time.time()


def shown(path: Path, rows: int) -> float:
    """When the file shows every row as delivered."""
    deadline = time.monotonic() + LONGEST
    before = None
    while time.monotonic() < deadline:
        now = path.stat().st_ino
        if now != before:
            at, before = time.time(), now
            if sum(row.status == "Delivered" for row in read_rows(path)) == rows:
                return at
        time.sleep(LOOK)
    raise SystemExit("the states did not come")


def arrivals(journal: Path, first: int, rows: int) -> list[float]:
    """When the network took the texts of a list."""
    numbers = {f"346{number:08}" for number in range(first, first + rows)}
    parts = map(json.loads, journal.read_text().splitlines())
    return [
        datetime.fromisoformat(part["at"]).timestamp()
        for part in parts
        if part["destination"].lstrip("+") in numbers
    ]  # fmt: skip


def measure(folder: Path, rounds: int, rows: int) -> tuple[list[float], list[float]]:
    """Seconds from save to first text, and from last receipt to the file that shows it, one each a round."""
    out, back = [], []
    journal, phones, config = folder / "journal.jsonl", folder / "phones.toml", folder / "xlsms.toml"
    phones.write_text(PHONES)
    (folder / "watched").mkdir()
    with ExitStack() as ended:
        asked = ("simulate", "smpp", "--port", 0, "--journal", journal, "--phones", phones)
        network = ended.enter_context(xlsms(*asked))
        config.write_text(settings_text(heard(network, event="listening")["port"]))
        service = ended.enter_context(xlsms("--config", config, "run"))
        heard(service, event="link", link="up")
        for number in range(rounds):
            path, first = folder / "watched" / f"list {number}.xlsx", number * rows
            saved = save(path, rows, first)
            at = shown(path, rows)
            taken = arrivals(journal, first, rows)
            out.append(min(taken) - saved)
            back.append(at - max(taken) - RECEIPT)
    return out, back


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--rows", type=int, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        out, back = measure(Path(name), asked.rounds, asked.rows)
    quiet, gather = watch._QUIET, writeback._QUIET
    result: dict[str, object] = {"benchmark": "latency", "rounds": asked.rounds, "rows": asked.rows}
    print(f"{asked.rounds} lists of {asked.rows} rows; seconds\n")
    for name, took, limit in (("saved to first byte", out, quiet), ("receipt to cell", back, gather)):
        middle, late = statistics.median(took), statistics.quantiles(took, n=100, method="inclusive")[-1]
        print(f"{name:22} median {middle:6.3f}   p99 {late:6.3f}   limit {limit:.2f}: {middle / limit:.2f} times")
        key = name.replace(" ", "_")
        result |= {f"{key}_median": round(middle, 3), f"{key}_p99": round(late, 3)}
        result[f"{key}_ratio_to_limit"] = round(middle / limit, 2)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
