"""Reading and writing a large workbook, beside openpyxl on the same file in the same run.

    python -m tests.benchmarks.workbook [--rows N]

Prints a table in seconds and, as its last line, JSON with the ratios: how many times faster than openpyxl.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import openpyxl
import xlsxwriter

from xlsms.workbook import read_rows, write_cells
from xlsms.workbook.closed import ClosedWorkbook

_HEADERS = ("Name", "Phone", "Message", "Send", "When", "Amount", "City", "Status", "Detail", "Reply", "Note", "SMS ID")


def _generate(path: Path, rows: int) -> None:
    """12 columns: 9 of text (most of it different in every row), a number, a date and an amount; one mark in 10,000."""
    with closing(xlsxwriter.Workbook(path, {"constant_memory": False})) as book:
        sheet = book.add_worksheet("People")
        date = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
        sheet.write_row(0, 0, _HEADERS)
        for row in range(1, rows + 1):
            sheet.write_string(row, 0, f"Person {row}")
            sheet.write_number(row, 1, 34600000000 + row)
            sheet.write_string(row, 2, "Hello {Name}, your appointment is on {When}")
            if row % 10_000 == 1:
                sheet.write_string(row, 3, "x")
            sheet.write_datetime(row, 4, datetime(2026, 1 + row % 12, 1 + row % 28, 9, row % 60), date)  # noqa: DTZ001 - a cell
            sheet.write_number(row, 5, row / 7)
            sheet.write_string(row, 6, f"City {row % 500}")
            sheet.write_string(row, 7, "Queued")
            sheet.write_string(row, 8, f"detail of {row}")
            sheet.write_string(row, 9, "")
            sheet.write_string(row, 10, f"Note {row} with some more text")
            sheet.write_string(row, 11, f"ID{row}")


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _best(work: Callable[[], object], times: int = 3) -> float:
    return min(_timed(work) for _ in range(times))


def _openpyxl_read(path: Path) -> None:
    book = openpyxl.load_workbook(path, read_only=True)
    for _ in book.active.iter_rows(values_only=True):
        pass
    book.close()


def _openpyxl_write(path: Path, cells: dict[str, str]) -> None:
    book = openpyxl.load_workbook(path)
    for ref, value in cells.items():
        book.active[ref] = value
    book.save(path)


def _read_all(path: Path) -> None:
    for row in read_rows(path):
        tuple(row.values.values())


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        path, copy = Path(folder, "people.xlsx"), Path(folder, "copy.xlsx")
        _generate(path, rows)
        few = {f"H{2 + index * (rows // 10)}": "Sent" for index in range(10)}
        column = {f"H{row}": f"Delivered {row}" for row in range(2, rows + 2)}

        def fresh(work: Callable[[], object]) -> Callable[[], float]:
            def run() -> float:
                shutil.copy(path, copy)
                return _timed(work)

            return run

        def write(cells: dict[str, str]) -> Callable[[], float]:
            return fresh(lambda: write_cells(copy, {("People", ref): value for ref, value in cells.items()}))

        theirs_read = _timed(lambda: _openpyxl_read(path))
        ours = {
            "read every row": _best(lambda: sum(1 for _ in read_rows(path))),
            "read every value": _best(lambda: _read_all(path)),
            "read the marked rows": _best(lambda: ClosedWorkbook(path).read(marked_only=True)),
            "write 10 cells": min(write(few)() for _ in range(3)),
            "write a column": min(write(column)() for _ in range(3)),
        }
        theirs = dict.fromkeys(list(ours)[:3], theirs_read) | {
            "write 10 cells": fresh(lambda: _openpyxl_write(copy, few))(),
            "write a column": fresh(lambda: _openpyxl_write(copy, column))(),
        }
    print(f"{rows:,} rows x {len(_HEADERS)} columns, seconds\n")
    print(f"{'':24}{'xlsms':>10}{'openpyxl':>10}{'times':>8}")
    for name, seconds in ours.items():
        print(f"{name:24}{seconds:10.2f}{theirs[name]:10.2f}{theirs[name] / seconds:8.1f}")
    ratios = {name.replace(" ", "_"): round(theirs[name] / seconds, 1) for name, seconds in ours.items()}
    print(json.dumps({"benchmark": "workbook", "rows": rows, "times_faster_than_openpyxl": ratios}))


if __name__ == "__main__":
    main()
