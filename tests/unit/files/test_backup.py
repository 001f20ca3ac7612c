"""The versions that a user saved are kept before xlsms writes over them, and nothing of that harms the workbook."""

import errno
import os
from datetime import UTC, datetime

import openpyxl
import pytest

from tests.workbooks import people, workbook
from xlsms.files import backup as backup_module
from xlsms.files import swap
from xlsms.files.backup import Backups
from xlsms.model import Role
from xlsms.workbook.base import Placed, RowEdit
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.replies import Incoming, append_replies
from xlsms.workbook.setup import set_up


@pytest.fixture(params=["exchange", "replace"])
def way(request, monkeypatch):
    if request.param == "replace":  # as on a network share
        monkeypatch.setattr(swap, "exchange", lambda *_: False)


@pytest.fixture(params=["link", "copy"])
def means(request, monkeypatch):
    if request.param == "copy":  # the service's data lies on another disk

        def refuse(*_):
            raise OSError(18, "Invalid cross-device link")

        monkeypatch.setattr(backup_module.Path, "hardlink_to", refuse)


def save(path, note, moment):
    workbook(path.with_name("scratch"), people(2).replace("Person 2", note)).replace(path)
    os.utime(path, (moment, moment))
    return path.read_bytes()


def write(path, backups, status):
    book = ClosedWorkbook(path, backups=backups)
    book.apply([RowEdit(values={Role.STATUS: status}, placed=Placed.of(book.read().rows[0]))])
    assert path.stat().st_nlink == 1
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_list_of_replies_drives_no_save_of_the_user_out(tmp_path):
    path, backups = tmp_path / "a.xlsx", Backups(folder=tmp_path / "data" / "backups", keep=2)
    workbook(path, people(2))
    saved = [path.read_bytes()]
    set_up(path, own_sheets=True, backups=backups)
    book = openpyxl.load_workbook(path)  # the test's own file: what openpyxl loses does not matter here
    book["SMS Replies"]["A3"], book["SMS Replies"].tables["SMS_Replies"].ref = "Total", "A1:E3"
    book["SMS Replies"].tables["SMS_Replies"].totalsRowCount = 1
    book.save(path)
    saved.append(path.read_bytes())
    for minute in range(3):
        at = datetime(2026, 11, 28, 12, minute, tzinfo=UTC)
        reply = Incoming(at=at, number="+34600000002", text="OK", sheet="People", row_id="BCDFGHJKMNPQR")
        assert append_replies(path, [reply], backups=backups)
        book = ClosedWorkbook(path, backups=backups)
        book.apply([RowEdit(values={Role.REPLY: f"OK {minute}"}, placed=Placed.of(book.read().rows[0]))])
    assert sorted(file.read_bytes() for file in backups.kept(path)) == sorted(saved)


def test_the_last_versions_that_a_user_saved_are_kept_and_ours_are_not(tmp_path, way, means):
    (tmp_path / "lists").mkdir()
    path = tmp_path / "lists" / "a.xlsx"
    backups = Backups(folder=tmp_path / "data" / "backups", keep=2)
    saved = []
    for number in range(3):
        saved.append(save(path, f"save {number}", 1_790_000_000 + number))
        write(path, backups, f"Queued {number}")
        write(path, backups, f"Sent {number}")
        (backups.place(path) / ".half.xlsx.tmp").touch()  # as a crash would leave it
    write(path, backups, "Delivered")
    assert not (backups.place(path) / ".half.xlsx.tmp").exists()
    (backups.place(path) / ".half.xlsx.tmp").touch()  # nor is it a version
    kept = backups.kept(path)
    assert [file.read_bytes() for file in kept] == saved[1:]
    assert [file.name[:20] for file in kept] == ["2026-09-21T14-13-21Z", "2026-09-21T14-13-22Z"]
    assert backups.folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("keep", [1, 2])
def test_an_older_file_that_its_user_has_put_back_is_kept_too(tmp_path, keep):
    (tmp_path / "lists").mkdir()
    path = tmp_path / "lists" / "a.xlsx"
    backups = Backups(folder=tmp_path / "backups", keep=keep)
    saved = []
    for number in range(3):  # each is dated before the last one
        saved.append(save(path, f"save {number}", 1_790_000_000 - number))
        write(path, backups, "Sent")
    kept = {file.read_bytes() for file in backups.kept(path)}
    assert saved[-1] in kept
    assert len(kept) == keep


def test_workbooks_of_one_name_do_not_push_each_other_out(tmp_path):
    backups = Backups(folder=tmp_path / "backups", keep=1)
    saved = []
    for name in ("north", "south"):
        (tmp_path / name).mkdir()
        saved.append(save(tmp_path / name / "a.xlsx", name, 1_790_000_000))
        write(tmp_path / name / "a.xlsx", backups, "Sent")
    kept = [backups.kept(tmp_path / name / "a.xlsx") for name in ("north", "south")]
    assert [[file.read_bytes() for file in files] for files in kept] == [[content] for content in saved]


def test_a_file_that_stands_in_its_place_gets_no_second_name(tmp_path):
    path = tmp_path / "a.xlsx"
    content = save(path, "x", 1_790_000_000)
    backups = Backups(folder=tmp_path / "backups", keep=1)
    # as where names cannot be exchanged: a crash now must not leave two
    backups.save(path, path, theirs="p1", ours="p2")
    assert path.stat().st_nlink == 1
    assert [file.read_bytes() for file in backups.kept(path)] == [content]


def test_a_version_is_kept_whole_or_not_at_all(tmp_path, caplog):
    path = tmp_path / "a.xlsx"
    content = save(path, "x", 1_790_000_000)
    backups = Backups(folder=tmp_path / "backups", keep=1)

    def copy(original, target):
        target.write_bytes(original.read_bytes()[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.MonkeyPatch.context() as full:
        full.setattr(backup_module.shutil, "copy2", copy)
        backups.save(path, path, theirs="p1", ours="p2")
    assert backups.kept(path) == []
    assert list(backups.place(path).iterdir()) == []
    assert "no backup of" in caplog.text
    backups.save(path, path, theirs="p1", ours="p2")
    assert [file.read_bytes() for file in backups.kept(path)] == [content]


def test_none_are_kept_when_none_are_asked_for(tmp_path):
    (tmp_path / "lists").mkdir()
    path = tmp_path / "lists" / "a.xlsx"
    save(path, "x", 1_790_000_000)
    write(path, Backups(folder=tmp_path / "backups", keep=0), "Sent")
    assert not (tmp_path / "backups").exists()


def test_a_backup_that_cannot_be_kept_is_told_and_the_states_are_written(tmp_path, caplog):
    (tmp_path / "lists").mkdir()
    (tmp_path / "backups").write_text("a file where the folder should be")
    path = tmp_path / "lists" / "a.xlsx"
    save(path, "x", 1_790_000_000)
    write(path, Backups(folder=tmp_path / "backups", keep=3), "Sent")
    assert ClosedWorkbook(path).read().rows[0].status == "Sent"
    assert "no backup of" in caplog.text


def test_a_save_in_the_instant_of_ours_is_kept_too_once_it_is_written_over(tmp_path):
    (tmp_path / "lists").mkdir()
    path = tmp_path / "lists" / "a.xlsx"
    first = save(path, "first", 1_790_000_000)
    backups = Backups(folder=tmp_path / "backups", keep=3)
    second = []

    def act(step):
        if step == "compared" and not second:
            second.append(save(path, "second", 1_790_000_009))

    book = ClosedWorkbook(path, backups=backups, step=act)
    row = book.read().rows[1]
    book.apply([RowEdit(values={Role.STATUS: "Sent"}, placed=Placed.of(row))])
    assert [file.read_bytes() for file in backups.kept(path)] == second
    assert first not in second, "the first one was replaced by its user, not by us"
