"""The tutorial, followed word for word in processes of its own."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import openpyxl

from tests.port import free_port
from xlsms import templates

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text("utf-8")
HEADER = 4


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def words(line, port):
    """A line of the page as a process: this Python's xlsms, and a port that nobody else uses."""
    assert line.startswith("xlsms ")
    rest = line.split()[1:]
    return [sys.executable, "-m", "xlsms_service", *rest, *(["--port", str(port)] if rest[0] == "simulate" else [])]


@contextmanager
def going(line, port, folder, environment, says):
    """A process that stays, until Ctrl+C."""
    process = subprocess.Popen(
        words(line, port), cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        while says not in (heard := process.stdout.readline()):
            assert heard, "it ended early"
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
    assert process.returncode == 0


def column(file, title):
    sheet = openpyxl.load_workbook(file).worksheets[0]
    headers = [cell.value for cell in sheet[HEADER]]
    rows = sheet.iter_rows(min_row=HEADER + 1, max_row=HEADER + 3, values_only=True)
    return [row[headers.index(title)] for row in rows]


def test_whoever_follows_the_tutorial_gets_states_and_replies(tmp_path):
    port = free_port()
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    assert lines[:3] == ["mkdir rehearsal", "cd rehearsal", "mkdir inbox"]
    simulate, doctor, init, check, send, run, status = lines[3:]
    folder = tmp_path / "rehearsal"
    (folder / "inbox").mkdir(parents=True)
    (settings,) = blocks("toml")
    assert "port = 2775" in settings
    (folder / "xlsms.toml").write_text(settings.replace("2775", str(port)), "utf-8")
    environment = os.environ | {"LANG": "C", "LC_ALL": "C", "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}

    def do(line):
        done = subprocess.run(
            words(line, port), cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    with going(simulate, port, folder, environment, "password"):
        assert "✗" not in do(doctor)
        do(init)
        assert "Rows that go: 3" in do(check)
        do(send)
        assert column(folder / "reminders.xlsx", "Status") == ["Delivered"] * 3
        assert any(column(folder / "reminders.xlsx", "Reply"))
        with going(run, port, folder, environment, "up"):
            rows = [(f"N{index}", f"60000{index:04d}", None, None, f"Hello {index}", "x") for index in range(101, 104)]
            (folder / "draft.xlsx").write_bytes(templates.new("reminders", "en", rows))
            (folder / "draft.xlsx").replace(folder / "inbox" / "list.xlsx")
            until = time.monotonic() + 120
            while set(column(folder / "inbox" / "list.xlsx", "Status")) != {"Delivered"}:
                assert time.monotonic() < until, column(folder / "inbox" / "list.xlsx", "Status")
            assert "list.xlsx" in do(status)


def test_the_shortest_path_of_the_readme_sends_a_list(tmp_path):
    page = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    (settings,) = re.findall(r"<!-- settings -->\n```toml\n(.*?)```", page, re.DOTALL)
    (lines,) = re.findall(r"<!-- list -->\n```sh\n(.*?)```", page, re.DOTALL)
    (tmp_path / "xlsms.toml").write_text(settings, "utf-8")
    home = {"XLSMS_CONFIG": "xlsms.toml", "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    environment = os.environ | home | {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "1"}
    for line in lines.splitlines():
        marked = [] if "init" in line else ["--all"]  # nobody opens the workbook here to mark its rows
        done = subprocess.run(
            [*words(line, 0), *marked],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert set(column(tmp_path / "reminders.xlsx", "Status")) == {"Delivered"}
