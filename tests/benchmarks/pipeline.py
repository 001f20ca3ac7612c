"""The whole way: marked rows of a workbook to the ledger, over SMPP, and receipts back into the file.

    python -m tests.benchmarks.pipeline [--rows N] [--window 100] [--rounds N] [--profile FILE]

The SMSC is a bare one in a process of its own (`smsc.py`), and every text is delivered at once. `App.send` does all the
work, as `xlsms send --wait` has it done. Beside it, in the same run and on the same SMSC, stand

- Debian's Kannel with its spool store, which is given as many texts over HTTP and calls back for each receipt
  (`kannel.py`; left out where it is not installed);
- what the same link carries with no ledger and no workbook (submits and receipts);
- what this disk would allow if each message were written down by an fsync of its own before it leaves.

Rounds: a list of ours and as many texts of Kannel's in turn, so that both meet the same hours of the computer. The
figures are medians, and each round's are told too. Kannel's first round after a rest is its best: its store makes and
deletes a file for each message, and ext4 gives no inode out again for a minute after its file was deleted, so that each
new file is looked for longer.

The last line is JSON.
"""

import argparse
import asyncio
import cProfile
import json
import os
import resource
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from unittest import mock

import xlsxwriter

from tests.benchmarks import kannel
from tests.benchmarks.feeder import link_seconds
from tests.benchmarks.smsc import network
from xlsms.model import Outgoing, PartKey
from xlsms.states import LABELS, State
from xlsms.workbook import read_rows
from xlsms.workbook.closed import ClosedWorkbook
from xlsms_service.app import App, Patience
from xlsms_service.config import ConnectorSettings, ServiceSettings, Settings
from xlsms_service.connectors.smpp import SmppSettings
from xlsms_service.delivery import recording
from xlsms_service.desk.desk import Desk
from xlsms_service.ledger.writer import Writer

HEADERS = ("Name", "Phone", "Message", "Send", "Status", "Detail", "Status time", "Reply", "Reply time", "Parts", "SMS ID")  # fmt: skip
TEXT = "Hello {Name}, we remind you of your appointment tomorrow at 10:30. Thank you."
FSYNCS = 200


def generate(path: Path, rows: int) -> None:
    """A list in which every row is marked, and every text another one."""
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("People")
        sheet.write_row(0, 0, HEADERS)
        for row in range(1, rows + 1):
            sheet.write_row(row, 0, (f"Person {row}", 600_000_000 + row, TEXT, "x"))


def link_alone(port: int, rows: int, window: int) -> float:
    """Seconds for as many texts and their receipts over the connector, with neither ledger nor workbook."""
    settings = SmppSettings(host="127.0.0.1", port=port, window=window, sender="Clinica")
    parts = [
        Outgoing(key=PartKey(n, 1), destination=f"+34{600_000_000 + n}", text=TEXT, alphabet="gsm7")
        for n in range(rows)
    ]
    return link_seconds(settings, parts, receipts=True)


def fsync_seconds(folder: Path) -> float:
    """The median time in which this disk makes an appended page durable."""
    took = []
    with (folder / "fsync").open("wb", buffering=0) as file:
        for _ in range(FSYNCS):
            file.write(bytes(4096))
            began = time.perf_counter()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    return statistics.median(took)


@dataclass
class Watch:
    """Looks on while `App.send` works: when each stage ended, and how often the ledger was forced to disk."""

    profile: bool = False
    began: float = 0.0
    times: dict[str, float] = field(default_factory=dict)
    submitted: int = 0
    receipts: int = 0
    commits: int = 0
    commit_seconds: float = 0.0
    applies: list[tuple[float, int]] = field(default_factory=list)
    profiles: dict[str, cProfile.Profile] = field(default_factory=dict)

    def note(self, stage: str) -> None:
        self.times[stage] = time.perf_counter() - self.began

    @contextmanager
    def looking(self, rows: int):  # noqa: C901 (one small function for each thing looked at)
        apply, settle, commit, do = ClosedWorkbook.apply, recording._settle, Writer._commit, Desk.do
        admitted = App._admitted
        changes = 0

        def noted_admitted(app):
            admitted(app)
            self.times.setdefault("first ids in the file", time.perf_counter() - self.began)
            self.note("all ids in the file")

        async def timed_do(desk, method, *arguments, **how):
            began = time.perf_counter()
            result = await do(desk, method, *arguments, **how)
            if method == "write_back":
                self.applies.append((time.perf_counter() - began, 0))
                self.note("all states in the file")
            return result

        def timed_apply(workbook, edits):
            if not self.applies:
                self.note("read + plan, first piece")
            began = time.perf_counter()
            applied = apply(workbook, edits)
            self.applies.append((time.perf_counter() - began, len(edits)))
            self.times.setdefault("first ids in the file", time.perf_counter() - self.began)
            self.note("all states in the file")
            return applied

        def counted_settle(connection, connector, answered, overdue, items, *rest):
            settle(connection, connector, answered, overdue, items, *rest)
            self.submitted += len(answered)
            self.receipts += len(items)
            if answered and self.submitted == rows:
                self.note("all submitted")
            if items and self.receipts == rows:
                self.note("all receipts in")

        def counted_commit(writer, connection, group):
            nonlocal changes
            began = time.perf_counter()
            whole = commit(writer, connection, group)
            now = connection.connection.driver_connection.total_changes
            if now != changes:  # a transaction that only reads is not forced to disk
                self.commits += 1
                self.commit_seconds += time.perf_counter() - began
            changes = now
            return whole

        with (
            mock.patch.object(ClosedWorkbook, "apply", timed_apply),
            mock.patch.object(recording, "_settle", counted_settle),
            mock.patch.object(Writer, "_commit", counted_commit),
            mock.patch.object(Desk, "do", timed_do),
            mock.patch.object(App, "_admitted", noted_admitted),
        ):
            yield


async def pipeline(
    path: Path, data: Path, port: int, window: int, watch: Watch, rows: int
) -> tuple[float, float, float]:
    """Seconds from the call to the last state in the file, and of processor time: the service's and its desk's."""
    before = children_seconds()
    options = {"host": "127.0.0.1", "port": port, "system_id": "xlsms", "sender": "Clinica", "window": window}
    settings = Settings(
        service=ServiceSettings(data=data), connectors=(ConnectorSettings(name="net", type="smpp", options=options),)
    )
    with watch.looking(rows):
        async with App(settings, coming=path) as service:
            watch.began, cpu = time.perf_counter(), time.process_time()
            report = await service.send(path, patience=Patience(linger=timedelta(0)))
            took, cpu = time.perf_counter() - watch.began, time.process_time() - cpu
    if report.by_state != {State.DELIVERED: rows}:
        raise SystemExit(f"not all delivered: {report.by_state}")
    return took, cpu, children_seconds() - before


def children_seconds() -> float:
    """Processor time of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def check_file(path: Path, rows: int) -> None:
    """The file shows what happened, or the figures mean nothing."""
    shown = Counter(row.status for row in read_rows(path))
    if shown != {LABELS["en"][State.DELIVERED]: rows}:
        raise SystemExit(f"the file shows {shown}")


@contextmanager
def profiled(file: str | None):
    """Profile the event loop and every other thread into FILE.<thread>; slows everything down."""
    if file is None:
        yield
        return
    profiles: dict[str, cProfile.Profile] = {}

    def begin(*_) -> None:
        profile = profiles[threading.current_thread().name] = cProfile.Profile()
        profile.enable()

    threading.setprofile(begin)
    begin()
    yield
    threading.setprofile(None)
    profiles[threading.current_thread().name].disable()
    for name, profile in profiles.items():
        profile.dump_stats(f"{file}.{name}")
        print(f"profile: {file}.{name}")


def peer(port: int, rows: int, window: int) -> float | None:
    """Seconds that Kannel takes for as many texts; None where it is not installed."""
    if not kannel.FOUND:
        print("Kannel is not installed (Debian: apt install kannel): no ratio to it\n")
        return None
    return kannel.seconds(port, rows, window, TEXT.format(Name="Person 12345"))


@dataclass(frozen=True, kw_only=True)
class Round:
    """A list sent the whole way, in seconds, and as many texts of Kannel's beside it (None where it is not there)."""

    watch: Watch
    took: float
    service: float
    desk: float
    network: float
    kannel: float | None


def one_round(
    folder: Path, port: int, counts: Callable[[], tuple[int, int, float]], asked: argparse.Namespace
) -> Round:
    """Send a new list from a new folder with a new ledger, then let Kannel do as much."""
    folder.mkdir()
    path, rows = folder / "people.xlsx", asked.rows
    generate(path, rows)
    watch = Watch()
    before = counts()
    with profiled(asked.profile):
        took, cpu, desk = asyncio.run(pipeline(path, folder / "data", port, asked.window, watch, rows))
    after = counts()
    check_file(path, rows)
    if (count := after[0] - before[0]) != rows:
        raise SystemExit(f"the network took {count} parts instead of {rows}")
    theirs = None if asked.no_kannel else peer(port, rows, asked.window)
    return Round(watch=watch, took=took, service=cpu, desk=desk, network=after[2] - before[2], kannel=theirs)


def each(rates: Sequence[float]) -> str:
    """Every round's rate, where there was more than one."""
    return f"   (rounds: {', '.join(f'{rate:,.0f}' for rate in rates)})" if len(rates) > 1 else ""


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--window", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--no-kannel", action="store_true")
    parser.add_argument("--profile", metavar="FILE", help="cProfile of each thread; the figures are worthless then")
    asked = parser.parse_args()
    rows = asked.rows
    with tempfile.TemporaryDirectory() as name, network() as (port, counts):
        fsync = fsync_seconds(Path(name))
        alone = link_alone(port, rows, asked.window)
        rounds = [one_round(Path(name, str(number)), port, counts, asked) for number in range(asked.rounds)]
    usual = sorted(rounds, key=lambda one: one.took)[len(rounds) // 2]
    watch, took = usual.watch, statistics.median(one.took for one in rounds)
    print(f"{rows:,} rows, window {asked.window}: seconds from the start{' of the median round' * (len(rounds) > 1)}\n")
    for stage, at in sorted(watch.times.items(), key=lambda stage: stage[1]):
        print(f"{stage:26}{at:8.2f}")
    used = f"{usual.service:.1f} s of processor time, the desk {usual.desk:.1f} s, the network {usual.network:.1f} s"
    print(f"{'the end':26}{usual.took:8.2f}   ({used})\n")
    print(f"{'rows a second, whole way':40}{rows / took:10,.0f}{each([rows / one.took for one in rounds])}")
    theirs = [rows / one.kannel for one in rounds if one.kannel is not None]
    if theirs:
        kannel_rate = statistics.median(theirs)
        times = f"   (we: {rows / took / kannel_rate:.2f} times)"
        print(f"{'Kannel, spool store, texts a second':40}{kannel_rate:10,.0f}{times}{each(theirs)}")
    print(f"{'link alone, texts and receipts a second':40}{rows / alone:10,.0f}")
    print(f"{'this disk, fsyncs a second':40}{1 / fsync:10,.0f}   ({fsync * 1000:.2f} ms each)")
    print(f"{'ledger commits':40}{watch.commits:10,}   ({watch.commit_seconds:.1f} s, work included)")
    print(f"{'writes of the workbook':40}{len(watch.applies):10,}   ({sum(t for t, _ in watch.applies):.1f} s)\n")
    result = {
        "benchmark": "pipeline",
        "rows": rows,
        "window": asked.window,
        "rounds": asked.rounds,
        "rows_per_second": round(rows / took),
        "cpu_ms_per_row": round(usual.service / rows * 1000, 3),
        "desk_cpu_ms_per_row": round(usual.desk / rows * 1000, 3),
        "network_cpu_ms_per_row": round(usual.network / rows * 1000, 3),
        "link_alone_per_second": round(rows / alone),
        "fsync_ms": round(fsync * 1000, 3),
        "ledger_commits": watch.commits,
        "workbook_writes": len(watch.applies),
        "ratio_to_link_alone": round(alone / took, 3),
        "ratio_to_one_fsync_per_message": round(rows * fsync / took, 2),
    }
    if theirs:
        result |= {
            "kannel_per_second": round(kannel_rate),
            "ratio_to_kannel": round(rows / took / kannel_rate, 2),
            "kannel_rounds": [round(rate) for rate in theirs],
            "ratio_to_kannels_best_round": round(rows / took / max(theirs), 2),
        }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
