import asyncio
import logging
import os
import sys

import pytest

from xlsms.errors import TransientError, UserError
from xlsms_service.sync import watch as watch_module
from xlsms_service.sync.watch import Watcher, candidates


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(watch_module, "_QUIET", 0.05)
    monkeypatch.setattr(watch_module, "_RETRY", 0.05)


class Eye:
    """Looks at files; raises what it was told to, once each."""

    def __init__(self, *errors):
        self.looked = []
        self.told = []
        self.errors = list(errors)
        self.happened = asyncio.Event()

    async def look(self, path):
        self.looked.append(path.name)
        self.happened.set()
        if self.errors:
            raise self.errors.pop(0)

    async def tell(self, path, error):
        self.told.append((path.name, error.code))

    async def until(self, condition):
        while not condition():
            self.happened.clear()
            await self.happened.wait()


def watch(places, scene, *errors, scan_every=60.0):
    async def play():
        eye = Eye(*errors)
        running = asyncio.create_task(Watcher(places, eye.look, told=eye.tell, scan_every=scan_every).run())
        try:
            async with asyncio.timeout(50):
                await scene(eye)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        return eye

    return asyncio.run(play())


def test_lock_files_temporary_files_and_other_kinds_are_no_candidates(tmp_path):
    for name in ("a.xlsx", "B.XLSM", "~$a.xlsx", ".~lock.a.xlsx#", ".~xlsms-1.tmp", ".hidden.xlsx", "c.docx", "d.txt"):
        (tmp_path / name).touch()
    (tmp_path / "folder.xlsx").mkdir()
    assert [path.name for path in candidates(tmp_path)] == ["B.XLSM", "a.xlsx"]
    assert [path.name for path in candidates(tmp_path / "a.xlsx")] == ["a.xlsx"]
    assert list(candidates(tmp_path / "absent.xlsx")) == []


def test_files_that_are_there_and_files_that_come_are_looked_at(tmp_path):
    (tmp_path / "early.xlsx").touch()

    async def scene(eye):
        await eye.until(lambda: "early.xlsx" in eye.looked)
        (tmp_path / "late.tmp").touch()
        (tmp_path / "late.tmp").rename(tmp_path / "late.xlsx")
        await eye.until(lambda: "late.xlsx" in eye.looked)

    watch([tmp_path], scene)


def test_many_events_of_one_save_are_one_look(tmp_path):
    (tmp_path / "list.xlsx").touch()

    async def scene(eye):
        await eye.until(lambda: eye.looked)
        for _ in range(30):
            (tmp_path / "list.xlsx").write_text("x")
        await eye.until(lambda: len(eye.looked) == 2)
        (tmp_path / "next.xlsx").touch()
        await eye.until(lambda: "next.xlsx" in eye.looked)

    assert watch([tmp_path], scene).looked == ["list.xlsx", "list.xlsx", "next.xlsx"]


def test_a_file_that_is_open_elsewhere_is_tried_again_until_it_is_free(tmp_path):
    (tmp_path / "list.xlsx").touch()

    async def scene(eye):
        await eye.until(lambda: len(eye.looked) == 3)

    eye = watch([tmp_path], scene, TransientError("file-open-elsewhere"), TransientError("file-open-elsewhere"))
    assert eye.told == [("list.xlsx", "file-open-elsewhere")] * 2


def test_what_someone_has_to_mend_is_told_and_not_tried_again_by_itself(tmp_path):
    (tmp_path / "list.xlsx").touch()

    async def scene(eye):
        await eye.until(lambda: eye.looked)
        (tmp_path / "next.xlsx").touch()
        await eye.until(lambda: "next.xlsx" in eye.looked)

    eye = watch([tmp_path], scene, UserError("no-phone-column"))
    assert (eye.looked, eye.told) == (["list.xlsx", "next.xlsx"], [("list.xlsx", "no-phone-column")])


def test_one_files_trouble_does_not_stop_the_watch(tmp_path, caplog):
    for name in ("a.xlsx", "b.xlsx"):
        (tmp_path / name).touch()

    async def scene(eye):
        await eye.until(lambda: len(eye.looked) == 2)

    with caplog.at_level(logging.CRITICAL):
        eye = watch([tmp_path], scene, RuntimeError("on purpose"))
    assert eye.looked == ["a.xlsx", "b.xlsx"]


def test_the_end_of_a_lock_is_a_hint_for_its_workbook(tmp_path):
    (tmp_path / "list.xlsx").touch()
    locks = [tmp_path / "~$list.xlsx", tmp_path / ".~lock.list.xlsx#"]
    for lock in locks:
        lock.touch()

    async def scene(eye):
        await eye.until(lambda: eye.looked)
        for lock in locks:
            before = len(eye.looked)
            lock.unlink()
            await eye.until(lambda before=before: len(eye.looked) > before)

    watch([tmp_path], scene)


def test_a_folder_that_is_not_there_yet_is_found_later(tmp_path):
    place = tmp_path / "share"

    async def scene(eye):
        await asyncio.sleep(0)
        place.mkdir()
        (place / "list.xlsx").touch()
        await eye.until(lambda: eye.looked)

    watch([place], scene, scan_every=0.05)


def test_one_file_can_be_watched_alone(tmp_path):
    (tmp_path / "mine.xlsx").touch()
    (tmp_path / "other.xlsx").touch()

    async def scene(eye):
        await eye.until(lambda: eye.looked)
        (tmp_path / "other.xlsx").write_text("x")
        (tmp_path / "mine.xlsx").write_text("x")
        await eye.until(lambda: len(eye.looked) == 2)

    assert watch([tmp_path / "mine.xlsx"], scene).looked == ["mine.xlsx"] * 2


@pytest.fixture
def share(monkeypatch):
    """Everything lies on a share, and the file system tells nothing."""
    monkeypatch.setattr(watch_module, "_POLL", 0.05)
    monkeypatch.setattr(watch_module, "is_remote", lambda _: True)
    monkeypatch.setattr(Watcher, "_hint", lambda *_: pytest.fail("nothing tells of changes on a share"))


def test_changes_on_a_share_are_found_by_names_and_dates(tmp_path, share):
    (tmp_path / "a.xlsx").write_bytes(b"1")

    async def scene(eye):
        await eye.until(lambda: eye.looked == ["a.xlsx"])
        (tmp_path / "a.xlsx").write_bytes(b"12")
        await eye.until(lambda: eye.looked == ["a.xlsx"] * 2)
        (tmp_path / "new.tmp").write_bytes(b"12")
        (tmp_path / "new.tmp").replace(tmp_path / "a.xlsx")
        await eye.until(lambda: eye.looked == ["a.xlsx"] * 3)
        (tmp_path / "b.xlsx").write_bytes(b"1")
        await eye.until(lambda: eye.looked == ["a.xlsx"] * 3 + ["b.xlsx"])

    watch([tmp_path], scene)


def test_a_file_on_a_share_that_has_not_changed_is_left_in_peace(tmp_path, share):
    (tmp_path / "a.xlsx").touch()
    polls = []

    async def scene(eye):
        poll = Watcher._poll

        async def counted(self):
            polls.append(1)
            eye.happened.set()
            await poll(self)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Watcher, "_poll", counted)
            await eye.until(lambda: len(polls) > 5)

    assert watch([tmp_path], scene).looked == ["a.xlsx"]


def test_a_share_that_goes_away_and_comes_back_is_looked_at_again(tmp_path, share):
    folder = tmp_path / "share"

    async def scene(eye):
        await asyncio.sleep(0)
        folder.mkdir()
        (folder / "a.xlsx").touch()
        await eye.until(lambda: eye.looked)

    assert watch([folder], scene).looked == ["a.xlsx"]


def test_watchdog_says_nothing_of_having_been_stopped(caplog):
    log = logging.getLogger("watchdog.observers.inotify")
    log.error("InotifyEmitter.queue_events() called when the thread is inactive")
    log.error("something else")
    assert caplog.messages == ["something else"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_cannot_be_noted_is_logged_once_and_stops_nobody(tmp_path, caplog):
    (tmp_path / os.fsdecode(b"a\xff.xlsx")).touch()
    (tmp_path / "b.xlsx").touch()

    async def scene(eye):
        await eye.until(lambda: len(eye.looked) > 2)  # the slow look comes round again

    eye = watch([tmp_path], scene, scan_every=0.05)
    assert set(eye.looked) == {"b.xlsx"}
    assert [record.code for record in caplog.records] == ["log-name-unreadable"]
    assert r"a\udcff.xlsx" in caplog.text


def test_trouble_with_telling_of_a_file_does_not_stop_the_watch(tmp_path, caplog):
    for name in ("a.xlsx", "b.xlsx"):
        (tmp_path / name).touch()

    class Mute(Eye):
        async def tell(self, path, error):
            raise RuntimeError("on purpose")

    async def play():
        eye = Mute(UserError("no-phone-column"))
        running = asyncio.create_task(Watcher([tmp_path], eye.look, told=eye.tell).run())
        async with asyncio.timeout(50):
            await eye.until(lambda: len(eye.looked) == 2)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return eye

    with caplog.at_level(logging.CRITICAL):
        assert asyncio.run(play()).looked == ["a.xlsx", "b.xlsx"]
