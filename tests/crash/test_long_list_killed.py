"""kill -9 of the service, of its desk and of the desk's pen, while they work on a list that is long enough for them."""

import os
import random
import signal
import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import xlsxwriter

from tests.crash.lives import SEED, Aftermath, await_end, end, network, settings, taken, xlsms
from xlsms.states import State

ROWS = 25_000
KILLS = 12
WINDOW = 100
LONGEST = 20  #: seconds until a desk has been started, if one is
VICTIMS = ("run", "desk", "pen")
HEADERS = ("Name", "Phone", "Message", "Send", "Status", "Detail", "Status time", "Reply", "Reply time", "SMS ID")

pytestmark = pytest.mark.crash


def make_list(path, rng):
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("People")
        sheet.write_row(0, 0, HEADERS)
        for row in range(1, ROWS + 1):
            sheet.write_row(row, 0, (f"Person {row}", 600_000_000 + row, f"Text {row}: {rng.getrandbits(160):x}", "x"))


def descendants(pid):
    """The desk that a process has started, and the pen that that one has."""
    found = {}
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            with suppress(OSError):
                command, called = (Path(f"/proc/{child}/{name}").read_text() for name in ("cmdline", "comm"))
                pen = called == "xlsms-pen\n" or "xlsms_service.sync.pen_child" in command
                found |= {"pen" if pen else "desk": int(child)} | descendants(child)
    return found


def kill_one(service, rng, log):
    """Kill one of the processes at some moment; returns which."""
    victim = rng.choice(VICTIMS)
    begun = time.monotonic()
    while victim not in (alive := {"run": service.pid} | descendants(service.pid)):
        assert service.poll() is None, Path(log.name).read_text()
        if time.monotonic() > begun + LONGEST:  # the list has been taken in
            victim = "run"
        time.sleep(0.01)
    time.sleep(rng.uniform(0, 2.5))
    assert service.poll() is None, Path(log.name).read_text()
    with suppress(ProcessLookupError):
        os.kill(alive[victim], signal.SIGKILL)
    return victim


def test_nothing_twice_nothing_missing_whichever_process_dies(tmp_path):
    rng = random.Random(SEED)
    watched = tmp_path / "watched"
    watched.mkdir()
    book = watched / "list.xlsx"
    make_list(book, rng)
    assert book.stat().st_size > 1 << 20, "too short for a desk"
    done = Counter()
    with ExitStack() as ended:
        config = settings(tmp_path, ended.enter_context(network(tmp_path)), window=WINDOW)
        log = ended.enter_context((tmp_path / "service.log").open("w"))

        def start():
            return xlsms("--config", config, "run", stdout=log, stderr=log)

        service = start()
        try:
            while done.total() < KILLS:
                victim = kill_one(service, rng, log)
                done[victim] += 1
                if victim == "run":
                    service.wait()
                    service = start()
            before_the_end = len(taken(tmp_path))
            await_end(book, 600, lambda shown: not {State.QUEUED, State.SENDING, None} & shown)
        finally:
            end(service)
        found = Aftermath.of(tmp_path, book)
    print(f"{dict(done)} killed; {before_the_end} of {ROWS} had left by then; {found}")
    found.check(done["run"] * WINDOW)
