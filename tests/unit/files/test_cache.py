"""What is remembered between writes: little, for one user, and never a reason to fail."""

import multiprocessing
import os
import sys

import pytest

from tests.killing import deaths, keep_often
from xlsms.files import cache
from xlsms.files.cache import Cache

ENTRY = bytes(1000)


def test_it_keeps_the_newest_and_forgets_what_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "_MOST", 3)
    kept = Cache(tmp_path)
    for age, name in enumerate("edcba"):
        kept.put(name, name.encode())
        os.utime(tmp_path / f"{name}.segments", (1_000_000 - age,) * 2)
    kept.put("f", b"f")
    assert {name for name in "abcdef" if kept.get(name)} == {"f", "e", "d"}
    kept.drop("e")
    assert kept.get("e") is None


def test_what_a_crash_left_of_a_process_with_our_number_is_in_nobodys_way(tmp_path):
    (tmp_path / f"a.{os.getpid()}.segments").write_bytes(b"half")
    kept = Cache(tmp_path)
    kept.put("a", ENTRY)
    assert kept.get("a") == ENTRY


def test_an_entry_that_is_too_large_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "_LARGEST", len(ENTRY))
    kept = Cache(tmp_path)
    kept.put("a", ENTRY)
    kept.put("b", ENTRY + b"x")
    assert (kept.get("a"), kept.get("b")) == (ENTRY, None)


def test_a_folder_that_cannot_be_is_no_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    nowhere = Cache(tmp_path / "file" / "under")
    nowhere.put("a", b"a")
    nowhere.drop("a")
    assert nowhere.get("a") is None


@pytest.mark.skipif(sys.platform == "win32", reason="modes and owners of Unix")
def test_what_others_own_or_may_change_is_not_believed(tmp_path):
    kept = Cache(tmp_path / "cache")
    kept.put("a", b"a")
    entry = tmp_path / "cache" / "a.segments"
    assert (entry.parent.stat().st_mode & 0o777, entry.stat().st_mode & 0o777) == (0o700, 0o600)
    entry.chmod(0o620)
    assert kept.get("a") is None
    entry.chmod(0o602)
    assert kept.get("a") is None
    entry.chmod(0o600)
    assert kept.get("a") == b"a"
    if os.geteuid() == 0:  # only root may give files away
        os.chown(entry, 1234, -1)
        assert kept.get("a") is None


def test_two_processes_never_mix_what_they_keep(tmp_path):
    context = multiprocessing.get_context("forkserver")
    processes = [context.Process(target=keep_often, args=(tmp_path, letter)) for letter in (b"a", b"b")]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert [file.name for file in tmp_path.iterdir()] == ["a.segments"]


def test_what_a_crash_left_goes_when_it_is_the_oldest(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "_MOST", 1)
    left = 0
    for _ in deaths(tmp_path, lambda: None, Cache(tmp_path).put, "a", ENTRY):
        left = max(left, len(list(tmp_path.iterdir())))
        assert Cache(tmp_path).get("a") in (None, ENTRY)
    assert left > 1
    Cache(tmp_path).put("b", ENTRY)
    assert [file.name for file in tmp_path.iterdir()] == ["b.segments"]
