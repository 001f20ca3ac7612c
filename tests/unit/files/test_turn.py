"""A turn is had by one at a time, freed when its process ends, and never the reason why nothing is written."""

import subprocess
import sys

import pytest

from xlsms.errors import TransientError
from xlsms.files.turn import Turn


def test_one_at_a_time_and_again_by_whoever_has_it(tmp_path):
    first, now = Turn(tmp_path / "a" / "1.lock"), [0.0]

    def sleep(seconds):
        now[0] += seconds

    second = Turn(tmp_path / "a" / "1.lock", seconds=1, sleep=sleep, clock=lambda: now[0])
    with first as waited:
        with first as again:
            assert (waited, again) == (False, False)
        with pytest.raises(TransientError) as caught, second:
            pass
        assert (caught.value.code, round(now[0])) == ("excel-busy", 1)
    with second as waited:
        assert waited is False
        with Turn(tmp_path / "a" / "2.lock"):
            pass
    assert (tmp_path / "a").stat().st_mode & 0o077 == 0


def test_who_waits_gets_it_and_knows(tmp_path):
    first = Turn(tmp_path / "1.lock")
    first.__enter__()
    second = Turn(tmp_path / "1.lock", sleep=lambda _: first.__exit__(None, None, None))
    with second as waited:
        assert waited


def test_a_process_that_dies_leaves_nothing_behind(tmp_path):
    code = "import os, sys; from pathlib import Path; from xlsms.files.turn import Turn; "
    code += "Turn(Path(sys.argv[1])).__enter__(); os._exit(9)"
    assert subprocess.run([sys.executable, "-c", code, tmp_path / "1.lock"], check=False).returncode == 9
    with Turn(tmp_path / "1.lock", seconds=0) as waited:
        assert not waited


def test_where_no_file_can_be_nobody_waits(tmp_path):
    (tmp_path / "file").touch()
    with Turn(tmp_path / "file" / "1.lock"), Turn(tmp_path / "file" / "1.lock", seconds=0):
        pass
