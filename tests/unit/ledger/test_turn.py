"""Two that write one ledger take turns; whoever does not come to an end is not waited for without end."""

import errno
import os
import threading
from contextlib import closing

from sqlalchemy import text

from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.turn import Turn


def test_one_that_writes_without_a_pause_lets_the_other_write(tmp_path):
    counts = {"busy": 0, "other": 0}
    over = threading.Event()

    def write(name, ledger):
        ledger.do_now(lambda connection: connection.execute(text("UPDATE stop SET at = at")) and None)
        counts[name] += 1

    def other(ledger):
        while not over.is_set():
            write("other", ledger)

    with Ledger.open(tmp_path) as one, Ledger.open(tmp_path) as two:
        thread = threading.Thread(target=other, args=(two,))
        thread.start()
        # Works that wait in the queue are committed one behind the other, with nothing in between.
        while counts["busy"] < 200:
            futures = [one._writer.submit(lambda c: c.execute(text("UPDATE stop SET at = at")) and None) for _ in "12"]
            for future in futures:
                future.result()
            counts["busy"] += len(futures)
        over.set()
        thread.join()
    assert counts["other"] > counts["busy"] / 20


def test_it_is_not_waited_for_without_end(tmp_path):
    ledger = tmp_path / "ledger.sqlite3"
    with closing(Turn(ledger, 60)) as first, closing(Turn(ledger, 0.01)) as late:
        with first:
            with late:
                pass
            assert _taken(tmp_path / "ledger.turn"), "by the first one: the other had nothing to let go of"
        assert not _taken(tmp_path / "ledger.turn")
        with late:
            assert _taken(tmp_path / "ledger.turn")


def test_a_file_system_without_locks_is_no_error(tmp_path, monkeypatch):
    import fcntl

    def flock(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    with closing(Turn(tmp_path / "ledger.sqlite3", 10)) as turn, turn:
        pass


def test_who_waits_is_the_next(tmp_path):
    ledger, order = tmp_path / "ledger.sqlite3", []

    def wait(turn):
        with turn:
            order.append("second")

    with closing(Turn(ledger, 60)) as first, closing(Turn(ledger, 60)) as second:
        thread = threading.Thread(target=wait, args=(second,))
        with first:
            thread.start()
            while not _taken(tmp_path / "ledger.next"):
                pass
        with first:
            order.append("first")
        thread.join()
    assert order == ["second", "first"]


def _taken(path):
    """Whether somebody holds a place."""
    import fcntl

    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
