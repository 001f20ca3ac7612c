"""What the whole way needs of memory: ten times the rows must not need much more.

    python -m tests.benchmarks.memory [--rows 100000] [--times 10]

A list of so many marked rows, and one of so many times as many, goes the whole way that `pipeline` measures: into the
ledger, over SMPP, and its states back into the file. Each runs as a service of its own; the peaks of its resident
memory and of that of the processes that work on long lists for it are added up, what a copy of a process shares with it
for both. The bar: twice as much for ten times the rows. The last line is JSON. Linux only: it is asked what each
process has held.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import xlsxwriter

from tests.benchmarks.pipeline import HEADERS, TEXT
from tests.benchmarks.smsc import network
from xlsms.states import State
from xlsms_service.app import App, Patience
from xlsms_service.config import ConnectorSettings, ServiceSettings, Settings

WINDOW = 1000


def generate(path: Path, rows: int) -> None:
    """A list in which every row is marked, as a program writes it that does not hold it either."""
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("People")
        sheet.write_row(0, 0, HEADERS)
        for row in range(1, rows + 1):
            sheet.write_row(row, 0, (f"Person {row}", 600_000_000 + row, TEXT, "x"))


async def send(path: Path, data: Path, port: int, rows: int) -> list[int]:
    """The whole way, as `xlsms send --wait` goes it; the most kilobytes that each process has held, the service first."""
    options = {"host": "127.0.0.1", "port": port, "system_id": "xlsms", "sender": "Clinica", "window": WINDOW}
    connector = ConnectorSettings(name="net", type="smpp", options=options)
    async with App(Settings(service=ServiceSettings(data=data), connectors=(connector,)), coming=path) as service:
        report = await service.send(path, patience=Patience(linger=timedelta(0)))
        held = peaks(os.getpid())
    if report.by_state != {State.DELIVERED: rows}:
        raise SystemExit(f"not all delivered: {report.by_state}")
    return held


def peaks(pid: int) -> list[int]:
    """The most kilobytes that a process and those that it has started have held."""
    process = Path(f"/proc/{pid}")
    (line,) = (line for line in process.joinpath("status").read_text().splitlines() if line.startswith("VmHWM"))
    children = " ".join(task.read_text() for task in process.glob("task/*/children")).split()
    return [int(line.split()[1]), *(kilobytes for child in children for kilobytes in peaks(int(child)))]


def measure(rows: int) -> dict[str, float]:
    """Run it in a fresh process; MiB of the service and of its desk with its pen, and seconds."""
    with tempfile.TemporaryDirectory() as name, network() as (port, _):
        path = Path(name) / "people.xlsx"
        generate(path, rows)
        command = [sys.executable, "-m", "tests.benchmarks.memory", "--child", str(path), str(port), str(rows)]
        began = time.perf_counter()
        ended = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        service, *others = json.loads(ended.stdout)
        return {"seconds": time.perf_counter() - began, "service": service / 1024, "desk": sum(others) / 1024}


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        path, port, rows = asked.child
        print(json.dumps(asyncio.run(send(Path(path), Path(path).parent / "data", int(port), int(rows)))))
        return
    print(f"{'rows':>12}{'service MiB':>14}{'desk MiB':>12}{'together':>12}{'seconds':>10}")
    sums = []
    for rows in (asked.rows, asked.rows * asked.times):
        found = measure(rows)
        sums.append(found["service"] + found["desk"])
        figures = f"{found['service']:14.0f}{found['desk']:12.0f}{sums[-1]:12.0f}{found['seconds']:10.0f}"
        print(f"{rows:12,}{figures}", flush=True)
    ratio = sums[1] / sums[0]
    print(f"\n{asked.times} times the rows: {ratio:.2f} times the memory (bar: 2)")
    result = {"benchmark": "memory", "rows": asked.rows, "times": asked.times, "ratio": round(ratio, 2)}
    print(json.dumps(result | {"mib": [round(each) for each in sums]}))


if __name__ == "__main__":
    main()
