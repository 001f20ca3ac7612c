"""A command line that touches nothing outside the test's own folder, and a network in a process of its own."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest

from xlsms_service.cli import main


@dataclass
class Run:
    """What one command did."""

    code: int
    out: str
    err: str

    @property
    def figures(self):
        return json.loads(self.out)

    @property
    def complaint(self):
        """The one line on stderr."""
        (line,) = self.err.splitlines()
        return line


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    for name in ("LC_ALL", "LC_MESSAGES", "XLSMS_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr("platformdirs.user_config_path", lambda *_, **__: tmp_path / "config")
    monkeypatch.setattr("platformdirs.user_data_path", lambda *_, **__: tmp_path / "data")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def xlsms(capsys):
    """Run a command in this process."""

    def run(*words):
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Run(code, captured.out, captured.err)

    return run


@pytest.fixture
def sheet(tmp_path):
    """A workbook with these rows; the first one is the header."""

    def make(rows, name="list.xlsx"):
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(tmp_path / name)
        return tmp_path / name

    return make


@pytest.fixture
def settings(tmp_path):
    """An `xlsms.toml` with its data in the test's folder."""

    def write(text="", name="xlsms.toml"):
        file = tmp_path / name
        file.write_text(f'[service]\ndata = "ledger"\n{text}', "utf-8")
        return file

    return write


@pytest.fixture(scope="session")
def network():
    """`xlsms simulate smpp` in a process of its own; gives its port."""
    options = ["--port", "0", "--json", "--receipt-delay", "0.05", "--reply-delay", "0.05", "--expiry", "0.1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "xlsms_service", "simulate", "smpp", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield json.loads(process.stdout.readline())["port"]
    process.terminate()
    process.communicate(timeout=60)


@pytest.fixture
def connected(settings, network):
    """Settings with that network as their one connector."""
    return settings(
        "[[connector]]\n"
        'name = "rehearsal"\ntype = "smpp"\nhost = "127.0.0.1"\n'
        f'port = {network}\nsystem_id = "xlsms"\npassword = "rehearse"\n'
    )


def cells(file: Path, column: str):
    """What stands in a column below the header."""
    sheet = openpyxl.load_workbook(file).active
    headers = [cell.value for cell in sheet[1]]
    return [row[headers.index(column)] for row in sheet.iter_rows(min_row=2, values_only=True)]


@pytest.fixture(name="cells")
def _cells():
    return cells
