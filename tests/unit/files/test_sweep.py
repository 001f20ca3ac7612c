"""What crashes left in a folder: nothing of ours stays for ever, nothing of anybody else's goes."""

import os

import pytest

from tests.drafts import DEAD, identify, told
from xlsms.files.swap import all_drafts, draft_of
from xlsms.files.sweep import sweep


def leave(path, content, *, names=True, pid=DEAD, more=""):
    """A draft for `path`: `new` is ours, `old` what it replaces."""
    name = draft_of(path).name.replace(f"-{os.getpid()}.", f"-{pid}.").removesuffix(".tmp")
    draft = path.with_name(f"{name}-{told(b'new')}-{told(b'old')}{more}.tmp" if names else f"{name}.tmp")
    draft.write_bytes(content)
    return draft


@pytest.mark.parametrize("names", [True, False])
@pytest.mark.parametrize("content", [b"new", b"old"])
@pytest.mark.parametrize("there", [True, False])
def test_nothing_of_ours_stays_for_ever(tmp_path, caplog, names, content, there):
    path = tmp_path / "a.xlsx"
    leave(path, content, names=names)
    (path if there else tmp_path / "renamed.xlsx").write_bytes(b"new")
    sweep(tmp_path, identify)
    assert list(all_drafts(tmp_path)) == []
    assert (path if there else tmp_path / "renamed.xlsx").read_bytes() == b"new"
    assert caplog.text == ""


def test_a_save_that_a_crash_kept_from_its_place_comes_back(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"new")
    leave(path, b"user")
    sweep(tmp_path, identify)
    assert path.read_bytes() == b"user"
    assert list(all_drafts(tmp_path)) == []


@pytest.mark.parametrize("folder", [False, True])
@pytest.mark.parametrize(("content", "more"), [(b"user", ""), (b"old", "-old")])
def test_a_save_that_no_file_holds_any_more_is_left_and_told(tmp_path, caplog, content, more, folder):
    (tmp_path / "renamed.xlsx").write_bytes(b"new")
    if folder:  # it has the name now
        (tmp_path / "a.xlsx").mkdir()
    draft = leave(tmp_path / "a.xlsx", content, more=more)
    sweep(tmp_path, identify)
    assert draft.read_bytes() == content
    assert draft.name in caplog.text


@pytest.mark.parametrize("process", [os.getpid, os.getppid])
def test_what_living_processes_build_is_left_alone(tmp_path, process):
    draft = leave(tmp_path / "a.xlsx", b"half", names=False, pid=process())
    sweep(tmp_path, identify)
    assert draft.exists()
