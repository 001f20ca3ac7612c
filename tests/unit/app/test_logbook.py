"""The log says what happened in stable codes, and never to whom or with which words."""

import asyncio
import errno
import json
import logging
import sqlite3

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from xlsms.errors import UserError
from xlsms.journal import note
from xlsms_service.app import App, Patience
from xlsms_service.app.logbook import inert, logbook, told, trace
from xlsms_service.config import ConnectorSettings, ServiceSettings, Settings

_log = logging.getLogger("xlsms_service.test")

#: Found nowhere else: two last digits 01 deliver, 02 answer, 35 fail.
NUMBERS = ("633911701", "633911702", "633911735")
TEXT = "Zwölfboxkämpfer"


def fail(error):
    raise error


def kept(tmp_path):
    return (tmp_path / "xlsms.log").read_text("utf-8").splitlines()


def test_a_line_for_people_has_time_level_words_and_code(tmp_path):
    with logbook(ServiceSettings(data=tmp_path), "es"):
        note(_log, logging.WARNING, "log-may-have-left", count=3)
        note(_log, logging.DEBUG, "log-stopped")
    (line,) = kept(tmp_path)
    assert line.endswith("WARNING 3 mensajes pueden haber salido antes de la última parada [log-may-have-left]")
    assert (tmp_path / "xlsms.log").stat().st_mode & 0o077 == 0


def test_json_has_an_object_a_line_with_facts_and_error(tmp_path):
    with logbook(ServiceSettings(data=tmp_path, log="json")):
        try:
            fail(OperationalError("SELECT", {}, sqlite3.OperationalError("disk I/O error")))
        except OperationalError as error:
            note(_log, logging.ERROR, "log-ledger-again", error)
        note(_log, logging.INFO, "log-link-down", connector="operator", reason="link-lost")
    first, second = map(json.loads, kept(tmp_path))
    assert (first["code"], first["level"], first["error"]["reason"]) == ("log-ledger-again", "error", "disk I/O error")
    assert first["error"]["frames"][0].startswith("test_logbook.py:")
    assert second["facts"] == {"connector": "operator", "reason": "link-lost"}


@pytest.mark.parametrize(
    ("says", "code"), [("database is locked", "ledger-busy"), ("database or disk is full", "ledger-full")]
)
def test_what_the_user_can_mend_in_the_ledger_is_a_line_without_lines_of_code(tmp_path, says, code):
    with logbook(ServiceSettings(data=tmp_path)):
        try:
            fail(OperationalError("SELECT", {}, sqlite3.OperationalError(says)))
        except OperationalError as error:
            note(_log, logging.ERROR, "log-ledger-again", error)
    (line,) = kept(tmp_path)
    assert line.endswith(f"[log-ledger-again] {code}: {says}")


def test_warnings_are_told_on_the_screen_once(tmp_path, capsys):
    with logbook(), logbook(ServiceSettings(data=tmp_path)):
        note(_log, logging.WARNING, "log-may-have-left", count=3)
        note(_log, logging.INFO, "log-started", version="1")
    assert capsys.readouterr().err.count("[") == 1


def test_the_log_can_go_to_stderr_alone(tmp_path, capsys):
    with logbook(ServiceSettings(data=tmp_path, log="json", log_file="stderr")):
        note(_log, logging.WARNING, "log-may-have-left", count=3)
    assert json.loads(capsys.readouterr().err)["facts"] == {"count": 3}
    assert not (tmp_path / "xlsms.log").exists()


def test_files_are_turned_over_and_old_ones_forgotten(tmp_path, monkeypatch):
    monkeypatch.setattr("xlsms_service.app.logbook._BYTES", 2_000)
    with logbook(ServiceSettings(data=tmp_path)):
        for count in range(400):
            note(_log, logging.INFO, "log-replies", count=count)
    files = sorted(tmp_path.glob("xlsms.log*"))
    assert len(files) == 6
    assert sum(file.stat().st_size for file in files) <= 6 * 2_000
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path, capsys):
    (tmp_path / "xlsms.log").mkdir()
    with logbook(ServiceSettings(data=tmp_path)):
        note(_log, logging.INFO, "log-started", version="1")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "number", ["+34633911701", "633 911 701", "633-911-701", "(633) 911.701", "00 34 633911701", "tel:633911701"]
)
def test_what_may_be_a_number_is_left_out(number):
    assert not any(digit in inert(f"to {number} at 10:30") for digit in ("633", "911", "701"))


@pytest.mark.parametrize(
    "text", ["2026-11-28 04:40:12", "10.0.0.7:2775", "192.168.100.200", "100000 rows", "port 65535"]
)
def test_times_addresses_and_counts_stay(text):
    assert inert(text) == text


@given(st.text())
def test_any_text_can_be_made_inert(text):
    assert inert(inert(text)) == inert(text)


def test_of_an_error_only_what_cannot_hold_a_text_is_said():
    assert "reason" not in told(ValueError(TEXT))
    assert told(ValueError(TEXT), texts=True)["reason"] == TEXT
    assert told(UserError("phone-too-short", number=NUMBERS[0])) == {
        "kind": "UserError", "code": "phone-too-short", "frames": [],
    }  # fmt: skip
    assert told(OSError(errno.ENOSPC, "No space left on device", f"/lists/{NUMBERS[0]}"))["reason"] == (
        "No space left on device"
    )
    try:
        try:
            fail(KeyError(NUMBERS[0]))
        except KeyError as error:
            raise ValueError(TEXT) from error
    except ValueError as error:
        said = trace(error)
    assert "KeyError" in said
    assert "ValueError" in said
    assert "test_logbook.py" in said
    assert NUMBERS[0] not in said


def test_records_of_others_are_told_without_numbers(tmp_path):
    with logbook(ServiceSettings(data=tmp_path, log="json")):
        logging.getLogger("somebody").warning("sending to %s", NUMBERS[0])
    (line,) = map(json.loads, kept(tmp_path))
    assert (line["code"], line["message"]) == ("other", "sending to …")


class Everything(logging.Handler):
    """Every record of our own loggers and the warnings of all others, as anybody's handler would show it."""

    def __init__(self):
        super().__init__(0)
        self.said = []

    def emit(self, record):
        self.said.append(f"{self.format(record)} {record.__dict__.get('facts')}")


@pytest.mark.parametrize("log", ["text", "json"])
def test_a_whole_send_leaves_no_number_and_no_text_in_any_log(tmp_path, capfd, log):
    path = tmp_path / "list.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["Name", "Phone", "Message", "Send", "Status", "Detail", "SMS ID"])
    for number in (*NUMBERS, "6339117", "not a number 633911799"):
        book.active.append([TEXT, number, "Hola {Name}, hola", "x"])
    book.active.append([None, NUMBERS[0], f"{{Name}} {TEXT}", "x"])
    book.save(path)
    service = ServiceSettings(data=tmp_path / "data", log=log, log_level="debug")
    network = ConnectorSettings(name="network", type="simulator", options={"haste": 100})
    settings = Settings(service=service, connectors=(network,))

    async def main():
        async with App(settings) as app, asyncio.timeout(60):
            report = await app.send(path, patience=Patience())
            assert report.total == 3
            assert len(report.problems) == 3
            await app.text(NUMBERS[0], f"{TEXT} otra vez")
            with pytest.raises(UserError):
                await app.text("12", TEXT)

    everything = Everything()
    logging.getLogger().addHandler(everything)
    try:
        with logbook(service):
            asyncio.run(main(), debug=True)
    finally:
        logging.getLogger().removeHandler(everything)
    printed = capfd.readouterr()
    logs = "\n".join([*everything.said, *kept(tmp_path / "data"), printed.out, printed.err])
    assert "log-taken-in" in logs
    for number in (*NUMBERS, "633911799"):
        assert number not in logs
    assert TEXT not in logs
    assert "hola" not in logs.casefold()
