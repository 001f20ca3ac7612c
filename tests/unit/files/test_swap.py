"""Replacing a file: what is kept, what is refused, and what happens where names cannot be exchanged."""

import errno
import os
import struct
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.drafts import DEAD, identify, told
from xlsms.errors import TransientError, UserError
from xlsms.files import swap
from xlsms.files.exchange import exchange
from xlsms.files.kind import check_writable
from xlsms.files.swap import create, draft_of, drafts_of, failure, finish, recover, replace


@pytest.fixture(params=["exchange", "replace"])
def way(request, monkeypatch):
    if request.param == "replace":  # as on a network share
        monkeypatch.setattr(swap, "exchange", lambda *_: False)
    return request.param


@pytest.fixture
def pair(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"old")
    draft = draft_of(path)
    draft.write_bytes(b"new")
    return path, draft


def test_a_draft_takes_the_place_of_the_file(pair, way, tmp_path):
    path, draft = pair
    assert replace(path, draft, expected=identify(path), identify=identify)
    assert path.read_bytes() == b"new"
    assert [file.name for file in tmp_path.iterdir()] == ["a.xlsx"]


@pytest.mark.skipif(sys.platform == "win32", reason="a folder cannot be opened there")
def test_the_new_file_is_on_the_disk_before_it_is_there_and_its_name_before_it_is_told(
    pair, way, tmp_path, monkeypatch
):
    path, draft = pair
    forced = []
    right = os.fsync

    def fsync(handle):
        right(handle)
        forced.append((os.fstat(handle).st_ino, path.read_bytes(), b"old" in map(Path.read_bytes, tmp_path.iterdir())))

    monkeypatch.setattr(os, "fsync", fsync)
    inode = draft.stat().st_ino
    finish(draft, path)
    assert forced == [(inode, b"old", True)]
    assert replace(path, draft, expected=identify(path), identify=identify)
    folder = tmp_path.stat().st_ino
    assert (
        forced[1:]
        == {
            "exchange": [(folder, b"new", True), (folder, b"new", False)],  # before the old one goes as well
            "replace": [(folder, b"new", False)],
        }[way]
    )


@pytest.mark.parametrize(("number", "told"), [(errno.EINVAL, False), (errno.EIO, True)])
def test_a_folder_that_cannot_be_forced_to_the_disk_is_no_error_and_a_disk_that_fails_is(
    pair, way, monkeypatch, number, told
):
    """As some shares of virtual machines; their files are in the place of the old ones by then."""
    path, draft = pair

    def fsync(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises((TransientError, OSError)) if told else nullcontext():
        assert replace(path, draft, expected=identify(path), identify=identify)
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("when", ["named", "compared", "exchanged"])
def test_another_thread_that_clears_up_meanwhile_touches_nothing(pair, when, tmp_path):
    path, draft = pair

    def act(step):
        if step == when:
            recover(path, identify)

    assert replace(path, draft, expected=identify(path), identify=identify, step=act)
    assert path.read_bytes() == b"new"
    assert [file.name for file in tmp_path.iterdir()] == ["a.xlsx"]


def test_a_file_that_changed_is_left_as_it_is(pair, way, tmp_path):
    path, draft = pair
    path.write_bytes(b"user")
    assert not replace(path, draft, expected=told(b"old"), identify=identify)
    assert path.read_bytes() == b"user"
    assert [file.name for file in tmp_path.iterdir()] == ["a.xlsx"]


def test_a_file_that_went_away_stays_away(pair, way, tmp_path):
    path, draft = pair
    path.unlink()
    assert not replace(path, draft, expected=told(b"old"), identify=identify)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="modes and attributes of Linux")
def test_mode_and_attributes_are_kept(pair):
    path, draft = pair
    path.chmod(0o640)
    os.setxattr(path, "user.colour", b"blue")
    finish(draft, path)
    assert draft.stat().st_mode & 0o7777 == 0o640
    assert os.getxattr(draft, "user.colour") == b"blue"


@pytest.mark.skipif(sys.platform != "linux", reason="access lists of Linux")
def test_the_access_list_is_kept(pair):
    path, draft = pair
    # posix_acl_xattr.h: version 2, then tag, rights and id of: owner, user 1000 (reads), group, mask, others
    entries = [(0x01, 6, -1), (0x02, 4, 1000), (0x04, 4, -1), (0x10, 4, -1), (0x20, 0, -1)]
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in entries)
    os.setxattr(path, "system.posix_acl_access", acl)
    finish(draft, path)
    assert os.getxattr(draft, "system.posix_acl_access") == acl
    assert draft.stat().st_mode == path.stat().st_mode


@pytest.mark.skipif(sys.platform != "linux", reason="access lists as Linux keeps them")
def test_an_access_list_of_the_folder_is_not_that_of_the_file(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"old")
    path.chmod(0o640)
    entries = [(1, 6, -1), (2, 6, 1000), (4, 4, -1), (16, 6, -1), (32, 0, -1)]
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in entries)
    os.setxattr(tmp_path, "system.posix_acl_default", acl)
    draft = draft_of(path)
    with create(draft) as out:
        out.write(b"new")
    assert "system.posix_acl_access" in os.listxattr(draft)  # as every new file there
    finish(draft, path)
    assert "system.posix_acl_access" not in os.listxattr(draft)
    assert draft.stat().st_mode == path.stat().st_mode


@pytest.mark.skipif(sys.platform == "win32", reason="modes as POSIX has them")
@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_nobody_else_reads_a_draft_before_it_is_finished(tmp_path, mode):
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"old")
    path.chmod(mode)
    draft = draft_of(path)
    with create(draft) as out:
        assert draft.stat().st_mode & 0o777 == 0o600
        out.write(b"new")
    finish(draft, path)
    assert draft.stat().st_mode & 0o777 == mode
    with pytest.raises(FileExistsError):
        create(draft)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root may give files away")
def test_the_owner_is_kept(pair):
    path, draft = pair
    os.chown(path, 1234, 2345)
    path.chmod(0o2640)
    finish(draft, path)
    status = draft.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (1234, 2345, 0o2640)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root may give files away")
def test_the_file_of_another_becomes_ours_in_the_same_group_where_we_may_not_give_it_away(pair, monkeypatch):
    path, draft = pair
    os.chown(path, 1234, 2345)
    right = os.chown

    def chown(at, user, group):
        if user != -1:
            raise PermissionError(errno.EPERM, "Operation not permitted")
        right(at, user, group)

    monkeypatch.setattr(os, "chown", chown)
    finish(draft, path)
    assert (draft.stat().st_uid, draft.stat().st_gid) == (0, 2345)


@pytest.mark.skipif(sys.platform != "linux", reason="attributes of Linux")
def test_an_attribute_that_only_the_system_may_set_keeps_none_of_the_others(pair, monkeypatch):
    path, draft = pair
    for name in ("user.a", "user.b", "user.c"):
        os.setxattr(path, name, b"x")
    right = os.setxattr

    def setxattr(at, name, value):
        if name == "user.b":
            raise PermissionError(errno.EPERM, "Operation not permitted")
        right(at, name, value)

    monkeypatch.setattr(os, "setxattr", setxattr)
    finish(draft, path)
    assert sorted(os.listxattr(draft)) == ["user.a", "user.c"]


@pytest.mark.skipif(sys.platform != "linux", reason="the call of Linux")
def test_names_are_exchanged(pair):
    path, draft = pair
    assert exchange(draft, path)
    assert (path.read_bytes(), draft.read_bytes()) == (b"new", b"old")
    with pytest.raises(FileNotFoundError):
        exchange(draft.with_name("nothing"), path)


def test_an_error_while_the_save_of_a_user_lies_aside_puts_it_back(pair, tmp_path):
    path, draft = pair

    def act(step):
        if step == "compared":
            path.write_bytes(b"user")
        if step == "exchanged":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace(path, draft, expected=told(b"old"), identify=identify, step=act)
    assert path.read_bytes() == b"user"
    assert [file.name for file in tmp_path.iterdir()] == ["a.xlsx"]


def beside(path, pid, ours, theirs, content, more=""):
    draft = path.with_name(
        draft_of(path).name.replace(str(os.getpid()), str(pid)).removesuffix(".tmp") + f"-{ours}-{theirs}{more}.tmp"
    )
    draft.write_bytes(content)
    return draft


@pytest.mark.parametrize(
    ("left", "stands", "result"),
    [
        (b"old", b"new", b"new"),  # swapped, the old one left: done
        (b"new", b"old", b"old"),  # not yet swapped
        (b"user", b"new", b"user"),  # swapped out a save: it comes back
        (b"user", b"later", b"later"),  # the user saved again since: that is the newest
        (b"user", None, b"user"),  # nothing under the name, and a save that would be lost
    ],
)
def test_what_a_crash_left_is_cleared_away_or_put_back(tmp_path, way, left, stands, result):
    path = tmp_path / "a.xlsx"
    if stands is not None:
        path.write_bytes(stands)
    beside(path, DEAD, told(b"new"), told(b"old"), left)
    recover(path, identify)
    assert path.read_bytes() == result
    assert list(drafts_of(path)) == []


@pytest.mark.parametrize("stands", [b"new", b"later", None])
def test_what_was_told_apart_in_another_way_may_be_a_save_and_stays(tmp_path, caplog, stands):
    """A crash, and another version of xlsms since then: its fingerprints say nothing to us."""
    path = tmp_path / "a.xlsx"
    if stands is not None:
        path.write_bytes(stands)
    draft = beside(path, DEAD, "b123", "b456", b"user")
    recover(path, identify)
    assert draft.read_bytes() == b"user"
    assert draft.name in caplog.text
    assert (path.read_bytes() if path.exists() else None) == stands


def test_an_original_that_was_moved_away_comes_back_in_whatever_way_it_was_told_apart(tmp_path):
    path = tmp_path / "a.xlsx"
    beside(path, DEAD, "b123", "b456", b"old", "-old")
    recover(path, identify)
    assert path.read_bytes() == b"old"


def test_what_a_living_process_builds_is_left_alone(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"old")
    draft = beside(path, os.getppid(), told(b"new"), told(b"old"), b"user")
    recover(path, identify)
    assert draft.exists()
    mine = draft_of(path)
    mine.write_bytes(b"half")
    other = draft_of(path.with_name("b.xlsx"))
    other.write_bytes(b"of another file")
    recover(path, identify)
    assert mine.exists()
    assert other.exists()


@pytest.mark.parametrize("names", ["", f"-{told(b'new')}-{told(b'old')}"])
def test_what_a_former_process_of_our_number_has_left_is_cleared_away(tmp_path, names):
    """In a container the first process has the same number each time."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"old")
    before = draft_of(path).name.rsplit(".", 2)[0]
    former = path.with_name(f"{before}.1{names}.tmp")
    former.write_bytes(b"new")
    recover(path, identify)
    assert [file.name for file in tmp_path.iterdir()] == ["a.xlsx"]


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        (30, UserError, "file-read-only"),
        (28, TransientError, "disk-full"),
        (errno.EFBIG, TransientError, "disk-full"),
        (errno.ELOOP, UserError, "file-broken"),
        (errno.ENAMETOOLONG, UserError, "file-broken"),
        (16, TransientError, "file-open-elsewhere"),
        (errno.ETXTBSY, TransientError, "file-open-elsewhere"),
        (errno.EIO, TransientError, "disk-fails"),
        (errno.ESTALE, TransientError, "disk-fails"),
        (errno.EHOSTDOWN, TransientError, "disk-fails"),
        (2, UserError, "file-not-found"),
    ],
)
def test_errors_of_the_system_say_what_to_do(tmp_path, number, kind, code):
    error = failure(OSError(number, os.strerror(number)), tmp_path / "a.xlsx")
    assert type(error) is kind
    assert error.code == code


def test_read_only_and_linked_files_are_not_written(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"x")
    check_writable(path)
    path.chmod(0o444)
    with pytest.raises(UserError, match="file-read-only"):
        check_writable(path)
    path.chmod(0o644)
    (tmp_path / "b.xlsx").hardlink_to(path)
    with pytest.raises(UserError, match="file-linked"):
        check_writable(path)


def test_what_a_crash_left_of_another_file_is_left_to_that_one(tmp_path):
    path, other = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    for file in (path, other):
        file.write_bytes(b"new")
    drafts = [beside(other, DEAD, told(b"new"), told(b"old"), content) for content in (b"user", b"old")]
    recover(path, identify)
    assert path.read_bytes() == b"new"
    assert all(draft.exists() for draft in drafts)
    recover(other, identify)
    assert other.read_bytes() == b"user"
    assert list(drafts_of(other)) == []


def test_an_original_that_windows_moved_away_comes_back(tmp_path):
    path = tmp_path / "a.xlsx"
    beside(path, DEAD, told(b"new"), told(b"old"), b"old", "-old")
    beside(path, DEAD, told(b"new"), told(b"old"), b"new")
    recover(path, identify)
    assert path.read_bytes() == b"old"
    assert list(drafts_of(path)) == []
