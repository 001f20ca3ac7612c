"""Reading and writing a large workbook, beside openpyxl and beside inflating and deflating the same sheet alone.

    python -m tests.benchmarks.workbook [--rows N] [--kind shared|inline] [--times N] [--only TEXT]

Each figure is the median of runs in processes of their own, with the peak memory of the process. Above 100,000 rows
openpyxl is measured with 100,000 and its time multiplied; its memory is then that of 100,000 rows. The last line is
JSON with the ratios: how many times faster than openpyxl, and how many times the limit.
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
from collections.abc import Callable
from pathlib import Path

import openpyxl

from tests.benchmarks.sheets import generate, row_id
from xlsms.model import Role, RowId
from xlsms.ooxml.book import SHEET_LIMIT, Book
from xlsms.ooxml.deflate import deflater, inflate
from xlsms.ooxml.package import Package
from xlsms.workbook import read_rows, write_cells
from xlsms.workbook.base import RowEdit
from xlsms.workbook.closed import ClosedWorkbook

_THEIRS_MOST = 100_000
_EDITS = 10_000
_LIMITS = ("inflate alone", "inflate and deflate alone")


def _few(rows: int, text: str) -> dict[str, str]:
    return {f"H{2 + index * (rows // 10)}": text for index in range(10)}


def _column(rows: int) -> dict[str, str]:
    return {f"H{row}": f"Delivered {row}" for row in range(2, rows + 2)}


def _sheet_bytes(path: Path) -> tuple[Package, Book]:
    package = Package.open(path)
    return package, Book(package)


def _inflate(path: Path, _: int) -> None:
    package, book = _sheet_bytes(path)
    member = book.sheets[0].member
    for _chunk in inflate(package.raw(member.data, member.end)):
        pass


def _limit(path: Path, _: int) -> None:
    package, book = _sheet_bytes(path)
    member = book.sheets[0].member
    stream = deflater(SHEET_LIMIT)
    for chunk in inflate(package.raw(member.data, member.end)):
        stream.compress(chunk)
    stream.flush()


def _read_all(path: Path, _: int) -> None:
    for row in read_rows(path):
        tuple(row.values.values())


def _write(cells: Callable[[int], dict[str, str]]) -> Callable[[Path, int], None]:
    return lambda path, rows: write_cells(path, {("People", ref): value for ref, value in cells(rows).items()})


def _by_id(path: Path, rows: int) -> None:
    every = max(rows // _EDITS, 1)
    edits = [
        RowEdit(id=RowId(row_id(row)), values={Role.STATUS: "Delivered", Role.DETAIL: None})
        for row in range(1, rows + 1, every)
    ]
    applied = ClosedWorkbook(path).apply(edits)
    if len(applied.done) != len(edits):
        raise SystemExit("not every edit found its row")


def _openpyxl_read(path: Path, _: int) -> None:
    book = openpyxl.load_workbook(path, read_only=True)
    for _row in book.active.iter_rows(values_only=True):
        pass
    book.close()


def _openpyxl_write(cells: Callable[[int], dict[str, str]]) -> Callable[[Path, int], None]:
    def write(path: Path, rows: int) -> None:
        book = openpyxl.load_workbook(path)
        for ref, value in cells(rows).items():
            book.active[ref] = value
        book.save(path)

    return write


_FEW, _AGAIN = lambda rows: _few(rows, "Sent"), lambda rows: _few(rows, "Delivered")

#: What is measured, and what openpyxl needs for the same.
_WORK: dict[str, tuple[Callable[[Path, int], None], str | None]] = {
    "inflate alone": (_inflate, None),
    "inflate and deflate alone": (_limit, None),
    "read every row": (lambda path, _: sum(1 for _row in read_rows(path)) and None, "openpyxl read"),
    "read every value": (_read_all, "openpyxl read"),
    "read the marked rows": (lambda path, _: ClosedWorkbook(path).read(marked_only=True) and None, "openpyxl read"),
    "write 10 cells, first": (_write(_FEW), "openpyxl write 10 cells"),
    "write 10 cells, later": (_write(_AGAIN), "openpyxl write 10 cells"),
    "write a column": (_write(_column), "openpyxl write a column"),
    "write 10,000 rows by id": (_by_id, None),
    "openpyxl read": (_openpyxl_read, None),
    "openpyxl write 10 cells": (_openpyxl_write(_FEW), None),
    "openpyxl write a column": (_openpyxl_write(_column), None),
}


def _child(name: str, path: Path, rows: int) -> None:
    """One run, in a process of its own: seconds and the most memory in MiB."""
    warnings.simplefilter("ignore")  # openpyxl's, about styles
    start = time.perf_counter()
    _WORK[name][0](path, rows)
    seconds = time.perf_counter() - start
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _run(name: str, path: Path, rows: int, cache: Path) -> tuple[float, float]:
    command = [sys.executable, "-m", "tests.benchmarks.workbook", "--child", name, str(path), str(rows)]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env=os.environ | {"XLSMS_CACHE": str(cache)}
    )
    seconds, memory = done.stdout.split()
    return float(seconds), float(memory)


def _measured(names: list[str], source: Path, rows: int, folder: Path, times: int) -> dict[str, tuple[float, float]]:
    """The medians of seconds and MiB. Every round runs everything, so that other work on the computer hits all alike."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for _ in range(times):
        for name in names:
            copy, cache = folder / "copy.xlsx", folder / "cache"
            shutil.rmtree(cache, ignore_errors=True)
            shutil.copy(source, copy)
            if name.endswith("later"):
                _run("write 10 cells, first", copy, rows, cache)
            found[name].append(_run(name, copy, rows, cache))
    return {
        name: (statistics.median(seconds for seconds, _ in runs), statistics.median(memory for _, memory in runs))
        for name, runs in found.items()
    }


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
    fewer = min(rows, _THEIRS_MOST)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, small = folder / "people.xlsx", folder / "fewer.xlsx"
        generate(source, rows, asked.kind)
        generate(small, fewer, asked.kind)
        mine = [name for name in _WORK if not name.startswith("openpyxl") and (name in _LIMITS or asked.only in name)]
        ours = _measured(mine, source, rows, folder, asked.times)
        other = [] if asked.no_openpyxl else sorted({_WORK[name][1] or "" for name in mine} - {""})
        theirs = {
            name: (seconds * rows / fewer, memory)
            for name, (seconds, memory) in _measured(other, small, fewer, folder, 1).items()
        }
    _report(rows, asked.kind, ours, theirs, extrapolated=fewer < rows)


def _report(
    rows: int,
    kind: str,
    ours: dict[str, tuple[float, float]],
    theirs: dict[str, tuple[float, float]],
    *,
    extrapolated: bool,
) -> None:
    limits = dict(zip(("read", "write"), (ours[name][0] for name in _LIMITS), strict=True))
    print(
        f"{rows:,} rows x 12 columns, {kind} strings; openpyxl {'from 100,000 rows' if extrapolated else 'measured'}\n"
    )
    print(f"{'':28}{'seconds':>9}{'MiB':>7}{'x limit':>9}{'openpyxl s':>12}{'MiB':>7}{'times':>7}")
    faster, beside = {}, {}
    for name, (seconds, memory) in ours.items():
        line = f"{name:28}{seconds:9.2f}{memory:7.0f}"
        limit = limits.get(name.split()[0])
        if limit is not None:
            beside[name.replace(" ", "_").replace(",", "")] = round(seconds / limit, 2)
            line += f"{seconds / limit:9.2f}"
        other = theirs.get(_WORK[name][1] or "")
        if other is not None:
            faster[name.replace(" ", "_").replace(",", "")] = round(other[0] / seconds, 1)
            line += f"{other[0]:12.1f}{other[1]:7.0f}{other[0] / seconds:7.1f}"
        print(line)
    memory = {name.replace(" ", "_").replace(",", ""): round(mib) for name, (_, mib) in ours.items()}
    print(
        json.dumps(
            {
                "benchmark": "workbook",
                "rows": rows,
                "kind": kind,
                "openpyxl_extrapolated": extrapolated,
                "times_faster_than_openpyxl": faster,
                "times_the_limit": beside,
                "peak_mib": memory,
            }
        )
    )


if __name__ == "__main__":
    main()
