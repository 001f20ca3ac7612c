"""Separate processes, as users have them: LibreOffice, a simulated network, the service."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import openpyxl
import pytest

from tests.journal import reached
from tests.settings import settings_text
from xlsms.workbook import read_rows

HERE = Path(__file__).parent
PATIENCE = 120.0  #: seconds for what another program does, on a computer that others use too
RESULTS = ("Status", "Detail", "Status time", "Reply", "Reply time", "SMS ID")


def until(condition, seconds=PATIENCE, why=lambda: ""):
    """What `condition` returns as soon as it is true; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s: {why() or condition}")
        time.sleep(0.05)


def xlsms(*arguments, **more):
    """An `xlsms` command in a process of its own; it speaks English."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "xlsms_service", *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, text=True, **more)


def _office_python():
    """A Python that can import LibreOffice's `uno`."""
    if office := shutil.which("soffice"):
        own = Path(office).resolve().parent / "python"
        for python in (own, "/usr/bin/python3", sys.executable):
            with contextlib.suppress(OSError):
                if subprocess.run([python, "-c", "import uno"], capture_output=True, check=False).returncode == 0:
                    return python
    give_up = pytest.fail if os.environ.get("CI") else pytest.skip
    return give_up("LibreOffice and its Python module uno are not here")


class Calc:
    """LibreOffice in processes of its own; its commands are the methods of `calc.py`."""

    def __init__(self, python, profile, *more):
        self._process = subprocess.Popen(
            [python, HERE / "calc.py", profile, *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # LibreOffice complains there about what it does without
            text=True,
        )
        self._answer()

    def _answer(self):
        line = self._process.stdout.readline()
        assert line, "LibreOffice has gone"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def __getattr__(self, command):
        def call(**arguments):
            self._process.stdin.write(json.dumps([command, arguments], default=str) + "\n")
            self._process.stdin.flush()
            return self._answer()

        return call

    @contextlib.contextmanager
    def editing(self, path):
        """The document open, with LibreOffice's lock file beside it."""
        self.open(path=path)
        try:
            until(_lock_of(path).exists)
            yield self
        finally:
            self.close()
        until(lambda: not _lock_of(path).exists())

    def end(self):
        self._process.stdin.close()
        self._process.wait(2 * PATIENCE)  # it waits for LibreOffice itself
        self._process.stdout.close()


def _lock_of(path):
    return path.with_name(f".~lock.{path.name}#")


@pytest.fixture(scope="session")
def office(tmp_path_factory):
    calc = Calc(_office_python(), tmp_path_factory.mktemp("profile"))
    yield calc
    calc.end()


@pytest.fixture
def calc(office):
    yield office
    office.close()


@pytest.fixture
def calc_with_boxes(tmp_path_factory):
    """One whose message boxes wait for an answer."""
    calc = Calc(_office_python(), tmp_path_factory.mktemp("profile"), "boxes")
    yield calc
    calc.end()


class Run:
    """A command that stays: its JSON lines as they come."""

    def __init__(self, log, *arguments):
        self._log = log
        self.events = []
        with log.open("w") as stream:
            self.process = xlsms(*arguments, "--json", stdout=subprocess.PIPE, stderr=stream)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.events.append(json.loads(line))

    def seen(self, **facts):
        """The events with these facts."""
        return [event for event in list(self.events) if facts.items() <= event.items()]

    def until(self, seconds=PATIENCE, **facts):
        """Wait for an event with these facts."""
        return until(
            lambda: self.process.poll() is not None or self.seen(**facts),
            seconds,
            lambda: f"{facts} in {self.events}, {self._log.read_text()}",
        )

    def hold(self):
        """Let it stand still: what it has to do, it does when it goes on."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def end(self):
        """Stop it as a service manager does; it has to leave in peace."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.go_on()
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        self.process.stdout.close()
        # that a workbook is open somewhere, and waited for, is told and no error
        errors = [line for line in self._log.read_text().splitlines() if " WARNING " not in line]
        assert (code, errors) == (0, []), errors


def _put_an_end_to(process):
    """A command that nobody waited for, because the test has failed before."""
    if process.poll() is None:
        process.kill()
    for stream in (process.stdout, process.stderr):
        stream.close()
    process.wait(PATIENCE)


class Desk:
    """An office with a watched folder, a simulated network and an `xlsms.toml`."""

    until = staticmethod(until)

    def __init__(self, folder):
        self.folder = folder
        self.watched = folder / "watched"
        self.watched.mkdir()
        self.settings = folder / "xlsms.toml"
        self.journal = folder / "journal.jsonl"
        self._ended = contextlib.ExitStack()

    def network(self, phones=(), *, receipt=1.0, more=()):
        """Start the network. `phones` are TOML tables `[[phone]]`; all delays are exact."""
        script = self.folder / "phones.toml"
        pace = f"[pace]\nreceipt = {receipt}\nreply = 0.2\njitter = 0.0\n[shares]\nanswers = 0\nslow = 0\n"
        script.write_text(pace + "fails = 0\noff = 0\nrejects = 0\n" + "\n".join(phones))
        run = Run(
            self.folder / "network.log", "simulate", "smpp", "--port", 0, "--journal", self.journal, "--phones", script,
            *more,
        )  # fmt: skip
        self._ended.callback(run.end)
        (listening,) = run.until(event="listening")
        self.settings.write_text(settings_text(listening["port"]))
        return run

    def service(self):
        """Start the service, and wait until its link is up."""
        run = Run(self.folder / f"service-{time.time_ns()}.log", "--config", self.settings, "run")
        self._ended.callback(run.end)
        run.until(event="link", link="up")
        return run

    def start(self, *arguments):
        """A command that ends by itself."""
        process = xlsms("--config", self.settings, *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._ended.callback(_put_an_end_to, process)
        return process

    def finish(self, process, *codes):
        """What a command has printed when it has ended, with one of these exit codes, else 0."""
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode in (codes or (0,)), out + err
        return out

    def reached(self):
        """How many parts each number was sent."""
        return reached(self.journal)

    def list(self, name, count, *, marked=True, columns=()):
        """A list in the watched folder, there at once: people 0, 1, 2 … with a phone each, and what xlsms fills in."""
        book = openpyxl.Workbook()
        book.active.title = "People"
        book.active.append(["Name", "Phone", "Message", "Send", *RESULTS, *columns])
        for number in range(count):
            book.active.append([f"Person {number}", f"6{number:08}", f"Hello number {number}", "x" if marked else None])
        book.save(self.folder / name)
        return (self.folder / name).replace(self.watched / name)

    def rows(self, path):
        """What stands in each row, by the name of the person."""
        rows = list(read_rows(path))
        found = {row.fields["Name"]: dict(row.fields) for row in rows}
        assert len(found) == len(rows), "a name stands twice"
        return found

    def states(self, path):
        """How many rows show each status."""
        return Counter(row["Status"] for row in self.rows(path).values())

    def await_states(self, path, seconds=PATIENCE, **counts):
        """Wait until the file shows exactly these states."""
        until(lambda: self.states(path) == counts, seconds, lambda: f"{counts} in {self.states(path)}")

    def end(self):
        self._ended.close()


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    made.end()
