"""Long lists are worked on by a process of their own: the same outcome, errors raised here, nothing lost when it dies."""

import asyncio
import io
import subprocess
import sys
from types import SimpleNamespace

import openpyxl
import pytest

from xlsms.errors import TransientError
from xlsms.states import State
from xlsms.workbook import read_rows
from xlsms_service.app import App, Patience, service
from xlsms_service.app.terms import terms
from xlsms_service.config import ConnectorSettings, ServiceSettings, Settings
from xlsms_service.desk import desk
from xlsms_service.sync.intake import Intake
from xlsms_service.sync.pipe import put


@pytest.fixture(autouse=True)
def all_lists_are_long(monkeypatch):
    """Every list goes to the desk; who works on one here is seen."""
    monkeypatch.setattr(desk, "_LONG", 0)
    monkeypatch.setattr(desk.os, "cpu_count", lambda: 2)

    async def here(*_):
        raise AssertionError("a long list was taken in by the service itself")

    monkeypatch.setattr(Intake, "take", here)
    monkeypatch.setattr(desk, "_QUICK", 0)


@pytest.fixture
def settings(tmp_path):
    network = ConnectorSettings(name="network", type="simulator", options={"haste": 50})
    return Settings(service=ServiceSettings(data=tmp_path / "data"), connectors=(network,))


def make_list(path):
    book = openpyxl.Workbook()
    book.active.append(["Phone", "Message", "Send", "Status", "SMS ID"])
    book.active.append(["600000001", "Hello", "x"])
    book.active.append(["1", "Hello", "x"])
    book.save(path)
    return path


def send(app, path):
    return asyncio.wait_for(app.send(path, patience=Patience()), 60)


def test_a_list_is_taken_in_and_written_by_the_desk(tmp_path, settings):
    path = make_list(tmp_path / "list.xlsx")
    accepted = []

    async def main():
        async with App(settings, on_event=lambda event: accepted.append(event.taken)) as app:
            return await send(app, path)

    report = asyncio.run(main())
    assert report.by_state == {State.DELIVERED: 1}
    assert [(problem.code, problem.place.row) for problem in report.problems] == [("number-too-short", 3)]
    assert [row.status for row in read_rows(path)] == ["Delivered", "Held"]
    assert [taken.accepted for taken in accepted if taken] == [1]


def test_its_errors_are_raised_here(tmp_path, settings):
    path = make_list(tmp_path / "list.xlsx")
    (tmp_path / "~$list.xlsx").write_bytes(b"\x05Maria" + bytes(159))

    async def main():
        async with App(settings) as app:
            await app.send(path, patience=Patience(wait=False))

    with pytest.raises(TransientError) as caught:
        asyncio.run(main())
    assert (caught.value.code, caught.value.place.file) == ("file-open-elsewhere", "list.xlsx")


def test_where_the_ledger_cannot_be_opened_it_leaves_the_words_to_its_service(tmp_path, capfd):
    (tmp_path / "data").write_text("no folder")
    one = desk.Desk((Settings(service=ServiceSettings(data=tmp_path / "data")), None), {})

    async def main():
        try:
            await asyncio.wait_for(one.do("check", tmp_path / "list.xlsx"), 60)
        finally:
            await one.close()

    with pytest.raises(TransientError) as caught:
        asyncio.run(main())
    assert caught.value.code == "desk-ended"
    assert capfd.readouterr().err == ""


def test_when_it_dies_that_is_said_and_the_next_order_starts_another(tmp_path, settings):
    path = make_list(tmp_path / "list.xlsx")

    async def main():
        async with App(settings) as app:
            asked = asyncio.create_task(app._desk.do("take_in", path, terms(settings)))
            while app._desk._process is None:
                await asyncio.sleep(0)
            app._desk._process.kill()  # long before it has read its first order
            with pytest.raises(TransientError) as caught:
                await asked
            assert caught.value.code == "desk-ended"
            return await send(app, path)

    assert asyncio.run(main()).by_state == {State.DELIVERED: 1}


def test_what_its_service_cannot_do_with_what_it_tells_is_no_fault_of_its_own(tmp_path, settings):
    path = make_list(tmp_path / "list.xlsx")

    def admitted():
        raise BrokenPipeError

    async def main():
        async with App(settings) as app:
            process = app._desk.start()
            app._desk._hearers = {**app._desk._hearers, "admitted": admitted}
            with pytest.raises(BrokenPipeError):
                await app._desk.do("take_in", path, terms(settings))
            assert app._desk.start() is process
            return await send(app, path)

    assert asyncio.run(main()).by_state == {State.DELIVERED: 1}


def test_its_service_is_told_the_rest_whatever_it_could_not_do_with_the_first(monkeypatch):
    said, heard = io.BytesIO(), []
    for nth in range(2):
        put(said, desk.Told(ended=False, result=desk.Call(method="written", arguments=(nth,))))
    put(said, desk.Told(ended=True))
    said.seek(0)

    def written(nth):
        heard.append(nth)
        raise BrokenPipeError

    one = desk.Desk(None, {"written": written})
    monkeypatch.setattr(one, "start", lambda: SimpleNamespace(stdin=io.BytesIO(), stdout=said))
    with pytest.raises(BrokenPipeError):
        asyncio.run(one.do("write_back"))
    assert heard == [0, 1]


@pytest.mark.parametrize("through", [False, True])
def test_who_does_not_wait_for_its_answer_never_gets_it_for_another_order(tmp_path, settings, through):
    path = make_list(tmp_path / "list.xlsx")

    async def main():
        async with App(settings) as app:
            asked = asyncio.create_task(app._desk.do("take_in", path, terms(settings), through=through))
            while app._desk.doing is None:
                await asyncio.sleep(0)
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
            return await send(app, path)

    assert asyncio.run(main()).by_state == {State.DELIVERED: 1}
    assert [row.status for row in read_rows(path)] == ["Delivered", "Held"]


#: What takes long to be imported, and is for the links, for those who look on, or for new files.
SLOW = (
    "alembic", "fastapi", "openpyxl", "prometheus_client", "sqlalchemy.dialects.postgresql", "uvicorn", "watchdog",
    "xlsms_service.api", "xlsms_service.app", "xlsms_service.connectors", "xlsms_service.delivery.engine",
    "xlsms_service.protocols", "xlsms_service.simulators", "xlsms_service.twoway",
)  # fmt: skip


@pytest.mark.parametrize(
    ("module", "slow"),
    [
        ("xlsms_service.desk.child", SLOW),
        ("xlsms_service.sync.pen_child", (*SLOW, "asyncio", "sqlalchemy", "ssl", "xlsms_service.ledger")),
    ],
)
def test_it_and_its_pen_do_without_what_takes_long_to_come_and_is_not_for_them(module, slow):
    look = f"import sys, {module}; print([name for name in {slow} if name in sys.modules])"
    seen = subprocess.run([sys.executable, "-P", "-c", look], capture_output=True, text=True, check=True)

    assert seen.stdout.strip() == "[]"


#: A process with one thread, as a command is when it begins.
BRANCHING_OFF = """
import asyncio, os, signal, sys
from pathlib import Path
from xlsms.errors import TransientError
from xlsms_service.app import App, Patience
from xlsms_service.app.terms import terms
from xlsms_service.config import ConnectorSettings, ServiceSettings, Settings
from xlsms_service.desk import desk

desk._LONG = 0
desk.os.cpu_count = lambda: 2
path = Path(sys.argv[1])
network = ConnectorSettings(name="network", type="simulator", options={"haste": 50})
settings = Settings(service=ServiceSettings(data=path.parent / "data"), connectors=(network,))

async def main():
    async with App(settings, coming=path) as app:
        copy = app._desk.start()
        print(type(copy).__name__, app._desk.ready)
        report = await app.send(path, patience=Patience())
        print(Path(f"/proc/{copy.pid}/comm").read_text().strip(), os.getsid(copy.pid) == copy.pid)
        print(*report.by_state.values(), *(problem.place.row for problem in report.problems))
        assert app._desk.start() is copy
        os.kill(copy.pid, signal.SIGSTOP)
        asyncio.get_running_loop().call_later(0.1, copy.kill)  # when it has the order
        try:
            await app._desk.do("take_in", path, terms(settings))
        except TransientError as error:
            print(error.code)
        await app._desk.do("take_in", path, terms(settings))
        print(type(app._desk.start()).__name__)
    async with App(settings, coming=path) as app:
        copy = app._desk.start()
    print(copy.poll())

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only there a process is copied")
def test_for_a_list_that_is_coming_it_begins_as_a_copy(tmp_path):
    path = make_list(tmp_path / "list.xlsx")
    command = [sys.executable, "-c", BRANCHING_OFF, str(path)]
    seen = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert seen.stderr == ""
    assert seen.stdout.splitlines() == ["Fork True", "xlsms-desk True", "1 3", "desk-ended", "Popen", "0"]
    assert [row.status for row in read_rows(path)] == ["Delivered", "Held"]


@pytest.mark.parametrize("rows", [2, 3, 7])
def test_the_first_rows_leave_while_the_desk_is_being_started(tmp_path, settings, monkeypatch, rows):
    """Three of them here; the others, and all of a later list, at the desk."""
    monkeypatch.undo()
    monkeypatch.setattr(desk, "_LONG", 0)
    monkeypatch.setattr(desk.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(service, "_FIRST", 3)
    here, take = [], Intake.take

    async def taken(intake, path, asked, most=None):
        found = await take(intake, path, asked, most)
        here.append((most, found.accepted, found.more))
        return found

    monkeypatch.setattr(Intake, "take", taken)
    paths = [tmp_path / "first.xlsx", tmp_path / "second.xlsx"]
    for nth, path in enumerate(paths):
        book = openpyxl.Workbook()
        book.active.append(["Phone", "Message", "Send", "Status", "SMS ID"])
        for row in range(rows):
            book.active.append([f"6{nth}{row:07}", "Hello", "x"])
        book.save(path)

    async def main():
        async with App(settings) as app:
            reports = [await send(app, path) for path in paths]
            return reports, app._desk.ready

    reports, ready = asyncio.run(main())
    assert [report.by_state for report in reports] == [{State.DELIVERED: rows}] * 2
    assert here[0] == (3, min(rows, 3), rows >= 3)
    if rows >= 3:
        assert ready
        assert len(here) == 1
    for path in paths:
        assert [row.status for row in read_rows(path)] == ["Delivered"] * rows
