"""What had to be looked at as a file does not stay, even when we were killed meanwhile."""

import os
import tempfile

import pytest

from xlsms.files.scratch import scratch

DEAD = 2**22 + 1  # above the highest process id


@pytest.fixture
def around(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def fail(folder):
    (folder / "a.xlsx").write_bytes(b"secret")
    raise KeyError


def test_it_is_gone_afterwards_and_only_we_can_enter_it(around):
    with scratch() as folder:
        assert (folder.parent, folder.stat().st_mode & 0o777) == (around, 0o700)
        with pytest.raises(KeyError), scratch() as other:
            fail(other)
        assert list(around.iterdir()) == [folder]
    assert list(around.iterdir()) == []


def test_what_killed_processes_left_goes_and_all_else_stays(around):
    for name in (f"xlsms-{DEAD}-abc", f"xlsms-{os.getppid()}-abc", "xlsms-demo-abc", f"other-{DEAD}-abc"):
        (around / name).mkdir()
        (around / name / "a.xlsx").write_bytes(b"secret")
    (around / f"xlsms-{DEAD}-link").symlink_to(around / "xlsms-demo-abc")
    with scratch() as folder:
        left = {each.name for each in around.iterdir()} - {folder.name}
    assert left == {f"xlsms-{os.getppid()}-abc", "xlsms-demo-abc", f"other-{DEAD}-abc", f"xlsms-{DEAD}-link"}
    assert (around / "xlsms-demo-abc" / "a.xlsx").exists()
