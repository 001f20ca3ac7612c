"""`xlsms status --watch`: what it draws, what it gives programs, and that it ends by itself only when told to."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from xlsms.states import State
from xlsms_service.app import Status
from xlsms_service.app.live import LinkLive, Live
from xlsms_service.cli.status import picture
from xlsms_service.cli.words import speak
from xlsms_service.ledger.lease import Holder
from xlsms_service.ledger.link import LinkRow
from xlsms_service.ledger.view import BookCount, Tally, sum_up

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def tally(lacking=0, **states):
    return Tally(
        by_state={State(name): count for name, count in states.items()},
        parts=sum(states.values()), replies=states.get("delivered", 0) // 10, lacking=lacking,
    )  # fmt: skip


BOOKS = (
    BookCount(path="/lists/appointments of the whole quarter.xlsx", problem=None, facts={},
              tally=tally(queued=9_200, sending=100, sent=4_312, delivered=85_011, failed=1_204, uncertain=3)),
    BookCount(path="/lists/open.xlsx", problem="file-open-elsewhere", facts={"application": "LibreOffice", "owner": "Ana"},
              tally=tally(lacking=12, delivered=12)),
    BookCount(path="/lists/done.xlsx", problem=None, facts={}, tally=tally(delivered=40)),
)  # fmt: skip
SPEED = LinkLive(
    connector="operator", link="up", code=None, breaker="closed", window=100, used=73, limit=250.0,
    second=248.0, minute=201.4, throttled=14,
)  # fmt: skip
KNOWN = Status(
    at=NOW,
    service=Holder(pid=4711, since=NOW - timedelta(hours=3)),
    tally=sum_up(book.tally for book in BOOKS),
    books=BOOKS,
    links=(
        LinkRow(connector="operator", state="up", code=None, facts={}, at=NOW - timedelta(days=2)),
        LinkRow(
            connector="backup",
            state="down",
            code="smsc-unreachable",
            breaker="open",
            at=NOW,
            facts={"host": "10.0.0.7", "port": "2775", "reason": "no answer"},
        ),
    ),
    live=Live(at=NOW, links=(SPEED,)),
)


def drawn(known, width=80, language="en", **more):
    speak(language)
    try:
        console = Console(file=io.StringIO(), width=width, color_system=None)
        console.print(picture(known, known.books, **more))
    finally:
        speak("en")
    return console.file.getvalue()


def test_a_screen_shows_speed_links_states_and_workbooks_with_open_rows():
    text = " ".join(drawn(KNOWN).split())
    for expected in ("process 4711", "73/100", "248", "201", "at most 250/s", "throttled 14 times in a minute",
                     "left alone after failures", "85,063", "9,200", "open.xlsx", "xlsms resolve", "86 %"):  # fmt: skip
        assert expected in text, expected
    assert "done.xlsx" not in text  # nothing of it is open


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("width", [80, 120])
def test_it_fits_into_a_terminal(width, language):
    lines = drawn(KNOWN, width, language).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) <= 30
    assert sum("97" in line or "appointments" in line for line in lines) >= 1


def test_without_a_service_there_is_no_speed():
    text = drawn(replace(KNOWN, service=None, live=None, stopped=NOW))
    assert "The service is not running." in text
    assert "Nothing more goes out" in text
    assert "SMS/s" not in text


def test_workbooks_that_do_not_fit_are_counted():
    books = tuple(replace(BOOKS[0], path=f"/lists/{number}.xlsx") for number in range(9))
    text = drawn(replace(KNOWN, books=books), most=4)
    assert text.count(".xlsx") == 4
    assert "and 5 more" in text


@pytest.fixture
def ends_after(monkeypatch):
    """Ctrl+C after so many looks."""

    def arrange(looks):
        slept = []

        def sleep(seconds):
            slept.append(seconds)
            if len(slept) == looks:
                raise KeyboardInterrupt

        monkeypatch.setattr("xlsms_service.cli.status.time.sleep", sleep)
        return slept

    return arrange


def test_watching_gives_programs_a_line_each_time(xlsms, settings, ends_after):
    slept = ends_after(3)
    run = xlsms("--config", settings(), "status", "--watch", "--every", "5", "--json")
    assert (run.code, run.err, slept) == (0, "", [5.0] * 3)
    for line in run.out.splitlines():
        assert json.loads(line)["running"] is False
    assert len(run.out.splitlines()) == 3


def test_watching_into_a_pipe_draws_each_time(xlsms, settings, ends_after):
    ends_after(2)
    run = xlsms("--config", settings(), "status", "--watch")
    assert run.code == 0
    assert run.out.count("The service is not running.") == 2
