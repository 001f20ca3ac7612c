"""The power fails in the middle of a set-up: the file is the old one or the new one, and the next run clears up."""

import subprocess
import sys

import pytest

from tests.workbooks import people, workbook
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.setup import set_up

KILLED = """
import os, signal, sys
from pathlib import Path
from xlsms.workbook.setup import set_up
def step(name):
    if name == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
set_up(Path(sys.argv[1]), own_sheets=True, step=step)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.parametrize("moment", ["written", "verified", "named", "compared", "exchanged"])
def test_killed_while_setting_up(tmp_path, moment):
    path = workbook(tmp_path / "a.xlsx", people().replace("Status time", "Other"))
    before = path.read_bytes()
    ended = subprocess.run([sys.executable, "-c", KILLED, str(path), moment], check=False, capture_output=True)
    assert ended.returncode == -9, "the moment never came"
    if moment != "exchanged":
        assert path.read_bytes() == before
    else:
        assert ClosedWorkbook(path).read().sheets[0].missing == ()
    set_up(path, own_sheets=True)
    snapshot = ClosedWorkbook(path).read()
    assert snapshot.guid
    assert snapshot.sheets[0].missing == ()
    assert [each.name for each in tmp_path.iterdir()] == ["a.xlsx"]
