"""The desk between the tick in Excel and the process that listens. Time and the service are arguments."""

import os
from urllib.parse import quote

import pytest

from xlsms.addin.news import BEAT, STALE, Desk, Followed, Heard, listen
from xlsms.addin.run import run
from xlsms.errors import TransientError, UserError

NOW = 1_790_000_000.0


class World:
    """A desk, a service that says what it is told to say, and a clock that it moves on."""

    def __init__(self, folder):
        self.desk, self.now, self.script, self.asked, self.words = Desk(folder), NOW, [], [], []
        self.cursor = 7

    def open(self, name, book, at=None):
        mark = self.desk.folder / f"{name}.open"
        mark.write_text(quote(book, safe=",-./:_~") + "\n")
        os.utime(mark, (at or self.now,) * 2)
        return mark.with_suffix(".news")

    def newest(self):
        return self.cursor

    def changed(self, since, wait):
        self.asked.append((since, wait))
        step = self.script.pop(0) if self.script else self.close_all
        if isinstance(step, Exception):
            raise step
        if callable(step):
            step = step()
        self.now += wait
        return step or Heard(cursor=since)

    def close_all(self):
        for mark in self.desk.folder.glob("*.open"):
            mark.unlink()

    def keep(self):
        """The tick goes on looking."""
        for mark in self.desk.folder.glob("*.open"):
            os.utime(mark, (self.now, self.now))

    def pause(self, seconds):
        self.now += seconds
        self.keep()

    def listen(self, me="me"):
        listen(self.desk, self, me=me, clock=lambda: self.now, pause=self.pause)


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def word(news):
    return news.read_text().strip() if news.exists() else None


def test_a_workbook_that_has_just_come_is_told_once(world):
    news = world.open("1", "/a b/ñ.xlsx")
    assert list(world.desk.followed(NOW)) == [Followed(news=news, book="/a b/ñ.xlsx", workbook=None)]
    world.listen()
    assert word(news) == "7"
    assert world.asked == [(7, 0)]  # at once, and then the workbook was closed


def test_news_are_told_to_the_workbook_that_they_are_of(world):
    ours, other, unknown = world.open("1", "a.xlsx"), world.open("2", "b.xlsx"), world.open("3", "c.xlsx")
    world.desk.belongs(ours, 11)
    world.desk.belongs(other, 12)
    world.script = [None, lambda: Heard(cursor=9, workbooks=frozenset({11}))]
    world.listen()
    assert (word(ours), word(other), word(unknown)) == ("9", "7", "9")
    assert [wait for _, wait in world.asked[:2]] == [0, BEAT]


def test_no_news_is_no_word(world):
    news = world.open("1", "a.xlsx")
    world.script = [None, None, None]
    world.listen()
    assert word(news) == "7"


def test_one_that_comes_later_is_told_at_once(world):
    world.open("1", "a.xlsx")
    later = []
    world.script = [None, lambda: later.append(world.open("2", "b.xlsx")), None]
    world.listen()
    assert word(later[0]) == "7"
    assert [wait for _, wait in world.asked[:3]] == [0, BEAT, 0]


@pytest.mark.parametrize("error", [TransientError("service-not-answering"), UserError("service-not-running")])
def test_a_service_that_is_away_is_waited_for(world, error):
    news = world.open("1", "a.xlsx")
    world.script = [error, error, None]
    world.listen()
    assert word(news) == "7"
    assert world.now >= NOW + 2 * BEAT


def test_it_leaves_when_no_workbook_is_open(world):
    world.listen()
    assert world.asked == []
    assert list(world.desk.folder.iterdir()) == []


def test_only_one_listens(world):
    news = world.open("1", "a.xlsx")
    assert world.desk.live("other", NOW)
    world.listen()
    assert word(news) is None
    assert (world.desk.folder / "listener.life").read_text() == "other"
    world.now += 3 * BEAT  # the other has died
    world.keep()
    world.listen()
    assert word(news) == "7"


def test_of_two_that_begin_at_once_one_stays(world):
    world.open("1", "a.xlsx")
    assert world.desk.live("first", NOW)
    life = world.desk.folder / "listener.life"
    life.write_text("second")
    os.utime(life, (NOW, NOW))
    assert not world.desk.live("first", NOW)
    assert world.desk.live("second", NOW)
    world.desk.leave_off("first")
    assert (world.desk.folder / "listener.life").exists()
    world.desk.leave_off("second")
    assert not (world.desk.folder / "listener.life").exists()


def test_what_a_crash_left_is_cleared_away(world):
    news = world.open("1", "a.xlsx", at=NOW - STALE - 1)
    world.desk.belongs(news, 4)
    world.desk.leave(news, "3")
    world.listen()
    assert list(world.desk.folder.iterdir()) == []


def test_what_could_not_be_written_is_asked_for_again(world):
    news = world.open("1", "a.xlsx")
    world.desk.leave(news, "7")
    world.desk.ask_again(news)
    first = word(news)
    world.desk.ask_again(news)
    assert len({"7", first, word(news)}) == 3


def test_a_mark_that_is_no_number_or_no_name_is_no_error(world):
    news = world.open("1", "a.xlsx")
    news.with_suffix(".book").write_text("x")
    assert [each.workbook for each in world.desk.followed(NOW)] == [None]
    news.with_suffix(".open").write_bytes(b"")
    assert [each.book for each in world.desk.followed(NOW)] == [""]


def test_the_verb_listens_at_the_desk_that_is_named(tmp_path):
    """Nothing is open there, so it leaves at once; without a desk there is nobody to tell."""
    assert run(["listen"], {"XLSMS_NEWS": quote(str(tmp_path / "listener.news"))}) == 0
    assert run(["listen"], {}) == 2
