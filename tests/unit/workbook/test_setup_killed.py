"""The power fails in the middle of a set-up, or of its undoing: the file is the old one or the new one, and the next run clears up."""

import subprocess
import sys

import pytest

from tests.workbooks import members, people, workbook
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.removal import remove_set_up
from xlsms.workbook.setup import set_up

KILLED = """
import os, signal, sys
from pathlib import Path
from xlsms.workbook.removal import remove_set_up
from xlsms.workbook.setup import set_up
def step(name):
    if name == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
{change}(Path(sys.argv[1]), {more}=True, step=step)
"""


MOMENTS = ["written", "verified", "named", "compared", "exchanged"]


def killed(change, more, path, moment):
    script = KILLED.format(change=change, more=more)
    ended = subprocess.run([sys.executable, "-c", script, str(path), moment], check=False, capture_output=True)
    assert ended.returncode == -9, "the moment never came"


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_while_setting_up(tmp_path, moment):
    path = workbook(tmp_path / "a.xlsx", people().replace("Status time", "Other"))
    before = path.read_bytes()
    killed("set_up", "own_sheets", path, moment)
    if moment != "exchanged":
        assert path.read_bytes() == before
    else:
        assert ClosedWorkbook(path).read().sheets[0].missing == ()
    set_up(path, own_sheets=True)
    snapshot = ClosedWorkbook(path).read()
    assert snapshot.guid
    assert snapshot.sheets[0].missing == ()
    assert [each.name for each in tmp_path.iterdir()] == ["a.xlsx"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_while_undoing_it(tmp_path, moment):
    path = workbook(tmp_path / "a.xlsx", people().replace("Status time", "Other"))
    before = members(path)
    set_up(path, own_sheets=True)
    content = path.read_bytes()
    killed("remove_set_up", "contents", path, moment)
    if moment != "exchanged":
        assert path.read_bytes() == content
    remove_set_up(path)
    assert members(path)["xl/worksheets/sheet1.xml"] == before["xl/worksheets/sheet1.xml"]
    assert [each.name for each in tmp_path.iterdir()] == ["a.xlsx"]
