"""Saves and crashes between any two steps of ours: the user's save wins, our states are in it, and no half file."""

import os
import signal
import subprocess
import sys
from random import Random

import pytest

from tests.saves import ANA, LOCK, delete_save, in_place_save, rename_save
from tests.workbooks import members, people, workbook
from xlsms.errors import TransientError, UserError
from xlsms.files import swap
from xlsms.files.swap import drafts_of
from xlsms.model import Role
from xlsms.ooxml import package
from xlsms.workbook.base import Placed, RowEdit
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.identity import new_row_id
from xlsms.workbook.writing import ATTEMPTS, opened

STEPS = ["opened", "read", "created", "written", "finished", "verified", "named", "compared", "exchanged", "cleared"]
ID = new_row_id(Random(1))
EARLIER = 1_700_000_000_000_000_000  # ns since 1970


def with_id(rows=3, *, note="before"):
    """People with an id in the last row, so that sorting and inserting move it."""
    sheet = people(rows)
    return sheet.replace(f"Person {rows + 1}", note).replace(
        "</row></sheetData>",
        f'<c r="J{rows + 1}" t="inlineStr"><is><t>{ID}</t></is></c></row></sheetData>',
    )


EDIT = RowEdit(id=ID, values={Role.STATUS: "Delivered"})


def test_a_file_that_is_saved_in_place_while_it_is_read_is_no_damaged_file(tmp_path, monkeypatch):
    monkeypatch.setattr(package, "_IN_MEMORY", 0)
    monkeypatch.setattr(package, "_COPIED", 0)
    path = workbook(tmp_path / "a.xlsx", with_id(5000))
    content = path.read_bytes()

    def read(meanwhile):
        with opened(path) as book:
            path.write_bytes(meanwhile)
            return book.package.read(book.sheets[0].member)

    with pytest.raises(TransientError, match="file-keeps-changing"):
        read(bytes(len(content)))
    path.write_bytes(content[:9000] + b"damaged" + content[9007:])
    with pytest.raises(UserError, match="file-damaged"), opened(path) as book:
        book.package.read(book.sheets[0].member)


@pytest.mark.skipif(sys.platform == "win32", reason="modes as POSIX has them")
def test_nobody_else_reads_what_is_being_built(tmp_path):
    path = workbook(tmp_path / "a.xlsx", with_id())
    path.chmod(0o640)
    modes = {}

    def look(now):
        modes[now] = {draft.stat().st_mode & 0o777 for draft, _ in drafts_of(path)}

    assert ClosedWorkbook(path, step=look).apply([EDIT]).done
    assert (modes["created"], modes["written"], modes["finished"]) == ({0o600}, {0o600}, {0o640})


@pytest.mark.parametrize("save", [rename_save, delete_save, in_place_save])
@pytest.mark.parametrize("step", STEPS)
def test_a_save_between_two_steps_wins_and_gets_the_states(tmp_path, step, save):
    if save is in_place_save and step in ("exchanged", "cleared"):
        pytest.skip("writes into the file that is ours by then: nothing of the user's was replaced")
    path = workbook(tmp_path / "a.xlsx", with_id())
    saves = []

    def act(now):
        if now == step and not saves:
            saves.append(now)
            save(path, with_id(5, note="after"))

    book = ClosedWorkbook(path, step=act)
    applied = book.apply([EDIT])
    assert saves, "the save happened"
    assert applied.done == (EDIT,)
    if step == "cleared":  # saved when all was done: the user's file is simply the newer one
        book = ClosedWorkbook(path)
        book.apply([EDIT])
    rows = book.read().rows
    assert [row.fields["Name"] for row in rows][-1] == "after"
    assert [row.status for row in rows] == ["", "", "", "", "Delivered"]
    assert [file.name for file in tmp_path.iterdir()] == ["a.xlsx"]


def test_saves_one_after_another_while_ours_is_put_back(tmp_path):
    """A second save while the first one is being put back: the newest stays."""
    path = workbook(tmp_path / "a.xlsx", with_id())
    saves = []

    def act(now):
        if now in ("compared", "exchanged") and len(saves) < 4:
            saves.append(now)
            rename_save(path, with_id(5, note=f"save {len(saves)}"))

    book = ClosedWorkbook(path, step=act)
    book.apply([EDIT])
    row = book.read().rows[-1]
    assert (row.fields["Name"], row.status) == ("save 4", "Delivered")
    assert [file.name for file in tmp_path.iterdir()] == ["a.xlsx"]


def test_a_file_that_never_rests_is_left_for_later(tmp_path):
    path = workbook(tmp_path / "a.xlsx", with_id())
    saves = []

    def act(now):
        if now == "verified":
            saves.append(now)
            rename_save(path, with_id(5, note=f"save {len(saves)}"))

    with pytest.raises(TransientError, match="file-keeps-changing"):
        ClosedWorkbook(path, step=act).apply([EDIT])
    assert len(saves) == ATTEMPTS
    assert ClosedWorkbook(path).read().rows[-1].fields["Name"] == f"save {ATTEMPTS}"
    assert [file.name for file in tmp_path.iterdir()] == ["a.xlsx"]


def test_a_workbook_opened_by_somebody_in_the_last_moment_is_left_alone(tmp_path):
    path = workbook(tmp_path / "a.xlsx", with_id())
    before = path.read_bytes()

    def act(now):
        if now == "finished":
            (tmp_path / ".~lock.a.xlsx#").write_text("Ana Pérez,ana,pc7,22.11.2026 09:15,file:///x;")

    with pytest.raises(TransientError) as caught:
        ClosedWorkbook(path, step=act).apply([EDIT])
    assert (caught.value.code, caught.value.facts["owner"]) == ("file-open-elsewhere", "Ana Pérez")
    assert path.read_bytes() == before


@pytest.mark.parametrize("step", ["verified", "named", "compared"])
def test_a_workbook_opened_after_the_last_look_for_locks_gets_its_original_back(tmp_path, step):
    """Who has read the old rows will save them: what we wrote must not be under the name, nor count as written."""
    path = workbook(tmp_path / "a.xlsx", with_id())
    before, inode = path.read_bytes(), path.stat().st_ino
    seen = []

    def act(now):
        if now == step:
            (tmp_path / LOCK).write_text(ANA, encoding="utf-8")
        if now == "exchanged":
            seen.append(path.read_bytes() != before)

    with pytest.raises(TransientError) as caught:
        ClosedWorkbook(path, step=act).apply([EDIT])
    assert (caught.value.code, caught.value.facts["owner"]) == ("file-open-elsewhere", "Ana Pérez")
    # seen before the exchange: never exchanged; after it: exchanged, and back again
    assert seen == ([] if step == "verified" else [True, False])
    assert (path.read_bytes(), path.stat().st_ino) == (before, inode), "the very file that the other program opened"
    (tmp_path / LOCK).unlink()
    ClosedWorkbook(path).apply([EDIT])
    assert ClosedWorkbook(path).read().rows[-1].status == "Delivered"
    assert [file.name for file in tmp_path.iterdir()] == ["a.xlsx"]


def test_a_save_while_the_original_goes_back_to_whoever_opened_it_wins(tmp_path):
    path = workbook(tmp_path / "a.xlsx", with_id())

    def act(now):
        if now == "compared":
            (tmp_path / LOCK).write_text(ANA, encoding="utf-8")
        if now == "exchanged" and "before" in path_note(path):
            rename_save(path, with_id(5, note="after"))

    with pytest.raises(TransientError, match="file-open-elsewhere"):
        ClosedWorkbook(path, step=act).apply([EDIT])
    assert path_note(path) == "after"
    (tmp_path / LOCK).unlink()
    assert [file.name for file in tmp_path.iterdir()] == ["a.xlsx"]


def path_note(path):
    return ClosedWorkbook(path).read().rows[-1].fields["Name"]


def test_a_flickering_lock_is_waited_out(tmp_path):
    """LibreOffice deletes its lock and takes it anew at every save."""
    path = workbook(tmp_path / "a.xlsx", with_id())
    seen = []

    def act(now):
        if now == "compared" and not seen:
            (tmp_path / LOCK).write_text(ANA, encoding="utf-8")
        if now == "exchanged":
            seen.append(now)
            (tmp_path / LOCK).unlink(missing_ok=True)

    ClosedWorkbook(path, step=act).apply([EDIT])
    assert len(seen) == 3, "exchanged, taken back, and exchanged again"
    assert ClosedWorkbook(path).read().rows[-1].status == "Delivered"


@pytest.mark.parametrize("size", [500, 3 << 20])  # the last of a file tells it apart, and of a large one the time
@pytest.mark.parametrize("step", ["verified", "compared"])
def test_a_save_in_place_that_has_only_begun_is_seen(tmp_path, step, size):
    picture, new = Random(2).randbytes(size), bytes(100)  # a picture that cannot be deflated
    path = workbook(tmp_path / "a.xlsx", with_id(), **{"xl/media/image1.png": picture})
    os.utime(path, ns=(EARLIER, EARLIER))
    steps = []

    def act(now):
        steps.append(now)
        if now == step and steps.count(now) == 1:  # the directory comes last, and is of the same length
            with path.open("r+b") as file:
                file.seek(file.read().index(picture[:100]))
                file.write(new)

    assert ClosedWorkbook(path, step=act).apply([EDIT]).done == (EDIT,)
    assert steps.count("opened") == 2
    assert new + picture[100:500] in path.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == ["a.xlsx"]


@pytest.mark.parametrize("way", ["exchange", "replace"])
@pytest.mark.parametrize(("ours", "attempts"), [(False, 2), (True, 1)])
def test_a_time_that_changes_alone_costs_one_more_attempt_and_none_where_ours_does_too(
    tmp_path, monkeypatch, way, ours, attempts
):
    """Some network shares and clouds tell another time for a file that nobody wrote."""
    if way == "replace":
        monkeypatch.setattr(swap, "exchange", lambda *_: False)
    path = workbook(tmp_path / "a.xlsx", with_id())
    steps = []

    def act(now):
        steps.append(now)
        if now == "named" and (ours or steps.count(now) == 1):
            for file in [path, *(draft for draft, _ in drafts_of(path) if ours)]:
                os.utime(file, ns=(EARLIER, EARLIER + len(steps)))

    assert ClosedWorkbook(path, step=act).apply([EDIT]).done == (EDIT,)
    assert steps.count("opened") == attempts
    assert ClosedWorkbook(path).read().rows[-1].status == "Delivered"
    assert [file.name for file in tmp_path.iterdir()] == ["a.xlsx"]


@pytest.mark.parametrize("user_saves_too", [False, True])
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_step_the_file_is_the_old_or_the_new_one(tmp_path, step, user_saves_too):
    path = workbook(tmp_path / "a.xlsx", with_id())
    saved = workbook(tmp_path / "saved", with_id(5, note="after"))
    script = f"""
import os, signal
from pathlib import Path
from xlsms.model import Role
from xlsms.workbook.base import RowEdit
from xlsms.workbook.closed import ClosedWorkbook

def act(now):
    if now == "compared" and {user_saves_too}:
        os.replace({str(saved)!r}, {str(path)!r})
    if now == {step!r}:
        os.kill(os.getpid(), signal.SIGKILL)

ClosedWorkbook(Path({str(path)!r}), step=act).apply([RowEdit(id={ID!r}, values={{Role.STATUS: "Delivered"}})])
"""
    ended = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert members(path), "a whole package, every checksum right"
    happened = user_saves_too and STEPS.index(step) >= STEPS.index("compared")
    saved.unlink(missing_ok=True)
    # the next write of anybody clears up, and puts back a save that the crash left aside
    book = ClosedWorkbook(path)
    book.apply([EDIT])
    row = book.read().rows[-1]
    assert (row.fields["Name"], row.status) == ("after" if happened else "before", "Delivered")
    assert list(drafts_of(path)) == []
    assert [file.name for file in tmp_path.iterdir()] == ["a.xlsx"]


def test_a_python_without_ctypes_writes_as_well(tmp_path):
    path = workbook(tmp_path / "a.xlsx", with_id())
    script = f"""
import sys
from pathlib import Path
sys.modules["_ctypes"] = None
from xlsms.model import Role
from xlsms.workbook.base import RowEdit
from xlsms.workbook.closed import ClosedWorkbook
ClosedWorkbook(Path({str(path)!r})).apply([RowEdit(id={ID!r}, values={{Role.STATUS: "Delivered"}})])
"""
    ended = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert ClosedWorkbook(path).read().rows[-1].status == "Delivered"
    assert [file.name for file in tmp_path.iterdir()] == ["a.xlsx"]


def test_two_writers_at_once_both_get_their_states_in(tmp_path):
    path = workbook(tmp_path / "a.xlsx", people(3))
    rows = ClosedWorkbook(path).read().rows
    other = RowEdit(values={Role.STATUS: "theirs"}, placed=Placed.of(rows[0]))
    mine = RowEdit(values={Role.STATUS: "mine"}, placed=Placed.of(rows[1]))
    done = []

    def act(now):
        if now == "verified" and not done:
            done.append(ClosedWorkbook(path).apply([other]))

    ClosedWorkbook(path, step=act).apply([mine])
    assert [row.status for row in ClosedWorkbook(path).read().rows] == ["theirs", "mine", ""]
