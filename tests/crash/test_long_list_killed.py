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

from tests.crash.test_kill import SEED, network, states, taken, xlsms

ROWS = 25_000
KILLS = 12
WINDOW = 100
LONGEST = 20  #: seconds until a desk has been started, if one is
VICTIMS = ("run", "xlsms_service.app.desk_child", "xlsms_service.sync.pen_child")
HEADERS = ("Name", "Phone", "Message", "Send", "Status", "Detail", "Status time", "Reply", "Reply time", "SMS ID")

SETTINGS = """\
[service]
data = "data"
language = "en"
country = "ES"
[[watch]]
folder = "watched"
[[connector]]
name = "network"
type = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "xlsms"
password = "rehearse"
window = {window}
"""

pytestmark = pytest.mark.crash


def make_list(path, rng):
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("People")
        sheet.write_row(0, 0, HEADERS)
        for row in range(1, ROWS + 1):
            sheet.write_row(row, 0, (f"Person {row}", 600_000_000 + row, f"Text {row}: {rng.getrandbits(160):x}", "x"))


def descendants(pid):
    """The processes that a process has started, and those that they have: by the last word of their command."""
    found = {}
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            with suppress(OSError):
                words = Path(f"/proc/{child}/cmdline").read_text().split("\0")
                found |= {"".join(words[-2:]): int(child)} | descendants(child)
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
        port = ended.enter_context(network(tmp_path))
        settings = tmp_path / "xlsms.toml"
        settings.write_text(SETTINGS.format(port=port, window=WINDOW))
        log = ended.enter_context((tmp_path / "service.log").open("w"))

        def start():
            return xlsms("--config", settings, "run", stdout=log, stderr=log)

        service = start()
        try:
            while done.total() < KILLS:
                victim = kill_one(service, rng, log)
                done[victim] += 1
                if victim == "run":
                    service.wait()
                    service = start()
            before_the_end = len(taken(tmp_path))
            deadline = time.monotonic() + 240
            while time.monotonic() < deadline:
                time.sleep(2)
                shown = states(book)
                if not {"Queued", "Sending", ""} & set(shown.values()):
                    break
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait(60)
        reached, shown = taken(tmp_path), states(book)
    uncertain = {number for number, state in shown.items() if state == "Uncertain"}
    missing = {number for number in shown if not reached[number]}
    refused = {number for number, state in shown.items() if state == "Failed"}
    print(
        f"{dict(done)} killed; {before_the_end} of {ROWS} had left by then; states: {Counter(shown.values())}; "
        f"uncertain and never reached: {len(missing & uncertain)}"
    )
    assert {number: count for number, count in reached.items() if count > 1} == {}, "sent twice"
    assert missing - uncertain - refused == set(), "missing, and nobody says so"
    assert len(uncertain) <= done["run"] * WINDOW
    assert not set(shown.values()) - {"Delivered", "Failed", "Expired", "Uncertain", "Sent"}
