"""Owner files as Excel and LibreOffice write them."""

import os
import socket

import pytest

from xlsms.errors import TransientError
from xlsms.files import lock as lock_module
from xlsms.files.boot import booted_at, is_running
from xlsms.files.lock import check_free, find_lock


def excel(name):
    """165 bytes: length and name in the ANSI code page to offset 55, then length and name in UTF-16."""
    narrow = name.encode("cp1252", "replace")
    wide = name.encode("utf-16-le")
    return bytes([len(narrow)]) + narrow.ljust(54) + len(name).to_bytes(2, "little") + wide.ljust(108, b" ")


@pytest.mark.parametrize("name", ["Ana Pérez", "x", "Żaneta"])
def test_excel_names_its_user(tmp_path, name):
    path = tmp_path / "a.xlsx"
    (tmp_path / "~$a.xlsx").write_bytes(excel(name))
    lock = find_lock(path)
    assert (lock.owner, lock.application) == (name, "Excel")


def test_excel_with_the_ansi_name_only(tmp_path):
    (tmp_path / "~$a.xlsx").write_bytes(excel("José")[:55])
    assert find_lock(tmp_path / "a.xlsx").owner == "José"


@pytest.mark.parametrize(
    ("content", "owner"),
    [
        ("Ana Pérez,ana,pc7,22.11.2026 09:15,file:///home/ana/.config;", "Ana Pérez"),
        ("Pérez\\, Ana,ana,pc7,22.11.2026 09:15,file:///x;", "Pérez, Ana"),
        (",root,server,22.11.2026 09:15,file:///x;", "root@server"),
        ("", ""),
    ],
)
def test_libreoffice_names_its_user(tmp_path, content, owner):
    (tmp_path / ".~lock.a.xlsx#").write_text(content, encoding="utf-8")
    lock = find_lock(tmp_path / "a.xlsx")
    assert (lock.owner, lock.application) == (owner, "LibreOffice")


@pytest.mark.parametrize("content", [b"", b"\xff", b"\x36" + b"x" * 20, b"\0" * 200, bytes(range(200))])
def test_an_owner_file_with_anything_in_it_is_still_a_lock(tmp_path, content):
    (tmp_path / "~$a.xlsx").write_bytes(content)
    with pytest.raises(TransientError, match="file-open-elsewhere"):
        check_free(tmp_path / "a.xlsx")


def test_an_owner_file_that_cannot_be_read_is_still_a_lock(tmp_path):
    (tmp_path / "~$a.xlsx").mkdir()  # as hard to read as one that Excel on Windows keeps open
    with pytest.raises(TransientError, match="file-open-elsewhere"):
        check_free(tmp_path / "a.xlsx")


def test_no_lock(tmp_path):
    (tmp_path / "~$b.xlsx").touch()
    check_free(tmp_path / "a.xlsx")


BOOT = 1_790_000_000.0


@pytest.fixture
def computer(monkeypatch):
    """This computer, started at `BOOT`, with LibreOffice running, its disk its own."""
    facts = {"booted_at": BOOT, "is_running": True, "is_remote": False}
    for name in list(facts):
        monkeypatch.setattr(lock_module, name, lambda *_, name=name: facts[name])
    monkeypatch.setattr(lock_module.sys, "platform", "linux")
    return facts


def leave(path, content, *, taken):
    path.write_bytes(content)
    os.utime(path, (taken, taken))


@pytest.mark.parametrize(("taken", "stale"), [(BOOT - 3600, True), (BOOT - 10, False), (BOOT + 3600, False)])
def test_an_owner_file_older_than_the_start_of_this_computer_is_a_left_over(tmp_path, computer, taken, stale):
    leave(tmp_path / "~$a.xlsx", excel("Ana"), taken=taken)
    assert find_lock(tmp_path / "a.xlsx").stale is stale


@pytest.mark.parametrize(
    ("host", "running", "stale"), [("", False, True), ("", True, False), ("", None, False), ("elsewhere", False, False)]
)
def test_a_lock_of_a_libreoffice_that_does_not_run_here_any_more_is_a_left_over(
    tmp_path, computer, host, running, stale
):
    computer["is_running"] = running
    content = f"Ana,ana,{host or socket.gethostname()},22.11.2026 09:15,file:///x;".encode()
    leave(tmp_path / ".~lock.a.xlsx#", content, taken=BOOT + 3600)
    assert find_lock(tmp_path / "a.xlsx").stale is stale


def test_on_a_share_nothing_is_taken_for_a_left_over(tmp_path, computer):
    computer["is_remote"] = True
    leave(tmp_path / "~$a.xlsx", excel("Ana"), taken=BOOT - 3600)
    assert not find_lock(tmp_path / "a.xlsx").stale


def test_a_left_over_still_counts_is_told_by_its_name_and_never_deleted(tmp_path, computer):
    leave(tmp_path / "~$a.xlsx", excel("Ana"), taken=BOOT - 3600)
    with pytest.raises(TransientError, match="lock-left-behind") as caught:
        check_free(tmp_path / "a.xlsx")
    for language in ("en", "es"):
        assert "~$a.xlsx" in caught.value.advice(language)
        assert "Ana" in caught.value.message(language)
    assert (tmp_path / "~$a.xlsx").exists()


def test_what_the_system_tells_of_its_start_and_its_processes(tmp_path):
    (tmp_path / "stat").write_text("cpu  1 2 3\nbtime 1790000000\nprocesses 7\n")
    for number, name in ((7, "bash"), (8, "soffice.bin")):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "comm").write_text(name + "\n")
    (tmp_path / "9").mkdir()  # has just ended
    assert booted_at(tmp_path) == BOOT
    assert is_running({"soffice.bin"}, tmp_path) is True
    assert is_running({"excel"}, tmp_path) is False
    assert is_running({"excel"}, tmp_path / "nothing") is None
    assert booted_at(tmp_path / "nothing") is None
