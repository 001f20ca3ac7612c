"""Refreshing an open workbook: our blocks beside a call a cell, in one LibreOffice of its own.

    python -m tests.benchmarks.live --rows 10000

Prints seconds, calls and ratios. Writing a cell at a time is measured on a sample and counted up, as the whole would
take minutes; that it is linear can be seen with --sample.
"""

import argparse
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import xlwings as xw

from tests.office.live import Live
from xlsms.model import Role
from xlsms.workbook.base import RowEdit
from xlsms.workbook.live import Attachment, LiveWorkbook

HEADERS = ("Name", "Phone", "Message", "Send", "Status", "Detail", "Status time", "Reply", "Reply time", "SMS ID")
NOW = datetime(2026, 11, 22, 9, 15, tzinfo=UTC)


def timed(work):
    """What it returns, and the seconds that it took."""
    began = time.perf_counter()
    result = work()
    return result, time.perf_counter() - began


def made(path, count):
    """A list of people that were sent to."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("People")
    sheet.append(HEADERS)
    for n in range(count):
        sheet.append((f"P{n}", 600000000 + n, "Hello {Name}", None, "Queued", None, None, None, None, f"ID{n}"))
    book.save(path)


def cell_by_cell(name, count, sample):
    """The same results through xlwings, one cell after another."""
    sheet = xw.books[name].sheets[0]
    for row in range(2, sample + 2):
        sheet.range((row, 5)).value = "Delivered"
        sheet.range((row, 7)).value = NOW.replace(tzinfo=None)
        sheet.range((row, 8)).value = f"answer {row}"
    return count / sample


def main():
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--sample", type=int, default=300)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.xlsx"
        made(path, wanted.rows)
        live = Live(Path(folder) / "profile")
        try:
            live.open(path)
            book = LiveWorkbook(Attachment(fullname=str(path)), zone=UTC)
            edits = [
                RowEdit(
                    id=f"ID{n}",
                    values={Role.STATUS: "Delivered", Role.STATUS_TIME: NOW, Role.REPLY: f"answer {n}"},
                )
                for n in range(wanted.rows)
            ]
            _, reading = timed(book.read)
            live.guard.reset()
            applied, ours = timed(lambda: book.apply(edits))
            reads, writes = live.guard.reads, live.guard.writes
            assert len(applied.done) == wanted.rows
            _, again = timed(lambda: book.apply(edits))
            factor, sampled = timed(lambda: cell_by_cell(path.name, wanted.rows, min(wanted.sample, wanted.rows)))
        finally:
            live.end()
    theirs = sampled * factor
    print(f"read                {wanted.rows:>8,} rows  {reading:8.2f} s")
    print(f"refresh             {wanted.rows:>8,} rows  {ours:8.2f} s   {reads} reads, {writes} writes")
    print(f"refresh, no news    {wanted.rows:>8,} rows  {again:8.2f} s")
    print(f"a call a cell       {wanted.rows:>8,} rows  {theirs:8.2f} s   (counted up from {sampled:.2f} s)")
    print(f"ratio               {theirs / ours:8.1f} x")


if __name__ == "__main__":
    main()
