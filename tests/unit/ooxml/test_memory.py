"""A write needs no more memory for a larger sheet, whatever its size."""

import os
import subprocess
import sys
import zipfile
from random import Random

import pytest

from tests.workbooks import parts, sheet_xml, text_cell

SHEET = "xl/worksheets/sheet1.xml"
WORDS = "always the same words " * 30
WRITE = """
import sys
from pathlib import Path
from xlsms.workbook import write_cells
write_cells(Path(sys.argv[1]), {("People", f"E{row}"): sys.argv[2] for row in range(2, 1000, 100)})
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def made(path, rows):
    """A sheet with rows of 900 bytes, of which 150 are left when it is deflated."""
    chance = Random(rows)
    before, after = sheet_xml("ROWS").split("ROWS")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        for name, part in parts("").items():
            if name != SHEET:
                package.writestr(name, part)
        with package.open(SHEET, "w") as member:
            member.write(before.encode())
            for row in range(1, rows + 1):
                text = text_cell(f"B{row}", WORDS + chance.randbytes(100).hex())
                member.write(f'<row r="{row}">{text}</row>'.encode())
            member.write(after.encode())
    return path


def peak(path, text):
    """The most MiB that a process ever held that wrote ten cells."""
    done = subprocess.run(
        [sys.executable, "-c", WRITE, str(path), text], check=True, capture_output=True, text=True, env=os.environ
    )
    return int(done.stdout) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="what a process held is read from /proc")
def test_a_write_needs_no_more_memory_for_a_larger_sheet(tmp_path, monkeypatch):
    monkeypatch.setenv("XLSMS_CACHE", str(tmp_path / "cache"))
    small, medium, large = (made(tmp_path / f"{rows}.xlsx", rows) for rows in (20_000, 60_000, 160_000))
    assert 20 << 20 < large.stat().st_size < 32 << 20
    for text in ("Sent", "Delivered"):  # the second time by the index
        least = peak(small, text)
        assert peak(medium, text) < least + 10
        assert peak(large, text) < least + 10
