"""Reading and writing a large workbook, beside openpyxl and beside inflating and deflating the same sheet alone.

    python -m tests.benchmarks.workbook [--rows N] [--kind shared|inline] [--times N] [--only TEXT] [--no-openpyxl]

Each figure is the median of runs in processes of their own, with the most memory that the process ever held. What is to
be written is made ready before the time is taken; the column "edits" is the memory that this needs. Reading is set
beside inflating what has to be read, the sheet and the table of its shared strings, with zlib, as other readers in Python
do (the sheet alone and ISA-L, which is used here, are told as well), writing beside inflating and deflating the sheet with
ISA-L. Above 100,000 rows openpyxl is measured with 100,000 and its time
multiplied, and our own memory is measured with 100,000 and with 300,000 as well. Then come the bars, each with what was
reached: those beside a limit for 1,000,000 rows, where what every run costs no longer counts, and the one beside openpyxl
for 100,000. The last line is JSON.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import openpyxl

from tests.benchmarks.sheets import generate, row_id
from xlsms.model import Role, RowId
from xlsms.ooxml.book import SHEET_LIMIT, Book
from xlsms.ooxml.deflate import deflater, inflate
from xlsms.ooxml.package import Package
from xlsms.workbook import read_rows, write_cells
from xlsms.workbook.base import RowEdit
from xlsms.workbook.closed import ClosedWorkbook

Job = Callable[[], object]
Work = Callable[[Path, int], Job]


class Figures(NamedTuple):
    """Seconds, the most memory in MiB, and that before the work began."""

    seconds: float
    memory: float
    before: float


_FEWER, _MEDIUM = 100_000, 300_000
_EDITS = 10_000
_PYTHON = 32  # MiB of Python and the modules, before anything is made ready
_LIMITS = {"read": "inflate with strings, zlib", "write": "inflate and deflate alone"}
_MOST = {"read the marked rows": 3.0, "write 10 cells, first": 2.7, "write 10 cells, later": 0.5}  # times the limit
_FASTER = 30  # times than openpyxl


def _few(rows: int, text: str) -> dict[str, str]:
    return {f"H{2 + index * (rows // 10)}": text for index in range(10)}


def _column(rows: int) -> dict[str, str]:
    return {f"H{row}": f"Delivered {row}" for row in range(2, rows + 2)}


def _sheet_bytes(path: Path) -> tuple[Package, Book]:
    package = Package.open(path)
    return package, Book(package)


def _inflate(path: Path, _: int) -> Job:
    def job() -> None:
        package, book = _sheet_bytes(path)
        member = book.sheets[0].member
        for _chunk in inflate(package.raw(member.data, member.end)):
            pass

    return job


def _inflate_zlib(*kinds: str) -> Work:
    def work(path: Path, _: int) -> Job:
        def job() -> None:
            package, book = _sheet_bytes(path)
            for member in (book.sheets[0].member, *filter(None, map(book.related, kinds))):
                stream = zlib.decompressobj(-15)
                for chunk in package.raw(member.data, member.data + member.packed):
                    data = chunk
                    while data:
                        stream.decompress(data, 1 << 18)
                        data = stream.unconsumed_tail

        return job

    return work


def _limit(path: Path, _: int) -> Job:
    def job() -> None:
        package, book = _sheet_bytes(path)
        member = book.sheets[0].member
        stream = deflater(SHEET_LIMIT)
        for chunk in inflate(package.raw(member.data, member.end)):
            stream.compress(chunk)
        stream.flush()

    return job


def _read_rows(path: Path, _: int) -> Job:
    return lambda: sum(1 for _row in read_rows(path)) and None


def _read_values(path: Path, _: int) -> Job:
    def job() -> None:
        for row in read_rows(path):
            tuple(row.values.values())

    return job


def _read_marked(path: Path, _: int) -> Job:
    return lambda: ClosedWorkbook(path).read(marked_only=True) and None


def _write(cells: Callable[[int], dict[str, str]]) -> Work:
    def work(path: Path, rows: int) -> Job:
        edits = {("People", ref): value for ref, value in cells(rows).items()}
        return lambda: write_cells(path, edits)

    return work


def _by_id(path: Path, rows: int) -> Job:
    every = max(rows // _EDITS, 1)
    edits = [
        RowEdit(id=RowId(row_id(row)), values={Role.STATUS: "Delivered", Role.DETAIL: None})
        for row in range(1, rows + 1, every)
    ]

    def job() -> None:
        if len(ClosedWorkbook(path).apply(edits).done) != len(edits):
            raise SystemExit("not every edit found its row")

    return job


def _openpyxl_read(path: Path, _: int) -> Job:
    def job() -> None:
        book = openpyxl.load_workbook(path, read_only=True)
        for _row in book.active.iter_rows(values_only=True):
            pass
        book.close()

    return job


def _openpyxl_write(cells: Callable[[int], dict[str, str]]) -> Work:
    def work(path: Path, rows: int) -> Job:
        edits = cells(rows)

        def job() -> None:
            book = openpyxl.load_workbook(path)
            for ref, value in edits.items():
                book.active[ref] = value
            book.save(path)

        return job

    return work


_FEW, _AGAIN = lambda rows: _few(rows, "Sent"), lambda rows: _few(rows, "Delivered")

#: What is measured, and what openpyxl needs for the same.
_WORK: dict[str, tuple[Work, str | None]] = {
    "inflate alone, zlib": (_inflate_zlib(), None),
    "inflate with strings, zlib": (_inflate_zlib("sharedStrings"), None),
    "inflate alone": (_inflate, None),
    "inflate and deflate alone": (_limit, None),
    "read every row": (_read_rows, "openpyxl read"),
    "read every value": (_read_values, "openpyxl read"),
    "read the marked rows": (_read_marked, "openpyxl read"),
    "write 10 cells, first": (_write(_FEW), "openpyxl write 10 cells"),
    "write 10 cells, later": (_write(_AGAIN), "openpyxl write 10 cells"),
    "write a column": (_write(_column), "openpyxl write a column"),
    "write 10,000 rows by id": (_by_id, None),
    "openpyxl read": (_openpyxl_read, None),
    "openpyxl write 10 cells": (_openpyxl_write(_FEW), None),
    "openpyxl write a column": (_openpyxl_write(_column), None),
}


def _child(name: str, path: Path, rows: int) -> None:
    """One run, in a process of its own: seconds, the most memory in MiB, and that before the work began."""
    warnings.simplefilter("ignore")  # openpyxl's, about styles
    job = _WORK[name][0](path, rows)
    before = _peak()
    start = time.perf_counter()
    job()
    print(time.perf_counter() - start, _peak(), before)


def _peak() -> float:
    """The most memory that this process ever held. What `getrusage` tells is never less than what its parent held."""
    for line in Path("/proc/self/status").read_text().splitlines() if sys.platform == "linux" else ():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _run(name: str, path: Path, rows: int, cache: Path) -> Figures:
    command = [sys.executable, "-m", "tests.benchmarks.workbook", "--child", name, str(path), str(rows)]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env=os.environ | {"XLSMS_CACHE": str(cache)}
    )
    return Figures(*map(float, done.stdout.split()))


def _measured(names: Iterable[str], source: Path, rows: int, folder: Path, times: int) -> dict[str, Figures]:
    """The medians. Every round runs everything, so that other work on the computer hits all alike."""
    found: dict[str, list[Figures]] = {name: [] for name in names}
    for _ in range(times):
        for name, runs in found.items():
            copy, cache = folder / "copy.xlsx", folder / "cache"
            shutil.rmtree(cache, ignore_errors=True)
            shutil.copy(source, copy)
            if name.endswith("later"):
                _run("write 10 cells, first", copy, rows, cache)
            runs.append(_run(name, copy, rows, cache))
    return {name: Figures(*map(statistics.median, zip(*runs, strict=True))) for name, runs in found.items()}


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--kind", choices=["shared", "inline"], default="shared")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--no-openpyxl", action="store_true")
    parser.add_argument("--only", default="", help="measure what has this in its name")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        _child(asked.child[0], Path(asked.child[1]), int(asked.child[2]))
        return
    rows = asked.rows
    fewer = min(rows, _FEWER)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, small, medium = (folder / f"{name}.xlsx" for name in ("people", "fewer", "medium"))
        generate(source, rows, asked.kind)
        generate(small, fewer, asked.kind)
        limits = [*_LIMITS.values(), "inflate alone"]
        mine = [name for name in _WORK if not name.startswith("openpyxl") and asked.only in name and name not in limits]
        ours = _measured([*limits, *mine], source, rows, folder, asked.times)
        less: dict[int, dict[str, Figures]] = {}
        if fewer < rows:
            less[fewer] = _measured(mine, small, fewer, folder, 1)
        if rows > _MEDIUM:
            generate(medium, _MEDIUM, asked.kind)
            less[_MEDIUM] = _measured(mine, medium, _MEDIUM, folder, 1)
        other = [] if asked.no_openpyxl else sorted({_WORK[name][1] or "" for name in mine} - {""})
        theirs = {
            name: found._replace(seconds=found.seconds * rows / fewer)
            for name, found in _measured(other, small, fewer, folder, 1).items()
        }
    _report(rows, asked.kind, ours, theirs, less)


def _report(
    rows: int, kind: str, ours: dict[str, Figures], theirs: dict[str, Figures], less: dict[int, dict[str, Figures]]
) -> None:
    beside = {
        name: found.seconds / ours[limit].seconds
        for name, found in ours.items()
        if (limit := _LIMITS.get(name.split()[0])) is not None
    }
    faster = {
        name: other.seconds / found.seconds
        for name, found in ours.items()
        if (other := theirs.get(_WORK[name][1] or "")) is not None
    }
    print(f"{rows:,} rows x 12 columns, {kind} strings; openpyxl {'from 100,000 rows' if less else 'measured'}\n")
    print(f"{'':28}{'seconds':>9}{'MiB':>7}{'edits':>7}{'x limit':>9}{'openpyxl s':>12}{'MiB':>7}{'times':>7}")
    for name, found in ours.items():
        line = f"{name:28}{found.seconds:9.2f}{found.memory:7.0f}{max(found.before - _PYTHON, 0):7.0f}"
        line += f"{beside[name]:9.2f}" if name in beside else f"{'':9}"
        if name in faster:
            other = theirs[_WORK[name][1] or ""]
            line += f"{other.seconds:12.1f}{other.memory:7.0f}{faster[name]:7.1f}"
        print(line.rstrip())
    print()
    for name, most in _MOST.items():
        if name in beside and less:
            print(f"{name}: {beside[name]:.2f} times {_LIMITS[name.split()[0]]}; bar: at most {most}")
    if "write a column" in faster and not less:
        print(f"write a column: {faster['write a column']:.1f} times faster than openpyxl; bar: at least {_FASTER}")
    for name in next(iter(less.values()), {}):
        grown = [f"{found[name].memory:.0f} MiB with {size:,} rows" for size, found in (*less.items(), (rows, ours))]
        print(f"{name}: {', '.join(grown)}; bar: flat")
    print(
        json.dumps(
            {
                "benchmark": "workbook",
                "rows": rows,
                "kind": kind,
                "openpyxl_extrapolated": bool(less),
                "times_faster_than_openpyxl": _named({name: round(times, 1) for name, times in faster.items()}),
                "times_the_limit": _named({name: round(times, 2) for name, times in beside.items()}),
                "peak_mib": _named({name: round(found.memory) for name, found in ours.items()}),
                **{
                    f"peak_mib_of_{size}_rows": _named({name: round(each.memory) for name, each in found.items()})
                    for size, found in less.items()
                },
            }
        )
    )


def _named(figures: dict[str, float]) -> dict[str, float]:
    return {name.replace(" ", "_").replace(",", ""): figure for name, figure in figures.items()}


if __name__ == "__main__":
    main()
